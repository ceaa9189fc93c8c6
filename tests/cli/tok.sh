#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# oy-tok: commands, options, fields, counts, exit codes. The ids of the small
# tokenizer in tests/data/tokenizer are those of Hugging Face's tokenizers.
. "$(dirname "$0")/lib.sh"

export OYSTER_DATA=${OYSTER_DATA:-$PWD}
TOK=tests/data/tokenizer
tok() { "$BIN/oy-tok" "$@" 2>&1; }

same "encode adds the ids" \
    '{"id":1,"text":"The oyster and the pearls.","ids":[278,337,297,273,272,280,321,15]}' \
    "$(echo '{"id":1,"text":"The oyster and the pearls."}' | tok encode -t $TOK)"
same "ids that are there are replaced" '{"ids":[297],"text":" and"}' \
    "$(echo '{"ids":[1,2,3],"text":" and"}' | tok encode -t $TOK)"
same "ids stand before oyster" '{"text":" and","ids":[297],"oyster":{"x":1}}' \
    "$(echo '{"text":" and","oyster":{"x":1}}' | tok encode -t $TOK)"
same "an empty text has no ids" '{"text":"","ids":[]}' \
    "$(echo '{"text":""}' | tok encode -t $TOK)"
same "another field" '{"a":{"b":" and"},"ids":[297]}' \
    "$(echo '{"a":{"b":" and"}}' | tok encode -t $TOK --field a.b)"
same "a special token is a token" '{"text":"<|end|> text","ids":[1,303]}' \
    "$(echo '{"text":"<|end|> text"}' | tok encode -t $TOK)"
n=$(echo '{"text":"<|end|>"}' | tok encode -t $TOK --special-text text |
    grep -c '"ids":\[1\]')
same "--special-text text does not find it" 0 "$n"
same "and the text comes back" '<|end|>' \
    "$(echo '{"text":"<|end|>"}' | tok encode -t $TOK --special-text text |
        tok decode -t $TOK --skip-special | sed 's/.*"text":"//; s/".*//')"
same "--add-special" '{"text":" and","ids":[0,297]}' \
    "$(echo '{"text":" and"}' | tok encode -t $TOK --add-special)"
same "invalid bytes become U+FFFD in ids and text" \
    "$(printf '{"text":"a\xef\xbf\xbdb"}\n' | tok encode -t $TOK)" \
    "$(printf '{"text":"a\xffb"}\n' | tok encode -t $TOK)"

same "decode" '{"ids":[0,278,337,1],"text":"<|begin|>The oyster<|end|>"}' \
    "$(echo '{"ids":[0,278,337,1]}' | tok decode -t $TOK)"
same "decode --skip-special" '{"ids":[0,278,337,1],"text":"The oyster"}' \
    "$(echo '{"ids":[0,278,337,1]}' | tok decode -t $TOK --skip-special)"
same "decode replaces the text" '{"text":"The","ids":[278]}' \
    "$(echo '{"text":"old","ids":[278]}' | tok decode -t $TOK)"
same "an id outside the vocabulary is named" \
    "oy-tok: stdin:1: ids[1]: 99999 is not in the vocabulary" \
    "$(echo '{"ids":[278,99999,-4]}' | tok decode -t $TOK)"
same "a negative one, a huge one" \
    "oy-tok: stdin:1: ids[0]: -4 is not in the vocabulary
oy-tok: stdin:1: ids[0]: 12345678901 is not in the vocabulary" \
    "$(echo '{"ids":[-4]}' | tok decode -t $TOK
       echo '{"ids":[12345678901]}' | tok decode -t $TOK)"
same "--bad skip passes over it" '{"ids":[278],"text":"The"}' \
    "$({ echo '{"ids":[99999]}'; echo '{"ids":[278]}'; } |
        tok decode -t $TOK --bad skip -q)"

for i in $(seq 1 3000); do
    echo "{\"id\":$i,\"text\":\"Zahl $i: ünïcödé 中文 \\n\\t\\u0041 <|end|> oyster\"}"
done >"$T/a.jsonl"
tok encode -t $TOK "$T/a.jsonl" >"$T/ids.jsonl"
same "there and back" \
    "$(tok encode -t $TOK "$T/a.jsonl" | tok decode -t $TOK | sha256sum)" \
    "$(sed 's/\\u0041/A/' "$T/a.jsonl" | tok encode -t $TOK | sha256sum)"
