"""Writes the text of each organisation where `python -m tests.golden` asks for it.  Takes minutes."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import StartServer
from tests.golden import organisations
from tests.golden.compare import FIELDS
from tests.golden.figures import figure_lines, side_by_side_lines
from tests.golden.lines import sorted_text
from tests.golden.others import OTHERS
from tests.golden.questions import Organisation

FOLDER = "HEADWAY_GOLDEN_FOLDER"
pytestmark = [
    pytest.mark.soak,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(FOLDER not in os.environ, reason="no text is asked for: python -m tests.golden OUT"),
]
QUESTIONS: tuple[Callable[[Organisation], Iterator[str]], ...] = (figure_lines, side_by_side_lines, *OTHERS)


@pytest.mark.django_db
@pytest.mark.parametrize("name", organisations.RANDOM)
def test_random(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    with organisations.RANDOM[name](tmp_path_factory.mktemp) as organisation:
        _write(organisation)


def test_demo(start_server: StartServer) -> None:
    with organisations.demo(start_server) as organisation:
        _write(organisation)


def _write(organisation: Organisation) -> None:
    """One line a figure; how long each kind of question took is printed."""
    lines: list[str] = []
    for question in QUESTIONS:
        before, began = len(lines), time.monotonic()
        lines += question(organisation)
        took = time.monotonic() - began
        print(f"  {organisation.name}: {question.__name__} {len(lines) - before:,} in {took:.1f} s", flush=True)
    places = Counter(line.rsplit("\t", line.count("\t") - FIELDS + 1)[0] for line in lines)
    twice = [where for where, number in places.items() if number > 1]
    assert not twice, f"{len(twice)} places have two figures: {twice[:3]}"
    text = sorted_text(lines).encode()
    Path(os.environ[FOLDER], f"{organisation.name}.txt").write_bytes(text)
