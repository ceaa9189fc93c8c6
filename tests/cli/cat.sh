#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# oy-cat: every kind of input, ids, ranges, shards, damaged inputs.
. "$(dirname "$0")/lib.sh"
SHARED=${OYSTER_SHARED:-../shared}
cat_() { "$BIN/oy-cat" "$@" 2>&1; }
case $SHARED in /*) ;; *) SHARED=$PWD/$SHARED ;; esac
cd "$T" || exit 1

# ---- JSONL ----
printf '{"a":1}\n{"b":2, "x":1e400}\n' >a.jsonl
same "records pass as they are" "$(cat a.jsonl)" "$(cat_ a.jsonl)"
same "from standard input" "$(cat a.jsonl)" "$(cat_ <a.jsonl)"
same "a missing last LF is added" '{"a":1}' "$(printf '{"a":1}' | cat_)"
same "CRLF, blank lines and a mark are taken off" '{"a":1}
{"b":2}' "$(printf '\xef\xbb\xbf{"a":1}\r\n\r\n  \n{"b":2}\n' | cat_)"
for codec in "zstd -q" gzip xz bzip2; do
    $codec -c <a.jsonl >"a.$codec"
    same "$codec is known by its bytes" "$(cat a.jsonl)" "$(cat_ "a.$codec")"
    cat "a.$codec" "a.$codec" >twice
    same "$codec twice in a row" "$(cat a.jsonl a.jsonl)" "$(cat_ twice)"
done

# ---- text and lines ----
mkdir -p d/sub
printf 'one "q"\ntwo\n' >d/b.txt
printf 'bad \xff byte' >d/sub/c.txt
printf '\x89PNG\r\n\x1a\n\0\0' >d/z.png
printf '{"id":"j"}\n' >d/a.jsonl
: >d/empty.txt
same "a folder is walked in name order" '{"id":"j"}
{"id":"d/b.txt","text":"one \"q\"\ntwo\n"}
{"id":"d/sub/c.txt","text":"bad '$'\xef\xbf\xbd'' byte"}' "$(cat_ d)"
code 0 "what is no text is counted" "$BIN/oy-cat" -v d
said "not_text_file *1" "under a name"
same "--from lines" '{"id":"d/b.txt:1","text":"one \"q\""}
{"id":"d/b.txt:2","text":"two"}' "$(cat_ --from lines d/b.txt)"
same "--from text takes JSONL whole" '{"id":"d/a.jsonl","text":"{\"id\":\"j\"}\n"}' \
    "$(cat_ --from text d/a.jsonl)"
same "a program is no JSONL" '{"id":"p","text":"{ echo x; }\n"}' \
    "$(echo '{ echo x; }' >p; cat_ p)"
code 65 "--from jsonl insists" "$BIN/oy-cat" --from jsonl d/b.txt
code 64 "--from takes no other kind" "$BIN/oy-cat" --from nonsense d/b.txt

# ---- archives ----
tar cf t.tar d/a.jsonl d/b.txt
same "members of a tar" '{"id":"j"}
{"id":"t.tar/d/b.txt","text":"one \"q\"\ntwo\n"}' "$(cat_ t.tar)"
gzip -k t.tar
same "of a compressed tar" '{"id":"j"}
{"id":"t.tar.gz/d/b.txt","text":"one \"q\"\ntwo\n"}' "$(cat_ t.tar.gz)"
tar cf outer.tar t.tar
code 0 "an archive inside is not opened" "$BIN/oy-cat" -v outer.tar
said "nested_archive *1" "but counted"
head -c 700 t.tar >cut.tar
code 65 "a truncated tar" "$BIN/oy-cat" cut.tar
said "cut.tar" "is named"

# ---- web archives ----
warc() { # warc TYPE ID CONTENT-TYPE BLOCK
    printf 'WARC/1.0\r\nWARC-Type: %s\r\nWARC-Record-ID: <urn:%s>\r\nWARC-Target-URI: http://x/%s\r\nWARC-Date: 2024-01-01T00:00:00Z\r\nContent-Type: %s\r\nContent-Length: %s\r\n\r\n' \
        "$1" "$2" "$2" "$3" "$(printf "$4" | wc -c)"
    printf "$4"
    printf '\r\n\r\n'
}
{
    warc warcinfo 0 application/warc-fields 'a: b'
    warc conversion 1 text/plain 'hello\n'
    warc request 2 'application/http; msgtype=request' 'GET / HTTP/1.1\r\n\r\n'
    warc response 3 'application/http; msgtype=response' 'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>hi'
    warc response 4 'application/http; msgtype=response' 'HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\nxx'
} >w.warc
same "a web archive" '{"id":"<urn:1>","url":"http://x/1","date":"2024-01-01T00:00:00Z","text":"hello\n"}
{"id":"<urn:3>","url":"http://x/3","date":"2024-01-01T00:00:00Z","text":"<p>hi"}' \
    "$(cat_ w.warc)"
code 0 "what makes no document is counted" "$BIN/oy-cat" -v --stats s.json w.warc
for name in warc_request warc_warcinfo warc_not_text; do
    said "$name *1" "$name"
    same "$name in --stats" 1 "$(grep -c "\"$name\": *1" s.json)"
done
gzip -c w.warc >w.warc.gz
same "compressed" "$(cat_ w.warc)" "$(cat_ w.warc.gz)"
head -c 300 w.warc >cut.warc
code 65 "a truncated one" "$BIN/oy-cat" cut.warc
said "cut.warc: at byte [0-9]*: truncated" "says where"

# ---- HTML ----
mkdir h
printf '<title>t</title><nav>n</nav><p>caf\303\251<br>x' >h/a.html
printf '<!DOCTYPE html><meta charset=latin1><p>\351\200' >h/b
printf '\377\376<\0p\0>\0\351\0' >h/c.htm
: >h/d.html
printf 'plain' >h/e.txt
ids='h/a.html h/b h/c.htm h/d.html h/e.txt'
texts() { sed 's/.*"text":"//; s/"}$//' | tr '\n' '|'; }
same "--html full" 'n\n\ncafé\nx|é€|é|plain|' "$(cat_ --html full h | texts)"
same "--html main" 'café\nx|é€|é|plain|' "$(cat_ --html main h | texts)"
same "--html raw is the source" "$(cat_ h)" "$(cat_ --html raw h)"
same "in UTF-8" '<!DOCTYPE html><meta charset=latin1><p>é€' \
    "$(cat_ --html raw h/b | texts | tr -d '|')"
same "--html drop" 'plain|' "$(cat_ --html drop h | texts)"
code 0 "counts what it drops" "$BIN/oy-cat" -v --html drop h
said "html_dropped *3" "by name"
same "--from html makes a record of every file" "$ids " \
    "$(cat_ --from html --html main h | sed 's/{"id":"//; s/".*//' | tr '\n' ' ')"
