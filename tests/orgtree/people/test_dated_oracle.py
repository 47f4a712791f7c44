"""Imports random files in sequence and compares with a day-by-day model.

The model holds each person's team and employment by day; a file rewrites the days it covers, as docs/people.md states.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta

import pytest
from django.db.models import Q

from orgtree.models import Person
from tests.orgtree.people.files import load
from tests.seeds import seeds

FIRST_DAY = date(2026, 1, 1)
DAYS = 40
NAMES = ("ada", "grace", "alan", "joan")
EVER, NEVER = -1, DAYS + 1  # before the first tested day, and after the last


@dataclass
class Account:
    """Model of one person: the team by day, and employments [from, to); None: not imported yet."""

    team: list[str | None] = field(default_factory=lambda: [None] * DAYS)
    date_ranges: list[list[int]] | None = None

    def apply(self, row: Row, effective: int, *, complete: bool) -> bool:
        """Apply the row; False if it is invalid."""
        before = [list(date_range) for date_range in self.date_ranges or ()]
        if not self._apply_days(row, effective, complete=complete):
            self.date_ranges = before or None
            return False
        if row.team is not None:
            self.team[effective:] = [row.team or None] * (DAYS - effective)
        return True

    def _apply_days(self, row: Row, effective: int, *, complete: bool) -> bool:
        if self.date_ranges is None:
            self.date_ranges = [[EVER if row.start is None else row.start, row.end or NEVER]]
            return True
        matched = self.date_ranges[-1]
        if row.start is not None:
            still_to_end = [date_range for date_range in self.date_ranges if date_range[1] > row.start]
            if still_to_end:
                matched = still_to_end[0]
                matched[0] = row.start
            else:
                matched = [row.start, NEVER]
                self.date_ranges.append(matched)
        if row.end:
            if row.end <= matched[0]:
                return False
            self.date_ranges = [
                date_range
                for date_range in self.date_ranges
                if date_range is matched or date_range[1] <= matched[0] or date_range[0] >= row.end
            ]
            matched[1] = row.end
        elif row.says_end or complete:
            last = self.date_ranges[-1]
            if effective <= last[1] < NEVER:
                last[1] = NEVER
            elif last[1] < effective:
                self.date_ranges.append([effective, NEVER])
        return True

    def leave(self, effective: int) -> None:
        """People who start on that day have nothing to leave yet."""
        if self.is_there(effective):
            remaining = [[start, min(end, effective)] for start, end in self.date_ranges or () if start < effective]
            self.date_ranges = remaining or self.date_ranges

    def is_there(self, day: int) -> bool:
        return any(start <= day < end for start, end in self.date_ranges or ())


@dataclass(frozen=True)
class Row:
    """Days count from FIRST_DAY.  team None: no such column; "": an empty cell."""

    name: str
    team: str | None
    start: int | None
    says_end: bool
    end: int | None


def day(number: int) -> date:
    return FIRST_DAY + timedelta(days=number)


@pytest.mark.django_db
@pytest.mark.parametrize("seed", seeds(0, soaked=40))
def test_files_say_what_they_say_from_their_day_on(seed: int) -> None:
    rng = random.Random(seed)
    accounts = {name: Account() for name in NAMES}
    for _ in range(8):
        rows = random_rows(rng)
        effective, complete = rng.randrange(1, DAYS), rng.random() < 0.3
        changes = load(as_csv(rows), on=day(effective).isoformat(), complete=complete)
        updated = {name: Account(list(account.team), copied(account)) for name, account in accounts.items()}
        possible = [updated[row.name].apply(row, effective, complete=complete) for row in rows]
        assert bool(changes.errors) == (not all(possible)), changes.errors
        if changes.errors:
            continue
        if complete:
            for name in set(NAMES) - {row.name for row in rows}:
                updated[name].leave(effective)
        accounts = updated
        for name, account in accounts.items():
            compare(name, account)


def compare(name: str, account: Account) -> None:
    known = Person.objects.filter(email=f"{name}@example.com").first()
    assert (known is not None) == (account.date_ranges is not None)
    if known is None:
        return
    teams = list(known.attributes.values_list("during", "value"))
    there = [during for (during,) in known.employments.values_list("during")]
    for number in range(DAYS):
        on = day(number)
        assert [value for during, value in teams if on in during] == [account.team[number]] * bool(account.team[number])
        assert any(on in during for during in there) == account.is_there(number), (name, on)
    assert not known.employments.filter(Q(during__isempty=True)).exists()


def copied(account: Account) -> list[list[int]] | None:
    return None if account.date_ranges is None else [list(date_range) for date_range in account.date_ranges]


def random_rows(rng: random.Random) -> list[Row]:
    names = rng.sample(NAMES, rng.randrange(1, len(NAMES) + 1))
    says_team, says_end = rng.random() < 0.8, rng.random() < 0.6
    rows = []
    for name in names:
        start = rng.randrange(DAYS) if rng.random() < 0.4 else None
        end = rng.randrange((start or 0) + 1, DAYS + 1) if says_end and rng.random() < 0.5 else None
        rows.append(Row(name, rng.choice(["Red", "Blue", ""]) if says_team else None, start, says_end, end))
    return rows


def as_csv(rows: list[Row]) -> str:
    heads = ["email", "start", *(["team"] if rows[0].team is not None else []), *(["end"] if rows[0].says_end else [])]
    lines = [",".join(heads)]
    for row in rows:
        cells = [f"{row.name}@example.com", day(row.start).isoformat() if row.start is not None else ""]
        cells += [row.team] if row.team is not None else []
        cells += [day(row.end).isoformat() if row.end else ""] if row.says_end else []
        lines.append(",".join(cells))
    return "\n".join(lines)
