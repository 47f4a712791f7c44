#!/bin/sh
# Pins what the .in files ask for, with hashes, for every platform. Run it after an edit of a .in file.
set -eu
cd "$(dirname "$0")/.."
for name in requirements requirements-embedded requirements-demo requirements-analysis requirements-dev; do
    .venv/bin/python -m uv pip compile --quiet --universal --prerelease=if-necessary --python-version 3.11 \
        --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "scripts/compile_requirements.sh" \
        "$name.in" --output-file "$name.txt"
done
