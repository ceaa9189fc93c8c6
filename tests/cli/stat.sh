#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# oy-stat: numbers, groups, formats, comparison, threads.
. "$(dirname "$0")/lib.sh"

cat >"$T/a.jsonl" <<'RECORDS'
{"text":"one two","url":"https://a.org/x","oyster":{"clean":{"reason":"short"}}}
{"text":"é è ê","url":"https://a.org:80/y"}
{"text":"","url":"http://b.org","n":7}
RECORDS
json=$("$BIN/oy-stat" --format json --by url "$T/a.jsonl")
same "records are counted" "$(grep -c '"records": 3,' <<<"$json")" 1
ok "bytes" grep -q '"bytes": {"total": 15, "mean": 5.0, "least": 0, .*"most": 8' <<<"$json"
ok "characters" grep -q '"characters": {"total": 12, "mean": 4.0' <<<"$json"
ok "words" grep -q '"words": {"total": 5, .*"histogram": \[\[0, 1\], \[2, 2\]\]}' <<<"$json"
ok "hosts are grouped" grep -q '{"value": "a.org", "records": 2, "bytes": 15,' <<<"$json"
ok "deep members are grouped" grep -q '{"value": "short", "records": 1' \
    <<<"$("$BIN/oy-stat" --format json --by oyster.clean.reason "$T/a.jsonl")"
ok "numbers are grouped as they stand" grep -q '{"value": "7", "records": 1' \
    <<<"$("$BIN/oy-stat" --format json --by n "$T/a.jsonl")"
ok "what lacks the member is (none)" grep -q '^(none)  *2 ' \
    <<<"$("$BIN/oy-stat" --by n "$T/a.jsonl")"
ok "the table stops at --top" grep -qF '... 1 more' \
    <<<"$("$BIN/oy-stat" --by url --top 1 "$T/a.jsonl")"
ok "an empty corpus has a table" grep -q '^records  *0$' <<<"$("$BIN/oy-stat" </dev/null)"
head -2 "$T/a.jsonl" >"$T/b.jsonl"
ok "two corpora are compared" grep -qE '^records +2 +3 +-33.33 %$' \
    <<<"$("$BIN/oy-stat" --diff "$T/a.jsonl" "$T/b.jsonl")"
ok "a group that is new" grep -qE '^b.org +1 +0 +new$' \
    <<<"$("$BIN/oy-stat" --by url --diff "$T/b.jsonl" "$T/a.jsonl")"
cat >"$T/page.jsonl" <<'EOF'
{"text":"one two","url":"https://a.org/x","language":"en","oyster":{"clean":{"reason":null}}}
{"text":"three","url":"http://<b>&/","language":"fr","oyster":{"clean":{"reason":"too_short","measured":{"languages":[["de",0.9],["en",0.1]]}}}}
{"text":"four","n":1}
EOF
page=$("$BIN/oy-stat" --format html --by n "$T/page.jsonl")
for cell in a.org '&lt;b>&amp;' en de kept too_short 1 '(none)'; do
    ok "a page has $cell" grep -qF "<tr><td>$cell</td><td>" <<<"$page"
done
ok "what the model says goes before the member" \
    test -z "$(grep -F '<td>fr</td>' <<<"$page")"
ok "it needs nothing else" test -z "$(grep -Ei 'src=|href=|script|@import|url\(' <<<"$page")"
ok "a page by url" grep -qF '<tr><td>a.org</td><td>1</td>' \
    <<<"$("$BIN/oy-stat" --format html --by url "$T/page.jsonl")"
ok "a page of two corpora" grep -qF '<tr><td>records</td><td>3</td><td>1</td><td>-66.7 %</td></tr>' \
    <<<"$(head -1 "$T/page.jsonl" | "$BIN/oy-stat" --format html --diff "$T/page.jsonl")"
ok "a page of nothing" grep -qF '<tr><td>records</td><td>0</td></tr>' \
    <<<"$("$BIN/oy-stat" --format html </dev/null)"
for i in $(seq 1 20000); do
    echo "{\"text\":\"word $i and number $((i * i))\",\"n\":$((i % 97))}"
done >"$T/big.jsonl"
want=$("$BIN/oy-stat" -T 1 --by n --format json "$T/big.jsonl" | sha1sum)
for n in 2 7; do
    same "$n threads give the same bytes" \
        "$("$BIN/oy-stat" -T $n --by n --format json "$T/big.jsonl" | sha1sum)" "$want"
    same "and the same page" \
        "$("$BIN/oy-stat" -T $n --by n --format html "$T/big.jsonl" | sha1sum)" \
        "$("$BIN/oy-stat" -T 1 --by n --format html "$T/big.jsonl" | sha1sum)"
done
exit $bad
