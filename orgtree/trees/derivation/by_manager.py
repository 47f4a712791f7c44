"""Trees by manager.  docs/org-trees.md states the rules.

One pass over the days on which anything changes.  A person is *there* on the days of their employment, and *counts*
while they are there or somebody who counts reports to them: a team whose manager has left keeps its place until it
gets another manager.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from orgtree.trees.derivation.structure import (
    FOR_EVER,
    ROOT,
    SINCE_EVER,
    DateRange,
    DerivedUnit,
    Member,
    Place,
    Structure,
    Timeline,
)

TOP = -1


@dataclass(frozen=True, slots=True)
class ReportingLine:
    person_id: int
    manager_id: int
    during: DateRange


class ManagersInACircleError(Exception):
    """These people report to each other in a cycle on that day."""

    def __init__(self, person_ids: Sequence[int], on: date) -> None:
        super().__init__(f"people {', '.join(map(str, person_ids))} report to each other in a circle on {on}")
        self.person_ids = tuple(person_ids)
        self.on = on


def tree_by_manager(
    lines: Iterable[ReportingLine], presence: Mapping[int, Sequence[DateRange]], *, today: date
) -> Structure:
    """A unit for everybody who has reports, on all days.

    A unit's leader is the manager who leads it today and is employed; it is named after them, else after its last
    leader.

    `presence` holds the days of employment; people without an entry are always employed.  If several managers at a
    time have no manager, or nobody has reports, a root unit without a leader is added.
    Raises ManagersInACircleError.
    """
    sweep = _Sweep()
    changes: dict[date, _Changes] = defaultdict(_Changes)
    for line in lines:
        changes[line.during.start].lines.append((line.person_id, line.manager_id))
        if line.during.end < FOR_EVER:
            changes[line.during.end].line_ends.append((line.person_id, line.manager_id))
    for person_id, date_ranges in presence.items():
        sweep.absent.add(person_id)  # until they arrive
        for days in date_ranges:
            changes[days.start].arrivals.append(person_id)
            if days.end < FOR_EVER:
                changes[days.end].departures.append(person_id)
    for day in sorted(changes):
        sweep.step(day, changes[day])
    return sweep.structure(today)


class _Changes:
    """Rows that start and end on one day."""

    __slots__ = ("arrivals", "departures", "line_ends", "lines")

    def __init__(self) -> None:
        self.lines: list[tuple[int, int]] = []
        self.line_ends: list[tuple[int, int]] = []
        self.arrivals: list[int] = []
        self.departures: list[int] = []


class _Sweep:
    """The state on the current day, and the rows of all earlier days."""

    def __init__(self) -> None:
        self.absent: set[int] = set()
        self.manager: dict[int, int] = {}  # by reporting lines; leavers keep theirs
        self.carried: set[int] = set()  # leavers who keep their manager although the line ended
        self.reports: dict[int, set[int]] = defaultdict(set)  # reports who count
        self.counted_for: dict[int, int] = {}  # the inverse
        self.unit_of: dict[int, int] = {}
        self.units: list[DerivedUnit] = [DerivedUnit(ROOT, [""])]
        self.last_unit: dict[int, int] = {}
        self.last_leader: dict[int, int] = {}
        self.keys_used: set[int] = set()
        self.tops: set[int] = set()
        self.several_tops = False
        self.leaders: Timeline[int, int] = Timeline()
        self.parents: Timeline[int, int] = Timeline()
        self.members: Timeline[int, int] = Timeline()

    def step(self, day: date, changes: _Changes) -> None:
        touched = self._apply(changes)
        before: dict[int, set[int]] = {}
        self._count(touched, before)
        self._open_circles(touched, before, day)
        changed_units = self._assign_units(before, day)
        people = touched | {person for manager in before for person in before[manager] | self.reports[manager]}
        people |= changed_units | {person for manager in changed_units for person in self.reports[manager]}
        for person in people | before.keys():
            self._record_position(person, day)
        self.several_tops = self.several_tops or len(self.tops) > 1

    def _apply(self, changes: _Changes) -> set[int]:
        """Apply the day's rows and return the people affected."""
        self.absent.difference_update(changes.arrivals)
        started = dict(changes.lines)
        # Leaving and returning on one day is no absence; adjacent stored rows are not merged.
        self.absent.update(set(changes.departures).difference(changes.arrivals))
        self.manager.update(started)
        ended = {person for person, _ in changes.line_ends if person not in started}
        touched = ended | started.keys() | set(changes.arrivals) | set(changes.departures)
        self.carried.difference_update(started)
        for person in ended:
            if person in self.absent:
                self.carried.add(person)
            else:
                self.manager.pop(person, None)
        for person in self.carried.intersection(changes.arrivals) - self.absent:
            self.carried.discard(person)
            self.manager.pop(person, None)
        return touched

    def _count(self, people: Iterable[int], before: dict[int, set[int]]) -> None:
        """Update `reports` for these people; `before` receives each manager's previous reports."""
        waiting = list(people)
        while waiting:
            person = waiting.pop()
            counts = person not in self.absent or bool(self.reports.get(person))
            manager = self.manager.get(person) if counts else None
            held = self.counted_for.get(person)
            if manager == held:
                continue
            if held is not None:
                before.setdefault(held, set(self.reports[held]))
                self.reports[held].discard(person)
                del self.counted_for[person]
                waiting.append(held)
            if manager is not None:
                before.setdefault(manager, set(self.reports[manager]))
                self.reports[manager].add(person)
                self.counted_for[person] = manager
                waiting.append(manager)

    def _open_circles(self, touched: Iterable[int], before: dict[int, set[int]], day: date) -> None:
        """Refuse cycles; break one that closes only through people who have left."""
        for person in touched:
            path = [person]
            seen = {person}
            while (above := self.counted_for.get(path[-1])) is not None and above not in seen:
                path.append(above)
                seen.add(above)
            if above is None:
                continue
            circle = path[path.index(above) :]
            gone = self.carried.intersection(circle)
            if not gone:
                raise ManagersInACircleError(circle, day)
            for one in gone:
                self.carried.discard(one)
                self.manager.pop(one, None)
            self._count(gone, before)

    def _assign_units(self, before: Mapping[int, set[int]], day: date) -> set[int]:
        """Assign a unit to each manager from this day on; return the managers whose unit changed."""
        old = {manager: self.unit_of.get(manager) for manager in before}
        vacant = [manager for manager in before if manager in self.unit_of and not self.reports[manager]]
        units = {manager: self.unit_of.pop(manager) for manager in vacant}
        votes = {manager: self._successor(manager, before) for manager in vacant}
        vacant.sort(key=lambda manager: (-votes[manager][1], units[manager]))
        successors: set[int] = set()
        for manager in vacant:  # grows: a manager who takes over a larger unit frees their own
            successor, strength = votes[manager]
            if successor is None or successor in successors:
                continue
            own = self.unit_of.get(successor)
            if own is not None:
                if strength <= len(before[successor] & self.reports[successor]):
                    continue
                units[successor] = own
                votes[successor] = self._successor(successor, before)
                vacant.append(successor)
            successors.add(successor)
            self.unit_of[successor] = units[manager]
            self.units[units[manager]].keys.append(self._key(successor, day))
        for manager in sorted(before):
            if self.reports[manager] and manager not in self.unit_of:
                self.unit_of[manager] = self._resume_or_create(manager, day)
        changed = {manager for manager in before if self.unit_of.get(manager) != old[manager]}
        led = {self.unit_of[manager]: manager for manager in changed if manager in self.unit_of}
        left = {unit for manager in changed if (unit := old[manager]) is not None}
        for unit in left - led.keys():
            self.leaders.put(unit, None, day)
            self.parents.put(unit, None, day)
            self.tops.discard(unit)
        for unit, manager in led.items():
            self.leaders.put(unit, manager, day)
            self.last_unit[manager] = unit
            self.last_leader[unit] = manager
        return changed

    def _successor(self, manager: int, before: Mapping[int, set[int]]) -> tuple[int | None, int]:
        """The manager most of the reports moved to, and their number; None if the team scattered.

        Reports who now lead others of the team, and leavers, do not vote.  A single report is no team: they take the
        unit along only if its manager has left.
        """
        team = before[manager]
        staying = [
            person
            for person in team
            if (person not in self.absent or person in self.counted_for) and not self.reports[person] & team
        ]
        chosen = Counter(
            self.counted_for[person] for person in staying if self.counted_for.get(person) not in (None, manager)
        )
        if not chosen:
            return None, 0
        successor, strength = min(chosen.items(), key=lambda one: (-one[1], one[0]))
        alone = strength == 1 and manager not in self.absent
        return (None, 0) if 2 * strength <= len(staying) or alone else (successor, strength)

    def _resume_or_create(self, manager: int, day: date) -> int:
        """The unit the manager led last if nobody leads it now; otherwise a new unit."""
        last = self.last_unit.get(manager)
        if last is not None and self.last_leader[last] == manager:
            return last
        unit = DerivedUnit(len(self.units), [self._key(manager, day)])
        self.units.append(unit)
        return unit.number

    def _key(self, manager: int, day: date) -> str:
        first = manager not in self.keys_used
        self.keys_used.add(manager)
        return str(manager) if first else f"{manager} {day}"

    def _record_position(self, person: int, day: date) -> None:
        """Record the person's membership and their unit's parent."""
        above = self.counted_for.get(person)
        own = self.unit_of.get(person)
        parent = None if above is None else self.unit_of[above]
        self.members.put(person, None if person in self.absent else own if own is not None else parent, day)
        if own is None:
            return
        self.parents.put(own, TOP if parent is None else parent, day)
        if parent is None:
            self.tops.add(own)
        else:
            self.tops.discard(own)

    def structure(self, today: date) -> Structure:
        """The whole tree; without an extra root if one manager is at the top on every day."""
        members = [Member(person, unit, during) for person, unit, during in self.members.rows()]
        there = {(member.person_id, member.number) for member in members if member.during.holds(today)}
        for unit, manager, during in sorted(self.leaders.rows(), key=lambda row: row[2].start):
            if during.start <= today or self.units[unit].named_after_id is None:
                self.units[unit].named_after_id = manager
            if during.holds(today) and (manager, unit) in there:
                self.units[unit].leader_id = manager
        own_root = self.several_tops or len(self.units) == 1
        places = [Place(ROOT, None, DateRange(SINCE_EVER, FOR_EVER))] if own_root else []
        for unit, parent, during in self.parents.rows():
            above = (ROOT if own_root else None) if parent == TOP else parent
            places.append(Place(unit, above, during))
        return Structure(self.units if own_root else self.units[1:], places, members)
