#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# oy-mix: what its manual promises.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
M=$BIN/oy-mix
cd "$T" || exit 1

records() { # records PREFIX N
    awk -v p="$1" -v n="$2" 'BEGIN {
        for (i = 0; i < n; i++)
            printf "{\"id\":\"%s%d\",\"s\":\"%s\",\"text\":\"%s %d\"}\n", p, i, p, p, i }'
}
count() { grep -c "$1" "$2"; } # count PATTERN FILE
records a 1000 >a.jsonl
records b 100 >b.jsonl
records c 50 >c.jsonl
cat a.jsonl b.jsonl c.jsonl >all.jsonl

code 0 "no options" "$M" a.jsonl
ok "pass every record as it was read" cmp -s out a.jsonl

code 0 "--take" "$M" --take 300 a.jsonl -o take.jsonl
same "is that many" "$(wc -l <take.jsonl | tr -d ' ')" 300
same "of different records" "$(sort -u take.jsonl | wc -l | tr -d ' ')" 300
same "in the order of the input" "$(sed 's/.*"id":"a\([0-9]*\)".*/\1/' take.jsonl | sort -nc 2>&1)" ""
code 0 "--take 0" "$M" --take 0 a.jsonl
is "is nothing" ""
code 0 "--take of more than there is" "$M" --take 2000 a.jsonl
ok "is all, once" cmp -s out a.jsonl
"$M" --take 300 --seed 7 a.jsonl >other.jsonl
ok "another seed takes others" test "$(cmp -s take.jsonl other.jsonl; echo $?)" = 1

"$M" --fraction 0.3 a.jsonl >f.jsonl
ok "--fraction takes about that part" test "$(wc -l <f.jsonl)" -gt 240 -a "$(wc -l <f.jsonl)" -lt 360
"$M" --fraction 0.3 - <a.jsonl | cmp -s - f.jsonl
same "a pipe gives the same" $? 0
"$M" --fraction 0 a.jsonl | cmp -s - /dev/null
same "a fraction of 0 is nothing" $? 0

code 0 "weights of files" "$M" --weights a=0.5,b=0.5 a.jsonl b.jsonl -o w.jsonl
same "without --take: the smaller source, whole" "$(count '"b' w.jsonl)" 100
same "and as many of the other" "$(count '"a' w.jsonl)" 100
code 0 "a rest" "$M" --weights a=0.5,b=0.3 --take 100 a.jsonl b.jsonl c.jsonl -o w.jsonl
same "goes to the others" "$(count '"a' w.jsonl) $(count '"b' w.jsonl) $(count '"c' w.jsonl)" "50 30 20"
code 0 "weights over 1" "$M" --weights a=3,b=1 --take 100 a.jsonl b.jsonl c.jsonl -o w.jsonl
same "are relative" "$(count '"a' w.jsonl) $(count '"b' w.jsonl) $(count '"c' w.jsonl)" "75 25 0"
code 0 "weights of a member" "$M" --weights a=3,b=1 --by s --take 100 all.jsonl -o w2.jsonl
same "select as those of files do" "$(count '"a' w2.jsonl) $(count '"b' w2.jsonl)" "75 25"
code 0 "more than a source has" "$M" --weights c=1 --take 120 c.jsonl -o w.jsonl
same "repeats it evenly" "$(sort w.jsonl | uniq -c | awk '{print $1}' | sort | uniq -c | tr -s ' \n' ' ')" " 30 2 20 3 "
code 0 "three sevenths" "$M" --weights a=1,b=1,c=1 --take 100 a.jsonl b.jsonl c.jsonl -o w.jsonl
same "quotas add up" "$(wc -l <w.jsonl | tr -d ' ')" 100
code 65 "a source without records" "$M" --weights a=1,nosuch=1 a.jsonl
said "'nosuch' has no records" "is named"

