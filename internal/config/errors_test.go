package config

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"mirror/internal/config/strictyaml"
)

// body returns a config with some keys in place of, or beside, the least that it needs.
func body(lines ...string) string {
	text := strings.Join(lines, "\n") + "\n"
	for _, least := range []string{"version: 1", "site: {dir: public}", "targets: [{name: a, type: odd}]"} {
		key, _, _ := strings.Cut(least, ":")
		if !strings.Contains("\n"+text, "\n"+key+":") {
			text += least + "\n"
		}
	}
	return text
}

var errorTable = []struct {
	name, text string
	want       []string // without the file's name
}{
	// The file as a whole.
	{"empty", "", []string{"1:1: the file is empty (hint: mirror init writes one)"}},
	{"only comments", "# nothing\n", []string{"1:1: the file is empty (hint: mirror init writes one)"}},
	{"a scalar", "hello", []string{`1:1: the config: "hello" is no mapping`}},
	{"a list", "- a\n", []string{"1:1: the config: a list is no mapping"}},
	{"nothing at all", "---\n", []string{
		`2:1: required key "version" is missing`, `2:1: required key "site" is missing`, `2:1: required key "targets" is missing`}},
	{"second document", body() + "---\nversion: 1\n", []string{"5:1: a second document begins here; a config is one document"}},
	{"broken second document", body() + "---\n{", []string{"6:2: while parsing a flow node: did not find expected node content"}},
	{"not UTF-8", "version: 1\nx: \xff\n", []string{"2:4: byte 0xff is not UTF-8 text"}},
	{"control character", "version: 1\nx: a\x01\n", []string{"2:5: control character U+0001 is not allowed"}},
	{"nothing at the end", "---", []string{
		`1:4: required key "version" is missing`, `1:4: required key "site" is missing`, `1:4: required key "targets" is missing`}},
	{"line separator", "version: 1\rx: 1\n", []string{"1:11: U+000D breaks a line for YAML and not for an editor; it is not allowed"}},
	{"Windows lines", strings.ReplaceAll(body("chekc: {}"), "\n", "\r\n"), []string{`1:1: unknown key "chekc"; did you mean "check"?`}},
	{"too large", strings.Repeat("#", strictyaml.MaxSize+1), []string{"1:1: larger than 1 MiB"}},

	// YAML.
	{"tab", "site:\n\tdir: x\n", []string{"2:1: a tab stands here; YAML indents with spaces"}},
	{"open quote", "a: 1\nsite: \"x\nb: 2\n", []string{"2:7: while scanning a quoted scalar: found unexpected end of stream"}},
	{"open list", "a: [1,\nb: 2\n", []string{"3:1: while parsing a flow sequence: did not find expected ',' or ']'"}},
	{"variable in flow", "check: {rate: ${N}}\n", []string{
		"1:16: while parsing a flow mapping: did not find expected ',' or '}' (hint: inside { } or [ ], put quotes around ${NAME})"}},
	{"unknown anchor", "site: *x\n", []string{"1:7: unknown anchor 'x' referenced"}},
	{"tag", body("notify: !!binary aGk="), []string{`1:9: tag "!!binary" is not supported`}},
	{"key that is a list", body("? [a]\n: 1"), []string{"1:3: a key must be plain text"}},
	{"key twice", body("site:\n  dir: a\n  dir: b"), []string{`3:3: key "dir" is given twice; the first is on line 2`}},
	{"alias to itself", body("check: &c {headers: [*c]}"), []string{`1:22: alias "*c" stands inside what it stands for`}},
	{"alias of something wrong", body("targets: [{name: a, type: git, url: &l [x]}, {name: b, type: git, url: *l}]"), []string{
		"1:37: url: a list is no text"}},
	{"merge of text", body("check: {<<: no}"), []string{"1:13: << takes a mapping or a list of mappings"}},

	// Caches, and commands after a publish.
	{"key of another type of cache", body("origins: [{name: b, url: 'https://b.example', purge: [{type: varnish, url: 'http://127.0.0.1', zone: a}]}]"), []string{
		`1:96: key "zone" does not belong to type varnish`}},
	{"key that a type of cache needs", body("origins: [{name: b, url: 'https://b.example', purge: [{type: cloudflare, zone: a}]}]"), []string{
		`1:55: required key "token_env" is missing (type cloudflare)`}},
	{"unknown type of cache", body("origins: [{name: b, url: 'https://b.example', purge: [{type: fastl}]}]"), []string{
		`1:62: type: "fastl" is none of cloudflare, cloudfront, fastly, varnish, webhook; did you mean "fastly"?`}},
	{"token in the file", body("origins: [{name: b, url: 'https://b.example', purge: [{type: webhook, url: 'https://h.example/T0KENabcdef0123456789abcdef'}]}]"), []string{
		`1:76: url: "https://h.example/***" holds a secret (hint: keep it in the environment and write ${NAME} here)`}},
	{"webhook in clear", body("origins: [{name: b, url: 'https://b.example', purge: [{type: webhook, url: 'http://h.example/x'}]}]"), []string{
		`1:76: url: "http://h.example/***" is sent in clear (hint: https; http with a token or to a webhook is for this machine only)`}},
	{"empty command", body("hooks: {after_publish: [''], timeout: 0s}"), []string{"1:25: after_publish: the command is empty", "1:39: timeout: must be longer than 0s"}},

	// Keys.
	{"unknown key", body("chekc: {}"), []string{`1:1: unknown key "chekc"; did you mean "check"?`}},
	{"unknown key, nothing near", body("check: {zzzzzzzz: 1}"), []string{
		`1:9: unknown key "zzzzzzzz"; the keys here are concurrency, rate, timeout, confirm, headers, normalize, ignore`}},
	{"unknown key of a kind", body("targets: [{name: a, type: s3, bucekt: b, bucket: b}]"), []string{
		`1:31: unknown key "bucekt"; did you mean "bucket"?`}},
	{"unknown key in a list of a kind", body("targets: [{name: a, type: s3, bucket: b, headers: [{mach: x, match: '['}]}]"), []string{
		`1:53: unknown key "mach"; did you mean "match"?`, `1:69: match: "[" is no glob`}},
	{"key of another kind", body("targets: [{name: a, type: git, url: u, bucket: b}]"), []string{
		`1:40: unknown key "bucket" for type git; it belongs to type s3`}},
	{"token instead of token_env", body("targets: [{name: a, type: git, url: u, token: swordfish}]"), []string{
		`1:40: unknown key "token"; did you mean "token_env"?`}},
	{"ACME", body("front: {tls: {acme: {names: [\"*.example.com\", \"a.example.com:443\"], directory: \"http://a/\"}}}"), []string{
		`1:8: quorum: "2" is more than the config has origins for a front, which is 0`,
		`1:30: names: "*.example.com" is not a host name that gets a certificate (hint: blog.example.com, in small letters, without a port or *)`,
		`1:47: names: "a.example.com:443" is not a host name that gets a certificate (hint: blog.example.com, in small letters, without a port or *)`,
		`1:80: directory: it is not an https URL (hint: that of Let's Encrypt is the default)`}},
	{"ACME without names", body("front: {tls: {acme: {email: x}}}"), []string{
		`1:8: quorum: "2" is more than the config has origins for a front, which is 0`, `1:21: acme: names: missing (hint: names: [blog.example.com])`}},
	{"required key", "version: 1\nsite: {build: x}\n", []string{
		`1:1: required key "targets" is missing`, `2:7: required key "dir" is missing`}},
	{"required key of a kind", body("targets:\n  - name: a\n    type: s3"), []string{`2:5: required key "bucket" is missing`}},
	{"required and empty", body("site: {dir: ''}"), []string{"1:13: dir: is empty"}},
	{"required and null", body("site:\n  dir:"), []string{
		`2:7: dir: has no value (hint: leave the key out, or write "" for empty text)`}},
	{"no targets", body("targets: []"), []string{"1:10: targets: the list needs at least 1"}},

	// Types.
	{"version", body("version: 2"), []string{`1:10: version: "2" must be 1`}},
	{"list for mapping", body("check: [1]"), []string{"1:8: check: a list is no mapping"}},
	{"mapping for list", body("targets: {a: b}"), []string{"1:10: targets: a mapping is no list"}},
	{"text for list", body("check: {ignore: feed.xml}"), []string{`1:17: ignore: "feed.xml" is no list`}},
	{"list for text", body("site: {dir: [x]}"), []string{"1:13: dir: a list is no text"}},
	{"no whole number", body("check: {concurrency: many}"), []string{`1:22: concurrency: "many" is no whole number`}},
	{"a fraction", body("check: {confirm: 1.5}"), []string{`1:18: confirm: "1.5" is no whole number`}},
	{"too large for the type", body("targets: [{name: a, type: s3, bucket: b, part_size: 70000}]"), []string{
		`1:53: part_size: "70000" is no whole number`}},
	{"quoted number", body("check: {concurrency: '16'}"), []string{
		`1:22: concurrency: "16" is text, not a whole number (hint: write it without quotes)`}},
	{"less", body("check: {concurrency: 0}"), []string{`1:22: concurrency: "0" is less than 1`}},
	{"more", body("check: {concurrency: 5000}"), []string{`1:22: concurrency: "5000" is more than 1024`}},
	{"no number", body("check: {rate: .inf}"), []string{`1:15: rate: ".inf" is no number`}},
	{"not a number", body("check: {rate: nan}"), []string{`1:15: rate: "nan" is no number`}},
	{"no boolean", body("targets: [{name: a, type: odd, origin: {url: 'http://a', cdn: yes}}]"), []string{
		`1:63: cdn: "yes" is no boolean or provider (hint: write true, false, or one of akamai, bunny, cloudflare, cloudfront, fastly, github-pages, netlify, nginx, squid, varnish)`}},
	{"no duration", body("check: {timeout: 10}"), []string{
		`1:18: timeout: "10" is no duration (hint: write a number and its unit: 10s, 5m, 1h30m)`}},
	{"negative duration", body("publish: {barrier: -1s}"), []string{
		`1:20: barrier: "-1s" is no duration (hint: write a number and its unit: 10s, 5m, 1h30m)`}},
	{"no limit", body("publish: {max_delete: abc}"), []string{
		`1:23: max_delete: "abc" is no percentage or count (hint: write a share such as 50%, or a number of files)`}},
	{"more than all", body("publish: {max_delete: 101%}"), []string{
		`1:23: max_delete: "101%" is no percentage or count (hint: write a share such as 50%, or a number of files)`}},
	{"choice", body("publish: {on_late: contineu}"), []string{
		`1:20: on_late: "contineu" is none of continue, rollback; did you mean "continue"?`}},
	{"choice in a list", body("notify: [{url: 'https://y', on: [drfit]}]"), []string{
		`1:34: on: "drfit" is none of drift, recovered, unreachable, publish_failed, window, certificate, overdue, test; ` +
			`did you mean "drift"?`}},
	{"choice of a kind", body("targets: [{name: a, type: s3, bucket: b, layout: lvie}]"), []string{
		`1:50: layout: "lvie" is none of live, pointer; did you mean "live"?`}},
	{"map of text", body("targets: [{name: a, type: s3, bucket: b, tags: {k: [1]}}]"), []string{"1:52: tags.k: a list is no text"}},
	{"regular expression", body("check: {normalize: [{match: '*', remove: ['a(']}]}"), []string{
		"1:43: remove: \"a(\" is no regular expression: error parsing regexp: missing closing ): `a(`"}},
	{"glob", body("site: {dir: x, exclude: ['a[']}"), []string{`1:26: exclude: "a[" is no glob`}},
	{"kept path with a leading slash", body("publish: {keep: [/uploads/**]}"), noGlobOfPaths(`1:18: keep: "/uploads/**"`)},
	{"kept folder with a slash", body("publish: {keep: [media/]}"), noGlobOfPaths(`1:18: keep: "media/"`)},
	{"kept path with a dot", body("publish: {keep: [./files/**]}"), noGlobOfPaths(`1:18: keep: "./files/**"`)},
	{"kept path outside", body("publish: {keep: [../x]}"), noGlobOfPaths(`1:18: keep: "../x"`)},
	{"kept path through a parent", body("publish: {keep: ['a/{b,..}/c']}"), noGlobOfPaths(`1:18: keep: "a/{b,..}/c"`)},
	{"kept alternative with a leading slash", body("publish: {keep: ['{a,/b}/**']}"), noGlobOfPaths(`1:18: keep: "{a,/b}/**"`)},
	{"kept alternative with a slash", body("publish: {keep: ['{a/,b/}']}"), noGlobOfPaths(`1:18: keep: "{a/,b/}"`)},
	{"kept URL", body("publish: {keep: ['https://a/uploads/**']}"), noGlobOfPaths(`1:18: keep: "https://a/uploads/**"`)},
	{"nothing kept", body("publish: {keep: ['']}"), noGlobOfPaths(`1:18: keep: ""`)},
	{"kept with Windows' separator", body(`publish: {keep: ['up\new']}`), noGlobOfPaths(`1:18: keep: "up\\new"`)},
	{"excluded and ignored", body("site: {dir: x, exclude: [/drafts]}", "check: {ignore: [./feed.xml]}"), append(
		noGlobOfPaths(`1:26: exclude: "/drafts"`), noGlobOfPaths(`2:18: ignore: "./feed.xml"`)...)},
	{"page", body("site: {dir: x, not_found: /404.html}"), []string{
		`1:27: not_found: "/404.html" is no page of the site (hint: write its path without a leading slash: 404.html)`}},
	{"page outside", body("site: {dir: x, not_found: ../404.html}"), []string{
		`1:27: not_found: "../404.html" is no page of the site (hint: write its path without a leading slash: 404.html)`}},
	{"beacon", body("site: {dir: x, beacon: mirror.json}"), []string{
		`1:24: beacon: "mirror.json" is no plain URL path (hint: /.well-known/mirror.json, or "" for none)`}},
	{"an origin with a target's name", body("targets: [{name: a, type: dir, path: p}]\norigins: [{name: a, url: 'http://a/'}, {name: b}]"), []string{
		`2:18: name: another target or origin is called "a"`, `2:40: required key "url" is missing`}},
	{"addresses of an origin", body("targets: [{name: a, type: dir, path: p, origin: {url: 'http://a/', address: 'http://b/'}}," +
		" {name: b, type: dir, path: q, origin: {url: 'http://a/', address: 'b:0'}}, {name: c, type: dir, path: r, origin: {url: 'http://a/', address: '[::1]:443'}}," +
		" {name: d, type: dir, path: s, origin: {url: 'http://a/', address: '2001:db8::7'}}, {name: e, type: dir, path: t, origin: {url: 'http://a/', address: edge-1.example.com}}]"), []string{
		`1:77: address: "http://b/" is not an address (hint: 203.0.113.7, 203.0.113.7:8443, [2001:db8::7]:443 or host.example.com)`, `1:158: address: "b:0" is not an address (hint: 203.0.113.7, 203.0.113.7:8443, [2001:db8::7]:443 or host.example.com)`}},
	{"beacon below .mirror", body("site: {dir: x, beacon: /.mirror/live}"), []string{
		`1:24: beacon: "/.mirror/live" is below .mirror, where targets keep their own records (hint: /.well-known/mirror.json)`}},
	{"beacon as a page", body("site: {dir: x, not_found: 404.html, beacon: /404.html}"), []string{
		`1:45: beacon: "/404.html" is the page not_found (hint: /.well-known/mirror.json)`}},
	{"header", body("check: {headers: ['a b']}"), []string{`1:19: headers: "a b" is no header's name`}},
	{"name", body("targets: [{name: a/b, type: odd}]"), []string{`1:18: name: "a/b" is not a valid name (hint: letters, digits, - . and _)`}},
	{"name of dots", body("targets: [{name: .., type: odd}]"), []string{`1:18: name: ".." is not a valid name (hint: letters, digits, - . and _, and not dots alone)`}},

	// URLs of live sites.
	{"scheme", origin("ftp://a/"), []string{`1:46: url: "ftp://a/" is no base URL of a site: it must begin with http:// or https://`}},
	{"no host", origin("https:///x"), []string{`1:46: url: "https:///x" is no base URL of a site: it names no host`}},
	{"user name", origin("https://me:swordfish@a/"), []string{
		`1:46: url: "https://***@a/" is no base URL of a site: it must not hold a user name or password`}},
	{"query", origin("https://a/?x"), []string{`1:46: url: "https://a/?x" is no base URL of a site: it must not have a query`}},
	{"fragment", origin("https://a/#"), []string{`1:46: url: "https://a/#" is no base URL of a site: it must not have a fragment`}},
	{"no URL", origin("https://a:b:c/"), []string{`1:46: url: "https://a:b:c/" is no base URL of a site: it cannot be parsed`}},
	{"origin without URL", body("targets: [{name: a, type: odd, origin: {cdn: true}}]"), []string{`1:40: required key "url" is missing`}},

	// The environment and secrets.
	{"not set", body("site: {dir: '${NOPE}'}"), []string{"1:13: environment variable NOPE is not set or is empty"}},
	{"two not set", body("site: {dir: '${NOPE}/${NADA}'}"), []string{
		"1:13: environment variable NOPE is not set or is empty", "1:13: environment variable NADA is not set or is empty"}},
	{"no closing brace", body("site: {dir: '${NOPE'}"), []string{`1:13: "${NOPE" has no closing brace (hint: write $${ for a plain ${)`}},
	{"no name", body("site: {dir: '${a-b}'}"), []string{
		`1:13: "${a-b}" holds no environment variable's name (hint: write $${ for a plain ${)`}},
	{"value of the environment", body("check: {concurrency: '${WORD}'}"), []string{`1:22: concurrency: "${WORD}" is no whole number`}},
	{"URL of the environment", origin("ftp://${WORD}/"), []string{
		`1:46: url: "ftp://${WORD}/" is no base URL of a site: it must begin with http:// or https://`}},
	{"token in token_env", tokenEnv("ghp_0123456789abcdefABCD"), []string{
		"1:51: token_env: takes the name of an environment variable, and this looks like the secret itself " +
			"(hint: write the bare name, such as token_env: MY_TOKEN; a secret that was in a file should be replaced)"}},
	{"unknown token in token_env", tokenEnv("0123456789abcdef0123456789abcdef"), []string{
		"1:51: token_env: takes the name of an environment variable, and this looks like the secret itself " +
			"(hint: write the bare name, such as token_env: MY_TOKEN; a secret that was in a file should be replaced)"}},
	{"value in token_env", tokenEnv("${WORD}"), []string{
		"1:51: token_env: takes the name of an environment variable, and this looks like the secret itself " +
			"(hint: write the bare name, such as token_env: MY_TOKEN; a secret that was in a file should be replaced)"}},
	{"no name in token_env", tokenEnv("my token"), []string{
		"1:51: token_env: takes the name of an environment variable, letters, digits and _"}},
	{"secret in notify", body("notify: [{url: 'slack://swordfish@hook/x'}]"), []string{
		`1:16: url: "slack://***" holds a secret (hint: keep it in the environment and write ${NAME} here)`}},
	{"secret in a webhook", body("notify: [{url: 'https://hooks.example.com/swordfish/0123456789abcdef0123456789'}]"), []string{
		`1:16: url: "https://hooks.example.com/***" holds a secret (hint: keep it in the environment and write ${NAME} here)`}},
	{"webhook in the clear", body("notify: [{url: 'http://hooks.example.com/swordfish'}]"), []string{
		`1:16: url: "http://hooks.example.com/***" is not valid: ` +
			`the URL must begin with https:// (hint: http:// is for this machine only)`}},
	{"incomplete service", body("notify: [{url: 'telegram://${WORD}'}]"), []string{
		`1:16: url: "telegram://${WORD}" is not valid: ` +
			`the telegram URL is not complete (hint: telegram://${TOKEN}@telegram?chats=@channel)`}},
	{"signed service", body("notify: [{url: 'ntfy://ntfy.sh/x', secret_env: A}]"), []string{
		"1:48: secret_env: signs what a webhook gets, and a service takes no signature"}},
	{"quiet", body("notify: [{url: 'https://y', quiet: at night}]"), []string{
		`1:36: quiet: "at night" is not a quiet time: not a time of day (hint: 22:00-07:00 Europe/Berlin)`}},
	{"quiet nowhere", body("notify: [{url: 'https://y', quiet: '22:00-07:00 Berlin'}]"), []string{
		`1:36: quiet: "22:00-07:00 Berlin" is not a quiet time: the time zone is not known (hint: Europe/Berlin)`}},
	{"urgent and never quiet", body("notify: [{url: 'https://y', urgent: [drift]}]"), []string{
		"1:37: urgent: is for what is told in a quiet time, and there is none"}},
	{"notify twice", body("notify: [{name: a, url: 'https://y'}, {name: a, url: 'https://z'}]"), []string{
		`1:46: name: another place to notify is called "a"`}},
	{"notify", body("notify: [{url: nowhere}]"), []string{
		`1:16: url: "nowhere" is not valid: not a URL (hint: https://… or a service: bark, discord, generic, googlechat, ` +
			`gotify, hangouts, ifttt, join, lark, matrix, mattermost, notifiarr, ntfy, opsgenie, pagerduty, pushbullet, pushover, ` +
			`rocketchat, signal, slack, smtp, teams, telegram, wecom, zulip)`}},
	{"secret elsewhere", body("check: {rate: ghp_0123456789abcdefABCD}"), []string{
		"1:15: rate: a text that looks like a secret is no number"}},

	// Combinations.
	{"type", body("targets: [{name: a, type: s4, bucket: b}]"), []string{
		`1:27: type: "s4" is not a kind of target; the kinds are dir, git, odd, s3; did you mean "s3"?`}},
	{"target twice", body("targets: [{name: a, type: odd}, {name: a, type: odd}]"), []string{
		`1:40: name: another target is called "a"`}},
	{"job twice", body("schedule: [{name: a, cron: '@daily', run: check}, {name: a, cron: '@daily', run: check}]"), []string{
		`1:58: name: another job is called "a"`}},
	{"cron", body("schedule:", "  - name: a", "    run: check", "    cron: 0 0 31 2 *"), []string{
		`4:11: cron: "0 0 31 2 *" never fires: no month of "2" has a day 31 (hint: "0 0 28 2 *", "0 0 1 * *")`}},
	{"cron of a zone alone", body("schedule: [{name: a, run: check, cron: CRON_TZ=UTC}]"), []string{
		`1:40: cron: "CRON_TZ=UTC" does not say when (hint: "*/15 * * * *" is every 15 minutes, "0 9 * * *" is daily at 9)`}},
	{"cron with seconds", body("schedule: [{name: a, run: check, cron: '0 */5 * * * *'}]"), []string{
		`1:40: cron: "0 */5 * * * *" has 6 fields, not five: seconds cannot be given (hint: "*/5 * * * *")`}},
	{"cron from the environment", body("schedule: [{name: a, run: check, cron: '${WORD}'}]"), []string{
		`1:40: cron: "${WORD}" is no cron spec (hint: "*/15 * * * *" is every 15 minutes)`}},
	{"watch", body("schedule: [{name: a, run: check, cron: '@daily', watch: true}]"), []string{
		"1:57: watch: is for run: publish only"}},
	{"release of a check", body("schedule: [{name: a, run: check, cron: '@daily', release: 0a1b2c3d4e5f}]"), []string{
		"1:59: release: is for run: publish only"}},
	{"release with watch", body("schedule: [{name: a, run: publish, cron: '@daily', watch: true, release: 0a1b2c3d4e5f}]"), []string{
		"1:74: release: cannot be with watch, which publishes the site's folder"}},
	{"release of few digits", body("schedule: [{name: a, run: publish, cron: '@daily', release: 0a1b}]"), []string{
		`1:61: release: "0a1b" is not the ID of a release: at least 12 of its hexadecimal digits are needed (hint: mirror rollback --list shows what is staged)`}},
	{"staged for ever", body("publish: {staged_for: 3000h}"), []string{
		"1:23: staged_for: must be from 1h to 2160h"}},
	{"run", body("schedule: [{name: a, run: prun, cron: '@daily'}]"), []string{
		`1:27: run: "prun" is none of check, publish, report, prune; did you mean "prune"?`}},
	{"order", body("publish: {order: fast}"), []string{`1:18: order: "fast" is none of auto, parallel`}},
	{"order of strangers", body("publish: {order: [a, b, a]}"), []string{
		`1:22: order: no target is called "b"`, `1:25: order: "a" is listed twice`}},
	{"order of some", body("publish: {order: []}"), []string{
		`1:18: order: target "a" is not listed (hint: list every target, or write auto)`}},
	{"order as mapping", body("publish: {order: {a: b}}"), []string{"1:18: order: a mapping is no order"}},
	{"rollback and parallel", body("publish: {order: parallel, on_late: rollback}"), []string{
		"1:37: on_late: rollback cannot be with order: parallel, which waits for no origin"}},
	{"no time", body("check: {timeout: 0s}", "publish: {verify_timeout: 0s}"), []string{
		"1:18: timeout: must be longer than 0s", "2:27: verify_timeout: must be longer than 0s"}},
	{"everything at once", "versoin: 1\nsite: {dir: x, exlude: []}\ntargets: [{name: a, type: s3}]\ncheck: {rate: x}\n", []string{
		`1:1: required key "version" is missing`, `1:1: unknown key "versoin"; did you mean "version"?`,
		`2:16: unknown key "exlude"; did you mean "exclude"?`, `3:11: required key "bucket" is missing`, `4:15: rate: "x" is no number`}},
}

