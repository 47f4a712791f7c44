"""The collector as one file: a zip archive that Python runs, the same bytes from the same sources."""

from __future__ import annotations

import io
import zipfile
from functools import cache
from pathlib import Path

SOURCES = Path(__file__).resolve().parents[2] / "agent"
PACKAGE = "headway_agent"
NAME = "headway-agent.pyz"
SHEBANG = b"#!/usr/bin/env python3\n"
START = "import sys\n\nfrom headway_agent.commands import main\n\nsys.exit(main())\n"
BEFORE_ALL_SOURCES = (1980, 1, 1, 0, 0, 0)  # the archive does not depend on when it is made


@cache
def archive() -> bytes:
    buffer = io.BytesIO(SHEBANG)
    buffer.seek(0, io.SEEK_END)
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as files:
        members = {f"{PACKAGE}/{source.name}": source.read_text("utf-8") for source in sorted(SOURCES.glob("*.py"))}
        for name, text in {"__main__.py": START, **members}.items():
            member = zipfile.ZipInfo(name, BEFORE_ALL_SOURCES)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = 0o644 << 16
            files.writestr(member, text)
    return buffer.getvalue()
