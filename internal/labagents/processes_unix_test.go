//go:build unix

package labagents_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"

	"mirror/internal/history"
	"mirror/internal/realserver"
)

// brokerPort is in the environment of a process of a test that is a NATS server, and brokerStore is its folder.
const (
	brokerPort  = "MIRROR_TEST_BROKER_PORT"
	brokerStore = "MIRROR_TEST_BROKER_STORE"
)

func TestMain(m *testing.M) {
	if port := os.Getenv(brokerPort); port != "" {
		os.Exit(beBroker(port, os.Getenv(brokerStore)))
	}
	os.Exit(m.Run())
}

// beBroker runs a NATS server until it is killed.
func beBroker(port, store string) int {
	number, err := strconv.Atoi(port)
	if err != nil {
		return 2
	}
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: number, NoSigs: true, NoLog: true, JetStream: true, StoreDir: store, SyncAlways: true})
	if err != nil {
		return 2
	}
	s.Start()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	<-ctx.Done()
	s.Shutdown()
	return 0
}

// process is one that a test kills and starts again.
type process struct {
	start func() *exec.Cmd
	cmd   *exec.Cmd
	ended chan struct{} // closed at its end
	log   string        // file
}

// processes is a daemon, or two with an external broker, and agents, each a process of its own.
type processes struct {
	t       *testing.T
	program string
	dir     string
	random  *rand.Rand
	origin  string
	listen  string
	daemons []string // names
	agents  []string
	all     map[string]*process
	mode    string
	since   time.Time // checks that began later are judged
	round   placesRound
}

// placesRound is what one run came to, for the file of results.
type placesRound struct {
	Seed                                      uint64
	Mode                                      string
	External                                  bool
	Agents, Faults, Checks, Whole, Views      int
	Missing                                   int // places that were named, over all checks
	Lost, Doubled, Wrong, Late, Unnamed, Told int
	Slowest                                   time.Duration
}

const processPages = 800

func newProcesses(t *testing.T, seed uint64, agents int) *processes {
	p := &processes{t: t, program: os.Getenv("MIRROR_BINARY"), dir: t.TempDir(), random: rand.New(rand.NewPCG(seed, 69)), all: map[string]*process{}}
	p.mode = []string{"each", "spread"}[seed/2%2]
	p.round = placesRound{Seed: seed, Mode: p.mode, External: seed%2 == 1, Agents: agents}
	public := filepath.Join(p.dir, "public")
	p.check(os.MkdirAll(public, 0o755))
	for n := range processPages {
		p.check(os.WriteFile(filepath.Join(public, fmt.Sprintf("p%d.html", n)), fmt.Appendf(nil, "<p>page %d", n), 0o644))
	}
	files := http.FileServer(http.Dir(filepath.Join(p.dir, "www", "current")))
	live := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/p7.html" {
			http.NotFound(w, r)
			return
		}
		files.ServeHTTP(w, r)
	}))
	t.Cleanup(live.Close)
	p.origin, p.listen = live.URL+"/", realserver.Loopback(realserver.FreePort(t))
	p.daemons = []string{"d1"}
	if p.round.External {
		p.daemons = []string{"d1", "d2"}
		_, port, _ := strings.Cut(p.listen, ":")
		p.run("broker", func() *exec.Cmd {
			c := exec.Command(os.Args[0])
			c.Env = append(os.Environ(), brokerPort+"="+port, brokerStore+"="+filepath.Join(p.dir, "broker"))
			return c
		})
	}
	p.check(os.WriteFile(p.config(), []byte(p.configText()), 0o644))
	_ = p.mirror("d1", "publish").Run() // one page is missing on the origin
	p.startDaemons()
	for i := range agents {
		p.startAgent(fmt.Sprint("place-", i))
	}
	return p
}

func (p *processes) config() string { return filepath.Join(p.dir, "mirror.yaml") }