for threads in 1 2 7; do
    same "-T $threads gives the same bytes" "$(sha256sum <"$T/ids.jsonl")" \
        "$(tok encode -T $threads -t $TOK "$T/a.jsonl" | sha256sum)"
done
zstd -q $TOK/tokenizer.json -o "$T/tokenizer.json.zst"
same "a compressed tokenizer is the same" "$(sha256sum <"$T/ids.jsonl")" \
    "$(tok encode -t "$T/tokenizer.json.zst" "$T/a.jsonl" | sha256sum)"
same "a folder with a compressed one too" "$(sha256sum <"$T/ids.jsonl")" \
    "$(tok encode -t "$T" "$T/a.jsonl" | sha256sum)"

head -2 "$T/a.jsonl" >"$T/b.jsonl"
tok count -t $TOK "$T/a.jsonl" "$T/b.jsonl" >"$T/count"
same "count: a line a file, and the sum" 4 "$(wc -l <"$T/count")"
same "count: documents" "3000 2 3002" \
    "$(awk 'NR > 1 { print $1 }' "$T/count" | xargs)"
same "count: tokens" \
    "$(sed 's/.*"ids":\[//' "$T/ids.jsonl" | awk -F, '{ n += NF } END { print n }')" \
    "$(awk -v f="$T/a.jsonl" '$5 == f { print $3 }' "$T/count")"
sum=$(awk 'NR > 1 && NR < 4 { b += $2; t += $3 } END { print b, t }' "$T/count")
same "count: the sum is the sum" "$sum" \
    "$(awk '$5 == "total" { print $2, $3 }' "$T/count")"

# ---- compare ----
{ echo '{"text":"The oyster and the pearls.","lang":"en"}'
  echo '{"text":" and","lang":"xx"}'
  echo '{"text":"and and and","lang":"en"}'; } >"$T/lang.jsonl"
mkdir -p "$T/other" && cp $TOK/tokenizer.json "$T/other/tokenizer.json"
tok compare -t $TOK -t "$T/other" "$T/lang.jsonl" "$T/b.jsonl" >"$T/cmp"
same "compare: three tables of a row a file and the sum" 3 \
    "$(grep -c '^| total ' "$T/cmp")"
same "compare: tokenizers are named by their folders" \
    '| file documents bytes tokenizer other |' \
    "$(sed -n 3p "$T/cmp" | tr -d '|' | xargs | sed 's/^/| /; s/$/ |/')"
same "compare --by a member, in the order of the input" "en xx total" \
    "$(tok compare -t $TOK --by lang --format table "$T/lang.jsonl" |
        sed -n '3,5p' | awk '{ print $1 }' | xargs)"
same "compare: bytes per token" \
    "$(tok count -t $TOK "$T/lang.jsonl" | awk 'NR == 2 { printf "%.3f", $4 }')" \
    "$(tok compare -t $TOK --format table "$T/lang.jsonl" |
        sed -n 3p | awk '{ print $4 }')"
same "compare --format json" \
    '"by":"lang","groups":[{"name":"en","documents":2,"bytes":37,"characters":37,"words":8,' \
    "$(tok compare -t $TOK --by lang --format json "$T/lang.jsonl" |
        sed 's/.*\("by".*"words":8,\).*/\1/')"
same "a record without the member" "(none)" \
    "$(echo '{"text":"x"}' | tok compare -t $TOK --by a.b --format table |
        sed -n 3p | awk '{ print $1 }')"
for threads in 1 3; do
    same "compare -T $threads gives the same bytes" \
        "$(tok compare -t $TOK --by lang "$T/lang.jsonl" "$T/a.jsonl")" \
        "$(tok compare -T $threads -t $TOK --by lang "$T/lang.jsonl" "$T/a.jsonl")"
done
code 64 "33 tokenizers" "$BIN/oy-tok" compare \
    $(for i in $(seq 33); do echo -t $TOK; done) "$T/b.jsonl"
code 64 "encode takes one tokenizer" \
    "$BIN/oy-tok" encode -t $TOK -t $TOK "$T/b.jsonl"

# ---- info ----
tok info -t $TOK >"$T/info"
same "info: the model" "model BPE" "$(grep '^model  ' "$T/info" | xargs)"
same "info: bos_token" 'content "<|begin|>", id 0' \
    "$(sed -n 's/^bos token *//p' "$T/info")"
same "info --format json" '"model": "BPE"' \
    "$(tok info -t $TOK --format json | grep -o '"model": "BPE"')"
