"""Prints the installation's URL and how to sign in."""

from __future__ import annotations

import sys
from typing import Any

from config import environment
from config.launcher.output import Output


def announce(prepared: dict[str, Any], output: Output) -> None:
    """Print URL, sign-ins and ingest token; only the URL with JSON logs, which must not hold secrets."""
    address = environment.base_url()
    output.say(f"Headway answers at {address}/")
    if environment.log_format() == "json":
        return
    lines = ["", f"  Open            {address}/insights/ai/", ""]
    for sign_in in prepared.get("sign_ins", []):
        lines.append(f"  Sign in as      {sign_in['name']}   password  {sign_in['password']}   ({sign_in['role']})")
    if token := prepared.get("ingest_token"):
        lines.append(f"  Ingest token    {token}")
    lines += ["", "  Ctrl-C stops everything; the data is kept.", ""]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
