#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# oy-clean: rules that read lists of the user's, and the same bytes for every
# rule of the peers whatever the threads, the batches, the input's compression.
. "$(dirname "$0")/lib.sh"
clean=$BIN/oy-clean

mkdir "$T/lists"
printf 'bad\nvery bad\nhe said\n' >"$T/lists/en"
printf '\346\202\252\n' >"$T/lists/ja"
echo 'not a list' >"$T/lists/README.md"
printf '%s\n' '{"id":1,"text":"A Bad one"}' '{"id":2,"text":"badly"}' \
    '{"id":3,"text":"最悪です","language":"ja"}' \
    '{"id":4,"text":"bad","language":"ja"}' >"$T/words.jsonl"
words="$clean --rules c4_badwords --set c4_badwords.badwords=$T/lists"
code 0 "c4_badwords" $words --stats "$T/stats" "$T/words.jsonl"
same "drops by the list of the language" "$(cat "$T/out")" \
    '{"id":2,"text":"badly"}
{"id":4,"text":"bad","language":"ja"}'
ok "with the peer's reason" \
    grep -q '"document_removed_with_badwords": 2' "$T/stats"
code 0 "one file" $clean --rules c4_badwords --manifest "$T/m.json" \
    --set "c4_badwords.badwords=$T/lists/ja" \
    --set c4_badwords.default_language=ja "$T/words.jsonl"
same "is the list of the default language" "$(wc -l <"$T/out")" 3
ok "it stands in the manifest" grep -q 'lists/ja' "$T/m.json"
echo '{"text":"a","language":"xx"}' >"$T/xx.jsonl"
code 65 "a language without a list" $words "$T/xx.jsonl"
ok "is named" grep -q "xx.jsonl:1: .*no list of bad words for language 'xx'" \
    "$T/err"
code 0 "unless that is allowed" $words \
    --set c4_badwords.fail_on_missing_language=false "$T/xx.jsonl"
same "it is kept" "$(cat "$T/out")" "$(cat "$T/xx.jsonl")"
code 64 "no list" $clean --rules c4_badwords "$T/words.jsonl"
code 66 "a list that is not there" $clean --rules c4_badwords \
    --set "c4_badwords.badwords=$T/none" "$T/words.jsonl"
mkdir "$T/empty"
code 66 "a folder without lists" $clean --rules c4_badwords \
    --set "c4_badwords.badwords=$T/empty" "$T/words.jsonl"
printf 'a\n\nb\n' >"$T/lists/fr"
code 65 "an empty line in a list" $words "$T/words.jsonl"
ok "is named" grep -q 'lists/fr:2: an empty line' "$T/err"
printf 'a\nb\377\n' >"$T/lists/fr"
code 65 "what is not UTF-8" $words "$T/words.jsonl"
ok "is named" grep -q 'lists/fr:2: not UTF-8' "$T/err"
rm "$T/lists/fr"

printf 'he said\nodd\n' >"$T/naughty"
printf '%s\n' '{"text":"Then he said so"}' '{"text":"oddly"}' >"$T/tags.jsonl"
for v in 1 2; do
    code 0 "dolma_c4_v$v with a list" $clean --rules dolma_c4_v$v --annotate \
        --set "dolma_c4_v$v.naughty_words=$T/naughty" "$T/tags.jsonl"
    same "marks the whole text" \
        "$(grep -o '"has_naughty_word":[^a-z"]*,' "$T/out")" \
        '"has_naughty_word":[[0,15,1.0]],'
done
code 0 "DCLM's limit of words taken out" $clean --preset dclm "$T/words.jsonl"
code 65 "without a count" $clean --rules dclm_word_removal_ratio_filter \
    --set dclm_word_removal_ratio_filter.prev_word_count_key=n "$T/tags.jsonl"