"$M" --shuffle all.jsonl >s.jsonl
same "--shuffle keeps all" "$(sort s.jsonl | cksum)" "$(sort all.jsonl | cksum)"
ok "in another order" test "$(cmp -s s.jsonl all.jsonl; echo $?)" = 1
for t in 1 2 7; do
    "$M" --shuffle -T $t all.jsonl | cmp -s - s.jsonl
    same "-T $t shuffles alike" $? 0
done
gzip -kc all.jsonl >all.jsonl.gz
"$M" --shuffle all.jsonl.gz | cmp -s - s.jsonl
same "compressed input shuffles alike" $? 0
awk '{ for (i = 0; i < 400; i++) print $0 }' c.jsonl >big.jsonl
awk 'BEGIN { for (i = 0; i < 60000; i++) printf "{\"text\":\"%0100d\"}\n", i }' >>big.jsonl
"$M" --shuffle big.jsonl | cksum >one
"$M" --shuffle --memory 1M --tmpdir "$T" big.jsonl | cksum >two
ok "with little memory too" cmp -s one two
code 71 "no temporary space" "$M" --shuffle --memory 1M --tmpdir "$T/none" big.jsonl

code 0 "--split" "$M" --split train=0.9,valid=0.1 -o p --compress none all.jsonl
same "parts hold all" "$(cat p-train.jsonl p-valid.jsonl | sort | cksum)" "$(sort all.jsonl | cksum)"
ok "by their shares" test "$(wc -l <p-valid.jsonl)" -gt 70 -a "$(wc -l <p-valid.jsonl)" -lt 165
code 0 "--split of fewer records" "$M" --split train=0.9,valid=0.1 -o q --compress none b.jsonl
same "goes as before" "$(sort q-valid.jsonl | cksum)" "$(grep '"b' p-valid.jsonl | sort | cksum)"
code 0 "--split --shuffle" "$M" --shuffle --split train=0.9,valid=0.1 -o z all.jsonl --manifest z.manifest.json
same "has the same parts, compressed" "$(zstd -dcq z-valid.jsonl.zst | sort | cksum)" "$(sort p-valid.jsonl | cksum)"
code 0 "the manifest" "$BIN/oy-check" z.manifest.json
code 0 "a manifest" "$M" --take 9 --shuffle a.jsonl -o m.jsonl --manifest m.manifest.json
code 0 "counts the records" "$BIN/oy-check" m.manifest.json m.jsonl

code 64 "--split without -o" "$M" --split a=1 a.jsonl
code 64 "--take with --fraction" "$M" --take 1 --fraction 0.5 a.jsonl
code 64 "--by without --weights" "$M" --by s a.jsonl
for w in a a= =1 a=x a=-1 a=1,a=2 a=0 a=nan a=1e999 "" a=1,; do
    code 64 "--weights '$w'" "$M" --weights "$w" a.jsonl
done
code 64 "a slash in a part" "$M" --split ../a=1 -o x a.jsonl
code 64 "a fraction over 1" "$M" --fraction 1.5 a.jsonl

code 0 "an empty input" "$M" --weights a=1,b=1 --shuffle
is "gives nothing" ""
code 0 "an empty split" "$M" --split a=1,b=1 -o e /dev/null
ok "gives empty parts" test -e e-a.jsonl.zst -a -e e-b.jsonl.zst
(head -5 a.jsonl; echo '{"x":') >broken.jsonl
code 65 "a broken record" "$M" --shuffle --split a=1 -o broken broken.jsonl
said 'broken.jsonl:6' "is named"
ok "leaves no part behind" test -z "$(ls broken-* 2>/dev/null)"
printf '{"text":"a\0b"}\n{"text":"\377"}\n' >odd.jsonl
code 0 "NUL and bytes that are not UTF-8" "$M" --shuffle odd.jsonl
same "pass" "$(sort "$T/out" | cksum)" "$(sort odd.jsonl | cksum)"
"$M" --shuffle a.jsonl >/dev/full 2>err
same "a full disk" $? 74
exit $bad
