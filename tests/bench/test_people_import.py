"""The bench's import goes through the real importer, and leaves nothing behind."""

from __future__ import annotations

from datetime import date

import pytest

from bench.organisation import OrganisationSize, held_on, plan_organisation
from bench.people_import import file_of, people_import
from orgtree.models import OrgTree, Person
from orgtree.people_import.rows import drafts_of
from orgtree.people_import.store import store_people

SIZE = OrganisationSize(people=120, units=12, weeks=104)


@pytest.mark.django_db
def test_the_file_says_who_is_there_on_the_day() -> None:
    day = date(2026, 11, 20)
    planned = plan_organisation(SIZE, today=day)
    changes = store_people(drafts_of(file_of(planned, day)))
    there = [person for person in planned.people if person.is_there_on(day)]
    assert changes.counts["added"] == len(there) < SIZE.people
    somebody = there[-1]
    stored = Person.objects.get(email=somebody.email)
    assert stored.attributes.get(attribute__slug="team").value == held_on(somebody.attributes["team"], day)
    manager = held_on(somebody.managers, day)
    assert stored.reporting.get().manager.email == planned.people[int(manager or 0)].email


@pytest.mark.soak
@pytest.mark.django_db
def test_every_import_is_measured_and_taken_back() -> None:
    figures = people_import(SIZE)
    assert [figure.ratio is not None and figure.value > 0 for figure in figures] == [True] * 4
    assert not Person.objects.exists()
    assert not OrgTree.objects.exists()
