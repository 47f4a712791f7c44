"""Percentiles of overlapping cells are those of PostgreSQL, to the last bit."""

from __future__ import annotations

import random

import numpy as np
import pytest
from django.db import connection

from insights.formulas import cell_percentiles
from insights.formulas.cell_layout import Lists
from insights.formulas.cell_percentiles import Membership, Ranked, percentiles_of_cells

PERCENTILES = [0.0, 0.5, 0.75, 0.9, 0.95, 1.0]


@pytest.mark.django_db
@pytest.mark.parametrize("at_once", [1, 64, 4_000_000])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_each_cell_has_the_percentiles_that_the_database_finds(
    seed: int, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cell_percentiles, "VALUES_AT_ONCE", at_once)
    rng = random.Random(seed)
    chunks = [[_value(rng) for _ in range(rng.choice([0, 1, 1, 2, 5, 40]))] for _ in range(60)]
    cells = [sorted(rng.sample(range(60), rng.choice([1, 2, 3, 30, 60]))) for _ in range(40)]
    of_cells = [[value for chunk in cell for value in chunks[chunk]] for cell in cells]
    first = np.concatenate(([0], np.cumsum([len(cell) for cell in cells])))
    known = [len([value for value in values if value is not None]) for values in of_cells]
    [found] = percentiles_of_cells(
        [Ranked.of(np.array([value for chunk in chunks for value in chunk], dtype=float))],
        [np.array(known)],
        Membership(np.cumsum([0, *map(len, chunks)]), Lists(first, np.concatenate(cells))),
        PERCENTILES,
    )
    for values, percentiles in zip(of_cells, found.tolist(), strict=True):
        some = [value for value in values if value is not None]
        assert percentiles == _of_the_database(some) if some else np.isnan(percentiles).all()


def test_a_cell_without_values_has_no_percentile() -> None:
    nothing = Membership(np.array([0, 0]), Lists(np.array([0, 1, 1]), np.array([0])))
    [found] = percentiles_of_cells([Ranked.of(np.array([]))], [np.array([0, 0])], nothing, [0.5])
    assert np.isnan(found).all()
    assert found.shape == (2, 1)


def test_what_is_asked_for_is_joined_with_each_of_its_list() -> None:
    lists = Lists(np.array([0, 2, 2, 5]), np.array([10, 11, 20, 21, 22]))
    positions, found = lists.joined(np.array([2, 0, 1, 2]))
    assert list(zip(positions.tolist(), found.tolist(), strict=True)) == [
        *((0, 20), (0, 21), (0, 22)),
        *((1, 10), (1, 11)),
        *((3, 20), (3, 21), (3, 22)),
    ]


def _value(rng: random.Random) -> float | None:
    return rng.choice([None, 0.0, 3.0, rng.lognormvariate(8, 3), rng.lognormvariate(8, 3), rng.random() * 1e-9])


def _of_the_database(values: list[float]) -> list[float]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT percentile_cont(%s::float8[]) WITHIN GROUP (ORDER BY value) FROM unnest(%s::float8[]) AS value",
            [PERCENTILES, values],
        )
        found: list[float] = cursor.fetchone()[0]
        return found
