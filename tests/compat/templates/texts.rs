//! Templates to compare, one a line.

/// Texts that both sides render in both modes.
pub(super) fn texts() -> impl Iterator<Item = &'static str> {
    TEXTS.lines().filter(|line| !line.is_empty())
}

const TEXTS: &str = r##"
plain text
{{ .Receiver }} {{ .Status }} {{ .NotificationReason }} {{ .ExternalURL }}
{{ .GroupLabels }}|{{ .CommonLabels }}|{{ .CommonAnnotations }}|{{ .RouteLabels }}
{{ .Alerts }}
{{ . }}
{{ print . }}
{{ .Foo }}
{{ .foo }}
{{ .routeLabelsRendered }}
{{ .Alerts.Foo }}
{{ .Alerts.Firing.Foo }}
{{ .Alerts.Firing.Resolved }}
{{ .Alerts.Firing | len }} {{ len .Alerts.Resolved }} {{ len .Alerts }}
{{ range .Alerts }}{{ .Status }} {{ .Labels }} {{ .Annotations }} {{ .StartsAt }} {{ .EndsAt }} {{ .GeneratorURL }} {{ .Fingerprint }};{{ end }}
{{ range .Alerts }}{{ . }}{{ end }}
{{ range .Alerts }}{{ .Foo }}{{ end }}
{{ range .Alerts }}{{ .labels }}{{ end }}
{{ range $i, $a := .Alerts }}{{ $i }}={{ $a.Labels.instance }} {{ end }}
{{ range $a := .Alerts }}{{ $a.Labels.instance }} {{ end }}
{{ range $k, $v := .CommonLabels }}{{ $k }}:{{ $v }} {{ end }}
{{ range .CommonLabels }}{{ . }} {{ end }}
{{ range .CommonLabels.SortedPairs }}{{ .Name }}>{{ .Value }} {{ end }}
{{ range .CommonLabels.SortedPairs }}{{ . }} {{ end }}
{{ .CommonLabels.SortedPairs }}
{{ .CommonLabels.SortedPairs.Names }} {{ .CommonLabels.SortedPairs.Values }} {{ .CommonLabels.SortedPairs.String }}
{{ .CommonLabels.SortedPairs.Foo }}
{{ .CommonLabels.Names }} {{ .CommonLabels.Values }} {{ .CommonLabels.String }}
{{ .CommonLabels.Names.Join ", " }}
{{ .CommonLabels.Names.Join }}
{{ .CommonLabels.Names.Join 1 }}
{{ .CommonLabels.Names.Join "a" "b" }}
{{ ", " | .CommonLabels.Values.Join }}
{{ .CommonLabels.Remove .GroupLabels.Names }}
{{ .CommonLabels.Remove (stringSlice "job" "nothing") }}
{{ .CommonLabels.Remove (list "job") }}
{{ .CommonLabels.Remove "job" }}
{{ .CommonLabels.Remove nil }}
{{ .CommonLabels.Remove }}
{{ (.CommonLabels.Remove (stringSlice "alertname")).SortedPairs.Values | join "," }}
{{ .CommonLabels.alertname }} {{ .CommonLabels.missing }}|{{ .CommonLabels.missing.deeper }}
{{ .CommonLabels.missing | len }}
{{ .CommonLabels.alertname.deeper }}
{{ .CommonLabels.alertname "x" }}
{{ "x" | .CommonLabels.alertname }}
{{ .Status "x" }}
{{ .Status | .Status }}
{{ index .CommonLabels "alertname" }} {{ index .CommonLabels "missing" }}
{{ index .CommonLabels 1 }}
{{ index .CommonLabels nil }}
{{ index .CommonLabels }}
{{ (index .Alerts 0).Labels.instance }} {{ (index .Alerts 1).Status }}
{{ index .Alerts 5 }}
{{ index .Alerts 3 }}
{{ index .Alerts -1 }}
{{ index .Alerts "0" }}
{{ index .Alerts nil }}
{{ index .Alerts 1.0 }}
{{ index "abc" 1 }}
{{ index "abc" 3 }}
{{ index nil 1 }}
{{ index 5 1 }}
{{ index .Status 0 | printf "%c" }}
{{ (index .CommonLabels.SortedPairs 0).Name }}
{{ index .CommonLabels.Names 1 }}
{{ index . "x" }}
{{ index (dict "a" (dict "b" 7)) "a" "b" }}
{{ index (list 1 (list 2 3)) 1 0 }}
{{ slice "abcdef" 1 3 }} {{ slice "abcdef" 2 }} {{ slice "abcdef" }}
{{ slice "abc" 4 }}
{{ slice "abc" 2 1 }}
{{ slice "abc" 0 1 2 }}
{{ slice "abc" 0 1 2 3 }}
{{ slice "abc" "x" }}
{{ slice .Alerts 0 1 | len }}
{{ len (slice .Alerts 1) }}
{{ slice .CommonLabels 1 }}
{{ slice 5 1 }}
{{ slice nil }}
{{ slice (list 1 2 3 4) 1 3 }}
{{ slice .CommonLabels.Names 1 }}
{{ len "äö" }} {{ len .CommonLabels }} {{ len (list) }} {{ len (dict "a" 1) }}
{{ len 5 }}
{{ len nil }}
{{ len . }}
{{ len }}
{{ len "a" "b" }}
{{ not true }} {{ not "" }} {{ not .Alerts }} {{ not 0 }} {{ not nil }}
{{ not }}
{{ and true "x" }} {{ and "" "x" }} {{ and 1 0 2 }} {{ and nil }} {{ and .Status .Receiver }}
{{ or "" "x" }} {{ or 0 0.0 }} {{ or nil "y" }} {{ or .CommonLabels.missing "default" }}
{{ and }}
{{ or }}
{{ "x" | and true }} {{ "x" | or "" }} {{ "x" | and "" }}
{{ or "a" (index .Alerts 99) }}
{{ and "" (index .Alerts 99) }}
{{ and "a" (index .Alerts 99) }}
{{ eq 1 1 }} {{ eq 1 2 }} {{ eq "a" "a" }} {{ eq 1 2 3 1 }} {{ eq true true }} {{ eq 1.5 1.5 }}
{{ eq 1 1.0 }}
{{ eq 1 "1" }}
{{ eq 1 }}
{{ eq }}
{{ eq nil nil }} {{ eq nil 1 }} {{ eq "a" nil }}
{{ eq .Alerts .Alerts }}
{{ eq .CommonLabels .CommonLabels }}
{{ eq .CommonLabels nil }}
{{ eq . . }}
{{ eq (index .Alerts 0) (index .Alerts 0) }}
{{ eq (index .Alerts 0).StartsAt (index .Alerts 1).StartsAt }}
{{ eq .Status "firing" "resolved" }}
{{ eq (list 1) (list 1) }}
{{ eq (index "a" 0) 97 }}
{{ eq (safeHtml "a") "a" }}
{{ ne 1 2 }} {{ ne "a" "a" }} {{ ne nil nil }}
{{ ne 1 "a" }}
{{ ne 1 2 3 }}
{{ lt 1 2 }} {{ le 2 2 }} {{ gt 3 2 }} {{ ge 2 3 }} {{ lt "a" "b" }} {{ gt 1.5 1.4 }}
{{ lt 1 "a" }}
{{ lt 1 1.5 }}
{{ lt true false }}
{{ lt nil 1 }}
{{ lt .Alerts .Alerts }}
{{ gt .CommonLabels 1 }}
{{ le "b" "a" }} {{ ge "b" "a" }} {{ lt (index "a" 0) 98 }}
{{ lt 1 }}
{{ print 1 2 "a" 3 "b" "c" 4.5 true nil }}
{{ print }}|{{ print "a" "b" }}|{{ print 1 2 }}
{{ println 1 "a" true }}
{{ printf "%s %d %v %q %t" "s" 5 .GroupLabels "q\"" true }}
{{ printf "%5d|%-5d|%05d|%+d|%x|%X|%o|%b|%c|%U" 42 42 42 42 255 255 8 5 65 128512 }}
{{ printf "%.2f|%8.3f|%e|%g|%G" 3.14159 3.14159 12345.678 1e21 1e-7 }}
{{ printf "%10s|%-10s|%.2s|%x|%q" "abc" "abc" "abc" "abc" "a\tb" }}
{{ printf "%d" "x" }}
{{ printf "%s" 5 }}
{{ printf "%d %d" 1 }}
{{ printf "%d" 1 2 }}
{{ printf "%%" }}
{{ printf "%!" }}
{{ printf "%z" 1 }}
{{ printf "%v %v" 1.0 1e6 }}
{{ printf "%v" 123456789.0 }} {{ 1e20 }} {{ 1e21 }} {{ 0.000001 }} {{ 0.0000001 }} {{ 100000.5 }}
{{ printf "%[2]d %[1]d" 1 2 }}
{{ printf "%*d" 5 42 }}
{{ printf "%v %s" .CommonLabels.Names .CommonLabels.Names }}
{{ printf "%v" .Alerts.Resolved }}
{{ printf "%s" .CommonLabels }}
{{ printf "%v" nil }}
{{ printf 5 }}
{{ printf }}
{{ "x" | printf "%s-%s" "y" }}
{{ printf "%v" (dict "b" 1 "a" "x") }}
{{ printf "%v" (list 1 "a" nil true) }}
{{ printf "%t" 1 }}
{{ printf "%6.2f%%" 12.3456 }}
{{ printf "%s" (index .Alerts 0).StartsAt }}
{{ html "<a href='x'>&\"" }} {{ html 1 2 }} {{ html nil }} {{ html .CommonLabels }}
{{ "<x>" | html }}
{{ js "it's \"x\" <b> \\ = \n" }} {{ js 5 }}
{{ urlquery "a b&c=d/e?ü" }} {{ urlquery 1 "x" }} {{ urlquery .Receiver }}
{{ .Receiver | urlquery }}
{{ html }}{{ js }}{{ urlquery }}
{{ call .Status }}
{{ call nil }}
{{ call }}
{{ "abc" | toUpper }} {{ toLower "ÄÖ ABC" }} {{ toUpper "straße ﬁ ŉ" }} {{ toLower "İ" }}
{{ toUpper 5 }}
{{ toUpper .Alerts }}
{{ toUpper }}
{{ toUpper "a" "b" }}
{{ toUpper nil }}
{{ toUpper .CommonLabels.missing }}
{{ toUpper (safeHtml "a") }}
{{ toUpper true }}
{{ 5 | toUpper }}
{{ title "hello world" }} {{ title "HELLO wORLD" }} {{ title "it's o'neill's" }} {{ title "a-b_c d.e f/g h:i" }}
{{ title "über straße ǆ ß ﬁx" }} {{ title "3rd 4TH x2y" }} {{ title "" }} {{ title "foo..bar foo''bar" }}
{{ title "node-1:9100 (down)" }} {{ title "a.b.c" }} {{ title "ŉ éa e\u0301a" }} {{ title "one,two;three a,b 1,a" }}
{{ title "“quoted” ‘single’ l’été" }} {{ title "snake_case camelCase" }} {{ title "x @user #tag $var %p ^a &b *c +d =e ~f" }}
{{ title "東京 tokyo привет МИР ελλάδα" }} {{ title "a\tb\nc" }} {{ title "[foo] {bar} <baz>" }}
{{ trimSpace "  a b\t\n" }}| {{ trimSpace "" }}
{{ join "," (stringSlice "a" "b") }} {{ stringSlice "a" "b" | join "-" }} {{ join "," .CommonLabels.Values }}
{{ join "," (list "a" "b") }}
{{ join "," "a" }}
{{ join 1 (stringSlice) }}
{{ join "," nil }}
{{ join "," }}
{{ match "^a.c$" "abc" }} {{ match "b" "abc" }} {{ match "x" "abc" }} {{ match "(?i)ABC" "xabcx" }}
{{ match "(" "abc" }}
{{ match "a" 5 }}
{{ match "[[:alpha:]]+\\d" "ab1" }}
{{ safeHtml "<b>x</b>" }} {{ "<i>" | safeHtml }}
{{ safeHtml 5 }}
{{ safeUrl "javascript:x" }}
{{ urlUnescape "a%20b+c%C3%BC" }} {{ urlUnescape "a%2" }}
{{ urlUnescape "%zz" }}
{{ urlUnescape "" }}|{{ urlUnescape "100%25" }}
{{ reReplaceAll "(.*):(.*)" "$2-${1}" "host:80" }} {{ reReplaceAll "a" "b" "banana" }} {{ reReplaceAll "(a)" "$1x" "banana" }}
{{ reReplaceAll "(" "b" "x" }}
{{ reReplaceAll "" "-" "abc" }}
{{ reReplaceAll "(?P<x>a)" "<$x>" "banana" }} {{ reReplaceAll "a" "$" "banana" }} {{ reReplaceAll "a" "$$" "b-a" }} {{ reReplaceAll "a+?" "x" "aaa" }}
{{ "x.y" | reReplaceAll "\\." "_" }}
{{ reReplaceAll "^" "> " "a" }}
{{ stringSlice }} {{ stringSlice "a" "b c" }} {{ len (stringSlice "a") }}
{{ stringSlice 1 }}
{{ (stringSlice "a").Join "," }}
{{ routeLabels "team" }} {{ routeLabels "hello" }} {{ routeLabels "missing" }}|
{{ routeLabels }}
{{ routeLabels 5 }}
{{ .RouteLabels.hello }}
{{ date "2006-01-02 15:04:05" (index .Alerts 0).StartsAt }} {{ (index .Alerts 0).StartsAt | date "Mon Jan _2 3:04PM 06" }}
{{ date "Monday January 2 002 __2 03:04:05.000 PM pm MST -0700 Z07:00 -07 Z0700" (index .Alerts 0).StartsAt }}
{{ date "2006-01-02T15:04:05.999999999Z07:00 05.00 05,000 .9 .0" (index .Alerts 0).StartsAt }}
{{ date "Jan Janet Monet 1 15 2006_2006 _2006 20060102150405" (index .Alerts 0).StartsAt }}
{{ date "x" "y" }}
{{ date 1 (index .Alerts 0).StartsAt }}
{{ date "15:04" }}
{{ date "2006-01-02" (index .Alerts 0).EndsAt }} {{ (index .Alerts 0).EndsAt.IsZero }}
{{ (index .Alerts 0).StartsAt | tz "Europe/Paris" }} {{ (index .Alerts 0).StartsAt | tz "America/New_York" | date "15:04 MST -07:00 Z07:00" }}
{{ tz "Asia/Kolkata" (index .Alerts 0).StartsAt }} {{ tz "UTC" (index .Alerts 0).StartsAt }} {{ tz "" (index .Alerts 0).StartsAt }}
{{ tz "Nowhere/Land" (index .Alerts 0).StartsAt }}
{{ tz "../x" (index .Alerts 0).StartsAt }}
{{ (tz "Australia/Lord_Howe" (index .Alerts 0).StartsAt).Format "Z07:00 MST" }} {{ (tz "Europe/Berlin" (toDate "2006-01-02" "2025-03-30")).Location }}
{{ (now | tz "UTC").Location }} {{ gt now.Year 2000 }}
{{ gt (since (index .Alerts 0).StartsAt).Seconds 0.0 }}
{{ since 5 }}
{{ now 1 }}
{{ humanizeDuration 0 }} {{ humanizeDuration 1 }} {{ humanizeDuration 59.9 }} {{ humanizeDuration 60 }} {{ humanizeDuration 3600 }} {{ humanizeDuration 86400 }} {{ humanizeDuration 899199 }}
{{ humanizeDuration 0.1 }} {{ humanizeDuration 0.0001 }} {{ humanizeDuration 0.00000012 }} {{ humanizeDuration -0.01 }} {{ humanizeDuration -3661 }} {{ humanizeDuration 1.23456789 }}
{{ humanizeDuration "90" }} {{ humanizeDuration "1e3" }} {{ humanizeDuration "NaN" }} {{ humanizeDuration "+Inf" }}
{{ humanizeDuration "x" }}
{{ humanizeDuration nil }}
{{ humanizeDuration true }}
{{ humanizeDuration .Alerts }}
{{ humanizeDuration ((index .Alerts 2).EndsAt.Sub (index .Alerts 2).StartsAt) }}
{{ toDate "2006-01-02" "2025-02-03" }} {{ toDate "2006-01-02" "nonsense" }} {{ toDate "2006-01-02T15:04:05Z07:00" "2025-02-03T04:05:06.789+02:00" }}
{{ toDate "Jan _2 15:04:05 2006" "Feb  3 14:05:06 2025" }} {{ toDate "3:04PM" "1:30PM" }} {{ toDate "02/01/06 MST" "03/02/25 CET" }} {{ toDate "2006 002" "2024 060" }}
{{ toDate "2006-01-02 MST" "2025-02-03 GMT+3" }} {{ toDate "2006-01-02 -0700" "2025-02-03 +0530" }} {{ toDate "2006-01-02 Z07:00" "2025-02-03 Z" }} {{ toDate "Monday, 02-Jan-06" "Monday, 03-Feb-25" }}
{{ mustToDate "2006-01-02" "2025-02-03" }}
{{ mustToDate "2006-01-02" "2025-02-30" }}
{{ mustToDate "2006-01-02" "2025-13-01" }}
{{ mustToDate "2006-01-02" "nonsense" }}
{{ mustToDate "15:04" "25:00" }}
{{ mustToDate "15:04" "12:60" }}
{{ mustToDate "2006-01-02" "2025-02-03x" }}
{{ mustToDate "2006-01-02" "" }}
{{ mustToDate "05.000" "07.12" }}
{{ mustToDate "2006  01" "2025 02" }} {{ mustToDate "05" "07.123" }} {{ mustToDate "05.999" "07" }} {{ mustToDate "Mon Jan" "tue feb" }}
{{ mustToDate 1 2 }}
{{ toJson .CommonLabels }} {{ toJson .Alerts }}
{{ toJson . }}
{{ toJson .CommonLabels.SortedPairs }} {{ toJson .CommonLabels.Names }} {{ toJson (list 1 2.5 "a" nil true) }} {{ toJson (dict "b" 1 "a" (list)) }}
{{ toJson "<a>&\u2028\"\\\n" }} {{ toJson 5 }} {{ toJson nil }} {{ toJson 1.0 }} {{ toJson 1e21 }} {{ toJson 0.1 }}
{{ toJson (index .Alerts 0).StartsAt }} {{ toJson ((index .Alerts 2).EndsAt.Sub (index .Alerts 2).StartsAt) }} {{ toJson (index "a" 0) }}
{{ toJson (tz "Europe/Paris" (index .Alerts 0).StartsAt) }} {{ toJson (safeHtml "<b>") }}
{{ toJson }}
{{ base64encode "hello?>~" }} {{ base64decode "aGVsbG8_Pn4=" }} {{ base64encode "" }} {{ base64encode "a" }} {{ base64encode "ab" }}
{{ base64decode "aGVsbG8" }}
{{ base64decode "!!!!" }}
{{ base64decode "aGVsbG8/" }}
{{ base64decode "YQ=a" }}
{{ base64decode "YQ==YQ==" }}
{{ base64decode "=" }}
{{ list }} {{ list 1 "a" nil }} {{ len (list 1 2) }}
{{ append (list 1) 2 3 }} {{ append (list) }} {{ $x := list "a" }}{{ $x = append $x "b" }}{{ $x }}
{{ append "a" 1 }}
{{ append nil 1 }}
{{ append (stringSlice "a") "b" }}
{{ append }}
{{ dict }} {{ dict "a" 1 }} {{ dict "b" 1 "a" 2 }} {{ (dict "a" 1).a }} {{ (dict "a" 1).b }} {{ (dict "a" nil).a }}
{{ dict "a" }}
{{ dict 1 2 }}
{{ $d := dict "x" (list 1 2) }}{{ range $d.x }}{{ . }},{{ end }}
{{ (dict "a" (dict "b" "c")).a.b }} {{ (dict "a" 1).a.b }}
{{ range $k, $v := dict "b" 1 "a" 2 }}{{ $k }}{{ $v }} {{ end }}
{{ with (index .Alerts 0).StartsAt }}{{ .Year }} {{ .Month }} {{ .Day }} {{ .Hour }} {{ .Minute }} {{ .Second }} {{ .Nanosecond }} {{ .Weekday }} {{ .YearDay }}{{ end }}
{{ with (index .Alerts 0).StartsAt }}{{ .Unix }} {{ .UnixMilli }} {{ .UnixMicro }} {{ .UnixNano }} {{ .UTC }} {{ .IsZero }} {{ .Location }} {{ .String }}{{ end }}
{{ (index .Alerts 0).StartsAt.Format "15:04" }} {{ (index .Alerts 0).StartsAt.UTC.Format "15:04" }}
{{ (index .Alerts 0).StartsAt.Format }}
{{ (index .Alerts 0).StartsAt.Format 5 }}
{{ (index .Alerts 0).StartsAt.Date }}
{{ (index .Alerts 0).StartsAt.Clock }}
{{ (index .Alerts 0).StartsAt.ISOWeek }}
{{ (index .Alerts 0).StartsAt.Nothing }}
{{ (index .Alerts 0).StartsAt.wall }}
{{ (index .Alerts 2).EndsAt.Sub (index .Alerts 2).StartsAt }}
{{ with (index .Alerts 2).EndsAt.Sub (index .Alerts 2).StartsAt }}{{ .Seconds }} {{ .Minutes }} {{ .Hours }} {{ .Milliseconds }} {{ .Nanoseconds }} {{ .String }} {{ .Round 1000000000 }} {{ .Truncate 60000000000 }} {{ .Abs }}{{ end }}
{{ (index .Alerts 2).EndsAt.Sub 5 }}
{{ (index .Alerts 0).StartsAt.Add 3600000000000 }} {{ (index .Alerts 0).StartsAt.AddDate 0 1 -40 }}
{{ (index .Alerts 0).StartsAt.AddDate 1 2 "x" }}
{{ (index .Alerts 2).EndsAt.After (index .Alerts 2).StartsAt }} {{ (index .Alerts 2).EndsAt.Before (index .Alerts 2).StartsAt }} {{ (index .Alerts 2).EndsAt.Equal (index .Alerts 2).EndsAt }} {{ (index .Alerts 2).EndsAt.Compare (index .Alerts 2).StartsAt }}
{{ (index .Alerts 0).StartsAt.Truncate 60000000000 }} {{ (index .Alerts 0).StartsAt.Round 1000000000 }}
{{ printf "%d %s %v" (index .Alerts 0).StartsAt.Month (index .Alerts 0).StartsAt.Month (index .Alerts 0).StartsAt.Weekday }}
{{ if eq (index .Alerts 0).StartsAt.Month 10 }}october{{ end }}
{{ printf "%.1f" ((index .Alerts 2).EndsAt.Sub (index .Alerts 2).StartsAt).Minutes }} {{ printf "%d" ((index .Alerts 2).EndsAt.Sub (index .Alerts 2).StartsAt) }}
{{ if .Alerts }}yes{{ else }}no{{ end }} {{ if .CommonLabels.missing }}yes{{ else }}no{{ end }}
{{ if eq .Status "firing" }}a{{ else if eq .Status "resolved" }}b{{ else }}c{{ end }}
{{ if and (eq .Status "firing") (gt (len .Alerts) 2) }}many{{ end }}
{{ with .CommonLabels.alertname }}{{ . }}{{ else }}none{{ end }} {{ with .CommonLabels.missing }}{{ . }}{{ else }}none{{ end }}
{{ with $x := .Status }}{{ $x }}{{ . }}{{ end }} {{ with .CommonLabels.missing }}a{{ else with .Status }}{{ . }}{{ end }}
{{ range .Alerts.Firing }}{{ .Labels.severity }} {{ else }}none{{ end }} {{ range list }}x{{ else }}none{{ end }}
{{ range 3 }}{{ . }} {{ end }} {{ range $i := 2 }}{{ $i }}{{ end }} {{ range 0 }}x{{ else }}none{{ end }} {{ range -1 }}x{{ end }}
{{ range $i, $j := 3 }}{{ $i }}{{ end }}
{{ range "abc" }}{{ . }}{{ end }}
{{ range true }}{{ . }}{{ end }}
{{ range . }}{{ . }}{{ end }}
{{ range nil }}x{{ end }}
{{ range .CommonLabels.missing }}x{{ end }}
{{ range 1.5 }}x{{ end }}
{{ range .Alerts }}{{ if eq .Labels.severity "critical" }}{{ break }}{{ end }}{{ .Labels.instance }} {{ end }}
{{ range .Alerts }}{{ if eq .Labels.severity "critical" }}{{ continue }}{{ end }}{{ .Labels.instance }} {{ end }}
{{ $n := 0 }}{{ range .Alerts }}{{ $n = len .Labels }}{{ end }}{{ $n }}
{{ $n := 0 }}{{ range .Alerts }}{{ $n := 5 }}{{ $n }}{{ end }}{{ $n }}
{{ $i := 9 }}{{ $x := 9 }}{{ range $i, $x = list "a" "b" }}{{ end }}{{ $i }}{{ $x }}
{{ $x := 1 }}{{ range $x = list "a" "b" }}{{ end }}{{ $x }}
{{ $x := .Status }}{{ $x }} {{ $ }} {{ $.Status }}
{{ $x := .CommonLabels }}{{ $x.alertname }} {{ $x.Names }} {{ $x.Remove (stringSlice "job") }}
{{ $x := 5 }}{{ $x "a" }}
{{ $x := 5 }}{{ $x.foo }}
{{ define "t" }}<{{ . }}>{{ end }}{{ template "t" .Status }}{{ template "t" 5 }}{{ template "t" }}
{{ define "t" }}{{ $ }}{{ end }}{{ template "t" "x" }}
{{ define "t" }}{{ .Foo }}{{ end }}{{ template "t" . }}
{{ template "nowhere" . }}
{{ if false }}{{ template "nowhere" . }}{{ end }}
{{ block "b" .Status }}[{{ . }}]{{ end }} {{ template "b" "again" }}
{{ define "__subject" }}mine{{ end }}{{ template "slack.default.title" . }}
{{ define "__subject" }} {{ end }}{{ template "slack.default.title" . }}
{{ template "slack.default.title" . }} {{ template "slack.default.fallback" . }}
{{ template "__text_alert_list" .Alerts.Firing }}
{{ define "r" }}{{ if gt . 0 }}{{ . }}{{ end }}{{ end }}{{ template "r" 3 }}
a {{- " b " -}} c {{- /* comment */ -}} d
{{/* comment */}}x {{- /* trims */}} y
{{- 3 -}}|{{ -3 }}|{{+3}}
a {{"{{"}} b {{`raw "x" \n`}} {{"q\"\t\u00e9\x41\101"}}
{{ 'a' }} {{ '\n' }} {{ 0x1F }} {{ 0b101 }} {{ 0o17 }} {{ 017 }} {{ 1_000 }} {{ 1e3 }} {{ .5 }} {{ 1. }} {{ -1.5e-3 }}
{{ true }} {{ false }} {{ 12345678901234567890 }}
{{ 99999999999999999999 }}
{{ nil }}
{{ (nil) }}
{{ 1 | 2 }}
{{ "a" "b" }}
{{ .Status | "x" }}
{{ (1) }} {{ ("a") }} {{ (.Status) }} {{ (print 1 2) }} {{ ((.Status | toUpper) | toLower) }}
{{ (.Status) "x" }}
{{ (dict "a" "b").a | toUpper }} {{ (index .Alerts 0).Labels.severity | title }}
{{ .Status | printf "%s %s" "a" | toUpper | len }}
{{ toUpper (printf "%s" .Status) }}
{{ .Alerts | toJson | len | printf "%t" }}
{{ print (len .Alerts) "/" (len .CommonLabels) }}
{{ .CommonAnnotations.runbook_url }} {{ .CommonAnnotations.runbook_url | urlquery }}
{{ printf "%s" .Alerts.Firing | len | eq 5 }}
{{ .ExternalURL }}/#/silences/new?filter=%7B{{ range .CommonLabels.SortedPairs }}{{ .Name }}%3D"{{ .Value }}"%2C{{ end }}%7D
{{ range .Alerts -}} * {{ .Annotations.summary }} {{ end -}} end
{{ (index .Alerts 0).Labels.SortedPairs.Names.Join "+" }}
{{ if or (eq .CommonLabels.severity "critical") (eq .CommonLabels.job "node") }}page{{ end }}
{{ range $i, $e := .Alerts }}{{ if $i }}, {{ end }}{{ $e.Labels.instance }}{{ end }}
{{ $c := 0 }}{{ range .Alerts.Firing }}{{ if eq .Labels.severity "critical" }}{{ $c = 1 }}{{ end }}{{ end }}{{ if eq $c 1 }}critical{{ end }}
{{ len (index .Alerts 0).Labels }} {{ (index .Alerts 0).Labels.job }}
{{ .Alerts.Firing.Labels }}
{{ (index .Alerts.Firing 0).Labels.instance }}
{{ .StartsAt }}
{{ .Alerts.StartsAt }}
{{ $.Alerts.Firing | len }}
{{ .Status.String }}
{{ .CommonLabels.SortedPairs.Value }}
{{ "abc" | slice 1 }}
{{ slice .Status 0 2 }}
{{ 3 | slice "abcdef" 1 }}
{{ index (stringSlice "a" "b") 1 }}
{{ range stringSlice "x" "y" }}{{ . }}{{ end }}
{{ eq (len .Alerts) 3 }} {{ ne .Status "firing" }} {{ ge (len .Alerts) 4 }}
{{ match ".*" }}
{{ reReplaceAll "a" "b" }}
{{ html "a" | toUpper }}
{{ .Status | html | toUpper }}
{{ .Status | urlquery | html }}
{{ and (not .CommonLabels.missing) "yes" }}
{{ not (eq 1 1) }} {{ not .Status | not }}
{{ printf "%v|%v|%v" true 'x' "s" }}
{{ printf "%c|%q" 'x' 'z' }}
{{ printf "%08.3f|%+.1e|% d" 3.14159 12345.678 42 }}
{{ printf "%x %X" "hi" 3735928559 }}
{{ printf "%s and %s" "one" }}
{{ printf "%5t|%-7t|" true false }}
{{ printf "%v %v" .Status .GroupLabels.alertname }}
{{ print "a" 1 "b" }} {{ print 1 "a" 2 }} {{ print "" 1 2 "" }}
{{ println }}|{{ println .Status }}|
{{ print .Alerts.Resolved }}
{{ print .CommonLabels.Names .CommonLabels.Values }}
{{ println .CommonLabels .GroupLabels }}
{{ define "line" }}{{ .name }}={{ .value | printf "%q" }}{{ end }}{{ range .CommonLabels.SortedPairs }}{{ template "line" (dict "name" .Name "value" .Value) }};{{ end }}
{{ define "row" }}{{ range . }}{{ .Labels.alertname }}/{{ .Labels.severity }} {{ end }}{{ end }}{{ with .Alerts.Firing }}F: {{ template "row" . }}{{ end }}{{ with .Alerts.Resolved }}R: {{ template "row" . }}{{ end }}
{{ range $i, $a := .Alerts }}{{ if lt $i 2 }}{{ $a.Labels.alertname }}{{ with $a.Annotations.summary }}: {{ . }}{{ end }}{{ "\n" }}{{ else if eq $i 2 }}and {{ len (slice $.Alerts 2) }} more{{ end }}{{ end }}
{{ $seen := list }}{{ range .Alerts }}{{ $seen = append $seen .Labels.severity }}{{ end }}{{ len $seen }}: {{ range $seen }}[{{ . }}]{{ end }}
{{ $worst := "none" }}{{ range .Alerts.Firing }}{{ if eq .Labels.severity "critical" }}{{ $worst = "critical" }}{{ else if and (eq .Labels.severity "warning") (ne $worst "critical") }}{{ $worst = "warning" }}{{ end }}{{ end }}{{ $worst | toUpper }}
[{{ .Status | toUpper }}{{ if eq .Status "firing" }}:{{ .Alerts.Firing | len }}{{ end }}] {{ .GroupLabels.SortedPairs.Values | join " " }} {{ if gt (len .CommonLabels) (len .GroupLabels) }}({{ with .CommonLabels.Remove .GroupLabels.Names }}{{ .Values | join " " }}{{ end }}){{ end }}
{{ range .Alerts }}{{ range .Labels.SortedPairs }}{{ if match "^(alertname|severity)$" .Name }}{{ .Name | title }}: {{ .Value }} {{ end }}{{ end }}{{ end }}
{{ range .Alerts }}{{ range $k, $v := .Annotations }}- *{{ $k }}*: {{ reReplaceAll "[<>&]" "_" $v }}{{ end }}{{ end }}
{{ with index .Alerts 0 }}{{ .Status }} since {{ .StartsAt.UTC.Format "2006-01-02T15:04:05Z07:00" }}{{ end }}
{{ if .Alerts }}{{ with (index .Alerts 0).Annotations }}{{ .SortedPairs.Values | join "|" }}{{ end }}{{ else }}no alerts{{ end }}
{{ with .Alerts }}{{ (index . 0).Labels.Names | join "," | reReplaceAll "," " and " }}{{ end }}
{{ range $n, $a := .Alerts.Resolved }}{{ $n }}:{{ if $a.EndsAt.IsZero }}open{{ else }}{{ humanizeDuration ($a.EndsAt.Sub $a.StartsAt).Seconds }}{{ end }} {{ end }}
{{ .CommonLabels.SortedPairs | len }} {{ .CommonLabels.Values | len }} {{ .CommonAnnotations.Names | len }}
{{ if .CommonAnnotations.runbook_url }}<{{ .CommonAnnotations.runbook_url }}|runbook>{{ else if .CommonAnnotations.summary }}{{ .CommonAnnotations.summary }}{{ else }}nothing{{ end }}
{{ $l := .CommonLabels }}{{ range stringSlice "alertname" "severity" "zone" }}{{ with index $l . }}{{ . }};{{ else }}-;{{ end }}{{ end }}
{{ $m := dict "critical" "red" "warning" "orange" }}{{ range .Alerts }}{{ or (index $m .Labels.severity) "grey" }} {{ end }}
{{ range .Alerts }}{{ if or (eq .Labels.severity "critical" "warning") (not .Annotations) }}{{ .Fingerprint }} {{ end }}{{ end }}
{{ range $i, $p := .CommonLabels.SortedPairs }}{{ if $i }}{{ if eq $i 1 }} - {{ else }}, {{ end }}{{ end }}{{ $p.Name }}={{ $p.Value }}{{ end }}
{{ range .Alerts }}{{ with .Labels.instance }}{{ reReplaceAll "^(.*?)(:\\d+)?$" "$1" . }} {{ end }}{{ end }}
{{ printf "%-12s|%12s|%.3s" .Status .Receiver .ExternalURL }}
{{ printf "%v" .CommonLabels.Values }} {{ printf "%v" .GroupLabels.SortedPairs }}
{{ printf "%+v" .GroupLabels }} {{ printf "%+v" .Status }}
{{ printf "%s %s" (.Status | title) (.Receiver | reReplaceAll "[^a-z]+" "-" | printf "%.10s") }}
{{ len .ExternalURL }} {{ slice .ExternalURL 0 4 }} {{ with $x := slice .ExternalURL 4 }}{{ $x | urlquery }}{{ end }}
{{ .ExternalURL }}/#/alerts?receiver={{ .Receiver | urlquery }}&filter={{ printf "{%s}" (.GroupLabels.SortedPairs.Names | join ",") | urlquery }}
{{ range .Alerts }}{{ .GeneratorURL | urlUnescape }} {{ end }}
{{ range .Alerts }}{{ .StartsAt | tz "Asia/Tokyo" | date "2006-01-02 15:04 MST" }};{{ .EndsAt.Unix }} {{ end }}
{{ toJson (dict "status" .Status "count" (len .Alerts) "labels" .CommonLabels "names" .CommonLabels.Names) }}
{{ toJson .Alerts.Firing }}{{ toJson .GroupLabels }}{{ toJson .CommonAnnotations.SortedPairs }}
{{ base64encode (toJson .GroupLabels) }} {{ base64decode (base64encode .Receiver) }}
{{ js (print .CommonLabels) }} {{ html (print .CommonAnnotations) }} {{ urlquery (print .GroupLabels) }}
{{ trimSpace (print " " .Status " ") }}|{{ title (print .CommonLabels.alertname) }}|{{ toUpper (print .CommonLabels.alertname) }}|{{ toLower (print .CommonLabels.alertname) }}
{{ eq .Status .Status }} {{ eq .Receiver "team-x\\.pager" "x" }} {{ lt (len .Alerts.Firing) (len .Alerts) }} {{ ge .Status "firing" }}
{{ and .Alerts .CommonLabels.severity }} {{ or .CommonLabels.severity .CommonLabels.alertname .Status }} {{ not .GroupLabels }}
{{ index .CommonLabels "地区" }} {{ .CommonLabels.emoji }} {{ len (print .CommonLabels.combining) }} {{ printf "%q" .CommonLabels.emoji }}
{{ with $a := index .Alerts 0 }}{{ with $a.Labels }}{{ range .SortedPairs }}{{ $.Status }}{{ $a.Status }}{{ .Name }}{{ end }}{{ end }}{{ end }}
{{ range .Alerts }}{{ range .Labels }}{{ if . }}{{ break }}{{ end }}{{ end }}{{ .Status }}{{ continue }}never{{ end }}
{{ range $k, $v := .CommonLabels }}{{ if eq $k "severity" }}{{ continue }}{{ end }}{{ $k }}={{ $v }} {{ else }}no labels{{ end }}
{{ block "head" . }}{{ .Status }}: {{ block "tail" .CommonLabels }}{{ .alertname }}{{ end }}{{ end }}/{{ template "tail" .GroupLabels }}
{{ template "slack.default.title" . }} | {{ template "pagerduty.default.description" . }} | {{ template "discord.default.title" . }}
{{ template "opsgenie.default.description" . }}{{ template "telegram.default.message" . }}
{{ template "__text_alert_list_markdown" .Alerts }}{{ template "__text_alert_list" .Alerts.Resolved }}
{{ (.CommonLabels.Remove .GroupLabels.Names).Names | join "," }} {{ (.GroupLabels.Remove (stringSlice)).Names }}
{{ .NotificationReason }} {{ .NotificationReason | title }} {{ routeLabels "team" | toUpper }} {{ routeLabels "hello" | len }}
{{ (index .Alerts 1).Labels.alertname }} {{ (index .Alerts.Resolved 0).EndsAt }}
{{ (index .Alerts.Firing 0).StartsAt.Format "Mon, 02 Jan 2006" }} {{ (index .Alerts.Firing 0).EndsAt.Format "15:04" }}
{{ .CommonLabels.alertname | printf "%s" | reReplaceAll "([A-Z])" " $1" | trimSpace | title }}
{{ range .Alerts }}{{ template "missing" . }}{{ end }}
{{ $x := index .Alerts 0 }}{{ $y := $x.Labels }}{{ $z := $y.severity }}{{ if $z }}{{ $z }}{{ else }}{{ $y.Names }}{{ end }}
"##;

