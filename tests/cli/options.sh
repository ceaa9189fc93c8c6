#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What every program prints about its own options.
. "$(dirname "$0")/lib.sh"

fits() { # fits FILE: no line is wider than 79 columns
    ! LC_ALL=C.UTF-8 grep -qE '^.{80}' "$1"
}

for program in "$BIN"/oy-*; do
    name=$(basename "$program")
    "$program" --help >"$T/help"
    ok "$name --help" grep -q "^Usage: $name " "$T/help"
    ok "$name --help fits a terminal" fits "$T/help"
    ok "$name --help tells of the common options" grep -q -- '--print-config' "$T/help"
    ok "$name --version" grep -q "^$name (Oyster) [0-9]" <<<"$("$program" --version)"
    "$program" --print-man >"$T/$name.1"
    ok "$name --print-man" grep -q '^\.Sh EXIT STATUS' "$T/$name.1"
    if command -v mandoc >/dev/null; then
        ok "$name has a clean manual page" test -z "$(mandoc -T lint "$T/$name.1")"
    fi
    "$program" --print-completion >"$T/completion"
    ok "$name --print-completion" bash -n "$T/completion"
    if "$program" --print-config >"$T/config" 2>"$T/err"; then
        "$program" --config "$T/config" --print-config >"$T/again"
        ok "$name --print-config is a --config" cmp -s "$T/config" "$T/again"
    fi
    "$program" --help >/dev/full 2>/dev/null
    ok "$name --help on a full disk is 74" test $? = 74
    "$program" --no-such-option 2>"$T/err" </dev/null
    ok "$name: an unknown option is 64" test $? = 64
    ok "$name: and is named" grep -q "unknown option '--no-such-option'" "$T/err"
done

printf '{"threads": 3, "bad": "skip"}' >"$T/config.json"
ok "a config is read" grep -q '"threads": 3' \
    <<<"$("$BIN/oy-cat" --config "$T/config.json" --print-config)"
ok "the command line wins" grep -q '"threads": 2' \
    <<<"$("$BIN/oy-cat" -T 2 --config "$T/config.json" --print-config)"
ok "_ stands for -" grep -q '"max-record": 5120' \
    <<<"$("$BIN/oy-cat" --max_record 5K --print-config)"
"$BIN/oy-cat" --config "$T/none.json" 2>/dev/null </dev/null
ok "a missing config is 66" test $? = 66
printf '{"threads": ' >"$T/config.json"
"$BIN/oy-cat" --config "$T/config.json" 2>/dev/null </dev/null
ok "a broken config is 65" test $? = 65
printf '{"treads": 3}' >"$T/config.json"
"$BIN/oy-cat" --config "$T/config.json" 2>"$T/err" </dev/null
ok "an unknown name in a config is 64" test $? = 64
ok "and a near one is offered" grep -q "is '--threads' meant?" "$T/err"
COMP_WORDS=(oy-cat --bad s) COMP_CWORD=2
eval "$("$BIN/oy-cat" --print-completion)"
_oy_cat
ok "choices are completed" test "${COMPREPLY[*]}" = "stop skip"
COMP_WORDS=(oy-cat --man) COMP_CWORD=1
_oy_cat
ok "names are completed" test "${COMPREPLY[*]}" = "--manifest"
exit $bad
