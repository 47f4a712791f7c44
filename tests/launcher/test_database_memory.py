"""The embedded server's share of the machine's or container's memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.embedded_postgres import server

GIGABYTE = 1024**3


@pytest.fixture
def limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The files of a container's limits, which do not exist, on a machine of 16 GiB."""
    paths = (tmp_path / "memory.max", tmp_path / "limit_in_bytes")
    monkeypatch.setattr(server, "LIMITS", paths)
    monkeypatch.setattr("os.sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 16 * GIGABYTE // 4096}.__getitem__)
    return paths


def test_it_is_a_quarter_within_bounds(limits: tuple[Path, Path]) -> None:
    assert server.shared_buffers() == "4096MB"
    newer, older = limits
    for written, expected in {
        "max": "4096MB",
        f"{4 * GIGABYTE}": "1024MB",
        f"{GIGABYTE // 4}": "128MB",
        f"{64 * GIGABYTE}": "4096MB",
        "9223372036854771712": "4096MB",  # no limit, as version 1 writes it
        "": "4096MB",
    }.items():
        newer.write_text(f"{written}\n")
        assert server.shared_buffers() == expected, written
    newer.unlink()
    older.write_text(f"{2 * GIGABYTE}\n")
    assert server.shared_buffers() == "512MB"