same "info of two" 2 "$(tok info -t $TOK -t "$T/other" | grep -c '^path ')"
code 64 "info reads no records" "$BIN/oy-tok" info -t $TOK "$T/b.jsonl"

# ---- chat ----
cat >"$T/plain.jinja" <<'EOF'
{% for m in messages %}<|begin|>{{ m.role }}
{{ m.content }}<|end|>
{% endfor %}
{% if add_generation_prompt %}<|begin|>assistant
{% endif %}
EOF
chat() { "$BIN/oy-tok" chat -t $TOK --chat-template "$T/plain.jinja" "$@" 2>&1; }
turns='{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"and"}]'
same "chat renders" '<|begin|>user\na<|end|>\n<|begin|>assistant\nand<|end|>\n' \
    "$(echo "$turns}" | chat | sed 's/.*"text":"//; s/".*//')"
same "chat: the generation prompt is asked for" \
    '<|end|>\n<|begin|>assistant\n' \
    "$(echo "$turns,\"add_generation_prompt\":true}" | chat |
        sed 's/.*"text":".*and//; s/".*//')"
same "chat: ids are those of the text" \
    "$(echo "$turns}" | chat | sed 's/.*"ids":/"ids":/; s/,"assist.*/}/')" \
    "$(echo "$turns}" | chat --no-mask | tok encode -t $TOK |
        sed 's/.*"ids":/"ids":/')"
mask=$(echo "$turns}" | chat | sed 's/.*"assistant_mask":\[//; s/\].*//')
same "chat: what the assistant said ends with its mark" "and<|end|>" \
    "$(echo "$turns}" | chat | sed 's/.*"ids":\[//; s/\].*//' | tr ',' '\n' |
        paste - <(echo "$mask" | tr ',' '\n') |
        awk '$2 == 1 { s = s (s == "" ? "" : ",") $1 } END { print "{\"ids\":[" s "]}" }' |
        tok decode -t $TOK | sed 's/.*"text":"//; s/\\n".*//; s/".*//')"
same "chat --no-mask leaves it out" 0 \
    "$(echo "$turns}" | chat --no-mask | grep -c assistant_mask)"
same "chat: BOS is not doubled" 1 \
    "$(echo '{"messages":[{"role":"u","content":""}]}' | chat |
        grep -o '"ids":\[[^]]*' | tr '[,' '\n\n' | grep -c '^0$')"
same "chat: --field" '"said":"<|begin|>u' \
    "$(echo '{"messages":[{"role":"u","content":""}]}' | chat --field said |
        grep -o '"said":"<|begin|>u')"
echo "{{ strftime_now('%d %b %Y') }}{{ x }}{{ tools|length }}{{ documents[0].t }}" \
    >"$T/vars.jinja"
same "chat: date, tools, documents, further variables" "05 Mar 2021-20d" \
    "$(echo '{"messages":[{"role":"u"}],"tools":[{},{}],"documents":[{"t":"0d"}],"chat_template_kwargs":{"x":"-"}}' |
        "$BIN/oy-tok" chat -t $TOK --chat-template "$T/vars.jinja" \
            --date 2021-03-05 | sed 's/.*"text":"//; s/".*//')"
echo "{{ raise_exception('roles must alternate') }}" >"$T/raise.jinja"
echo "$turns}" >"$T/turns.jsonl"
code 65 "chat: what a template raises makes the record bad" \
    "$BIN/oy-tok" chat -t $TOK --chat-template "$T/raise.jinja" "$T/turns.jsonl"
said "turns.jsonl:1: .*roles must alternate" "it is told"
code 65 "chat without a template" "$BIN/oy-tok" chat -t $TOK "$T/turns.jsonl"
said "no chat template" "it is told"
code 66 "chat: a template that is not there" \
    "$BIN/oy-tok" chat -t $TOK --chat-template nothing "$T/turns.jsonl"
code 64 "chat: a date that is none" "$BIN/oy-tok" chat -t $TOK \
    --chat-template "$T/plain.jinja" --date 2021-02-30 "$T/turns.jsonl"
for record in '{"x":1}' '{"messages":[]}' '{"messages":"a"}' \
    '{"messages":[{}],"tools":3}' '{"messages":[{}],"add_generation_prompt":1}'; do
    echo "$record" >"$T/odd.jsonl"
    code 65 "chat: $record" "$BIN/oy-tok" chat -t $TOK \
        --chat-template "$T/plain.jinja" "$T/odd.jsonl"
