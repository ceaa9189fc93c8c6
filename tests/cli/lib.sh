# SPDX-License-Identifier: Apache-2.0
# What the command-line tests share; each sources it and ends in `exit $bad`.
#
# $BIN is the folder of the programs, from the root; $T one of this test's
# own, gone when it ends. Programs that are given no input find none.
# shellcheck shell=bash
BIN=$(cd "${BIN:-build/bin}" && pwd) || exit 1
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
exec </dev/null
# shellcheck disable=SC2034
bad=0

ok() { # ok WHAT COMMAND...: the command must succeed
    local what=$1
    shift
    if "$@"; then echo "ok - $what"; else echo "not ok - $what"; bad=1; fi
}
same() { # same WHAT A B: two texts are equal
    if [ "$2" = "$3" ]; then echo "ok - $1"; else
        printf 'not ok - %s:\none   %s\nother %s\n' "$1" "$2" "$3"; bad=1
    fi
}
code() { # code WANT WHAT COMMAND...: its exit code; $T/out, $T/err
    local want=$1 what=$2
    shift 2
    "$@" >"$T/out" 2>"$T/err"
    local got=$?
    if [ $got = "$want" ]; then echo "ok - $what"; else
        echo "not ok - $what: exit $got, want $want: $(head -1 "$T/err")"; bad=1
    fi
}
said() { # said PATTERN WHAT: standard error of the last `code`
    ok "$2" grep -q -- "$1" "$T/err"
}
is() { # is WHAT TEXT: standard output of the last `code` is this, whole
    same "$1" "$(cat "$T/out")" "$2"
}
has() { # has TEXT WHAT: standard output of the last `code`
    ok "$2" grep -q -F -- "$1" "$T/out"
}
