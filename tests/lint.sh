#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# House rules that a compiler does not check: floors, one file a library,
# lengths, formatting, licence lines. Prints each offence; exit 1 if any.
bad=0
offence() {
    printf '%s\n' "$1"
    bad=1
}

declare -A below=([core]="core" [tokenizer]="core tokenizer"
    [pipeline]="core tokenizer pipeline" [model]="core tokenizer model"
    [eval]="core tokenizer model eval")
for floor in "${!below[@]}"; do
    for file in "$floor"/*.[ch]; do
        [ -e "$file" ] || continue
        while read -r include; do
            case " ${below[$floor]} " in
            *" ${include%%/*} "*) ;;
            *) offence "$file: includes $include of another floor" ;;
            esac
        done < <(sed -n 's/^#include "\(.*\)"/\1/p' "$file")
        head -3 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' ||
            offence "$file: no SPDX line"
    done
done

# An outside library is included by one .c file; cJSON is free.
for header in zstd.h zlib.h lzma.h bzlib.h archive.h pcre2.h xxhash.h \
    cblas.h libpsl.h sqlite3.h curl/curl.h unicode/ubrk.h \
    uchardet/uchardet.h; do
    n=$(grep -lE "^#include <$header>" {core,tokenizer,pipeline,model,eval}/*.[ch] 2>/dev/null | wc -l)
    [ "$n" -le 1 ] || offence "<$header> is included by $n files"
done

# File names are unique; files under 1,000 lines, functions under 80.
ls {core,tokenizer,pipeline,model,eval}/*.c 2>/dev/null | xargs -n1 basename |
    sort | uniq -d | while read -r name; do
    printf '%s: two files of that name\n' "$name"
done | grep . && bad=1
for file in {core,tokenizer,pipeline,model,eval}/*.[ch]; do
    [ "$(wc -l <"$file")" -le 1000 ] || offence "$file: over 1,000 lines"
    awk -v file="$file" '
        /^\{/ && before ~ /\)[ \t]*$/ { start = FNR; name = before }
        /^\}/ && start {
            if (FNR - start - 1 > 80)
                print file ":" start ": function of " FNR - start - 1 " lines"
            start = 0
        }
        /[^ \t]/ { before = $0 }' "$file"
done | grep . && bad=1
grep -nP '\t' {core,tokenizer,pipeline,model,eval}/*.[ch] | head -5 | grep . && bad=1
grep -nEi '\b(TODO|FIXME|XXX|HACK)\b' {core,tokenizer,pipeline,model,eval}/*.[ch] |
    head -5 | grep . && bad=1

if command -v clang-format >/dev/null; then
    clang-format --dry-run -Werror {core,tokenizer,pipeline,model,eval}/*.[ch] \
        tests/unit/*.c 2>&1 | grep 'error:' | sort -t: -k1,1 -u | head -20 |
        grep . && bad=1
else
    printf 'SKIPPED: clang-format is not installed\n'
fi
exit $bad
