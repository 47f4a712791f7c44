"""The database refuses overlapping date ranges from any writer."""

from __future__ import annotations

import threading
from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from core import sql
from orgtree.models import Employment, Person
from tests.patience import PATIENCE_SECONDS, wait_until


def days(first: int, last: int) -> DateRange:
    """The days of March 2026 from the first up to, and without, the last."""
    return DateRange(date(2026, 3, first), date(2026, 3, last))


@pytest.mark.django_db
def test_rows_of_one_person_never_share_a_day() -> None:
    ada = Person.objects.create(full_name="Ada", email="ada@example.com")
    grace = Person.objects.create(full_name="Grace", email="grace@example.com")
    Employment.objects.create(person=ada, during=days(2, 5))
    Employment.objects.create(person=ada, during=days(5, 9))  # the end is the first day no longer
    Employment.objects.create(person=grace, during=days(2, 9))
    with pytest.raises(IntegrityError, match="employment_once_at_a_time"), transaction.atomic():
        Employment.objects.bulk_create([Employment(person=grace, during=days(12, 20)) for _ in range(2)])
    with pytest.raises(IntegrityError, match="employment_once_at_a_time"), transaction.atomic():
        Employment.objects.filter(person=ada, during=days(2, 5)).update(during=days(2, 6))
    with pytest.raises(ValidationError, match="overlap"):
        Employment(person=ada, during=days(8, 10)).validate_constraints()
    Employment(person=ada, during=days(9, 10)).validate_constraints()


@pytest.mark.django_db(transaction=True)
def test_two_transactions_cannot_both_add_overlapping_rows() -> None:
    ada = Person.objects.create(full_name="Ada", email="ada@example.com")
    refused: list[IntegrityError] = []
    its_session: list[int] = []

    def add_too() -> None:
        its_session.append(int(sql.value("SELECT pg_backend_pid()")))
        try:
            Employment.objects.create(person=ada, during=days(4, 9))
        except IntegrityError as problem:
            refused.append(problem)
        finally:
            connection.close()

    second = threading.Thread(target=add_too)
    with transaction.atomic():
        Employment.objects.create(person=ada, during=days(2, 5))
        second.start()
        wait_until(
            lambda: its_session and sql.value("SELECT cardinality(pg_blocking_pids(%s))", its_session),
            what="the second waits for the first to end",
        )
    second.join(timeout=PATIENCE_SECONDS)
    assert [type(problem) for problem in refused] == [IntegrityError]
    assert Employment.objects.count() == 1
