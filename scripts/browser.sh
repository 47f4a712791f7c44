#!/bin/sh
# Prints the path of a Chromium for the journeys; installs Debian's where there is none and we may.  Its headless shell
# takes a third of the processor time of the whole browser.
# Prints nothing and fails, with the reason on stderr, where there is no way to one.
set -u
cd "$(dirname "$0")/.."

find_browser() {
    if [ -n "${HEADWAY_CHROMIUM:-}" ]; then
        [ -x "$HEADWAY_CHROMIUM" ] && echo "$HEADWAY_CHROMIUM" && return
        echo "HEADWAY_CHROMIUM is $HEADWAY_CHROMIUM, which cannot be run." >&2
        exit 1
    fi
    for name in chromium-headless-shell chromium chromium-browser google-chrome google-chrome-stable; do
        command -v "$name" && return
    done
    .venv/bin/python - <<'PYTHON'
import os
import sys

from playwright.sync_api import sync_playwright

with sync_playwright() as playwright:
    path = playwright.chromium.executable_path
if not os.access(path, os.X_OK):
    sys.exit(1)
print(path)
PYTHON
}

find_browser && exit
if command -v apt-get >/dev/null; then
    as_root=
    [ "$(id -u)" = 0 ] || as_root="sudo -n"
    if [ -z "$as_root" ] || sudo -n true 2>/dev/null; then
        echo "Installing Chromium for the browser tests." >&2
        { $as_root apt-get update -qq && $as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -qq --no-install-recommends chromium-headless-shell ||
            $as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -qq --no-install-recommends chromium; } >/dev/null 2>&1
        find_browser && exit
    fi
fi
echo "There is no browser: install Chromium (sudo apt-get install chromium-headless-shell), or name one in HEADWAY_CHROMIUM." >&2
exit 1
