#!/usr/bin/env bash
# Tests under AddressSanitizer and UndefinedBehaviorSanitizer, whose first finding ends the process.
#
#   tools/sanitize.sh build DIRECTORY [TARGETS]   a build in an environment of its own
#   tools/sanitize.sh run DIRECTORY ARGUMENTS     its python: run DIRECTORY -m pytest -k dot
#   tools/sanitize.sh share DIRECTORY             a fixed share of the tests, as .ci/run does
#   tools/sanitize.sh all DIRECTORY               the whole suite, and random calls of every function
#                                                 on each instruction set: an hour
set -euo pipefail
[ $# -ge 2 ] || { sed -n 's/^#  //p' "$0" >&2; exit 2; }
verb=$1 environment=$(realpath "$2")
shift 2
cd "$(dirname "$0")/.."

run() {
    LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libstdc++.so)" \
        ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 \
        UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
        "$environment/bin/python" "$@"
}

check() { # without the tests that limit memory or wait for a signal: the sanitizers take much of both themselves
    run -m pytest -q -n auto -k 'not memory_is_bounded and not memory_ends and not small_stacks and not calls_end_early' "$@"
}

finds() { # $1 in program $2: a watch that sees nothing would pass on anything
    local said
    said=$(run -c "$2" 2>&1 || true)
    [[ $said != *"$1"* ]] || return 0
    echo "the sanitizers do not find: $1" >&2
    exit 1
}

case $verb in
build)
    python3 -m venv "$environment"
    CC=gcc "$environment/bin/pip" install --quiet --no-compile '.[test]' \
        -Csetup-args=-Db_sanitize=address,undefined -Csetup-args=-Db_lundef=false \
        -Csetup-args=-Dtargets="${1:-}"
    ;;
run) run "$@" ;;
share)
    finds 'index 99 out of bounds' 'from vekt._kernels import lib; lib.vekt_target_at(99)'
    finds 'heap-buffer-overflow' 'import numpy as np, vekt as vk
vk.gelu(np.lib.stride_tricks.as_strided(np.zeros(1000), [1001]))'
    check --fuzz-calls 500 --fuzz-seconds 60 --fuzz-seed 1 \
        tests/*/test_{fuzz,bad_input,empty_first,layouts,overlapping_out}.py "$@"
    ;;
all)
    check "$@"
    for isa in $(run -c 'from vekt._core import native; print(*native.SUPPORTED)'); do
        echo "random calls, VEKT_ISA=$isa"
        (cd tests && VEKT_ISA=$isa run -m fuzz.run --seconds 30)
    done
    ;;
esac
