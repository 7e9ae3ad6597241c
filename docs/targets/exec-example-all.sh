#!/bin/sh
# An exec target for mirror in POSIX shell with all that a program can do, on Linux: exec-example.sh has only what each
# program must do. $1 is a folder with releases/ beside the link `current`, which a web server serves. Replace what is
# done to that folder by what your host needs. See docs/targets/exec.md.
set -eu
place=$1
mkdir -p "$place/releases"
cd "$place"

# json TEXT: the text as a JSON string. answer FIELDS: the last line. fail CODE TEXT: an answer that says why not.
json() { printf '"%s"' "$(printf %s "$1" | sed 's/[\\"]/\\&/g')"; }
answer() { printf '{"mirror":1,"id":"%s","ok":true%s}\n' "$MIRROR_ID" "${1:-}"; }
fail() {
	printf '{"mirror":1,"id":"%s","error":%s,"code":"%s"}\n' "$MIRROR_ID" "$(json "$2")" "$1"
	exit 0
}

# A copy of a release is the folder releases/ID.NUMBER, which is the revision too, with its lists beside it:
# NAME.files and NAME.grace.
revision() { readlink current || true; }
release() { case $1 in releases/*) id=${1#releases/} && printf %s "${id%%.*}" ;; esac; }
# newest ID: the copy of a release that was staged last.
newest() { ls -dt "releases/$1".*.files 2>/dev/null | head -n 1 | sed 's/\.files$//'; }

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

# live: the answer that says what is live, whether a release ever was, and what this program can do.
live() {
	now=$(revision) recorded=false
	[ ! -s lived ] || recorded=true
	answer ",\"release\":$(json "$(release "$now")"),\"revision\":$(json "$now"),\"recorded\":$recorded,
	\"can\":[\"reserve\",\"prune\",\"restore\",\"notes\",\"grace\",\"erase\"],
	\"beacon\":$(json "$PWD/current/$MIRROR_BEACON"),\"grace\":$(json "$PWD/$now.grace"),\"erased\":$(json "$PWD/erased")" | tr -d '\n\t'
	echo
}

turn() { # The link leads to $1 from now on, in one step; "" for no link.
	[ -n "$1" ] || { rm -f current && return; }
	ln -s "$1" "current.$MIRROR_ID"
	mv -T "current.$MIRROR_ID" current
}

# lock: one publisher at a time. The system unlocks when this program ends, however it ends.
lock() { exec 9>lock && flock -w 60 9 || fail "" "another publisher is at work for a minute"; }

# reserved: whether another publisher has reserved the place. The file has the publisher, the reservation and its end.
reserved() {
	[ -s reserved ] || return 1
	read -r owner name until <reserved
	[ "$name" != "$MIRROR_RESERVATION" ] && [ "$owner" != "$MIRROR_OWNER" ] && [ "$until" -ge "$(date +%s)" ]
}

# ours: fails unless what is live is $MIRROR_FROM_REVISION or the release already.
ours() {
	now=$(revision)
	[ "$now" = "$MIRROR_FROM_REVISION" ] || [ "$(release "$now")" = "$MIRROR_RELEASE" ] ||
		fail conflict "something else is live: $now"
}

case $MIRROR_OP in
live) live ;;
plan) files && live ;;
readback) files && answer ",\"grace\":$(json "$PWD/$(revision).grace")" ;;
stage) # Nothing that visitors see changes.
	copy=releases/$MIRROR_RELEASE.$MIRROR_ID
	cp -R "$MIRROR_FOLDER" "releases/partial.$MIRROR_ID"
	if [ -n "$MIRROR_BESIDE" ]; then # files of the live release that stay served
		sed 's|^|./|' "$MIRROR_BESIDE" | tar -C current/ --no-unquote -cf - -T - | tar -C "releases/partial.$MIRROR_ID" -xf -
		cp "$MIRROR_GRACE" "$copy.grace"
	fi
	mv "releases/partial.$MIRROR_ID" "$copy"
	cp "$MIRROR_MANIFEST" "$copy.files"
	answer ;;
reserve)
	lock && ours
	! reserved || fail reserved "another publisher has reserved the place"
	echo "$MIRROR_OWNER $MIRROR_RESERVATION $(($(date +%s) + MIRROR_LEASE))" >reserved
	answer ;;
unreserve)
	lock
	reserved || rm -f reserved
	answer ;;
commit) # The release goes live in place of what is expected, or nothing changes.
	lock
	to=$(newest "$MIRROR_RELEASE") now=$(revision)
	[ -n "$to" ] || fail not_staged "release $MIRROR_RELEASE is not staged"
	! reserved || fail conflict "another publisher has reserved the place"
	if [ "$now" != "$to" ]; then
		[ "$now" = "$MIRROR_FROM_REVISION" ] || fail conflict "something else is live: $now"
		turn "$to"
		echo "$MIRROR_RELEASE $(date -u +%Y-%m-%dT%H:%M:%SZ)" >>lived
	fi
	rm -f reserved
	answer ;;
rollback) # What was live before is live again; nothing changes where a third state is live.
	lock
	now=$(revision)
	if [ "$now" != "$MIRROR_FROM_REVISION" ]; then
		[ "$(release "$now")" = "$MIRROR_RELEASE" ] || fail conflict "something else is live: $now"
		turn "$MIRROR_FROM_REVISION"
		sed '$d' lived >"lived.$MIRROR_ID" && mv "lived.$MIRROR_ID" lived
	fi
	answer ;;
past) # The newest first, each once, with its list of files: as far as it is still held.
	[ ! -s lived ] || awk '{ id[NR] = $1; at[NR] = $2 } END { for (i = NR; i > 0; i--) if (!seen[id[i]]++) print id[i], at[i] }' lived |
		while read -r id at; do
			copy=$(newest "$id")
			[ -z "$copy" ] || printf '{"past":{"release":"%s","published":"%s","manifest":%s}}\n' "$id" "$at" "$(json "$PWD/$copy.files")"
		done
	answer ;;
held) # Each whole copy of a release, and the seconds since it was staged.
	for list in releases/*.files; do
		copy=${list%.files}
		[ -d "$copy" ] && printf '{"held":{"release":"%s","name":%s,"age":%s,"manifest":%s}}\n' "$(release "$copy")" \
			"$(json "$copy")" "$(($(date +%s) - $(stat -c %Y "$list")))" "$(json "$PWD/$list")"
	done
	answer ;;
prune) # Copies that nobody needs; never what is live. What killed runs left goes after a day.
	lock
	while IFS= read -r copy; do
		[ "$copy" = "$(revision)" ] || [ "$(release "$copy")" = "" ] || rm -rf "$copy.files" "$copy.grace" "$copy"
	done <"$MIRROR_DROP"
	find releases -mindepth 1 -maxdepth 1 -name 'partial.*' -mmin +1440 -exec rm -rf {} +
	answer ;;
restore) # Where the files of a release are. A program for another host puts them into the folder $MIRROR_FOLDER.
	copy=$(newest "$MIRROR_RELEASE")
	[ -n "$copy" ] || fail not_held "release $MIRROR_RELEASE is not held here"
	answer ",\"folder\":$(json "$PWD/$copy"),\"manifest\":$(json "$PWD/$copy.files")" ;;
read_notes) [ ! -f notes ] || cp notes "$MIRROR_NOTES"; answer ;;
write_notes) cp "$MIRROR_NOTES" "notes.$MIRROR_ID" && mv "notes.$MIRROR_ID" notes && answer ;;
erase) # Files with this content or at these paths, from all copies.
	lock
	now=$(revision)
	[ "$(release "$now")" = "$MIRROR_RELEASE" ] || fail conflict "something else is live: $now"
	cp "$MIRROR_ERASED" "erased.$MIRROR_ID" && mv "erased.$MIRROR_ID" erased
	for copy in releases/*/; do
		(
			cd "$copy"
			find . -type f -exec sha256sum -z {} + | grep -zFf "$MIRROR_ERASE" | cut -z -d ' ' -f 3- | xargs -0r rm -f --
			while IFS= read -r file; do rm -f "./$file"; done <"$MIRROR_REMOVE"
		)
	done
	[ ! -f "$now.grace" ] || cp "$MIRROR_GRACE" "$now.grace"
	answer ;;
*) fail "" "unknown request $MIRROR_OP" ;;
esac
