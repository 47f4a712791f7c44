"""Writes the collector as one file, as the server gives it out at /agent/, and prints its SHA-256."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from integrations.collector.package import NAME, archive, sha256


def main() -> int:
    target = Path(sys.argv[1] if len(sys.argv) > 1 else NAME)
    target.write_bytes(archive())
    print(f"{sha256()}  {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
