#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every example of every manual page works as it is printed.
. "$(dirname "$0")/lib.sh"
PATH=$BIN:$PATH
tree=$(cd "$(dirname "$0")/../.." && pwd)
export OYSTER_DATA=${OYSTER_DATA:-$tree}
cd "$T" || exit 1

# Whatever the examples name.
for i in $(seq 1 300); do
    echo "{\"id\":\"$i\",\"url\":\"http://a/$((i % 7))\",\"text\":\"The quick brown fox number $i jumps over the lazy dog of the house, and that is all that we have to be told.\"}"
done >web.jsonl
cp web.jsonl clean.jsonl
cp web.jsonl docs.jsonl
head -n 250 web.jsonl >raw.jsonl
zstd -q web.jsonl docs.jsonl
cp docs.jsonl.zst docs-1.jsonl.zst
cp docs.jsonl.zst code.jsonl.zst
seq -f 'line %g of a book that nobody has read' 200 >book.txt
cp book.txt corpus.txt
cp "$tree/manifests/demo/crawl.warc.gz" docs.warc.gz
cp docs.warc.gz crawl.warc.gz
oy-bpe --vocab-size 300 --special '<|endoftext|>' -o tok web.jsonl
cp tok/tokenizer.json tok.json
cp tok.json tokenizer.json
oy-train --preset tiny -t tok --steps 0 -o ckpt web.jsonl 2>log || cat log
ln -s ckpt M
adapter adapter self_attn.o_proj 192 192 '{"peft_type":"LORA","r":1,"lora_alpha":2}'
printf '%s' "{% for m in messages %}<{{ m.role }}>{{ m.content }}
{% endfor %}" >ckpt/chat_template.jinja
echo '{"messages":[{"role":"user","content":"2 + 2?"},{"role":"assistant","content":"4"}]}' >chats.jsonl
oy-ask --tasks arc_easy --limit 3 | oy-score --model M | oy-grade -q -o base.json
for i in 1 2 3; do
    oy-ask --tasks arc_easy --limit 3 --shard $i/3 | oy-score --model M >part$i.jsonl
done
for name in new last-night tonight; do cp base.json $name.json; done
export DIR=$OYSTER_DATA/benchmarks/samples

examples() { # the literal blocks of a page
    "$1" --print-man | sed -n '/^\.Bd -literal/,/^\.Ed/p' | sed -e '/^\./d' -e 's/\\-/-/g' -e 's/\\&//g' -e 's/\\e/\\/g'
}
pages=0
for program in "$BIN"/oy-*; do
    pages=$((pages + 1))
    while read -r line; do
        # The long ones are cut: fewer documents, fewer steps.
        cut=$(sed -e "s|--data DIR|--data $DIR|" -e 's/oy-ask --tasks/oy-ask --limit 1 --tasks/' \
            -e 's/oy-eval /oy-eval --limit 1 /' -e 's/--num-fewshot 5/--num-fewshot 1/' \
            -e 's/--take 1M/--take 1000/' -e 's/--steps [0-9]*/--steps 1/' -e 's/oy-gen /oy-gen --max-tokens 2 /' <<<"$line")
        timeout 60 bash -o pipefail -c "$cut" >out 2>log </dev/null
        code=$?
        # 141: the reader of a pipe had enough.
        if [ $code = 0 ] || [ $code = 141 ]; then
            echo "ok - $line"
        else
            echo "not ok - $line: exit $code: $(head -1 log)"
            bad=1
        fi
    done < <(examples "$program")
done
[ $pages -gt 10 ] || bad=1
exit $bad
