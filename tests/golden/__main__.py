"""The command line: see tests/golden/__init__.py."""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.golden.compare import differences, report

PROJECT_DIR = Path(__file__).resolve().parent.parent.parent
TESTS = {
    "demo": "test_demo",
    "random-1": "test_random[random-1]",
    "random-2": "test_random[random-2]",
    "random-3": "test_random[random-3]",
}  # in the order of their lines
FOLDER = "HEADWAY_GOLDEN_FOLDER"  # as tests/golden/test_dump.py reads it, which cannot be imported outside of pytest
FIELD_OF_METRIC = 1


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.golden",
        description="Every figure of four organisations in one sorted text, and what differs between two such texts.",
    )
    parser.add_argument("out", nargs="?", type=Path, help="the file to write; it is replaced")
    parser.add_argument("--of", choices=[*TESTS, "all"], default="all", help="which organisations (default: all)")
    parser.add_argument("--compare", nargs=2, type=Path, metavar=("A", "B"), help="list what differs; exit code 1 then")
    options = parser.parse_args()
    if (options.out is None) == (options.compare is None):
        parser.error("give either OUT, to write the text, or --compare A B")
    return _compare(*options.compare) if options.compare else _write(options.out, options.of)


def _compare(first: Path, second: Path) -> int:
    try:
        different = differences(first, second)
    except (OSError, ValueError) as problem:
        print(problem, file=sys.stderr)
        return 2
    print(report(different) or "No figure differs.")
    return 1 if different else 0


def _write(out: Path, chosen: str) -> int:
    """A database is there for tests alone: they write the text of each organisation, and it is put together here."""
    names = [*TESTS] if chosen == "all" else [chosen]
    with tempfile.TemporaryDirectory() as folder:
        tests = [f"tests/golden/test_dump.py::{TESTS[name]}" for name in names]
        finished = subprocess.run(
            [sys.executable, "-m", "pytest", "-m", "soak", "-q", "-s", "-p", "no:cacheprovider", *tests],
            cwd=PROJECT_DIR,
            env={**os.environ, FOLDER: folder},
            check=False,
        )
        if finished.returncode:
            print("Nothing is written: see above.", file=sys.stderr)
            return finished.returncode
        digest, counts = hashlib.sha256(), Counter[str]()
        with out.open("wb") as text:
            for name in names:
                for line in Path(folder, f"{name}.txt").read_bytes().splitlines(keepends=True):
                    text.write(line)
                    digest.update(line)
                    counts[line.split(b"\t")[FIELD_OF_METRIC].decode()] += 1
    for metric, number in sorted(counts.items()):
        print(f"{number:>9,}  {metric}")
    print(f"{counts.total():>9,}  figures\nSHA-256 {digest.hexdigest()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