/// Places in HTML; `@` is where the value goes.
pub(super) const HTML_PLACES: &[&str] = &[
    "@",
    "<p>@</p>",
    "<p title=\"@\">x</p>",
    "<p title='@'>x</p>",
    "<p title=@>x</p>",
    "<a href=\"@\">x</a>",
    "<a href='/x?q=@'>x</a>",
    "<a href=\"http://h/@?a=@#@\">x</a>",
    "<img src=@>",
    "<div style=\"color: @\">x</div>",
    "<div style=\"background: url('@')\">x</div>",
    "<style>p { width: @ }</style>",
    "<script>var x = @;</script>",
    "<script>var x = \"@\";</script>",
    "<script>var x = '@';</script>",
    "<button onclick=\"f(@)\">x</button>",
    "<title>@</title>",
    "<textarea>@</textarea>",
    "<!-- @ -->x",
    "<p data-x=\"@\">x</p>",
    "<img srcset=\"@\">",
    "<p>a<!-- comment -->b @</p>",
    "{{ if .Alerts }}<b>@</b>{{ else }}<i>@</i>{{ end }}",
    "{{ range .Alerts }}<li title=\"@\">@</li>{{ end }}",
];

/// What is put there.
pub(super) const HTML_VALUES: &[&str] = &[
    "{{ $.CommonLabels.alertname }}",
    "{{ $.CommonLabels.path }}",
    "{{ $.CommonLabels.script }}",
    "{{ $.CommonAnnotations.url }}",
    "{{ $.CommonAnnotations.quotes }}",
    "{{ $.CommonAnnotations.nul }}",
    "{{ $.ExternalURL }}",
    "{{ 42 }}",
    "{{ 1.5 }}",
    "{{ true }}",
    "{{ nil | print }}",
    "{{ $.CommonLabels.missing }}",
    "{{ safeHtml \"<b>bold</b>\" }}",
    "{{ safeUrl \"javascript:x(1)\" }}",
    "{{ $.CommonLabels.path | urlquery }}",
    "{{ $.CommonLabels.alertname | html }}",
    "{{ stringSlice \"a\" \"<b>\" }}",
    "{{ list 1 \"x\" }}",
    "{{ dict \"a\" 1 }}",
    "{{ $.GroupLabels }}",
];

