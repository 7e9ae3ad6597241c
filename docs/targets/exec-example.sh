#!/bin/sh
# An exec target for mirror in POSIX shell: releases/ beside the link `current` in the folder $1, which a web
# server serves. Replace what is done to that folder by what your host needs. See docs/targets/exec.md.
set -eu
place=$1
mkdir -p "$place/releases" "$place/staged"
cd "$place"

# json TEXT: the text as a JSON string. Paths and revisions have no line breaks here.
json() { printf '"%s"' "$(printf %s "$1" | sed 's/[\\"]/\\&/g')"; }

# answer FIELDS: the last line, which names the request.
answer() { printf '{"mirror":1,"id":"%s",%s}\n' "$MIRROR_ID" "$1"; }

# fail CODE TEXT: an answer that says why not. mirror knows the codes conflict, not_staged and refused.
fail() {
	answer "\"error\":$(json "$2"),\"code\":\"$1\""
	exit 0
}

# The revision is the text of the link; of a release it is releases/ID.NUMBER.
revision() { readlink current || true; }
release() {
	case $1 in
	releases/*) id=${1#releases/} && printf %s "${id%%.*}" ;;
	esac
}

# files: a line for each file that is live, with the line of sha256sum and the size. cksum tells the size.
files() {
	[ -d current/ ] || return 0
	(
		cd current/
		find . -type f -exec cksum {} + | cut -d " " -f 2 >"$MIRROR_TMP/sizes"
		find . -type f -exec sha256sum {} + | paste -d " " "$MIRROR_TMP/sizes" - |
			sed '/ /!d; s/[\\"]/\\&/g; s/^\([0-9]*\) \(.*\)$/{"size":\1,"sum":"\2"}/'
	)
}

# live: the answer that says what is live, and whether a release ever was.
live() {
	now=$(revision)
	recorded=false
	if [ -s lived ]; then recorded=true; fi
	answer "\"ok\":true,\"release\":$(json "$(release "$now")"),\"revision\":$(json "$now"),\"recorded\":$recorded"
}

# turn TEXT: the link leads to TEXT from now on, in one step; "" for no link.
turn() {
	[ -n "$1" ] || { rm -f current && return; }
	ln -s "$1" "current.$MIRROR_ID"
	mv -T "current.$MIRROR_ID" current
}

# lock: one publisher at a time changes the link. A lock that a killed run left is removed by hand.
lock() {
	mkdir lock 2>/dev/null || fail conflict "another publisher commits at the moment"
	trap 'rmdir lock' EXIT
}

case $MIRROR_OP in
live) live ;;
plan) files && live ;;
readback) files && answer '"ok":true' ;;
stage) # Nothing that visitors see changes.
	cp -R "$MIRROR_FOLDER" "releases/partial.$MIRROR_ID"
	cp "$MIRROR_MANIFEST" "staged/$MIRROR_RELEASE.files"
	mv "releases/partial.$MIRROR_ID" "releases/$MIRROR_RELEASE.$MIRROR_ID"
	echo "releases/$MIRROR_RELEASE.$MIRROR_ID" >"staged/$MIRROR_RELEASE"
	answer '"ok":true' ;;
commit) # The release goes live in place of what is expected, or nothing changes.
	lock
	[ -f "staged/$MIRROR_RELEASE" ] || fail not_staged "release $MIRROR_RELEASE is not staged"
	to=$(cat "staged/$MIRROR_RELEASE") now=$(revision)
	if [ "$now" != "$to" ]; then
		[ "$now" = "$MIRROR_FROM_REVISION" ] || fail conflict "something else is live: $now"
		turn "$to"
		echo "$MIRROR_RELEASE" >>lived
	fi
	answer '"ok":true' ;;
rollback) # What was live before is live again; nothing changes where a third state is live.
	lock
	now=$(revision)
	if [ "$now" != "$MIRROR_FROM_REVISION" ]; then
		[ "$(release "$now")" = "$MIRROR_RELEASE" ] || fail conflict "something else is live: $now"
		turn "$MIRROR_FROM_REVISION"
		sed '$d' lived >"lived.$MIRROR_ID" && mv "lived.$MIRROR_ID" lived
	fi
	answer '"ok":true' ;;
past) # The newest first, each once, with its list of files.
	[ ! -s lived ] || awk '{ line[NR] = $0 } END { for (i = NR; i > 0; i--) if (!seen[line[i]]++) print line[i] }' lived |
		while read -r id; do
			printf '{"past":{"release":"%s","manifest":%s}}\n' "$id" "$(json "$PWD/staged/$id.files")"
		done
	answer '"ok":true' ;;
*) fail "" "unknown request $MIRROR_OP" ;;
esac
