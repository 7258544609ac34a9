#!/usr/bin/env bash
# Tests under AddressSanitizer and UndefinedBehaviorSanitizer, or under ThreadSanitizer; the first finding ends
# the process.
#
#   tools/sanitize.sh build DIRECTORY [TARGETS [SANITIZERS]]
#                                                 a build in an environment of its own; SANITIZERS is
#                                                 address,undefined or thread; TARGETS may be ''
#   tools/sanitize.sh run DIRECTORY ARGUMENTS     its python: run DIRECTORY -m pytest -k dot
#   tools/sanitize.sh share DIRECTORY             a fixed share of the tests, as .ci/run does
#   tools/sanitize.sh all DIRECTORY               the whole suite, and random calls of every function
#                                                 on each instruction set: an hour; of threads the tests of
#                                                 threads, the long ones too: as long
set -euo pipefail
[ $# -ge 2 ] || { sed -n 's/^#  //p' "$0" >&2; exit 2; }
verb=$1 environment=$(realpath "$2")
shift 2
cd "$(dirname "$0")/.."

watches() { [ "$(cat "$environment/sanitizers")" = "$1" ]; }

run() {
    if watches thread; then
        # Python is not instrumented, but locks with what ThreadSanitizer knows; its own allocator would hide from
        # it that memory is another's now.
        PYTHONMALLOC=malloc LD_PRELOAD="$(gcc -print-file-name=libtsan.so)" \
            TSAN_OPTIONS="halt_on_error=1:exitcode=66:suppressions=$PWD/tools/races.txt" \
            "$environment/bin/python" "$@"
        return
    fi
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
        -Csetup-args=-Db_sanitize="${2:-address,undefined}" -Csetup-args=-Db_lundef=false \
        -Csetup-args=-Dtargets="${1:-}"
    echo "${2:-address,undefined}" >"$environment/sanitizers"
    ;;
run) run "$@" ;;
share | all)
    if watches thread; then
        finds 'data race' 'import threading, numpy as np, vekt as vk
x = np.ones(300_000)
threads = [threading.Thread(target=lambda: [vk.gelu(x, out=x) for _ in range(99)]) for _ in range(2)]
for thread in threads: thread.start()'
        [ "$verb" = share ] ||
            check -m 'stress or not stress' tests/threads tests/core/test_{fork,threads}.py
        check tests/threads/test_{crowd,dispatchers}.py "$@"
        exit
    fi
    ;;&
share)
    finds 'index 99 out of bounds' 'from vekt._kernels import lib; lib.vekt_target_at(99)'
    finds 'heap-buffer-overflow' 'import numpy as np, vekt as vk
vk.gelu(np.lib.stride_tricks.as_strided(np.zeros(1000), [1001]))'
    check --fuzz-calls 300 --fuzz-seconds 60 --fuzz-seed 1 \
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
