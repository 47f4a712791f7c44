"""Random files, one after the other, against a day-by-day account of what they say.

The account keeps, for each person and day, the team and whether the person is there; a file rewrites the days that it
speaks of, as docs/people.md states.
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
EVER, NEVER = -1, DAYS + 1  # before the first day that is looked at, and after the last


@dataclass
class Account:
    """Of one person: the team on each day, and the stretches [from, to) on which they are there; None: not told of."""

    team: list[str | None] = field(default_factory=lambda: [None] * DAYS)
    stretches: list[list[int]] | None = None

    def tell(self, row: Row, effective: int, *, complete: bool) -> bool:
        """What the row says; False where it can't be true."""
        before = [list(stretch) for stretch in self.stretches or ()]
        if not self._tell_days(row, effective, complete=complete):
            self.stretches = before or None
            return False
        if row.team is not None:
            self.team[effective:] = [row.team or None] * (DAYS - effective)
        return True

    def _tell_days(self, row: Row, effective: int, *, complete: bool) -> bool:
        if self.stretches is None:
            self.stretches = [[EVER if row.start is None else row.start, row.end or NEVER]]
            return True
        meant = self.stretches[-1]
        if row.start is not None:
            still_to_end = [stretch for stretch in self.stretches if stretch[1] > row.start]
            if still_to_end:
                meant = still_to_end[0]
                meant[0] = row.start
            else:
                meant = [row.start, NEVER]
                self.stretches.append(meant)
        if row.end:
            if row.end <= meant[0]:
                return False
            self.stretches = [
                stretch
                for stretch in self.stretches
                if stretch is meant or stretch[1] <= meant[0] or stretch[0] >= row.end
            ]
            meant[1] = row.end
        elif row.says_end or complete:
            last = self.stretches[-1]
            if effective <= last[1] < NEVER:
                last[1] = NEVER
            elif last[1] < effective:
                self.stretches.append([effective, NEVER])
        return True

    def leave(self, effective: int) -> None:
        """Who begins that very day and was never there before has nothing to leave yet."""
        if self.is_there(effective):
            kept = [[start, min(end, effective)] for start, end in self.stretches or () if start < effective]
            self.stretches = kept or self.stretches

    def is_there(self, day: int) -> bool:
        return any(start <= day < end for start, end in self.stretches or ())


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
        told = {name: Account(list(each.team), copied(each)) for name, each in accounts.items()}
        possible = [told[row.name].tell(row, effective, complete=complete) for row in rows]
        assert bool(changes.errors) == (not all(possible)), changes.errors
        if changes.errors:
            continue
        if complete:
            for name in set(NAMES) - {row.name for row in rows}:
                told[name].leave(effective)
        accounts = told
        for name, account in accounts.items():
            compare(name, account)


def compare(name: str, account: Account) -> None:
    known = Person.objects.filter(email=f"{name}@example.com").first()
    assert (known is not None) == (account.stretches is not None)
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
    return None if account.stretches is None else [list(stretch) for stretch in account.stretches]


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
