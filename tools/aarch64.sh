#!/usr/bin/env bash
# Tests on an emulated AArch64: Debian's Python for that machine under qemu-user, wheels of what the tests need,
# and a cross-compiled vekt.
#
#   tools/aarch64.sh build DIRECTORY              needs qemu-user and gcc-aarch64-linux-gnu of Debian, meson, NumPy
#   tools/aarch64.sh run DIRECTORY ARGUMENTS      its python: run DIRECTORY -m pytest tests/linalg/test_dot.py
#   tools/aarch64.sh share DIRECTORY              accuracy, layouts, products, reductions: half an hour
set -euo pipefail
[ $# -ge 2 ] || { sed -n 's/^#  //p' "$0" >&2; exit 2; }
verb=$1 directory=$(realpath -m "$2")
shift 2
cd "$(dirname "$0")/.."
root=$directory/root site=$directory/site

run() {
    python=$(ls "$root"/usr/bin/python3.*[0-9])
    qemu-aarch64 -L "$root" -E PYTHONPATH="$site" -E PYTHONDONTWRITEBYTECODE=1 "$python" "$@"
}

foreign_apt() { # a list of packages of its own, so that the system's stays as it is
    mkdir -p "$directory/apt/lists" "$directory/apt/cache" "$directory/debs"
    (cd "$directory/debs" && apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 \
        -o Dir::State::Lists="$directory/apt/lists" -o Dir::Cache="$directory/apt/cache" \
        -o Dir::State::Status=/dev/null -o APT::Sandbox::User=root "$@")
}

case $verb in
build)
    mkdir -p "$root" "$site"
    foreign_apt update
    minor=$(foreign_apt install --simulate --no-install-recommends python3 | grep -om1 'libpython3\.[0-9]*' | head -1)
    # With all that they need; their scripts are not run.
    foreign_apt install --download-only --no-install-recommends --yes "$minor-stdlib" \
        "python${minor#libpython}-minimal" libstdc++6
    for package in "$directory"/apt/cache/archives/*.deb; do dpkg-deb -x "$package" "$root"; done
    pip download --quiet --only-binary :all: --dest "$directory/wheels" --python-version "${minor#libpython}" \
        $(printf -- '--platform manylinux_2_%s_aarch64 ' 28 27 17) --platform manylinux2014_aarch64 \
        numpy cffi ml_dtypes python-flint hypothesis mpmath pytest pytest-xdist click rich
    for wheel in "$directory"/wheels/*.whl; do unzip -qo "$wheel" -d "$site"; done
    cat >"$directory/aarch64.ini" <<END
[binaries]
c = 'aarch64-linux-gnu-gcc'
ar = 'aarch64-linux-gnu-ar'
strip = 'aarch64-linux-gnu-strip'
numpy-config = '$(command -v numpy-config)'

[host_machine]
system = 'linux'
cpu_family = 'aarch64'
cpu = 'aarch64'
endian = 'little'
END
    meson setup "$directory/build" . --cross-file "$directory/aarch64.ini" >/dev/null
    DESTDIR=$directory/installed meson install -C "$directory/build" --quiet
    cp -r "$(find "$directory/installed" -type d -name vekt -print -quit)" "$site"
    version=$(sed -n "s/^  version: '\(.*\)',/\1/p" meson.build)
    mkdir -p "$site/vekt-$version.dist-info"
    printf 'Metadata-Version: 2.1\nName: vekt\nVersion: %s\n' "$version" >"$site/vekt-$version.dist-info/METADATA"
    run -c 'import vekt; vekt.show_config()'
    ;;
run) run "$@" ;;
share)
    run -m pytest -q -p no:cacheprovider \
        tests/activations/test_{activations,tails}.py tests/elementwise/test_{broadcast,elementwise}.py \
        tests/linalg/test_{dot,matmul}.py tests/reductions/test_reductions.py tests/rows/test_rows_layouts.py "$@"
    ;;
esac
