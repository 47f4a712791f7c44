#!/bin/sh
# Installs the real Claude Code into a temporary folder and lets it talk to Headway, with a stand-in for its model.
# Needs npm and its registry; nothing is installed outside the folder, and no account or model is used.
set -eu
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --prefix "$folder" --no-audit --no-fund --loglevel error "@anthropic-ai/claude-code@${1:-latest}"
PATH="$folder/node_modules/.bin:$PATH"
export PATH
claude --version
.venv/bin/python -m pytest -m soak tests/agents_live/test_claude_code.py tests/collector/test_real_programs.py
