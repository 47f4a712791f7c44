#!/bin/sh
# Removes what make built, and the data after asking. HEADWAY_CLEAN=yes answers for a machine.
set -eu
cd "$(dirname "$0")/.."
data=${HEADWAY_DATA_DIR:-.headway}

rm -rf .test-output .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
if [ -d "$data" ]; then
    answer=${HEADWAY_CLEAN:-}
    if [ -z "$answer" ]; then
        if [ ! -t 0 ]; then
            echo "Not deleting the data in $data without being told to: HEADWAY_CLEAN=yes make clean" >&2
            exit 1
        fi
        printf 'Delete all data in %s, which cannot be undone? Type yes: ' "$data"
        read -r answer
    fi
    if [ "$answer" != yes ]; then
        echo "Kept $data and .venv."
        exit 1
    fi
    .venv/bin/python -m config.launcher.removal
fi
rm -rf .venv