done
mkdir -p "$T/named" && cp $TOK/tokenizer.json "$T/named"
echo '{"chat_template":[{"name":"default","template":"d"},{"name":"tool_use","template":"t"}]}' \
    >"$T/named/tokenizer_config.json"
for choice in "" "--chat-template tool_use"; do
    same "chat: a template by name '$choice'" "$([ "$choice" ] && echo t || echo d)" \
        "$("$BIN/oy-tok" chat -t "$T/named" $choice "$T/turns.jsonl" |
            sed 's/.*"text":"//; s/".*//')"
done
same "chat: a bundled template" '<|im_start|>user\na<|im_end|>' \
    "$("$BIN/oy-tok" chat -t $TOK --chat-template qwen3 "$T/turns.jsonl" |
        sed 's/.*"text":"//; s/\\n<|im_start|>assistant.*//')"
same "chat: the template of another configuration" d \
    "$("$BIN/oy-tok" chat -t $TOK --chat-template "$T/named/tokenizer_config.json" \
        "$T/turns.jsonl" | sed 's/.*"text":"//; s/".*//')"
same "chat: the manifest holds template and date" 2 \
    "$("$BIN/oy-tok" chat -t $TOK --chat-template "$T/vars.jinja" \
        --manifest "$T/manifest" -o "$T/out" <<<'{"messages":[{"role":"u"}],"tools":[],"documents":[{}]}' &&
        grep -o '"date": *"20[0-9-]*T\|"chat-template-hash": *"[0-9a-f]\{32\}' \
            "$T/manifest" | wc -l)"

code 64 "no command" "$BIN/oy-tok" -t $TOK
code 64 "an unknown command" "$BIN/oy-tok" sing -t $TOK
said "sing" "it is named"
code 64 "no tokenizer" "$BIN/oy-tok" encode "$T/a.jsonl"
code 64 "an unknown choice" "$BIN/oy-tok" encode -t $TOK --special-text x
code 66 "a missing tokenizer" "$BIN/oy-tok" encode -t "$T/none" "$T/a.jsonl"
said "$T/none" "it is named"
echo '{"model":{}}' >"$T/bad.json"
code 65 "a damaged tokenizer" "$BIN/oy-tok" encode -t "$T/bad.json" "$T/a.jsonl"
said "bad.json" "it is named"
sed 's/"type": "ByteLevel"/"type": "Gravel"/' $TOK/tokenizer.json >"$T/meta.json"
code 65 "a component that is not known" \
    "$BIN/oy-tok" encode -t "$T/meta.json" "$T/a.jsonl"
said "Gravel" "it is named"
{ echo '{"text":"fine"}'; echo '{"text":"<|end|>"}'; } >"$T/special.jsonl"
code 65 "--special-text error" \
    "$BIN/oy-tok" encode -t $TOK --special-text error "$T/special.jsonl"
said "special.jsonl:2: .*<|end|>" "names line and token"
echo '{"ids":"abc"}' >"$T/noids.jsonl"
code 65 "ids that are no list" "$BIN/oy-tok" decode -t $TOK "$T/noids.jsonl"
said "noids.jsonl:1: .*'ids'" "names line and field"
printf '{"text":"bad \xff byte"}\n' >"$T/utf8.jsonl"
code 65 "--strict refuses invalid UTF-8" \
    "$BIN/oy-tok" encode --strict -t $TOK "$T/utf8.jsonl"

mkdir "$T/cutting"
sed -e 's/"truncation": null/"truncation": {"max_length": 2}/' \
    -e 's/"padding": null/"padding": {"pad_id": 0}/' \
    $TOK/tokenizer.json >"$T/cutting/tokenizer.json"
echo '{"text":"The oyster and the pearls."}' >"$T/whole.jsonl"
code 0 "truncation and padding are left to others" \
    "$BIN/oy-tok" encode -v -t "$T/cutting" "$T/whole.jsonl"
has '"ids":[278,337,297,273,272,280,321,15]' "and a text is whole"
said "the truncation that the tokenizer asks for is not done" "-v tells it"
said "the padding that the tokenizer asks for is not done" "of padding too"
code 0 "without -v" "$BIN/oy-tok" encode -t "$T/cutting" "$T/whole.jsonl"
ok "nothing is told" test ! -s "$T/err"

exit $bad