func origin(url string) string {
	return body("targets: [{name: a, type: odd, origin: {url: '" + url + "'}}]")
}

func tokenEnv(text string) string {
	return body("targets: [{name: a, type: git, url: u, token_env: '" + text + "'}]")
}

func TestErrors(t *testing.T) {
	for _, c := range errorTable {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse("m.yaml", []byte(c.text), environment, kinds())
			if err == nil {
				t.Fatalf("no error, want %q", c.want)
			}
			got := strings.Split(strings.ReplaceAll(err.Error(), "m.yaml:", ""), "\n")
			if !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
			if strings.Contains(err.Error(), "swordfish") {
				t.Error("the error tells a secret")
			}
		})
	}
}

func TestErrorCarriesItsPlace(t *testing.T) {
	_, err := Parse("m.yaml", []byte(body("check: {rate: x}")), environment, kinds())
	var e *strictyaml.Error
	if !errors.As(err, &e) || *e != (strictyaml.Error{File: "m.yaml", Line: 1, Column: 15, Msg: `rate: "x" is no number`}) {
		t.Errorf("got %+v", e)
	}
}

func TestAliasBombsAreBounded(t *testing.T) {
	bomb := "a: &a [x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c < 'l'; c++ {
		before := string(c - 1)
		bomb += string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+before+", ", 8) + "*" + before + "]\n"
	}
	_, err := Parse("m.yaml", []byte(bomb), environment, kinds())
	if err == nil || !strings.Contains(err.Error(), "too many values") {
		t.Errorf("got %v", err)
	}
	_, err = Parse("m.yaml", []byte("a: "+strings.Repeat("[", strictyaml.MaxDepth+1)+strings.Repeat("]", strictyaml.MaxDepth+1)), environment, kinds())
	if err == nil || !strings.Contains(err.Error(), "too deep") {
		t.Errorf("got %v", err)
	}
}

