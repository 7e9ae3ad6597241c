package targettest

import (
	"os"
	"slices"
	"testing"
)

// testCase is one case of the suite.
type testCase struct {
	name string
	run  func(t *testing.T, f Fixture)
}

var cases = []testCase{
	{"empty place", emptyPlace},
	{"first release", firstRelease},
	{"next release", nextRelease},
	{"odd names", oddNames},
	{"file turns into folder and back", fileAndFolder},
	{"mass delete", massDelete},
	{"earlier release again", earlierAgain},
	{"identical content under another release", sameTreeAgain},
	{"stage has no visible effect", stageIsInvisible},
	{"stage again", stageAgain},
	{"stage resumes after cancel", stageResumes},
	{"stage refuses changed bytes", stageRefusesChanged},
	{"commit of what is not staged", commitNotStaged},
	{"commit from another process", commitElsewhere},
	{"commit again", commitAgain},
	{"stale swap", staleSwap},
	{"rollback", rollback},
	{"rollback to nothing", rollbackToNothing},
	{"rollback of what never happened", rollbackOfNothing},
	{"rollback refuses a third state", rollbackThirdState},
	{"content of others", foreignContent},
	{"foreign files are told apart", foreignFiles},
	{"foreign files of which none is lost", foreignSubset},
	{"a beacon is a record", beaconIsARecord},
	{"kept files stay", keptStay},
	{"kept files need no adoption", keptNeedNoAdoption},
	{"kept files survive a rollback", keptSurviveRollback},
	{"the site's file wins over a kept one", siteWinsOverKept},
	{"assets of earlier releases stay", graceAssetsStay},
	{"the site's file wins over one in grace", graceYieldsToTheRelease},
	{"files in grace survive a rollback", graceSurvivesRollback},
	{"files in grace are not pruned", graceIsNotPruned},
	{"files in grace end by time", graceEndsByTime},
	{"releases are restored after their files were in grace", graceEndsWithRestores},
	{"content is removed for good", erased},
	{"manifest beside the release", manifestBeside},
	{"tampering", tampering},
	{"past releases", pastReleases},
	{"past of others", pastOfOthers},
	{"earlier releases are restored", restored},
	{"retention from machines without a history", retentionAnywhere},
	{"retention while another publisher stages", retentionWhileOthersStage},
	{"retention after rollbacks", retentionAfterRollbacks},
	{"retention of a release that went live again", retentionOfLiveAgain},
	{"reserved", reserved},
	{"reserved and released", reservedAndReleased},
	{"reserved by one that is stopped", reservedByTheSilent},
	{"reservation with a broken network", brokenReservation},
	{"notes", notes},
	{"contents of single files", contents},
	{"concurrent use", concurrentUse},
	{"readers during commit", readersDuringCommit},
	{"first release: writes refused", func(t *testing.T, f Fixture) { brokenFirst(t, f, refuse) }},
	{"first release: answers lost", func(t *testing.T, f Fixture) { brokenFirst(t, f, lose) }},
	{"first release: two publishers", twoAtFirst},
	{"hashed names in place before the commit", filledBeside},
	{"hashed names: writes refused", func(t *testing.T, f Fixture) { brokenFilling(t, f, refuse) }},
	{"hashed names: answers lost", func(t *testing.T, f Fixture) { brokenFilling(t, f, lose) }},
	{"hashed names: two publishers", twoBeside},
	{"writes refused", func(t *testing.T, f Fixture) { brokenWrites(t, f, refuse) }},
	{"answers lost", func(t *testing.T, f Fixture) { brokenWrites(t, f, lose) }},
}

// core are the cases that run under -short.
var core = []string{
	"empty place", "first release", "next release", "odd names", "file turns into folder and back", "stage has no visible effect", "commit again",
	"stale swap", "rollback", "rollback refuses a third state", "foreign files are told apart", "kept files stay", "past releases",
	"earlier releases are restored", "reserved",
}

// ofServers are the cases in which it matters what the server does: how it stores names, what it answers to writes, and what
// happens at the same time.
var ofServers = []string{
	"empty place", "first release", "next release", "odd names", "file turns into folder and back", "mass delete", "stage resumes after cancel",
	"commit from another process", "commit again", "stale swap", "rollback", "rollback to nothing", "content of others", "content is removed for good",
	"tampering", "past releases", "earlier releases are restored", "retention from machines without a history", "reserved", "reserved and released",
	"reserved by one that is stopped", "reservation with a broken network", "notes", "contents of single files", "concurrent use", "readers during commit",
	"first release: writes refused", "first release: two publishers", "hashed names in place before the commit", "hashed names: two publishers",
	"writes refused", "answers lost",
}

// Run runs the suite. place makes a fresh place for each case.
func Run(t *testing.T, place func(t *testing.T) Fixture) { run(t, nil, place) }

// RunOnServer runs the suite on a further server for a kind of target that passes the whole suite on another one: the cases in
// which the server matters, and with MIRROR_EXPERIMENT=full all of them.
func RunOnServer(t *testing.T, place func(t *testing.T) Fixture) {
	if os.Getenv("MIRROR_EXPERIMENT") == "full" {
		Run(t, place)
		return
	}
	run(t, ofServers, place)
}

// run runs the cases that only names, all where it is empty.
func run(t *testing.T, only []string, place func(t *testing.T) Fixture) {
	for _, c := range cases {
		if testing.Short() && !slices.Contains(core, c.name) || len(only) > 0 && !slices.Contains(only, c.name) {
			continue
		}
		t.Run(c.name, func(t *testing.T) { c.run(t, place(t)) })
	}
}
