package admin

import (
	"html/template"
	"net/http"
)

// page is the status for people. Everything that an origin has said is escaped.
var page = template.Must(template.New("front").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="5">
<title>mirror front</title>
<style>
body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#222;background:#fff}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid #ddd;vertical-align:top}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}code{font-size:.9em}.bad{color:#a40000;font-weight:600}.good{color:#0a6b2d}
@media (prefers-color-scheme:dark){body{color:#ddd;background:#111}th,td{border-color:#333}.bad{color:#ff8a80}.good{color:#7bd88f}}
</style></head><body>
<h1>mirror front</h1>
{{if .Release}}<p>Visitors get release <code>{{printf "%.12s" .Release}}</code>, sequence {{.Sequence}}{{if .Rollback}} (a rollback){{end}}, {{.Files}} files, since {{.Since.Format "2006-01-02 15:04:05 MST"}}.</p>
{{else}}<p class="bad">No release is served yet: fewer than {{.Quorum}} origins hold one that can be proved.</p>{{end}}
{{if not .Reachable}}<p class="bad">No origin answers: visitors get what is in the cache.</p>{{end}}
<table><thead><tr><th>origin</th><th>state</th><th>release</th><th>circuit</th><th class="n">p50 ms</th><th class="n">p95 ms</th><th class="n">served</th><th class="n">failed</th><th>detail</th></tr></thead><tbody>
{{range .Origins}}<tr><td><a href="{{.URL}}" rel="noreferrer">{{.Name}}</a></td><td class="{{if eq .State "current"}}good{{else}}bad{{end}}">{{.State}}</td><td><code>{{printf "%.12s" .Release}}</code></td><td>{{.Circuit}}</td><td class="n">{{printf "%.1f" .P50}}</td><td class="n">{{printf "%.1f" .P95}}</td><td class="n">{{.Served}}</td><td class="n">{{.Failed}}</td><td>{{with .Path}}<code>{{.}}</code>: {{end}}{{.Detail}}</td></tr>
{{end}}</tbody></table>
<p>{{.Requests}} requests, {{.Cached}} from the cache, {{.Fetched}} contents fetched, {{.Failures}} failed, {{.Wrong}} answers of origins were wrong.
Cache: {{.Cache.MemoryBytes}} bytes in memory, {{.Cache.DiskBytes}} bytes in {{.Cache.DiskFiles}} files.</p>
</body></html>
`))

func writePage(w http.ResponseWriter, s Status) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	_ = page.Execute(w, s) // the reader may have gone
}
