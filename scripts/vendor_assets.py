#!/usr/bin/env python3
"""Vendors the front-end libraries into static/vendor/ from the npm packages named below.

    scripts/vendor_assets.py            fetch the packages with the npm client and write the files and the manifest
    scripts/vendor_assets.py --check    compare the files with the manifest; needs no network

The manifest (static/vendor/manifest.json) lists, per package, its version and licence and, per file, a SHA-256.
Icons become one SVG sprite that holds only those of icons.txt, so that a page pays for what it uses: add a name
there, run the script, and write `{% icon "name" %}` in a template.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VENDOR_DIR = Path(__file__).resolve().parent.parent / "static" / "vendor"
MANIFEST = VENDOR_DIR / "manifest.json"
PRINT_WEIGHTS = (400, 500, 600, 700)


@dataclass(frozen=True)
class Package:
    name: str
    version: str
    folder: str
    """Below static/vendor/."""
    files: dict[str, str]
    """Path inside the package → name below the folder."""
    copyright: str = ""
    """Only where the package ships no licence file of its own."""


PACKAGES = (
    Package(
        "@tabler/core",
        "1.6.1",
        "tabler",
        {"dist/css/tabler.min.css": "tabler.min.css"},
        copyright="Copyright (c) 2018-2026 The Tabler Authors\nCopyright (c) 2018-2026 codecalm.net Paweł Kuna",
    ),
    Package("chart.js", "4.6.1", "chartjs", {"dist/chart.umd.min.js": "chart.umd.min.js"}),
    Package("htmx.org", "2.0.11", "htmx", {"dist/htmx.min.js": "htmx.min.js"}),
    Package(
        "@fontsource-variable/inter",
        "5.3.0",
        "inter",
        {f"files/inter-{subset}-wght-normal.woff2": f"inter-{subset}.woff2" for subset in ("latin", "latin-ext")},
    ),
    Package(
        "@fontsource/inter",
        "5.3.0",
        "inter-print",
        {f"files/inter-latin-{weight}-normal.woff2": f"inter-latin-{weight}.woff2" for weight in PRINT_WEIGHTS},
    ),
    Package("@tabler/icons", "3.51.0", "icons", {}),
)

ICON_PACKAGE = "@tabler/icons"
ICON_NAMES = Path(__file__).with_name("icons.txt")

MIT_LICENCE = """MIT License

{copyright}

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""

# Source maps are not vendored, and the static files storage refuses a reference to a file that is not there.
SOURCE_MAP_REFERENCE = re.compile(rb"\n?(?://# sourceMappingURL=\S+|/\*# sourceMappingURL=\S+ ?\*/)\s*$")


def vendor_all() -> None:
    VENDOR_DIR.mkdir(parents=True, exist_ok=True)
    entries = []
    with tempfile.TemporaryDirectory() as scratch:
        for package in PACKAGES:
            unpacked = unpack(package, Path(scratch))
            entries.append(vendor(package, unpacked))
    MANIFEST.write_text(json.dumps({"packages": entries}, indent=2, ensure_ascii=False) + "\n")
    print(f"{sum(len(entry['files']) for entry in entries)} files in {VENDOR_DIR}")


def unpack(package: Package, scratch: Path) -> Path:
    """The package's root in a scratch folder.  The npm client checks the registry's own integrity hash."""
    packed = subprocess.run(
        ["npm", "pack", "--json", f"{package.name}@{package.version}", "--pack-destination", str(scratch)],
        check=True,
        capture_output=True,
        text=True,
    )
    archive = scratch / str(json.loads(packed.stdout)[0]["filename"]).replace("@", "").replace("/", "-")
    target = scratch / package.folder
    with tarfile.open(archive) as tar:
        tar.extractall(target, filter="data")
    return target / "package"


def vendor(package: Package, unpacked: Path) -> dict[str, Any]:
    """Write the package's files and licence; returns its entry in the manifest."""
    folder = VENDOR_DIR / package.folder
    folder.mkdir(exist_ok=True)
    description = json.loads((unpacked / "package.json").read_text())
    written = {
        name: SOURCE_MAP_REFERENCE.sub(b"\n", (unpacked / source).read_bytes())
        if name.endswith((".css", ".js"))
        else (unpacked / source).read_bytes()
        for source, name in package.files.items()
    }
    if package.name == ICON_PACKAGE:
        written["sprite.svg"] = sprite(unpacked / "icons" / "outline").encode()
    written["LICENSE"] = licence_text(package, unpacked).encode()
    for name, content in written.items():
        (folder / name).write_bytes(content)
    return {
        "package": package.name,
        "version": description["version"],
        "licence": description["license"],
        "files": {f"{package.folder}/{name}": sha256(content) for name, content in sorted(written.items())},
    }


def licence_text(package: Package, unpacked: Path) -> str:
    for candidate in sorted(unpacked.glob("LICENSE*")):
        return candidate.read_text()
    return MIT_LICENCE.format(copyright=package.copyright)


def sprite(outline: Path) -> str:
    """An SVG file with a <symbol> per icon; the stylesheet sets stroke and size."""
    symbols = []
    for name in sorted(set(ICON_NAMES.read_text().split())):
        drawing = (outline / f"{name}.svg").read_text()
        paths = [path for path in re.findall(r"<path [^>]*/>", drawing) if 'stroke="none"' not in path]
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{"".join(paths)}</symbol>')
    return '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def differences() -> list[str]:
    """Differences between static/vendor/ and its manifest, one sentence each."""
    manifest = json.loads(MANIFEST.read_text())
    listed = {name: digest for entry in manifest["packages"] for name, digest in entry["files"].items()}
    present = {
        path.relative_to(VENDOR_DIR).as_posix(): sha256(path.read_bytes())
        for path in VENDOR_DIR.rglob("*")
        if path.is_file() and path != MANIFEST
    }
    problems = [f"{name} is in the manifest but not there." for name in sorted(listed.keys() - present.keys())]
    problems += [f"{name} is not in the manifest." for name in sorted(present.keys() - listed.keys())]
    problems += [
        f"{name} was changed by hand."
        for name in sorted(listed.keys() & present.keys())
        if listed[name] != present[name]
    ]
    pinned = {(package.name, package.version) for package in PACKAGES}
    vendored = {(entry["package"], entry["version"]) for entry in manifest["packages"]}
    problems += [f"{name} {version} is pinned but not vendored." for name, version in sorted(pinned - vendored)]
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the manifest, change nothing")
    if not parser.parse_args().check:
        vendor_all()
    problems = differences()
    print("\n".join(problems) or "static/vendor agrees with its manifest.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
