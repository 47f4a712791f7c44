"""The tree of who reports to whom.  docs/org-trees.md states the rules in words.

One pass over the days on which anything changes.  A person is *there* on the days of their employment, and *counts*
while they are there or somebody who counts reports to them: a team whose manager has left stays together, where it
stood, until it gets another manager.
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
    DerivedUnit,
    Member,
    Place,
    Stretch,
    Structure,
    Timeline,
)

TOP = -1


@dataclass(frozen=True, slots=True)
class ReportingLine:
    person_id: int
    manager_id: int
    during: Stretch


class ManagersInACircleError(Exception):
    """On that day these people report to each other in a circle."""

    def __init__(self, person_ids: Sequence[int], on: date) -> None:
        super().__init__(f"people {', '.join(map(str, person_ids))} report to each other in a circle on {on}")
        self.person_ids = tuple(person_ids)
        self.on = on


def tree_by_manager(
    lines: Iterable[ReportingLine], presence: Mapping[int, Sequence[Stretch]], *, today: date
) -> Structure:
    """The units of everybody who has reports, on all days.

    A unit's leader is who leads it today and is there; it is named after them, else after its last leader.

    `presence` holds the days of employment; who is not in it is always there.  Where more than one manager at a time
    has no manager, or nobody has reports, a unit of nobody's stands at the top.
    Raises ManagersInACircleError.
    """
    sweep = _Sweep()
    changes: dict[date, _Changes] = defaultdict(_Changes)
    for line in lines:
        changes[line.during.start].lines.append((line.person_id, line.manager_id))
        if line.during.end < FOR_EVER:
            changes[line.during.end].line_ends.append((line.person_id, line.manager_id))
    for person_id, stretches in presence.items():
        sweep.absent.add(person_id)  # until they arrive
        for stretch in stretches:
            changes[stretch.start].arrivals.append(person_id)
            if stretch.end < FOR_EVER:
                changes[stretch.end].departures.append(person_id)
    for day in sorted(changes):
        sweep.step(day, changes[day])
    return sweep.structure(today)


class _Changes:
    """What begins and ends on a day."""

    __slots__ = ("arrivals", "departures", "line_ends", "lines")

    def __init__(self) -> None:
        self.lines: list[tuple[int, int]] = []
        self.line_ends: list[tuple[int, int]] = []
        self.arrivals: list[int] = []
        self.departures: list[int] = []


class _Sweep:
    """The state of a day, and the rows of all days before it."""

    def __init__(self) -> None:
        self.absent: set[int] = set()
        self.manager: dict[int, int] = {}  # as the lines say, kept by who has left
        self.carried: set[int] = set()  # people who have left and keep their manager although the line has ended
        self.reports: dict[int, set[int]] = defaultdict(set)  # those who count
        self.counted_for: dict[int, int] = {}  # the same, from below
        self.unit_of: dict[int, int] = {}
        self.units: list[DerivedUnit] = [DerivedUnit(ROOT, [""])]
        self.last_unit: dict[int, int] = {}
        self.last_leader: dict[int, int] = {}
        self.has_begun: set[int] = set()
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
        changed_units = self._hand_on(before, day)
        people = touched | {person for manager in before for person in before[manager] | self.reports[manager]}
        people |= changed_units | {person for manager in changed_units for person in self.reports[manager]}
        for person in people | before.keys():
            self._note(person, day)
        self.several_tops = self.several_tops or len(self.tops) > 1

    def _apply(self, changes: _Changes) -> set[int]:
        """Take in the day's rows; the people of whom they tell."""
        self.absent.difference_update(changes.arrivals)
        begun = dict(changes.lines)
        # Who leaves and comes back on one day was never away; stored rows that touch are not merged.
        self.absent.update(set(changes.departures).difference(changes.arrivals))
        self.manager.update(begun)
        ended = {person for person, _ in changes.line_ends if person not in begun}
        touched = ended | begun.keys() | set(changes.arrivals) | set(changes.departures)
        self.carried.difference_update(begun)
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
        """Bring `reports` in step for these people; `before` gets the reports of every manager as they were."""
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
        """Refuse circles; one that only closes through somebody who left long ago opens there."""
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

    def _hand_on(self, before: Mapping[int, set[int]], day: date) -> set[int]:
        """Say which unit each manager leads from this day on; the managers for whom that is another one."""
        old = {manager: self.unit_of.get(manager) for manager in before}
        vacant = [manager for manager in before if manager in self.unit_of and not self.reports[manager]]
        units = {manager: self.unit_of.pop(manager) for manager in vacant}
        votes = {manager: self._successor(manager, before) for manager in vacant}
        vacant.sort(key=lambda manager: (-votes[manager][1], units[manager]))
        taken: set[int] = set()
        for manager in vacant:  # grows: whoever moves to a greater unit leaves theirs to others
            successor, strength = votes[manager]
            if successor is None or successor in taken:
                continue
            own = self.unit_of.get(successor)
            if own is not None:
                if strength <= len(before[successor] & self.reports[successor]):
                    continue
                units[successor] = own
                votes[successor] = self._successor(successor, before)
                vacant.append(successor)
            taken.add(successor)
            self.unit_of[successor] = units[manager]
            self.units[units[manager]].keys.append(self._key(successor, day))
        for manager in sorted(before):
            if self.reports[manager] and manager not in self.unit_of:
                self.unit_of[manager] = self._resume_or_begin(manager, day)
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
        """To whom most of the manager's reports have gone, and how many; None where a team has scattered.

        Who now leads others of them has no say, and whoever has left neither.  One person is no team: alone they
        take the unit along only when its manager has left.
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

    def _resume_or_begin(self, manager: int, day: date) -> int:
        """The unit that the manager was the last to lead, if nobody does now, else a new one."""
        last = self.last_unit.get(manager)
        if last is not None and self.last_leader[last] == manager:
            return last
        unit = DerivedUnit(len(self.units), [self._key(manager, day)])
        self.units.append(unit)
        return unit.number

    def _key(self, manager: int, day: date) -> str:
        first = manager not in self.has_begun
        self.has_begun.add(manager)
        return str(manager) if first else f"{manager} {day}"

    def _note(self, person: int, day: date) -> None:
        """Write down where the person is a member, and where their unit stands."""
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
        """All of it; without the unit at the top where one manager stands there on every day."""
        members = [Member(person, unit, during) for person, unit, during in self.members.rows()]
        there = {(member.person_id, member.number) for member in members if member.during.holds(today)}
        for unit, manager, during in sorted(self.leaders.rows(), key=lambda row: row[2].start):
            if during.start <= today or self.units[unit].named_after_id is None:
                self.units[unit].named_after_id = manager
            if during.holds(today) and (manager, unit) in there:
                self.units[unit].leader_id = manager
        own_root = self.several_tops or len(self.units) == 1
        places = [Place(ROOT, None, Stretch(SINCE_EVER, FOR_EVER))] if own_root else []
        for unit, parent, during in self.parents.rows():
            above = (ROOT if own_root else None) if parent == TOP else parent
            places.append(Place(unit, above, during))
        return Structure(self.units if own_root else self.units[1:], places, members)