/// Other HTML.
pub(super) const HTML_TEXTS: &[&str] = &[
    "<p {{ if .Alerts }}title=\"x\"{{ end }}>y</p>",
    "<a href=\"{{ if .Alerts }}/a{{ else }}?b={{ end }}{{ .Status }}\">x</a>",
    "<a href=\"{{ if .Alerts }}{{ .Status }}{{ end }}{{ .Status }}\">x</a>",
    "{{ if .Alerts }}<p title=\"{{ end }}x",
    "<p title=\"x",
    "<script>",
    "<p {{ .Status }}=x>y</p>",
    "<{{ .Status }}>",
    "<p {{ .Status }}>",
    "{{ .Status | html | print }}",
    "{{ .Status | urlquery | print }}",
    "<p title={{ .Status | html }}>",
    "{{ define \"cell\" }}<td title=\"{{ . }}\">{{ . }}</td>{{ end }}{{ range .CommonLabels }}{{ template \"cell\" . }}{{ end }}",
    "{{ define \"value\" }}{{ . }}{{ end }}<p title='{{ template \"value\" .CommonLabels.path }}'>{{ template \"value\" .CommonLabels.path }}</p><a href='{{ template \"value\" .CommonLabels.path }}'>",
    "{{ template \"nowhere\" }}",
    "{{ if false }}{{ template \"nowhere\" }}{{ end }}",
    "<a href=\"{{ template \"__alertmanagerURL\" . }}\">{{ template \"__subject\" . }}</a>",
    "a < b {{ .Status }} > c & d",
    "<p>{{/* gone */}}<!-- gone -->x</p>",
    "<script>/* c */ var a = 1; // d\nvar b = {{ .Status }};</script>",
    "<style>/* c */ p { color: red }</style>",
    "<a href=\"javascript:f({{ .Status }})\">x</a>",
    "<p>\u{0}{{ .Status }}</p>",
    "{{ range .Alerts }}<a href=\"{{ .GeneratorURL }}\">{{ .Labels }}</a>{{ end }}",
    "{{ range .Alerts }}{{ . }}{{ end }}",
    "{{ .Alerts }}",
    "<pre>{{ toJson .Alerts }}</pre><script>var a = {{ toJson .CommonLabels }};</script>",
    "<table>{{ range .Alerts }}<tr class=\"{{ .Status }}\"><td>{{ .Labels.alertname }}</td><td>{{ .Annotations.markup }}</td></tr>{{ end }}</table>",
    "<a href='{{ .ExternalURL }}/#/alerts?receiver={{ .Receiver }}&amp;filter={{ .CommonLabels.alertname }}'>{{ .Receiver }}</a>",
    "<a href=\"mailto:{{ .Receiver }}?subject={{ .CommonLabels.alertname }}\">x</a>",
    "<img src=\"{{ .CommonAnnotations.url }}\" alt='{{ .CommonAnnotations.quotes }}'>",
    "<p style='color: {{ if .Alerts }}red{{ else }}green{{ end }}; width: {{ len .Alerts }}px'>x</p>",
    "<p style=\"{{ .CommonLabels.alertname }}\">x</p>",
    "<p style=\"background: url({{ .CommonLabels.path }})\">x</p>",
    "<style>@import url({{ .ExternalURL }}); p::after { content: '{{ .CommonLabels.alertname }}' }</style>",
    "<style>{{ .CommonLabels.alertname }} { color: red }</style>",
    "<script>f({{ .CommonLabels }}, {{ .Alerts.Firing | len }}, '{{ .CommonAnnotations.quotes }}')</script>",
    "<script>var r = /{{ .CommonLabels.alertname }}/;</script>",
    "<script>var t = `{{ .Status }}`;</script>",
    "<script>var t = `x${ {{ .Status }} }y`;</script>",
    "<script>x = {{ .Status }} / 2; y = 4 / {{ len .Alerts }}</script>",
    "<script type=\"application/json\">{{ .CommonLabels }}</script>",
    "<script type=\"text/template\"><b>{{ .CommonLabels.alertname }}</b></script>",
    "<button onclick='go(\"{{ .CommonLabels.alertname }}\", {{ .CommonLabels.path }})'>x</button>",
    "<input value={{ .CommonLabels.path }} checked>",
    "<input value={{ .CommonLabels.path }}{{ .Status }}>",
    "<p id=a{{ .Status }}b class='c {{ .Status }} d'>x</p>",
    "<iframe srcdoc=\"{{ .CommonLabels.alertname }}\"></iframe>",
    "<form action=\"{{ .CommonAnnotations.url }}\"><textarea>{{ .CommonLabels.script }}</textarea></form>",
    "<title>{{ .CommonLabels.script }}</title>{{ .CommonLabels.script }}",
    "<svg><a xlink:href=\"{{ .CommonAnnotations.url }}\">x</a></svg>",
    "<p data-url=\"{{ .CommonAnnotations.url }}\" data-x='{{ .CommonLabels.path }}'>x</p>",
    "<!-- {{ .Status }} --><b>{{ .Status }}</b><!-- end",
    "<p>{{ with .CommonLabels.missing }}<b>{{ . }}</b>{{ else }}<i>{{ .Status }}</i>{{ end }}</p>",
    "{{ range .Alerts }}<p title=\"{{ if .Labels }}a{{ else }}b{{ end }}\">{{ break }}</p>{{ end }}x",
    "{{ range .Alerts }}<p>{{ continue }}</p>{{ end }}x",
    "{{ range .Alerts }}<p title=\"{{ continue }}\">x</p>{{ end }}",
    "{{ block \"a\" . }}<b title='{{ .Status }}'>{{ .Status }}</b>{{ end }}{{ template \"a\" . }}",
    "{{ define \"o\" }}<b{{ end }}{{ template \"o\" }}>x</b>",
    "{{ define \"q\" }}\"{{ end }}<a href={{ template \"q\" }}x{{ template \"q\" }}>y</a>",
    "{{ define \"r\" }}{{ if . }}<i>{{ template \"r\" (slice . 1) }}</i>{{ end }}{{ end }}{{ template \"r\" .CommonLabels.Names }}",
    "{{ $x := .CommonLabels.alertname }}<p>{{ $x }}</p><p title=\"{{ $x }}\">{{ $x | print }}</p>",
    "{{ safeHtml .CommonLabels.alertname }}<p title=\"{{ safeHtml .CommonLabels.alertname }}\">x</p>",
    "<a href=\"{{ safeUrl .CommonAnnotations.url }}\">x</a><script>x = {{ safeUrl .CommonAnnotations.url }}</script>",
    "<a href=\"/{{ .CommonLabels.path }}?{{ .CommonLabels.path }}#{{ .CommonLabels.path }}\">x</a>",
    "<a href=\"{{ .CommonLabels.path }}{{ .CommonLabels.path }}\">x</a>",
    "<img srcset=\"{{ .CommonLabels.path }} 1x, {{ .CommonAnnotations.url }} 2x\">",
    "<p>{{ .CommonLabels.alertname | html }}</p><p title={{ .CommonLabels.alertname | html }}>x</p>",
    "<p>{{ html .CommonLabels.alertname }}</p><a href='?q={{ urlquery .CommonLabels.path }}'>x</a>",
    "<script>var a = {{ js .CommonLabels.alertname }};</script>",
    "<p>{{ js .CommonLabels.alertname }}</p>",
    "<p>{{ printf \"<b>%s</b>\" .CommonLabels.alertname | safeHtml }}</p>",
    "<P TITLE=\"{{ .CommonLabels.alertname }}\">{{ .CommonLabels.alertname }}</P><SCRIPT>x={{ .Status }}</SCRIPT>",
    "<a href='java{{ .Status }}script:x'>y</a>",
    "<a href='javascript:{{ .CommonLabels.alertname }}'>y</a>",
    "<p on{{ .Status }}='x'>y</p>",
    "<p {{ print \"title\" }}='{{ .CommonLabels.alertname }}'>y</p>",
    "<br/>{{ .CommonLabels.alertname }}<br / >{{ .CommonLabels.alertname }}</br>",
    "<a href=x{{ if .Alerts }}?y={{ end }}{{ .Status }}>z</a>",
    "<p>&lt;{{ .CommonLabels.alertname }}&gt; &amp; &#39;</p>",
    "<noscript>{{ .CommonLabels.alertname }}</noscript><xmp>{{ .CommonLabels.alertname }}</xmp>",
    "{{ template \"email.default.subject\" . }}<hr>{{ template \"__subject\" . }}<a title='{{ template \"__subject\" . }}'>",
    "<p>{{ .CommonAnnotations }} {{ .CommonLabels.SortedPairs }} {{ .Alerts.Firing }}</p>",
    "<td>{{ range $i, $p := .CommonLabels.SortedPairs }}{{ if $i }}<br>{{ end }}{{ $p.Name }}: <b>{{ $p.Value }}</b>{{ end }}</td>",
    "<p>{{ toUpper .CommonLabels.alertname }} {{ .CommonLabels.alertname | toLower | title }}</p>",
    "<style>p { font: {{ .CommonLabels.path }}; margin: {{ -5 }}px {{ 1.5 }}em {{ true }} }</style>",
    "<script>{{ if .Alerts }}var x = 1;{{ else }}var x = \"{{ end }}</script>",
    "<script>{{ range .Alerts }}f({{ .Labels }});{{ end }}</script>",
    "<script>var a = [{{ range $i, $a := .Alerts }}{{ if $i }},{{ end }}{{ $a.Labels.alertname }}{{ end }}];</script>",
    "<script>var d = {{ dict \"a\" (list 1 \"</script>\") }}; var n = {{ nil | print }};</script>",
    "<p>{{ .StartsAt }}</p>",
    "<a href=\"{{ if .Alerts }}{{ .ExternalURL }}{{ else }}/x{{ end }}\">x</a>",
    "<a href=\"{{ if .Alerts }}?a={{ else }}?b={{ end }}{{ .CommonLabels.path }}\">x</a>",
    "text only, {{ .CommonLabels.alertname }}, no tags & <",
    "<",
    "</{{ .Status }}>",
    "<a{{ .Status }}>",
    "<a b{{ .Status }}c='d'>",
];