tar cf h.tar h/a.html h/d.html
same "and of every member" 'n\n\ncafé\nx||' \
    "$(cat_ --from html --html full h.tar | texts)"
same "--charset decides" 'Б' \
    "$(printf '\342' | cat_ --from html --html full --charset koi8-r | texts | tr -d '|')"
same "of whole texts, too" 'é' \
    "$(printf '\351' | cat_ --from text --charset latin1 | texts | tr -d '|')"
code 64 "a charset that nobody knows" "$BIN/oy-cat" --charset klingon h
said "unknown name 'klingon'" "is named"
printf '<meta charset=klingon><p>q' >k.html
code 0 "in a page it is counted" "$BIN/oy-cat" -v --html main k.html
said "unknown_charset *1" "and the page is read"
{
    warc response 1 'application/http' 'HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=windows-1251\r\n\r\n<meta charset=utf-8><p>\340<br>b'
    warc response 2 'application/http' 'HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=koi8-r\r\n\r\n\301<p>'
    warc response 3 'application/http' 'HTTP/1.1 200 OK\r\n\r\n<html><p>c'
    warc response 4 'application/http' 'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<img>'
} >html.warc
same "pages of a web archive" 'а\nb|а<p>|c||' "$(cat_ --html full html.warc | texts)"
same "dropped" 'а<p>|' "$(cat_ --html drop html.warc | texts)"
for t in 1 2 7; do cat_ -T $t --html main h html.warc | cksum; done >sums
same "pages are the same for any number of threads" 1 "$(sort -u sums | wc -l)"
for unit in '<div>' '<p><b id=1>' '<ul><li>x' '<table>x' '&' '<' '<a><p>'; do
    head -c 5000000 < <(yes "$unit" | tr -d '\n') >deep.html
    code 0 "five million bytes of $unit" timeout 20 "$BIN/oy-cat" --html main deep.html -o deep.jsonl
done
rm deep.html

