"""Checks that every requirements*.txt matches its .in file; offline.

Reports missing packages, versions out of range, pins without hashes, and registry URLs, each with a remedy.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT_DIR = Path(__file__).resolve().parent.parent
PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)(?P<rest>.*?)\\?$")


def main() -> int:
    problems = [problem for source in sorted(PROJECT_DIR.glob("requirements*.in")) for problem in problems_of(source)]
    for problem in problems:
        print(problem)
    if problems:
        print("Run scripts/compile_requirements.sh and commit what it writes.")
    return 1 if problems else 0


def problems_of(source: Path) -> Iterator[str]:
    """A sentence for every mismatch between the compiled file and `source`."""
    compiled = source.with_suffix(".txt")
    if not compiled.exists():
        yield f"{compiled.name} is missing."
        return
    lines = compiled.read_text().splitlines()
    pins: dict[str, set[str]] = {}
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if re.match(r"\s*--(index-url|extra-index-url|find-links|trusted-host)", line):
            yield f"{compiled.name} names a package registry: {line.strip()}"
        if pin := PIN.match(line):
            pins.setdefault(canonicalize_name(pin["name"]), set()).add(pin["version"])
            if "--hash=" not in following:
                yield f"{compiled.name}: {pin['name']} has no hash."
    for requirement in requirements(source):
        versions = pins.get(canonicalize_name(requirement.name), set())
        if not versions:
            yield f"{compiled.name} lacks {requirement.name}, which {source.name} asks for."
        for version in versions:
            if not requirement.specifier.contains(version, prereleases=True):
                allowed = requirement.specifier
                yield f"{compiled.name} pins {requirement.name} {version}, and {source.name} asks for {allowed}."


def requirements(source: Path) -> Iterator[Requirement]:
    for line in source.read_text().splitlines():
        text = line.partition("#")[0].strip()
        if text and not text.startswith("-"):
            yield Requirement(text)


if __name__ == "__main__":
    sys.exit(main())
