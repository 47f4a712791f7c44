"""Writes the collector and its packages into a folder, as the server offers them at /agent/, and their SHA-256."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from integrations.collector.packages import FILES, sha256_of


def main() -> int:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in FILES.items():
        (folder / name).write_bytes(content())
        print(f"{sha256_of(name)}  {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