# ---- ranges, shards ----
for i in $(seq 0 99); do echo "{\"n\":$i}"; done >n.jsonl
same "--records" "$(sed -n 4,10p n.jsonl)" "$(cat_ --records 3:10 n.jsonl)"
same "--records without an end" "$(tail -2 n.jsonl)" "$(cat_ --records 98: n.jsonl)"
same "--records without a beginning" "$(head -2 n.jsonl)" "$(cat_ --records :2 n.jsonl)"
code 64 "--records backwards" "$BIN/oy-cat" --records 5:2 n.jsonl
same "--shard" "$(awk 'NR % 3 == 2' n.jsonl)" "$(cat_ --shard 2/3 n.jsonl)"
code 73 "shards in a folder that is not there" "$BIN/oy-cat" --split-records 40 -o s/p n.jsonl
mkdir s
code 0 "--split-records" "$BIN/oy-cat" --split-records 40 -o s/p n.jsonl --manifest m.json
same "names tell number and count" "p-00000-of-00003.jsonl.zst p-00001-of-00003.jsonl.zst p-00002-of-00003.jsonl.zst" \
    "$(ls s | tr '\n' ' ' | sed 's/ $//')"
same "shards are the whole" "$(cat n.jsonl)" "$(cat_ s/*)"
same "of so many records" 40 "$(cat_ s/p-00001* | wc -l)"
same "the manifest lists them" 3 "$(grep -c 'p-0000[0-9]-of' m.json)"
code 0 "--split-size" "$BIN/oy-cat" --split-size 300 --compress none -o s/q n.jsonl
same "no file is larger" "" "$(find s -name 'q-*' -size +300c)"
same "and nothing is lost" "$(cat n.jsonl)" "$(cat s/q-*)"
code 0 "no records are one empty shard" "$BIN/oy-cat" --split-records 5 -o s/e /dev/null
same "by its name" 1 "$(ls s/e-00000-of-00001.jsonl.zst | wc -l)"
code 64 "splitting needs a prefix" "$BIN/oy-cat" --split-records 5 n.jsonl
rm -f s/*
code 65 "a broken input" "$BIN/oy-cat" --split-records 5 -o s/x n.jsonl cut.warc
same "leaves no shard" "" "$(ls s)"

# ---- limits ----
head -c 3000000 /dev/zero | tr '\0' x >long.txt
code 65 "a text over --max-record is bad" "$BIN/oy-cat" --max-record 1M long.txt
said "long.txt:1: longer than --max-record" "and said to be"
code 0 "or skipped" "$BIN/oy-cat" --max-record 1M --bad skip long.txt n.jsonl
same "and the rest goes on" 100 "$(wc -l <out)"
for t in 1 2 7; do cat_ -T $t d t.tar w.warc n.jsonl | cksum; done >sums
same "the same bytes for any number of threads" 1 "$(sort -u sums | wc -l)"

# ---- verdicts on the collection of archives ----
if [ -d "$SHARED/data/archives" ]; then
    while read -r want file; do
        code "$want" "verdict on $file" timeout 20 "$BIN/oy-cat" "$SHARED/data/archives/$file"
    done <<END
0 ok.tar
0 ok.tar.gz
0 dotdot.tar
0 absolute.tar
0 symlink.tar
0 hardlink.tar
0 fifo_dev.tar
0 longname.tar
65 badutf8name.tar
65 trunc_header.tar
65 trunc_data.tar
65 hugesize.tar
0 empty.tar
0 zero.tar
0 ok.zip
0 dotdot.zip
0 ok.jsonl.zst
65 trunc.jsonl.zst
65 bitflip.jsonl.zst
0 multi.jsonl.zst
65 trailing.jsonl.zst
0 ok.warc
65 badlen.warc
65 neglen.warc
65 trunc.warc
65 nolen.warc
65 lf_only.warc
0 fortunes_zh_utf8_names.zip
0 busybox_1.35.0.orig.tar.bz2
END
    same "records of ok.tar" 4 "$(cat_ "$SHARED/data/archives/ok.tar" | wc -l)"
    same "records of multi.jsonl.zst" 4000 "$(cat_ "$SHARED/data/archives/multi.jsonl.zst" | wc -l)"
    same "no member of a link" 0 "$(cat_ "$SHARED/data/archives/hardlink.tar" | wc -l)"
    code 65 "a bomb meets --max-record" "$BIN/oy-cat" --max-record 10M "$SHARED/data/archives/bomb50m.zip"
else
    echo "SKIPPED: no collection of archives in $SHARED"
fi
exit $bad