func (p *processes) configText() string {
	vantages := fmt.Sprintf("{listen: %q, mode: %s, timeout: 40s}", p.listen, p.mode)
	if p.round.External {
		vantages = fmt.Sprintf("{nats: %q, credentials: %q, group: test, mode: %s, timeout: 40s}", "nats://"+p.listen, p.credentials("daemon"), p.mode)
	}
	return fmt.Sprintf(`version: 1
site: {dir: public}
targets:
  - {name: web, type: dir, path: www, origin: {url: %q, concurrency: 4}}
publish: {verify_timeout: 1s}
check: {rate: 0}
vantages: %s
schedule:
  - {name: look, run: check, cron: "@every 3s"}
`, p.origin, vantages)
}

// credentials writes a file that a NATS client takes: this broker lets in all.
func (p *processes) credentials(name string) string {
	account, err := nkeys.CreateAccount()
	p.check(err)
	user, err := nkeys.CreateUser()
	p.check(err)
	public, err := user.PublicKey()
	p.check(err)
	seed, err := user.Seed()
	p.check(err)
	token, err := jwt.NewUserClaims(public).Encode(account)
	p.check(err)
	text, err := jwt.FormatUserConfig(token, seed)
	p.check(err)
	file := filepath.Join(p.dir, name+".creds")
	p.check(os.WriteFile(file, text, 0o600))
	return file
}

