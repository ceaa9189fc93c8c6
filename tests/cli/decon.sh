#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# oy-decon: what its manual promises, and datatrove's verdicts.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
D=$BIN/oy-decon
shared=$(cd "${OYSTER_SHARED:-../shared}" 2>/dev/null && pwd)
cd "$T" || exit 1

words() { # words PREFIX FROM TO: PREFIX<FROM> .. joined by spaces
    seq -s ' ' -f "$1%g" "$2" "$3"
}
letters="one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
cat >bench.jsonl <<J
{"task":"quiz","id":"q1","query":"alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu","label":"xi omicron"}
{"task":"quiz","id":"q2","text":"$letters"}
J
cat >docs.jsonl <<J
{"id":"clean","text":"Nothing of the kind stands here."}
{"id":"whole","text":"So: One, two; THREE four five six seven eight nine ten eleven twelve!"}
{"id":"border","text":"gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi"}
{"id":"query","text":"alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu"}
{"id":"near","text":"one two three four five six seven eight nine ten eleven 12"}
J
ids() { sed 's/.*"id":"\([a-z]*\)".*/\1/' "$1" | tr '\n' ' '; }

code 0 "datatrove's rule" "$D" --against bench.jsonl --dropped dropped.jsonl docs.jsonl
same "keeps what shares no n-gram, or one of a query" "$(ids out)" "clean query near "
same "drops what does" "$(ids dropped.jsonl)" "whole border "
ok "tells where it is from" grep -q '"oyster":{"decon":{"keep":false,"reason":"contaminated","task":"quiz","id":"q2","ngram":"one two three four five six seven eight nine ten eleven twelve","word":1}}' dropped.jsonl
code 0 "--query" "$D" --query --against bench.jsonl docs.jsonl
same "finds n-grams within a query" "$(ids out)" "clean near "
code 0 "--ngram 6" "$D" --ngram 6 --against bench.jsonl docs.jsonl
same "finds shorter ones" "$(ids out)" "clean query "
code 0 "--annotate" "$D" --annotate --against bench.jsonl docs.jsonl
same "keeps all" "$(ids out)" "clean whole border query near "
same "and marks them" "$(grep -c '"keep":false' out)" 2
for t in 1 2 7; do
    same "-T $t gives the same" "$("$D" -T $t --annotate --against bench.jsonl docs.jsonl | cksum)" "$(cksum <out)"
done
zstd -q bench.jsonl
code 0 "a compressed benchmark" "$D" --annotate --against bench.jsonl.zst docs.jsonl
same "finds the same" "$(grep -c '"keep":false' out)" 2
printf '%s\n\n' "$letters" >plain.txt
code 0 "plain lines" "$D" --annotate --against plain.txt docs.jsonl
has '"task":"plain","id":null' "are texts, their file their task"
code 0 "two benchmarks" "$D" --against plain.txt --against bench.jsonl docs.jsonl --stats stats.json
same "count" "$(ids out)" "clean query near "
ok "by task" grep -q '"contaminated_quiz": *2' stats.json
printf '{"text":"too short","task":"tiny"}\n' >short.jsonl
code 0 "a short text" "$D" --against short.jsonl docs.jsonl
said "1 of the 1 texts of 'tiny' have fewer than 12 words" "is warned of"
ok "finds nothing" cmp -s out docs.jsonl
code 0 "an empty benchmark" "$D" --against /dev/null docs.jsonl
said "nothing to look for" "is warned of"

# GPT-3: a hit in the middle of a long text.
long=$(words left 1 150)
tail=$(words right 1 150)
printf '{"id":"cut","text":"%s %s %s"}\n{"id":"gone","text":"%s"}\n{"id":"clean","text":"free"}\n' \
    "$long" "$letters" "$tail" "$letters" >gpt3.jsonl