/// Texts that are no templates, and some that only look so.
pub(super) const MALFORMED: &[&str] = &[
    "{{",
    "{{ ",
    "{{ .Status",
    "a\n{{ .Status\n",
    "{{ }}",
    "{{}}",
    "{{ .Status }",
    "}}",
    "{{ end }}",
    "{{ else }}",
    "{{ if true }}",
    "{{ if true }}{{ else }}",
    "{{ if true }}{{ else }}{{ else }}{{ end }}",
    "{{ if true }}{{ end }}{{ end }}",
    "{{ if }}{{ end }}",
    "{{ range }}{{ end }}",
    "{{ with }}{{ end }}",
    "{{ with 1 }}{{ else if 1 }}{{ end }}{{ end }}",
    "{{ if 1 }}{{ else with 1 }}{{ end }}{{ end }}",
    "{{ range 1 }}{{ else range 1 }}{{ end }}{{ end }}",
    "{{ break }}",
    "{{ continue }}",
    "{{ range 1 }}{{ break 1 }}{{ end }}",
    "{{ range 1 }}{{ define \"x\" }}{{ break }}{{ end }}{{ end }}",
    "{{ define }}{{ end }}",
    "{{ define x }}{{ end }}",
    "{{ define \"x\" }}",
    "{{ define \"x\" }}{{ else }}{{ end }}",
    "{{ define \"x\" 1 }}{{ end }}",
    "{{ define \"x\" }}a{{ end }}{{ define \"x\" }}b{{ end }}",
    "{{ define \"x\" }}a{{ end }}{{ define \"x\" }} {{ end }}{{ template \"x\" }}",
    "{{ define \"x\" }} {{ end }}{{ define \"x\" }}b{{ end }}{{ template \"x\" }}",
    "{{ if true }}{{ define \"x\" }}{{ end }}{{ end }}",
    "{{ template }}",
    "{{ template x }}",
    "{{ template \"x\" 1 2 }}",
    "{{ block \"x\" }}{{ end }}",
    "{{ block x . }}{{ end }}",
    "{{ block \"x\" . }}",
    "{{ nothing }}",
    "{{ .Status | nothing }}",
    "{{ $x }}",
    "{{ $x = 1 }}",
    "{{ if true }}{{ $x := 1 }}{{ end }}{{ $x }}",
    "{{ $x := 1 }}{{ define \"y\" }}{{ $x }}{{ end }}",
    "{{ $x, $y := 1 }}",
    "{{ range $x, $y, $z := .Alerts }}{{ end }}",
    "{{ range $x, 1 := .Alerts }}{{ end }}",
    "{{ range $x, := .Alerts }}{{ end }}",
    "{{ $x := }}",
    "{{ $x : 1 }}",
    "{{ := 1 }}",
    "{{ 1 := 2 }}",
    "{{ | }}",
    "{{ 1 | }}",
    "{{ | 1 }}",
    "{{ print 1 | | print }}",
    "{{ .Status | 1 }}",
    "{{ .Status | \"x\" }}",
    "{{ .Status | . }}",
    "{{ .Status | nil }}",
    "{{ .Status | true }}",
    "{{ .Status | .Status }}",
    "{{ ( }}",
    "{{ ) }}",
    "{{ (1 }}",
    "{{ 1) }}",
    "{{ () }}",
    "{{ (print 1) 2 }}",
    "{{ \"abc }}",
    "{{ \"a\nb\" }}",
    "{{ `abc }}",
    "{{ `a\nb` }}",
    "{{ 'ab' }}",
    "{{ '' }}",
    "{{ 'a }}",
    "{{ \"\\q\" }}",
    "{{ \"\\x4\" }}",
    "{{ \"\\'\" }}",
    "{{ '\\\"' }}",
    "{{ 1a }}",
    "{{ 1__0 }}",
    "{{ 1_ }}",
    "{{ 0x }}",
    "{{ 0xg }}",
    "{{ 08 }}",
    "{{ 1e }}",
    "{{ 1.2.3 }}",
    "{{ 1+2 }}",
    "{{ 99999999999999999999999 }}",
    "{{ 1e999 }}",
    "{{ .a. }}",
    "{{ .a.b.c }}",
    "{{ . .a }}",
    "{{ ..a }}",
    "{{ \"a\".b }}",
    "{{ 1.b }}",
    "{{ true.b }}",
    "{{ nil.b }}",
    "{{ .a\"b\" }}",
    "{{ print\"b\" }}",
    "{{ print.a }}",
    "{{ .a,b }}",
    "{{ print 1, 2 }}",
    "{{ # }}",
    "{{ ! }}",
    "{{ \u{fc} }}",
    "{{ .\u{fc} }}",
    "{{ \u{2019} }}",
    "{{ a-b }}",
    "{{ .a-b }}",
    "{{ $a-b }}",
    "{{ /* x */ }}",
    "{{/* x }}",
    "{{/* x */ y }}",
    "{{- /* x */ -}}",
    "{{-/* x */}}",
    "{{/* x */-}}",
    "{{-3}}",
    "{{- 3-}}",
    "{{ 3 -}} x",
    "{{if}}",
    "{{ if true }}a{{ else if }}b{{ end }}",
    "{{ if true }}a{{ else if false }}b{{ else }}c{{ end }} d",
    "{{ end",
    "{{ else",
    "{{ template \"x",
    "line one\nline two {{ nothing }}\nline three",
    "{{ if eq 1 1\n}}x{{ end }}",
    "{{ print\n1\n}}",
    "{{ print (print (print (print 1))) }}",
    "{{ range $i, $x := .Alerts }}{{ end }}{{ $i }}",
    "{{ with $x := 1 }}{{ end }}{{ $x }}",
    "{{ true }}{{ truely }}",
    "{{ nil }}",
    "{{ nilly }}",
    "{{ define \"a\" }}{{ define \"b\" }}{{ end }}{{ end }}",
    "{{ .Status }}{{ .Alerts",
    "{{ \"\\ud800\" }}",
    "{{ index .Alerts }}",
];

