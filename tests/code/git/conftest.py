from __future__ import annotations

from pathlib import Path

import pytest

from tests.code.git.repositories import Repo


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """An empty repository with a work tree, on branch main."""
    return Repo.create(tmp_path / "shop")
