"""Exports answer in words where they cannot be read, and stream what follows the first row."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.csv_export import Cell, csv_response
from tests.org import Org
from tests.personas import ADMIN, signed_in


def failing() -> Iterator[list[Cell]]:
    yield ["Category"]
    raise LookupError


def test_a_file_whose_first_row_cannot_be_read_does_not_begin() -> None:
    with pytest.raises(LookupError):
        csv_response("shares", failing())


def test_a_file_has_every_row_once_and_reads_the_later_ones_as_it_is_sent() -> None:
    taken: list[int] = []

    def rows() -> Iterator[list[Cell]]:
        for number in range(4):
            taken.append(number)
            yield [number]

    response = csv_response("numbers", rows())
    assert taken == [0, 1]
    assert response.getvalue().decode("utf-8-sig").split() == ["0", "1", "2", "3"]


def test_an_export_of_an_unknown_unit_is_refused(org: Org) -> None:
    response = signed_in(ADMIN).get("/insights/allocation/charts/against_target.csv", {"unit": "nosuch"})
    assert response.status_code == 404