type Files = (&'static [(&'static str, &'static str)], &'static str);

/// Files, and a text that uses them.
pub(super) const FILES: &[Files] = &[
    (&[("a.tmpl", "{{ define \"x\" }}a{{ end }}")], "{{ template \"x\" }}"),
    (&[("a.tmpl", "{{ define \"x\" }}a{{ end }}"), ("b.tmpl", "{{ define \"x\" }}b{{ end }}")], "{{ template \"x\" }}"),
    (
        &[("a.tmpl", "{{ define \"x\" }}a{{ end }}"), ("b.tmpl", "{{ define \"x\" }} {{ end }}")],
        "[{{ template \"x\" }}]",
    ),
    (&[("a.tmpl", "hello {{ .Status }}")], "{{ template \"a.tmpl\" . }}"),
    (&[("a.tmpl", "\n{{ define \"x\" }}a{{ end }}\n")], "[{{ template \"a.tmpl\" . }}]"),
    (&[("a.tmpl", "one"), ("b.tmpl", "{{ define \"a.tmpl\" }}two{{ end }}")], "{{ template \"a.tmpl\" . }}"),
    (&[("a.tmpl", "{{ define \"a.tmpl\" }}two{{ end }}")], "[{{ template \"a.tmpl\" . }}]"),
    (&[("a.tmpl", "one{{ define \"a.tmpl\" }}two{{ end }}")], "{{ template \"a.tmpl\" . }}"),
    (&[("a.tmpl", "{{ define \"__subject\" }}mine{{ end }}")], "{{ template \"slack.default.title\" . }}"),
    (&[("a.tmpl", "{{ define \"__subject\" }}{{ end }}")], "{{ template \"slack.default.title\" . }}"),
    (&[("a.tmpl", "{{ define \"x\" }}{{ .Foo }}{{ end }}")], "{{ template \"x\" . }}"),
    (&[("a.tmpl", "\n\n{{ define \"x\" }}\n  {{ .Foo }}{{ end }}")], "{{ template \"x\" . }}"),
    (&[("a.tmpl", "x\n{{ nothing }}")], "x"),
    (&[("a.tmpl", "{{ if }}")], ""),
    (
        &[("a.tmpl", "{{ template \"x\" . }}"), ("b.tmpl", "{{ define \"x\" }}late{{ end }}")],
        "{{ template \"a.tmpl\" . }}",
    ),
    (&[("a.tmpl", "{{ define \"x\" }}a{{ end }}")], "{{ define \"x\" }}own{{ end }}{{ template \"x\" }}"),
    (&[], "{{ template \"a.tmpl\" . }}"),
];