echo '{"text":"a b","n":3}' >"$T/n.jsonl"
code 0 "or one that the record has" $clean --set \
    dclm_word_removal_ratio_filter.prev_word_count_key=n --annotate \
    --rules dclm_word_removal_ratio_filter "$T/n.jsonl"
ok "drops" grep -q '"keep":false.*"removed_word_ratio":0.333' "$T/out"
printf 'com\norg\n' >"$T/tlds"
printf '%s\n' '{"text":"Common: see http://x.org/y or 1.2.3.4."}' >"$T/url.jsonl"
code 0 "dclm_url_removal_modifier" $clean --rules dclm_url_removal_modifier \
    --set "dclm_url_removal_modifier.tlds_filepath=$T/tlds" "$T/url.jsonl"
same "takes URLs out" "$(cat "$T/out")" '{"text":"Common: see or"}'
code 64 "a sentence splitter that is a model" $clean \
    --rules dclm_page_length_filter \
    --set dclm_page_length_filter.tokenizer=blingfire "$T/url.jsonl"

# The same bytes.
awk 'BEGIN {
    srand(1)
    n = split("the of and to that with have be word Ünlü 世界 x.com bad 3 " \
        "likes http://a.org/b me@x.com 10.2.3.4 ... # - { <p> don'"'"'t " \
        "A LOUD LINE lorem javascript Read more...", word, " ")
    for (i = 1; i <= 1500; i++) {
        text = ""
        for (j = int(rand() * 300); j >= 0; j--)
            text = text word[1 + int(rand() * n)] (rand() < 0.1 ? "\\n" : " ")
        if (i % 40 == 0)
            text = text text text
        printf "{\"id\":%d,\"text\":\"%s\",\"url\":\"http://a.com/%d\"}\n", i, text, i
    }
}' >"$T/many.jsonl"
gzip -k "$T/many.jsonl"
zstd -q "$T/many.jsonl"
xz -k "$T/many.jsonl"

head -700 "$T/many.jsonl" >"$T/first.jsonl"
tail -n +701 "$T/many.jsonl" >"$T/rest.jsonl"

# Batches depend on how the input comes and on the memory.
sum() { # sum OPTION...: of the output, or that there was none
    $clean --annotate "$@" >"$T/got" 2>"$T/err" || head -1 "$T/err"
    cksum <"$T/got"
}
check() { # check WHAT OPTION...: equal in every way of running
    local what=$1 want how
    shift
    want=$(sum "$@" -T 1 "$T/many.jsonl")
    same "$what: all records" "$(wc -l <"$T/got")" 1500
    for how in "-T 2 many.jsonl" "-T 7 many.jsonl" "-T 7 --memory 64M many.jsonl" \
        "-T 2 first.jsonl rest.jsonl" "-T 2 many.jsonl.gz" \
        "-T 7 many.jsonl.zst" "-T 2 many.jsonl.xz"; do
        # shellcheck disable=SC2086
        same "$what: $how" "$(cd "$T" && sum "$@" $how)" "$want"
    done
    same "$what: a pipe" "$(tail -c +1 "$T/many.jsonl" | sum "$@" -T 2)" "$want"
}
for preset in dclm code fineweb fineweb2-arb fineweb2-deu fineweb2-fra; do
    check "preset $preset" --preset $preset
done
for preset in fineweb2-zho fineweb2-jpn; do
    check "preset $preset" --preset $preset --words uax29
done
dolma=dolma_gopher_v1,dolma_gopher_v2,dolma_c4_v1,dolma_c4_v2
dolma=$dolma,dolma_pii_regex_v1,dolma_pii_regex_v2
dolma=$dolma,dolma_pii_regex_with_counts_v2,dolma_pii_regex_with_counts_fast_v2
check "dolma's rules" --rules $dolma,dolma_code_redpajama_taggers_v1
check redpajama --rules redpajama
check "bad words by lot" --rules c4_badwords \
    --set "c4_badwords.badwords=$T/lists" --set c4_badwords.keep_fraction=0.5
exit $bad