func (p *processes) check(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// mirror is a command of the program, with a state folder of its own.
func (p *processes) mirror(state string, args ...string) *exec.Cmd {
	c := exec.Command(p.program, append([]string{"-c", p.config(), "--state", filepath.Join(p.dir, state)}, args...)...)
	c.Dir = p.dir
	c.Env = append(os.Environ(), "HOME="+p.dir, "GOMEMLIMIT=200MiB", "GOMAXPROCS=1")
	return c
}

func (p *processes) startDaemons() {
	for _, name := range p.daemons {
		if name != "d1" {
			p.check(os.CopyFS(filepath.Join(p.dir, name), os.DirFS(filepath.Join(p.dir, "d1"))))
			p.check(os.RemoveAll(filepath.Join(p.dir, name, "owner")))
		}
		p.run(name, func() *exec.Cmd { return p.mirror(name, "daemon", "--no-dashboard") })
	}
}

func (p *processes) startAgent(place string) {
	join := []string{"agent"}
	if p.round.External {
		join = append(join, "--place", place, "--server", "nats://"+p.listen, "--credentials", p.credentials(place), "--origin", p.origin)
	} else {
		line, err := p.mirror("d1", "agent", "enroll", "--place", place).Output()
		p.check(err)
		join = strings.Fields(strings.TrimSpace(string(line)))[1:]
	}
	p.agents = append(p.agents, place)
	enrolled := func() bool { _, err := os.Stat(filepath.Join(p.dir, place, "agent.json")); return err == nil }
	p.run(place, func() *exec.Cmd {
		if enrolled() {
			return p.mirror(place, "agent")
		}
		return p.mirror(place, join...)
	})
	p.await("the enrolment of "+place, func() bool {
		if enrolled() {
			return true
		}
		select {
		case <-p.all[place].ended: // the daemon was not there yet
			p.start(place)
		default:
		}
		return false
	})
}

// run starts a process that is killed at the end.
func (p *processes) run(name string, start func() *exec.Cmd) {
	p.all[name] = &process{start: start, log: filepath.Join(p.dir, name+".log")}
	p.start(name)
	p.t.Cleanup(func() { p.kill(name) })
}

func (p *processes) start(name string) {
	one := p.all[name]
	one.cmd = one.start()
	log, err := os.OpenFile(one.log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	p.check(err)
	defer log.Close()
	one.cmd.Stdout, one.cmd.Stderr = log, log
	p.check(one.cmd.Start())
	cmd, ended := one.cmd, make(chan struct{})
	one.ended = ended
	go func() {
		_ = cmd.Wait() // it is killed
		close(ended)
	}()
}

func (p *processes) kill(name string) {
	_ = p.all[name].cmd.Process.Kill() // it may have ended
	<-p.all[name].ended
}

func (p *processes) await(what string, done func() bool) {
	p.t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(3 * time.Minute); !done(); <-tick.C {
		if time.Now().After(end) {
			text, _ := os.ReadFile(p.all["d1"].log)
			p.t.Fatalf("%s does not come:\n%s", what, text[max(0, len(text)-3000):])
		}
	}
}

// third picks some of the agents.
func (p *processes) third() []string {
	picked := slices.Clone(p.agents)
	p.random.Shuffle(len(picked), func(a, b int) { picked[a], picked[b] = picked[b], picked[a] })
	return picked[:1+p.random.IntN((len(picked)+2)/3)]
}

// fault does one thing to the processes and undoes it. The only sleeps are how long a fault lasts.
func (p *processes) fault() {
	p.round.Faults++
	names, pause := p.third(), false
	switch p.random.IntN(6) {
	case 0, 1:
	case 2, 3:
		pause = true
	case 4:
		names = []string{p.daemons[p.random.IntN(len(p.daemons))]}
		pause = p.round.External && p.random.IntN(2) == 0
	case 5:
		names = []string{"d1"}
		if p.round.External {
			names = []string{"broker"}
		}
	}
	away := time.Duration(p.random.IntN(9000)) * time.Millisecond
	for _, name := range names {
		if pause {
			p.check(p.all[name].cmd.Process.Signal(syscall.SIGSTOP))
		} else {
			p.kill(name)
		}
	}
	time.Sleep(away)
	for _, name := range names {
		if pause {
			p.check(p.all[name].cmd.Process.Signal(syscall.SIGCONT))
		} else {
			p.start(name)
		}
	}
}

// TestPlacesAsProcesses kills, pauses and starts again the processes of agents, daemons and a broker, and judges each check
// that came to a verdict. It is for `make experiment-places`: MIRROR_BINARY is the program, and what MIRROR_RESULTS has
// already is not done again.
func TestPlacesAsProcesses(t *testing.T) {
	if os.Getenv("MIRROR_EXPERIMENT") != "full" || os.Getenv("MIRROR_BINARY") == "" {
		t.Skip("is for make experiment-places")
	}
	first, err := strconv.ParseUint(os.Getenv("MIRROR_SEED"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	rounds := uint64(100)
	if text := os.Getenv("MIRROR_ROUNDS"); text != "" {
		if rounds, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	results, _ := os.ReadFile(os.Getenv("MIRROR_RESULTS")) // there may be none yet
	for seed := first; seed < first+rounds; seed++ {
		if strings.Contains(string(results), fmt.Sprintf(`{"Seed":%d,`, seed)) {
			continue
		}
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			agents := 8
			if seed%10 == 9 {
				agents = 32
			}
			p := newProcesses(t, seed, agents)
			p.play()
			p.note()
		})
	}
}

func (p *processes) play() {
	p.awaitWhole("d1")
	p.since = time.Now() // before, the daemon has not heard of all places
	for range 4 {
		p.fault()
	}
	for _, name := range p.daemons {
		p.awaitWhole(name)
	}
	for _, name := range p.daemons {
		p.judge(name)
	}
}

func (p *processes) note() {
	p.t.Logf("%+v", p.round)
	r := p.round
	if r.Lost+r.Doubled+r.Wrong+r.Late+r.Unnamed > 0 {
		p.t.Error("observations were lost, counted twice, wrong or late")
	}
	line, err := json.Marshal(r)
	p.check(err)
	f, err := os.OpenFile(os.Getenv("MIRROR_RESULTS"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	p.check(err)
	defer f.Close()
	_, err = f.Write(append(line, '\n'))
	p.check(err)
}

// open opens the history of a daemon.
func (p *processes) open(daemon string) *history.Store {
	h, err := history.Open(p.t.Context(), filepath.Join(p.dir, daemon, history.Name))
	p.check(err)
	return h
}
