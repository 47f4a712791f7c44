"""Silences of versions, from counts by agent, version and local day.

A version is compared with the previous one, and with itself on earlier days: a signal that most sessions had then and
hardly any has now has stopped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from integrations.silence.signals import SIGNALS

if TYPE_CHECKING:
    from integrations.models import Silence

# The days over which sessions are compared: an agent has a new version every few days, and two weekends fit in.
FORTNIGHT = timedelta(days=14)
# The sessions of a day that are conclusive, and the people behind them: one person's settings are no version's silence.
# Sessions of this many people are conclusive, however few: an agent that names no session has one per person and day.
ENOUGH_SESSIONS, ENOUGH_PEOPLE, MANY_PEOPLE = 10, 3, 5
# An organisation that never has this many in a day is judged by all sessions of a whole day.  If four of five sessions
# have a signal, three without it occur by chance in one of 125 cases.
FEWEST_SESSIONS = 3
# The earlier sessions required for a meaningful share.
ENOUGH_BEFORE = 10
# Shares of "most sessions had it" and "hardly any has it": sessions without lines or tools are common, and people do
# not change to a version all at once.
USUAL, SILENT = 0.8, 0.2
# The share from which a signal is back: more usual than not, because people update one after the other.
RETURNED = 0.5


class VersionDay(NamedTuple):
    """Sessions of a version that began on a local day, with the number of people, and of sessions that have each
    signal.
    """

    agent: str
    version: str
    day: date
    sessions: int
    people: int
    having: Mapping[str, int]


@dataclass(frozen=True)
class VersionSilence:
    agent: str
    version: str
    signal: str
    since: date
    sessions: int
    people: int
    share_before: float
    version_before: str


def silent_versions(days: Iterable[VersionDay], today: date) -> list[VersionSilence]:
    """The silences on the last day that can be judged, by agent and version."""
    return [
        silence
        for agent, of_agent in by_agent(days).items()
        for version in sorted({day.version for day in of_agent})
        for silence in _silences(agent, version, of_agent, today)
    ]


def has_returned(days: Iterable[VersionDay], silence: VersionSilence | Silence, today: date) -> bool:
    """Whether most sessions of the version have the signal on the last day since then that can be judged.

    A day can be judged if it has as many sessions as those in which the silence was noticed: a quiet Sunday ends
    nothing.
    """
    later = sorted((day for day in days if day.version == silence.version and day.day > silence.since), key=_day_of)
    if _prove(silence.sessions, silence.people):
        later = [day for day in later if _prove(day.sessions, day.people)]
    else:
        later = [day for day in later if day.day < today or day.sessions >= FEWEST_SESSIONS]
    return bool(later) and later[-1].having[silence.signal] >= RETURNED * later[-1].sessions


def sessions_without(days: Iterable[VersionDay], silence: Silence) -> int:
    """The number of the version's sessions that have lacked the signal since; `days` are of its agent."""
    since = [day for day in days if day.version == silence.version and day.day >= silence.since]
    return sum(day.sessions - day.having[silence.signal] for day in since)


def by_agent(days: Iterable[VersionDay]) -> dict[str, list[VersionDay]]:
    found: dict[str, list[VersionDay]] = {}
    for day in days:
        found.setdefault(day.agent, []).append(day)
    return found


def _silences(agent: str, version: str, days: Sequence[VersionDay], today: date) -> Iterator[VersionSilence]:
    own = sorted((day for day in days if day.version == version), key=_day_of)
    judged = _judged(own, days, today)
    if judged is None:
        return
    earlier = [day for day in days if judged.day - FORTNIGHT <= day.day < judged.day]
    silent = [signal for signal in SIGNALS if judged.having[signal] <= SILENT * judged.sessions]
    if not _prove(judged.sessions, judged.people):
        silent = [signal for signal in silent if not judged.having[signal]]  # all of few sessions must lack it
    reported: set[str] = set()
    for signal in silent:
        before = _usual_before(own, signal, earlier)
        if before is None:
            continue
        reported.add(signal)
        if not reported.isdisjoint(SIGNALS[signal].part_of):
            continue
        lacking = _lacking(own, signal, judged)
        silence = VersionSilence(
            agent=agent,
            version=version,
            signal=signal,
            since=lacking[0].day,
            sessions=sum(day.sessions - day.having[signal] for day in lacking),
            people=max(day.people for day in lacking),
            share_before=before[1],
            version_before=before[0],
        )
        if not has_returned(own, silence, today):
            yield silence


def _judged(own: Sequence[VersionDay], of_agent: Sequence[VersionDay], today: date) -> VersionDay | None:
    """Today or yesterday if it has enough sessions; if no day of the fortnight has enough, yesterday as a whole."""
    recent = [day for day in own if today - timedelta(days=1) <= day.day <= today]
    if enough := [day for day in recent if _prove(day.sessions, day.people)]:
        return enough[-1]
    sessions: dict[date, int] = {}
    people: dict[date, int] = {}
    for day in of_agent:
        sessions[day.day] = sessions.get(day.day, 0) + day.sessions
        people[day.day] = people.get(day.day, 0) + day.people
    if any(_prove(sessions[day], people[day]) for day in sessions if day < today):
        return None
    whole = [day for day in recent if day.day < today and day.sessions >= FEWEST_SESSIONS]
    return whole[-1] if whole else None


def _usual_before(own: Sequence[VersionDay], signal: str, earlier: Sequence[VersionDay]) -> tuple[str, float] | None:
    """The version in which the signal was usual, and its share: the same version earlier, or the previous one."""
    for compared in (own[0].version, _version_before(own, earlier)):
        of_version = [day for day in earlier if day.version == compared]
        sessions = sum(day.sessions for day in of_version)
        having = sum(day.having[signal] for day in of_version)
        if compared is not None and sessions >= ENOUGH_BEFORE and having >= USUAL * sessions:
            return compared, having / sessions
    return None


def _version_before(own: Sequence[VersionDay], earlier: Sequence[VersionDay]) -> str | None:
    """The previous version among those used before with enough sessions: the nearest lower one, else the most used.

    A version that has existed for as long is not a previous one: it may be another program of that name, such as an
    editor's.
    """
    version, first = own[0].version, own[0].day
    sessions: dict[str, int] = {}
    for day in earlier:
        if day.version != version:
            sessions[day.version] = sessions.get(day.version, 0) + day.sessions
    there_before = {day.version for day in earlier if day.day < first}
    others = [other for other, count in sessions.items() if count >= ENOUGH_BEFORE and other in there_before]
    if lower := [other for other in others if _number(other) < _number(version)]:
        return max(lower, key=_number)
    return max(others, key=lambda other: (sessions[other], other), default=None)


def _prove(sessions: int, people: int) -> bool:
    return people >= MANY_PEOPLE or (sessions >= ENOUGH_SESSIONS and people >= ENOUGH_PEOPLE)


def _day_of(day: VersionDay) -> date:
    return day.day


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdecimal())


def _lacking(own: Sequence[VersionDay], signal: str, judged: VersionDay) -> list[VersionDay]:
    """The version's days up to the judged one, back to the last on which it was not silent."""
    lacking: list[VersionDay] = []
    for day in reversed([day for day in own if day.day <= judged.day]):
        if day.having[signal] > SILENT * day.sessions:
            break
        lacking.insert(0, day)
    return lacking
