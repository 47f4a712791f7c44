#!/bin/sh
# Installs the real Codex, Gemini CLI, opencode and Copilot CLI into a temporary folder and lets them talk to Headway, with
# stand-ins for their models.  Needs npm and its registry; nothing is installed outside the folder, and no account or model is used.
set -eu
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --prefix "$folder" --no-audit --no-fund --loglevel error \
    "@openai/codex@${1:-latest}" "@google/gemini-cli@${2:-latest}" "opencode-ai@${3:-latest}" \
    "@github/copilot@${4:-latest}"
PATH="$folder/node_modules/.bin:$PATH"
export PATH
codex --version
gemini --version
.venv/bin/python -m pytest -m soak tests/agents_live/test_codex_and_gemini.py tests/collector/test_real_programs.py
