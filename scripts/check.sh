#!/bin/sh
# Everything that can be said of the code without running it. Goes through all checks, then fails if one did.
set -u
cd "$(dirname "$0")/.."
python=.venv/bin/python

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# What an installation behind https has; the database is not asked.
export HEADWAY_DATA_DIR="$scratch" HEADWAY_BASE_URL=https://headway.example.com HEADWAY_TRUSTED_PROXIES=1
export HEADWAY_SECRET_KEY=only-for-this-check-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFG
failed=

check() {
    name=$1
    shift
    if output=$("$@" 2>&1); then
        echo "ok      $name"
    else
        printf 'FAILED  %s\n%s\n' "$name" "$output"
        failed="$failed $name"
    fi
}

check ruff "$python" -m ruff check --quiet .
check format "$python" -m ruff format --quiet --diff .
check mypy "$python" -m mypy
check layers "$python" -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'
check deploy "$python" manage.py check --deploy --fail-level WARNING
check migrations "$python" -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
check requirements "$python" scripts/check_requirements.py
check sizes "$python" scripts/check_sizes.py

[ -z "$failed" ] || { echo "Failed:$failed"; exit 1; }
