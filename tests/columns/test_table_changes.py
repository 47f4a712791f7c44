"""Tables that statements join have another version after each change that a transaction sees."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from insights.columns.table_changes import LONGEST, shorten, versions
from insights.engine.tables import ATTRIBUTES, MEMBERSHIPS, OWNERS, REPOSITORY_OWNERS, people_of
from insights.models import TableChange
from integrations.facts.ai import ENROLLED_PEOPLE
from integrations.facts.seats import EVERYBODY, LICENSED_PEOPLE
from orgtree.models import Person

TABLES = (
    *(MEMBERSHIPS, OWNERS, REPOSITORY_OWNERS, ATTRIBUTES),
    *(people_of(relation) for relation in (ENROLLED_PEOPLE, EVERYBODY, LICENSED_PEOPLE)),
)

pytestmark = pytest.mark.django_db


def version() -> object:
    return versions().get("orgtree_person")


def test_every_table_that_statements_join_notes_its_changes() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, count(*) FROM pg_trigger"
            " WHERE tgfoid = 'insights_note_table_change'::regproc GROUP BY 1"
        )
        triggers = dict(cursor.fetchall())
    assert triggers == dict.fromkeys({name for table in TABLES for name in table.of}, 4)


def test_every_change_makes_another_version() -> None:
    seen = [version()]
    person = Person.objects.create(full_name="Ada", email="ada@example.com")
    seen.append(version())
    Person.objects.filter(pk=person.pk).update(full_name="Ada L")
    seen.append(version())
    person.delete()
    seen.append(version())
    assert len({*seen}) == 4


def test_an_emptied_table_has_another_version() -> None:
    before = versions().get("integrations_enrolment")
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE integrations_enrolment")
    assert versions().get("integrations_enrolment") != before


def test_a_statement_that_changes_no_row_changes_no_version() -> None:
    Person.objects.create(full_name="Ada", email="ada@example.com")
    before = version()
    Person.objects.filter(email="ben@example.com").update(full_name="Ben")
    Person.objects.filter(email="ben@example.com").delete()
    assert version() == before


def test_what_is_rolled_back_was_never_a_version() -> None:
    before = version()
    with transaction.atomic():
        Person.objects.create(full_name="Ada", email="ada@example.com")
        within = version()
        transaction.set_rollback(True)
    assert version() == before
    Person.objects.create(full_name="Ben", email="ben@example.com")
    assert version() not in (before, within)


def test_many_changes_become_one() -> None:
    for number in range(LONGEST):
        Person.objects.create(full_name="Ada", email=f"ada{number}@example.com")
    shorten()
    noted = TableChange.objects.filter(table="orgtree_person")
    assert noted.count() >= LONGEST
    Person.objects.create(full_name="Ben", email="ben@example.com")
    before = version()
    shorten()
    assert noted.count() == 1
    assert version() != before
