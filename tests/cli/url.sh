#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# oy-clean's rule url: lists of domains, addresses and words.
. "$(dirname "$0")/lib.sh"
cat >"$T/web.jsonl" <<'EOF'
{"id":1,"url":"http:\/\/a.example\/x","text":"call 123-4567"}
{"id":2,"url":"http://b.test/","text":"Share\r\nkeep me\nShare\nx"}
{"id":3,"text":"Share"}
EOF
printf '%s\n' '# comment' bad.com '  www.good.com  ' '' evil.co.uk >"$T/domains"
printf '%s\r\n' 'http://fine.org/x?y' '#http://fine.org/' >"$T/urls"
printf '%s\n' Porn 'x-x' >"$T/words"
printf '%s\n' free win hot >"$T/soft"
printf '%s\n' viagra 'Ultra Deal' >"$T/subwords"
lists="--set url.domains=$T/domains --set url.urls=$T/urls
    --set url.banned_words=$T/words --set url.soft_banned_words=$T/soft
    --set url.banned_subwords=$T/subwords"
cat >"$T/web.jsonl" <<'EOF'
{"text":"0","url":"http://fine.org/"}
{"text":"1","url":"https:\/\/a.b.bad.com:80/x"}
{"text":"2","url":"http://u@EVIL.co.uk"}
{"text":"3","url":"http://evil.co.uk?"}
{"text":"4","url":"//www.good.com/"}
{"text":"5","url":"http://fine.org/x?y"}
{"text":"6","url":"http://fine.org/porn"}
{"text":"7","url":"http://fine.org/Porn"}
{"text":"8","url":"http://fine.org/porn-xx"}
{"text":"9","url":"http://fine.org/free/free-winx"}
{"text":"10","url":"http://fine.org/free/win"}
{"text":"11","url":"http://fine.org/Vi-AG.ra"}
{"text":"12","url":"http://fine.org/ultra%20deal"}
{"text":"13","url":""}
{"text":"14"}
{"text":"15","url":7}
EOF
code 0 "url" $BIN/oy-clean --rules url $lists --annotate "$T/web.jsonl"
sed 's/.*"reason"://; s/,"rewritten.*//; s/"//g' "$T/out" |
    paste -sd ' ' >"$T/reasons"
cp "$T/reasons" "$T/out"
is "gives the peer's reasons; letters of hosts and words keep their case" \
    "null domain null domain subdomain url hard_blacklisted null hard_blacklisted null soft_blacklisted blacklisted_subword null no_url no_url no_url"
code 0 "a threshold" $BIN/oy-clean --rules url $lists \
    --set url.soft_word_threshold=1 --stats "$T/stats" "$T/web.jsonl"
grep -q '"soft_blacklisted": 2' "$T/stats" || { echo "not ok - of 1"; bad=1; }
code 66 "a list that is not there" $BIN/oy-clean --rules url \
    --set url.urls="$T/none" "$T/web.jsonl"
said "rule 'url': " "and says so"
printf 'uk\n' >"$T/psl"
code 0 "other suffixes" $BIN/oy-clean --rules url --annotate \
    --set url.public_suffix_list="$T/psl" "$T/web.jsonl"
exit $bad
