"""Importing a file of thousands of people, compared with reading the file and copying its rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date, timedelta

from django.db import connection
from django.utils import timezone

from bench.figures import Limit, Measured
from bench.organisation import OrganisationSize, PlannedOrganisation, held_on, plan_organisation
from bench.organisation_rows import create_following_trees
from bench.timing import rolled_back, seconds_of
from orgtree.people_import.rows import drafts_of
from orgtree.people_import.store import store_people

GOAL_SECONDS = 4.0
COLUMNS = ("full_name", "email", "manager_email", "role", "team", "department", "site")
MOVED_WEEKS = 26  # the second file has the changes of that many weeks


def people_import(size: OrganisationSize) -> list[Measured]:
    """The first file into an empty organisation, the same with following trees, and a later one with moves.

    Everything is rolled back, so that other entries are not affected.  Checks at commit are included in the measured
    time.
    """
    today = timezone.localdate()
    organisation = plan_organisation(size, today=today)
    earlier = today - timedelta(weeks=MOVED_WEEKS)
    first, later = file_of(organisation, earlier), file_of(organisation, today)
    people = first.count(b"\n") - 1
    limit = Limit("s: reading the file and copying its rows into a table", seconds_of(lambda: _copy(first)))
    with rolled_back():
        alone = seconds_of(lambda: store_people(drafts_of(first)))
    with rolled_back():
        create_following_trees()
        followed = seconds_of(lambda: store_people(drafts_of(first)))
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")  # as the database does by itself, some time after the first file
        moved = seconds_of(lambda: store_people(drafts_of(later), effective=today))
        again = seconds_of(lambda: store_people(drafts_of(later), effective=today))
    return [
        _measured("people import", alone, limit, f"{people:,} people into an empty organisation without trees"),
        _measured("people import with trees", followed, limit, f"the same; two trees follow: {size}"),
        _measured("people import, moves", moved, limit, f"the next file, with the moves of {MOVED_WEEKS} weeks"),
        _measured("people import, nothing new", again, limit, "the same file again"),
    ]


def file_of(organisation: PlannedOrganisation, day: date) -> bytes:
    """A CSV file of everybody who is employed on the day."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(COLUMNS)
    for person in organisation.people:
        if not person.is_there_on(day):
            continue
        manager = held_on(person.managers, day)
        attributes = [held_on(person.attributes[name], day) for name in COLUMNS[3:]]
        email = "" if manager is None else organisation.people[int(manager)].email
        writer.writerow([person.full_name, person.email, email, *attributes])
    return written.getvalue().encode()


def _measured(name: str, seconds: float, limit: Limit, conditions: str) -> Measured:
    return Measured(
        name=name,
        value=seconds,
        unit="s",
        goal=f"≤ {GOAL_SECONDS:g} s",
        met=seconds <= GOAL_SECONDS,
        conditions=conditions,
        limit=limit,
    )


def _copy(content: bytes) -> None:
    columns = ", ".join(f"{name} text" for name in COLUMNS)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE bench_copied ({columns})")
        with cursor.copy("COPY bench_copied FROM STDIN") as copy:
            for row in _rows(content):
                copy.write_row(row)
        cursor.execute("DROP TABLE bench_copied")


def _rows(content: bytes) -> Iterator[list[str]]:
    reader = csv.reader(io.StringIO(content.decode(), newline=""))
    next(reader)
    yield from reader
