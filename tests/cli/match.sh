#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# oy-clean's rule match: expressions of the user's on texts, lines and urls.
. "$(dirname "$0")/lib.sh"
clean="$BIN/oy-clean --rules match --set"
cat >"$T/web.jsonl" <<'EOF'
{"id":1,"url":"http:\/\/a.example\/x","text":"call 123-4567"}
{"id":2,"url":"http://b.test/","text":"Share\r\nkeep me\nShare\nx"}
{"id":3,"text":"Share"}
EOF
web=$T/web.jsonl
n() { # n WHAT IDS: which records came out
    is "$1" "$(for i in $2; do sed -n "${i}p" "$web"; done)"
}

code 0 "match drops" $clean 'match.match=\d' "$web"
n "records that match" "2 3"
code 0 "keep" $clean 'match.match=\d' --set match.action=keep "$web"
n "drops the others" 1
code 0 "on url" $clean 'match.match=//[^/]*[.]example/' --set match.on=url \
    --stats "$T/stats" "$web"
n "unescapes it; without one a record is dropped" 2
grep -q '"no_url": 1' "$T/stats" || { echo "not ok - no_url"; bad=1; }
code 0 "another field" $clean 'match.match=Share' --set match.on=url \
    --set match.field=text "$web"
n "stands for the url" 1
code 0 "on line" $clean 'match.match=^Share$' --set match.on=line "$web"
is "lines go with their feeds, a record of none too" \
    '{"id":1,"url":"http:\/\/a.example\/x","text":"call 123-4567"}
{"id":2,"url":"http://b.test/","text":"keep me\nx"}'
code 0 "keep on line" $clean 'match.match=keep|call' --set match.on=line \
    --set match.action=keep "$web"
is "keeps lines that match" \
    '{"id":1,"url":"http:\/\/a.example\/x","text":"call 123-4567"}
{"id":2,"url":"http://b.test/","text":"keep me\n"}'
code 0 "replace" $clean 'match.match=(?i)(s)(h)?|(\d+)-\d+' \
    --set match.action=replace --set 'match.with=$3$2$1$$' "$web"
is "writes groups, none for those that took no part" \
    '{"id":1,"url":"http:\/\/a.example\/x","text":"call 123$"}
{"id":2,"url":"http://b.test/","text":"hS$are\r\nkeep me\nhS$are\nx"}
{"id":3,"text":"hS$are"}'
code 0 "replace on line" $clean 'match.match=^|$' --set match.on=line \
    --set match.action=replace --set 'match.with=>' "$web"
is "sees each alone, without its end" \
    '{"id":1,"url":"http:\/\/a.example\/x","text":">call 123-4567>"}
{"id":2,"url":"http://b.test/","text":">Share>\r\n>keep me>\n>Share>\n>x>"}
{"id":3,"text":">Share>"}'
code 0 "reason" $clean match.match=x --set match.reason=mine --annotate "$web"
grep -q '"rule":"match","reason":"mine"' "$T/out" ||
    { echo "not ok - is told"; bad=1; }

cat >"$T/own.json" <<'EOF'
{"words": "ws", "rules": [
  {"match": "^https?://[^/]*\\.example/", "on": "url", "action": "drop",
   "reason": "site"},
  {"match": "^(Share|Print)$", "on": "line", "action": "drop"},
  {"match": "k(e+)p", "action": "replace", "with": "<$1>"}]}
EOF
code 0 "a preset of expressions" $BIN/oy-clean --preset "$T/own.json" "$web"
is "runs in its order" '{"id":2,"url":"http://b.test/","text":"<ee> me\nx"}'
for t in 1 2 7; do
    $BIN/oy-clean --preset "$T/own.json" -T $t "$web" | cmp -s - "$T/out" ||
        { echo "not ok - $t threads"; bad=1; }
done
echo '{"rules":[{"match":"a(b"}]}' >"$T/bad.json"
code 65 "a bad expression of a preset" $BIN/oy-clean --preset "$T/bad.json" "$web"
said "bad.json: 'match.match': regular expression, byte 3: " "and says so"
code 64 "a bad one of --set" $clean 'match.match=a(b' "$web"
said "'match.match': regular expression, byte 3: " "and says so"
code 64 "none" $BIN/oy-clean --rules match "$web"
said "rule 'match': needs 'match', a regular expression" "and says so"
code 64 "a group that is not there" $clean 'match.match=(a)' --set 'match.with=$2' "$web"
code 64 "a lone dollar sign" $clean 'match.match=(a)' --set 'match.with=5 $' "$web"
code 64 "replacing a url" $clean match.match=a --set match.on=url \
    --set match.action=replace "$web"
code 64 "an unknown action" $clean match.action=throw "$web"
said "'match.action' must be drop or keep or replace" "and says so"
printf '{"text":"%s!"}\n{"text":"b"}\n' "$(printf '%050d' 0)" >"$T/evil.jsonl"
code 65 "an expression that takes too long" $clean 'match.match=^(0+)+$' "$T/evil.jsonl"
said "evil.jsonl:1: rule 'match': regular expression on a text: match limit" "and says so"
code 0 "such a record is bad" $clean 'match.match=^(0+)+$' --bad skip "$T/evil.jsonl"
is "never kept" '{"text":"b"}'
exit $bad
