"""The bench's moves are real ones, and are taken back."""

from __future__ import annotations

import pytest

from bench.facts import Size, generate
from bench.trees import moves
from orgtree.models import Membership, Placement, UnitPlace

pytestmark = pytest.mark.soak  # benches are run there, too

SIZE = Size(people=60, units=14, weeks=4, sessions_per_week=1, commits_per_week=1)


@pytest.mark.django_db
def test_moves_are_measured_and_nothing_stays() -> None:
    generate(SIZE)
    before = _rows()
    figures = moves(SIZE, rounds=1)
    assert len({figure.name for figure in figures}) == 2
    assert all(figure.value > 0 for figure in figures)
    assert _rows() == before


def _rows() -> list[set[tuple[object, ...]]]:
    return [set(model._default_manager.values_list()) for model in (UnitPlace, Membership, Placement)]
