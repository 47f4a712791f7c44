"""Checks that every hand-written file has at most 700 lines."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

LARGEST_LINES = 700
WRITTEN = (".py", ".html", ".css", ".js", ".sh")
NOT_OURS = ("static/vendor/", "/migrations/")


def main() -> int:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).resolve().parent.parent,
    )
    too_long = 0
    for name in filter(None, listed.stdout.split("\0")):
        path = Path(__file__).resolve().parent.parent / name
        if path.suffix not in WRITTEN or any(part in name for part in NOT_OURS) or not path.is_file():
            continue
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > LARGEST_LINES:
            too_long += 1
            print(f"{name} has {lines} lines; {LARGEST_LINES} are the most.")
    return 1 if too_long else 0


if __name__ == "__main__":
    sys.exit(main())
