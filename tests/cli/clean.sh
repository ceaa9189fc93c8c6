#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# oy-clean: options, verdicts, reasons, exit codes, the same bytes whatever the
# threads.
. "$(dirname "$0")/lib.sh"
a='{"id":1, "text":"a"}'
b='{"id":2,"text":"The caf\u00e9 of the sea", "n":1e400}'
printf '%s\n' "$a" "$b" >"$T/two.jsonl"
two=$T/two.jsonl
length="$BIN/oy-clean --rules length --set length.min=2"

code 0 "a rule drops" $length "$two"
is "kept records keep their bytes" "$b"
code 0 "no records" $length /dev/null
is "give no records" ""
code 0 "--annotate keeps all" $length --annotate "$two"
is "and tells" "{\"id\":1, \"text\":\"a\",\"oyster\":{\"clean\":{\"keep\":false,\"rule\":\"length\",\"reason\":\"too_short\",\"rewritten\":false,\"measured\":{\"n_chars\":1}}}}
{\"id\":2,\"text\":\"The caf\\u00e9 of the sea\", \"n\":1e400,\"oyster\":{\"clean\":{\"keep\":true,\"rule\":null,\"reason\":null,\"rewritten\":false,\"measured\":{\"n_chars\":19}}}}"
code 0 "--dropped" $length --dropped "$T/dropped.jsonl" -o /dev/null "$two"
cp "$T/dropped.jsonl" "$T/out"
is "holds the dropped as they were read" '{"id":1, "text":"a","oyster":{"clean":{"keep":false,"rule":"length","reason":"too_short","rewritten":false}}}'
code 0 "--dry-run" $length --dry-run --dropped "$T/none.dropped" -o "$T/none" -v "$two"
is "writes nothing" ""
ok "nowhere" test ! -e "$T/none" -a ! -e "$T/none.dropped"
said "too_short" "and says so"
code 0 "a rule may come twice" $BIN/oy-clean --rules length,length \
    --set length.min=1 --set 'length#2.max=3' --stats "$T/stats" "$two"
is "with parameters of its own" "$a"
ok "and a count of its own" grep -q '"too_long#2": 1' "$T/stats"
code 0 "--all-reasons" $BIN/oy-clean --rules length,length --set length.max=3 \
    --set 'length#2.max=4' --all-reasons --annotate "$two"
ok "lists all that fail" grep -q -F '"failed":[{"rule":"length","reason":"too_long"},{"rule":"length#2","reason":"too_long"}]' "$T/out"

code 0 "--print-words" $BIN/oy-clean --rules none --words ws --print-words "$two"
ok "ws" grep -q -F '"words":["The","café","of","the","sea"]' "$T/out"
code 0 "--print-words" $BIN/oy-clean --rules none --words uax29 --print-words "$two"
ok "uax29" grep -q -F '"words":["a"]' "$T/out"
echo '{"text":"I don\u0027t (e.g.) care."}' >"$T/dont.jsonl"
code 0 "--print-words" $BIN/oy-clean --rules none --words spacy --print-words "$T/dont.jsonl"
ok "spacy" grep -q -F '"words":["I","do","n'"'"'t","(","e.g.",")","care","."]' "$T/out"
echo '{"text":"ภาษาไทย\u3000東京大学で"}' >"$T/thai.jsonl"
code 0 "--print-words" $BIN/oy-clean --rules none --words icu --print-words \
    --manifest "$T/icu.json" "$T/thai.jsonl"
ok "and what found them" grep -q -E '"splitter":"icu [0-9.]+"' "$T/out"
ok "icu" grep -q -F '"words":["ภาษา","ไทย","東京","大学","で"]' "$T/out"
icu=$(sed -n 's/^    "words": "\(icu [0-9.]*\)",$/\1/p' "$T/icu.json")
ok "its version stands in the manifest" test -n "$icu"
code 0 "and may be asked for" $BIN/oy-clean --rules none --words "$icu" "$two"
code 64 "another one" $BIN/oy-clean --rules none --words "icu 1.0" "$two"
code 0 "words of a preset" $BIN/oy-clean --preset gopher \
    --manifest "$T/ws.json" "$two"
code 0 "with --annotate" $BIN/oy-clean --preset gopher --annotate "$two"
ok "in every record, too" test "$(grep -c '},"splitter":"ws"}}}$' "$T/out")" = 2
ok "stand in the manifest" grep -q '"words": "ws"' "$T/ws.json"

five="It is one. It is two. It is three. It is four. It is five."
printf '{"id":1,"text":"no end mark\\n%s"}\n{"id":2, "text":"%s"}\n' \
    "$five" "$five" >"$T/c4.jsonl"
code 0 "c4_quality" $BIN/oy-clean --rules c4_quality "$T/c4.jsonl"
is "writes the text anew, or not at all" "{\"id\":1,\"text\":\"$five\"}
{\"id\":2, \"text\":\"$five\"}"
code 0 "and with --annotate" $BIN/oy-clean --preset c4 --annotate "$T/c4.jsonl"
ok "it says so" grep -q -F '"rewritten":true,"measured":{"lines_judged":2,"line_kept":1' "$T/out"
code 0 "sentences by an expression" $BIN/oy-clean --rules c4_quality \
    --set c4_quality.sentences=regex "$T/c4.jsonl"
printf '{"text":"a\\n- -\\nb"}\n' >"$T/symbols.jsonl"
code 0 "symbol_lines" $BIN/oy-clean --rules symbol_lines \
    --set 'symbol_lines.replace_char=...' "$T/symbols.jsonl"
is "puts a string for lines of symbols" '{"text":"a\n...\nb"}'
# Languages by a fastText model.
lang="$BIN/oy-clean --rules language --lang-model tests/data/fasttext/hs.bin"
printf '%s\n' '{"text":"the cat sat"}' '{"text":"die katze\nund"}' \
    >"$T/lang.jsonl"
code 0 "language measures" $lang --annotate "$T/lang.jsonl"
ok "best first" grep -q '"measured":{"languages":\[\["de",0.9' "$T/out"
code 0 "--keep-lang" $lang --keep-lang en:0.9,fr "$T/lang.jsonl"
is "keeps what is named" '{"text":"the cat sat"}'
code 0 "a bar above all" $lang --keep-lang en:2 "$T/lang.jsonl"
is "keeps nothing" ""
code 64 "no model" $BIN/oy-clean --rules language "$T/lang.jsonl"
code 64 "--keep-lang without the rule" $BIN/oy-clean --rules length \
    --keep-lang en "$T/lang.jsonl"
code 66 "a model that is not there" $BIN/oy-clean --rules language \
    --lang-model "$T/none.bin" "$T/lang.jsonl"
code 65 "a file that is no model" $BIN/oy-clean --rules language \
    --lang-model "$T/lang.jsonl" "$T/lang.jsonl"

# value: a number of the record, deep inside or not there.
printf '%s\n' '{"text":"a","oyster":{"lm":{"ppl":12.5}}}' '{"text":"b"}' \
    '{"text":"c","oyster":{"lm":{"ppl":"x"}}}' \
    '{"text":"d","oyster":{"lm":{"ppl":-1e3}}}' >"$T/value.jsonl"
code 0 "value" $BIN/oy-clean --rules value,value --set value.field=oyster.lm.ppl \
    --set value.max=12.5 --set 'value#2.field=oyster.lm.ppl' \
    --set 'value#2.min=0' --stats "$T/stats" "$T/value.jsonl"
is "keeps what lies within" '{"text":"a","oyster":{"lm":{"ppl":12.5}}}'
ok "reasons" grep -q '"no_value": 2' "$T/stats"
ok "of each instance" grep -q '"too_low#2": 1' "$T/stats"
code 64 "value without a field" $BIN/oy-clean --rules value "$T/value.jsonl"

# code
code 0 "code" $BIN/oy-clean --rules code --annotate "$two"
ok "measures lines" grep -q '"measured":{"max_line_length":1,' "$T/out"

# pii.cycle=run: stand-ins take turns through the run, in the input's order.
for i in $(seq 1 500); do
    echo '{"text":"a@b.c"}'
    echo '{"text":"no address"}'
done >"$T/mail.jsonl"
for threads in 1 2 7; do
    $BIN/oy-clean --rules pii --set pii.cycle=run -T $threads \
        "$T/mail.jsonl" >"$T/mail.$threads" || echo failed >"$T/mail.$threads"
done
ok "pii.cycle=run: equal for two threads" cmp "$T/mail.1" "$T/mail.2"
ok "and for seven" cmp "$T/mail.1" "$T/mail.7"
ok "the second address has the second stand-in" \
    test "$(sed -n 3p "$T/mail.1")" = '{"text":"firstname.lastname@example.org"}'
ok "each has its share" test "$(grep -c '"email@' "$T/mail.1")" = 250
code 64 "a string that is none" $BIN/oy-clean --rules symbol_lines \
    --set 'symbol_lines.replace_char=1' "$T/symbols.jsonl"
said "'symbol_lines.replace_char' must be a string" "and says so"
printf '{"text":"e\\u0301\\ufb01"}\n' >"$T/forms.jsonl"
code 0 "nfc" $BIN/oy-clean --rules nfc "$T/forms.jsonl"
is "composes" '{"text":"éﬁ"}'
code 0 "nfkc" $BIN/oy-clean --rules nfkc "$T/forms.jsonl"
is "and replaces what is compatible" '{"text":"éfi"}'
code 64 "a parameter of a rule without any" $BIN/oy-clean --rules nfc \
    --set nfc.form=1 "$T/forms.jsonl"
code 64 "an unknown choice" $BIN/oy-clean --rules c4_quality \
    --set c4_quality.sentences=nltk "$T/c4.jsonl"
said "'c4_quality.sentences' must be spacy or regex" "and says so"

for i in $(seq 1 400); do
    echo "{\"id\":$i,\"text\":\"$(seq -s ' of the ' $i $((i + i % 90)))\\n- $i\"}"
done >"$T/many.jsonl"
for n in 1 2 7; do
    code 0 "-T $n" $BIN/oy-clean --preset gopher -T $n \
        --set gopher_quality.max_avg_word_length=null --annotate "$T/many.jsonl"
    [ $n != 1 ] || cp "$T/out" "$T/want"
    ok "gives the same bytes" cmp -s "$T/out" "$T/want"
done
code 0 "--sample-dropped" $length --set length.min=200 --sample-dropped 5 \
    --dropped "$T/sample.jsonl" -o /dev/null "$T/many.jsonl"
ok "takes so many of a reason" test "$(wc -l <"$T/sample.jsonl")" = 5
code 0 "again" $length --set length.min=200 --sample-dropped 5 -T 7 \
    --dropped "$T/sample2.jsonl" -o /dev/null "$T/many.jsonl"
ok "it takes the same" cmp -s "$T/sample.jsonl" "$T/sample2.jsonl"
for preset in gopher basic c4 fineweb dclm code minimind fineweb2-arb \
    fineweb2-deu fineweb2-fra fineweb2-jpn fineweb2-zho; do
    code 0 "preset $preset" $BIN/oy-clean --preset $preset "$T/many.jsonl"
done

clean=$BIN/oy-clean
code 64 "neither preset nor rules" $clean "$two"
said "give --preset or --rules" "and says so"
code 64 "no words chosen" $clean --rules gopher_quality "$two"
said "--words" "and says so"
code 64 "unknown words" $clean --rules gopher_quality --words syllables "$two"
code 64 "unknown rule" $clean --rules beauty "$two"
said "no rule 'beauty'" "and says so"
code 64 "unknown parameter" $clean --rules length --set length.mean=1 "$two"
said "rule 'length' has no parameter 'mean'" "and says so"
code 64 "bad value" $clean --rules length --set length.min=much "$two"
said "'length.min' must be a count" "and says so"
code 64 "a rule that is not in the list" $clean --rules length --set value.min=1 "$two"
code 64 "--sample-dropped alone" $clean --rules length --sample-dropped 3 "$two"
code 66 "no such preset" $clean --preset beauty "$two"
said "no preset 'beauty'" "and says so"
echo '{"words":"ws","rules":["gopher_quality"]}' >"$T/ws.json"
echo '{"words":"uax29","rules":["length"]}' >"$T/uax29.json"
code 64 "presets of different words" $clean --preset "$T/ws.json" --preset "$T/uax29.json" "$two"
said "choose with --words" "and says so"
code 0 "unless --words decides" $clean --preset "$T/ws.json" --preset "$T/uax29.json" --words ws "$two"
echo '{"rules":["beauty"]}' >"$T/preset.json"
code 65 "a damaged preset" $clean --preset "$T/preset.json" "$two"
said "preset.json: no rule 'beauty'" "and says so"
code 0 "a peer's rule that only measures" \
    $BIN/oy-clean --rules dolma_c4_v1 --annotate "$two"
ok "gives attributes" grep -q '"line_count":\[\[0,1,1\]\]' "$T/out"
code 0 "a filter of DCLM without a reason" \
    $BIN/oy-clean --rules dclm_stop_word_filter --annotate "$two"
ok "gives its name" grep -q '"reason":"dclm_stop_word_filter"' "$T/out"
code 66 "no such input" $length "$T/nothing.jsonl"
printf '{"text":1}\n' >"$T/bad.jsonl"
code 65 "a text that is none" $length "$T/bad.jsonl"
said "bad.jsonl:1: " "and says so"
code 74 "a full disk" $length -o /dev/full "$two"
exit $bad
