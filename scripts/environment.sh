#!/bin/sh
# Creates .venv and installs the named requirements files, each only when it changed since it was last installed.
# usage: scripts/environment.sh FILE...
set -eu
cd "$(dirname "$0")/.."
installed=.venv/installed
here=.venv/bin/python

fail() {
    echo "$*" >&2
    exit 1
}

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        is_new_enough "$PYTHON" || fail "PYTHON is $PYTHON, which is no Python 3.11 or newer."
        echo "$PYTHON"
        return
    fi
    for candidate in python3.11 python3.12 python3.13 python3 python; do
        if is_new_enough "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    found=$(python3 --version 2>/dev/null || echo "no Python 3")
    fail "Headway needs Python 3.11 or newer, and this machine has $found. Install one, or name it: PYTHON=/path/to/python3.11 make"
}

# Debian and Ubuntu ship Python without the part that makes environments.
require_venv() {
    "$1" -c 'import venv, ensurepip' 2>/dev/null && return
    package=python$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing $package, without which Python makes no environments."
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$package" >/dev/null
        "$1" -c 'import venv, ensurepip' 2>/dev/null && return
    fi
    fail "This Python cannot make environments. On Debian or Ubuntu: sudo apt-get install $package"
}

# Interrupted while it was made, or made by a Python that is gone.
is_broken() {
    ! { is_new_enough "$here" && "$here" -m pip --version >/dev/null 2>&1; }
}

if [ ! -d "$installed" ] || ! is_new_enough "$here"; then
    python=$(find_python)
    require_venv "$python"
    if is_broken; then
        echo "Creating the environment in .venv with $("$python" --version)."
        "$python" -m venv --clear .venv || fail "Could not create .venv: see above."
    fi
    mkdir -p "$installed"
fi

missing=
for file in "$@"; do
    cmp -s "$file" "$installed/$file" || missing="$missing -r $file"
done
[ -n "$missing" ] || exit 0

echo "Installing$(echo "$missing" | sed 's/ -r / /g') into .venv; this takes a minute the first time."
# shellcheck disable=SC2086  # the names are ours and hold no spaces
"$here" -m pip install --quiet --disable-pip-version-check --no-input --require-hashes $missing ||
    fail "The requirements could not be installed: see above. Is the package registry reachable, and the disk not full?"
for file in "$@"; do
    cp "$file" "$installed/$file"
done
