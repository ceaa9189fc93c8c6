#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the engine does for every filter, seen through oy-cat and oy-dedup:
# threads, shards, strictness, stats, signals.
. "$(dirname "$0")/lib.sh"

for i in $(seq 1 30000); do
    echo "{\"id\":$i, \"text\":\"line $((i % 1000)) of many \\u00e9\" , \"x\":1.50}"
done >"$T/a.jsonl"
ok "unchanged records keep their bytes" cmp -s "$T/a.jsonl" <("$BIN/oy-cat" "$T/a.jsonl")
want=$("$BIN/oy-dedup" --exact -T 1 "$T/a.jsonl" | sha1sum)
for n in 2 7; do
    same "-T $n gives the same bytes" \
        "$("$BIN/oy-dedup" --exact -T $n "$T/a.jsonl" | sha1sum)" "$want"
done

for i in 1 2 3; do "$BIN/oy-cat" --shard $i/3 "$T/a.jsonl"; done >"$T/shards"
ok "shards hold every record once" cmp -s <(sort "$T/shards") <(sort "$T/a.jsonl")
same "a scheduler's variables are a shard" \
    "$(SLURM_ARRAY_TASK_ID=5 SLURM_ARRAY_TASK_MIN=4 SLURM_ARRAY_TASK_COUNT=3 \
        "$BIN/oy-cat" --shard auto "$T/a.jsonl" | head -1 | cut -c1-7)" '{"id":2'
"$BIN/oy-cat" --shard auto "$T/a.jsonl" >/dev/null 2>&1
ok "no scheduler is 69" test $? = 69

# Records of line 900 and of line 100 are bad: the first is told.
sed '900s/.*/nope/;100s/.*/{"id":/' "$T/a.jsonl" >"$T/bad.jsonl"
for n in 1 2 7; do
    "$BIN/oy-dedup" --exact -T $n "$T/bad.jsonl" >"$T/out.$n" 2>"$T/err"
    same "-T $n: bad data is 65" $? 65
    ok "-T $n: the first failure is told" grep -q 'bad.jsonl:100: ' "$T/err"
    same "-T $n: records before it are written" "$(wc -l <"$T/out.$n")" 99
done
"$BIN/oy-cat" --bad skip --stats "$T/stats" "$T/bad.jsonl" >/dev/null
ok "bad records are counted" grep -q '"bad": 2,' "$T/stats"
"$BIN/oy-cat" --rejects "$T/r" "$T/a.jsonl" >/dev/null 2>&1
ok "--rejects without --bad skip is 64" test $? = 64
"$BIN/oy-dedup" --exact --stats - "$T/a.jsonl" 2>"$T/stats" >/dev/null
ok "--stats - is standard error" grep -q '"dropped": 29000,' "$T/stats"
"$BIN/oy-dedup" --exact -v "$T/a.jsonl" 2>"$T/table" >/dev/null
ok "-v ends with a table" grep -q '30,000 records, 1,000 kept, 29,000 dropped' "$T/table"
"$BIN/oy-dedup" --exact -q "$T/a.jsonl" 2>"$T/table" >/dev/null
ok "without it all is silent" test ! -s "$T/table"

printf '{"text":"long long long"}\n{"text":"s"}\n' >"$T/long.jsonl"
same "--max-record makes long lines bad" \
    "$("$BIN/oy-cat" --bad skip --max-record 15 "$T/long.jsonl")" '{"text":"s"}'
printf '{"a":{"b":"deep"}}\n' >"$T/deep.jsonl"
ok "--field reaches into objects" grep -q '"bytes": {"total": 4' \
    <<<"$("$BIN/oy-stat" --format json --field a.b "$T/deep.jsonl")"

# SIGUSR1 prints the counters of a run that waits for its input.
mkfifo "$T/fifo"
"$BIN/oy-cat" -T 1 - <"$T/fifo" >/dev/null 2>"$T/err" &
pid=$!
exec 9>"$T/fifo"
cat "$T/a.jsonl" >&9
for _ in 1 2 3 4 5 6 7 8 9 10; do
    kill -USR1 $pid
    sleep 0.2
    grep -q ' records, ' "$T/err" && break
done
exec 9>&-
wait $pid
same "SIGUSR1 does not end the run" $? 0
ok "SIGUSR1 prints the counters" grep -q '^oy-cat: .* records, .* kept' "$T/err"

# SIGTERM leaves nothing behind.
"$BIN/oy-cat" -o "$T/half.jsonl" - <"$T/fifo" &
pid=$!
exec 9>"$T/fifo"
cat "$T/a.jsonl" >&9
sleep 0.2
kill -TERM $pid
exec 9>&-
wait $pid 2>/dev/null
same "SIGTERM ends a filter by SIGTERM" $? 143
same "and leaves no half file" "$(ls "$T" | grep -c half)" 0
exit $bad
