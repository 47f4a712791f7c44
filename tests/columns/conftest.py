from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings

from insights.engine import database, tables


@pytest.fixture(autouse=True)
def columns_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of columns for each test: partitions of another one name files that nobody finds here.

    With an engine that may read it: the process's own is shut in to another folder.
    """
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)
    monkeypatch.setattr(database, "_process", database._Process())
    monkeypatch.setattr(tables, "_process", tables._Process())
    monkeypatch.setattr("insights.columns.folder.os.fsync", lambda _: None)  # as the tests' PostgreSQL does without
    database._process.forget()  # it is shut in to the folder of another test
    tables._process.forget()
    return tmp_path / "columns"
