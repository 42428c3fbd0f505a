#!/bin/sh
# Make the virtual environment DIR, after seeing to what a build needs: a C compiler and a Python
# of at least 3.11 with its C headers and with venv. PYTHON in the environment names the
# interpreter; else the first complete one is taken. On Debian and its kin, root gets what is
# missing by apt-get; anyone else gets one sentence that says what to install.
set -eu

dir=${1:?usage: make_venv.sh DIR}

fail() {
    echo "make_venv.sh: $*" >&2
    exit 1
}

is_debian() { command -v apt-get >/dev/null 2>&1; }

# apt_install WHAT PACKAGE...: succeeds where root could install the packages.
apt_install() {
    what=$1
    shift
    is_debian && [ "$(id -u)" = 0 ] || return 1
    echo "make_venv.sh: installing $what: apt-get install $*" >&2
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
        --no-install-recommends "$@"; } >&2
}

find_compiler() {
    if [ -n "${CC:-}" ]; then
        command -v "${CC%% *}" >/dev/null 2>&1
    else
        command -v cc >/dev/null 2>&1 || command -v gcc >/dev/null 2>&1 \
            || command -v clang >/dev/null 2>&1
    fi
}

ask() { "$1" -c "$2" >/dev/null 2>&1; }
is_new_enough() { ask "$1" 'import sys; sys.exit(sys.version_info < (3, 11))'; }
has_venv() { ask "$1" 'import venv; from ensurepip import bootstrap'; }
has_headers() {
    ask "$1" 'import os, sys, sysconfig as s
sys.exit(not os.path.exists(os.path.join(s.get_path("include"), "Python.h")))'
}

find_compiler || { [ -z "${CC:-}" ] && apt_install 'a C compiler' gcc libc6-dev && find_compiler; } \
    || fail "no C compiler found${CC:+ under the name CC=$CC}: install gcc or clang" \
        "(Debian, Ubuntu: apt-get install gcc libc6-dev; macOS: xcode-select --install)."

python=
fallback=
for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
    is_new_enough "$candidate" || continue
    fallback=${fallback:-$candidate}
    if has_venv "$candidate" && has_headers "$candidate"; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    [ -n "$fallback" ] || fail "no Python of version 3.11 or later found" \
        "(looked for ${PYTHON:-python3 and python3.11 to python3.14}): install one, or name it with PYTHON=."
    python=$fallback
    version=$("$python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
    has_venv "$python" || { apt_install 'venv for Python' "$version-venv" && has_venv "$python"; } \
        || fail "$python has no venv with ensurepip: on Debian and Ubuntu, apt-get install $version-venv."
    has_headers "$python" \
        || { apt_install "Python's C headers" "$version-dev" && has_headers "$python"; } \
        || fail "$python has no C headers (Python.h): on Debian and Ubuntu, apt-get install $version-dev."
fi

"$python" -m venv --clear "$dir"
