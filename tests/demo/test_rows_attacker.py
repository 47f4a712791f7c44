"""The attacker who joins lists of rows finds what is planted, and takes no coincidence for it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date
from random import Random

import pytest

from insights.query.query import Window
from orgtree.access.access import access_of
from orgtree.models import Person
from tests.demo.rows_attacker import Row, RowList, RowsAttacker
from tests.personas import EXECUTIVE, create_user

pytestmark = pytest.mark.django_db
NAMES = [f"Person {number}" for number in range(40)]
LISTS = 12


@pytest.fixture
def attacker() -> RowsAttacker:
    Person.objects.bulk_create(Person(full_name=name) for name in NAMES)
    return RowsAttacker(access_of(create_user(EXECUTIVE)), Window(date(2026, 1, 1), date(2026, 2, 1)))


def lists(leaking: Collection[str]) -> Iterator[RowList]:
    """Each list once with names and once under pseudonyms of its own, which show the exact totals of those that leak.

    The totals of the others are of the same range: some are equal to somebody's by chance.
    """
    random = Random(1)
    for question in range(LISTS):
        totals = {name: float(random.randint(1, 2000)) for name in NAMES}
        named: list[Row] = [{"person": name, "contribution": total} for name, total in totals.items()]
        yield RowList(f"named {question}", named, is_of_ai=False, truth={})
        truth = {f"{question} {name}": name for name in NAMES}
        hidden: list[Row] = [
            {"person": label, "contribution": totals[name] if name in leaking else float(random.randint(1, 2000))}
            for label, name in truth.items()
        ]
        random.shuffle(hidden)
        yield RowList(f"pseudonyms {question}", hidden, is_of_ai=True, truth=truth)


def test_coincidences_are_no_leak(attacker: RowsAttacker) -> None:
    named = attacker.identified_people(list(lists(leaking=())))
    assert named.elected > 100, "there are coincidences"
    assert named.right <= named.by_chance


@pytest.mark.parametrize("people", [5, 40])
def test_exact_totals_under_pseudonyms_are_found(attacker: RowsAttacker, people: int) -> None:
    named = attacker.identified_people(list(lists(leaking=NAMES[:people])))
    assert named.right > named.by_chance


def test_rows_of_ai_with_names_are_found(attacker: RowsAttacker) -> None:
    shown = RowList("ai.spend", [{"person": NAMES[0], "spend": 3.0}], is_of_ai=True, truth={})
    assert attacker.names_in_rows_of_ai([shown]) == {"ai.spend"}