code 0 "gpt3" "$D" --method gpt3 --against plain.txt --dropped dropped.jsonl gpt3.jsonl
same "drops what has nothing left" "$(ids out) $(ids dropped.jsonl)" "cut clean  gone "
ok "cuts n-grams out" test "$(grep -c 'one two' out)" = 0
ok "with what stands beside them" grep -q 'left100 .*\\n\\n.* right150"' out
ok "but no more" test "$(grep -c 'left150' out)" = 0
for i in $(seq 1 11); do printf '{"id":"gone","text":"%s"}\n' "$letters"; done >common.jsonl
code 0 "n-grams of more than 10 documents" "$D" --method gpt3 --against plain.txt common.jsonl
ok "are no sign" cmp -s out common.jsonl
code 0 "unless --common is 0" "$D" --method gpt3 --common 0 --against plain.txt common.jsonl
is "asks for them" ""
awk 'NR <= 3' common.jsonl >few.jsonl
code 0 "of 3 documents" "$D" --method gpt3 --against plain.txt - <few.jsonl
is "are, from a pipe, too" ""

printf '{"id":"p","text":"A first line.\\n%s\\nA last one."}\n{"id":"q","text":"x %s"}\n' "$letters" "$letters" >par.jsonl
code 0 "dolma" "$D" --method dolma --against plain.txt par.jsonl
same "drops what has a whole paragraph" "$(ids out)" "q "

printf '{"id":"half","text":"%s"}\n{"id":"most","text":"%s thirteen and more"}\n' \
    "$(echo "$letters" | cut -d' ' -f1-9)" "$(echo "$letters" | cut -d' ' -f1-12)" >part.jsonl
code 0 "llama3" "$D" --method llama3 --against plain.txt --annotate part.jsonl
ok "measures how much of a text is there" grep -q '"ratio":0.6428571428571429' out
same "and drops from 0.8 on" "$(grep -c '"keep":false' out)" 1
code 0 "--ratio" "$D" --method llama3 --ratio 0.6 --against plain.txt part.jsonl
is "is the threshold" ""

code 64 "no benchmark" "$D" docs.jsonl
code 66 "a missing benchmark" "$D" --against none.jsonl docs.jsonl
said "none.jsonl" "is named"
code 66 "a missing input" "$D" --against bench.jsonl none.jsonl
(cat bench.jsonl.zst | head -c 60) >cut.jsonl.zst
code 65 "a truncated benchmark" "$D" --against cut.jsonl.zst docs.jsonl
printf '{"text":"a"}\n{"id":1}\n' >bad.jsonl
code 65 "a benchmark without texts" "$D" --against bad.jsonl docs.jsonl
said 'bad.jsonl:2: neither a text nor a label' "is named with its line"
code 64 "--words with gpt3" "$D" --method gpt3 --words ws --against bench.jsonl docs.jsonl
code 64 "no such splitter" "$D" --words none --against bench.jsonl docs.jsonl
code 64 "--ngram -1" "$D" --ngram=-1 --against bench.jsonl docs.jsonl
code 64 "--ngram 65" "$D" --ngram 65 --against bench.jsonl docs.jsonl
code 64 "--ratio 2" "$D" --ratio 2 --against bench.jsonl docs.jsonl
"$D" --against plain.txt few.jsonl >/dev/full 2>err
same "a full disk, though all was dropped" $? 74
printf '{"text":"%s\\u0000 \377 one"}\n' "$letters" >odd.jsonl
for m in datatrove gpt3 dolma llama3; do
    code 0 "$m: NUL and bytes that are not UTF-8" "$D" --method $m --against odd.jsonl odd.jsonl
    code 0 "$m: an empty input" "$D" --method $m --against bench.jsonl
done

G=$shared/golden/pipeline
if [ -e "$G/datatrove_decontamination.jsonl" ]; then
    "$D" --words uax29 --annotate --against "$G/datatrove_decontamination_bench.jsonl" "$G/docs.jsonl" |
        sed 's/^{"id": *"\([^"]*\)".*"decon":{"keep":\([a-z]*\),"reason":[^,]*,"task":\(.*\),"id":null,"ngram":\(.*\),"word".*/\1 \2 \4 \3/' >have
    sed 's/^{"id": "\([^"]*\)".*"expected": "\([a-z]*\)", "ngram": \(.*\), "task": \(.*\)}$/\1 \2 \3 \4/
        s/ keep / true /; s/ contaminated / false /' "$G/datatrove_decontamination.jsonl" >want
    same "datatrove's verdicts, n-grams and tasks on $(wc -l <want | tr -d ' ') documents" "$(cksum <have)" "$(cksum <want)"
else
    echo "SKIPPED datatrove's verdicts: no goldens in OYSTER_SHARED"
fi
exit $bad