func TestErrorsAreCounted(t *testing.T) {
	_, err := Parse("m.yaml", []byte("a: ["+strings.Repeat("'${X}\n', ", 1000)+"]"), func(string) string { return "" }, kinds())
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != strictyaml.MaxErrors+1 || !strings.Contains(lines[strictyaml.MaxErrors], "more errors") {
		t.Errorf("got %d lines, the last %q", len(lines), lines[len(lines)-1])
	}
}

func FuzzParse(f *testing.F) {
	for _, c := range errorTable {
		if len(c.text) < 4096 {
			f.Add(c.text)
		}
	}
	f.Add(small)
	f.Add("a: &a\n  <<: *a\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Parse("m.yaml", []byte(text), environment, kinds())
		if (c == nil) == (err == nil) {
			t.Fatalf("got %v and %v", c, err)
		}
		joined, ok := err.(interface{ Unwrap() []error })
		if err != nil && !ok {
			t.Fatalf("%T is no joined error", err)
		}
		for i := 0; ok && i < len(joined.Unwrap()); i++ {
			var e *strictyaml.Error
			if !errors.As(joined.Unwrap()[i], &e) || e.Line < 1 || e.Column < 1 || e.File != "m.yaml" || e.Msg == "" || strings.Count(text, "\n")+1 < e.Line {
				t.Errorf("%#v has no place", e)
			}
		}
	})
}

// noGlobOfPaths is the error about a glob that no path of a site matches.
func noGlobOfPaths(at string) []string {
	return []string{at + " is no glob of paths in the site (hint: / between names, none at either end, no . or ..: uploads/**)"}
}
