"""What a telling changes of a record that others have told of before: plain functions over times, without a database.

Tellings come in any order, several times, and say different things.  Each field, and each part, keeps the word of the
newest telling that spoke of it.  A telling is as new as its `updated_at`; one without comes when it comes, and counts.

Nearly every field of a record was last told at the record's own `updated_at`.  What was not stands in its `tellings`:

    {"additions": "2026-03-02T10:00:00+00:00",           told then, and left out by the newer telling
     "estimate": null,                                   never told
     "reviews": "2026-03-02T10:00:00+00:00",             told as a whole then
     "reviews/7": "2026-03-03T09:00:00+00:00"}   this one was told by itself since

so that a record that was told as a whole has nothing there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

Tellings = dict[str, str | None]
DELETION = "deleted"  # when the provider itself said so; what was merely missing from a list has no such time


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored of a record.  `final`: in a state that no provider takes back, such as merged."""

    id: int
    updated_at: datetime | None
    tellings: Tellings
    final: bool = False


@dataclass(frozen=True, slots=True)
class PartsTelling:
    """Which parts a telling names, by key; `whole` where there are no others."""

    keys: Collection[str]
    whole: bool


@dataclass(frozen=True, slots=True)
class Telling:
    """What a draft speaks of: the names of its fields, and its parts by the name of their collection.

    `lasting` is False where it tells a state that may still change; see `Known.final`.
    """

    at: datetime | None
    fields: Collection[str]
    parts: Mapping[str, PartsTelling] = field(default_factory=dict)
    deleted: bool = False
    lasting: bool = True


@dataclass(frozen=True, slots=True)
class PartsToStore:
    """Keys of the parts to write; of a whole telling also those to keep although it does not name them."""

    keys: Collection[str]
    whole: bool
    keep: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class ToStore:
    """What a telling comes to.  `deleted` is None where that stays as it is."""

    fields: Collection[str]
    parts: Mapping[str, PartsToStore]
    deleted: bool | None
    updated_at: datetime | None
    tellings: Tellings


def weigh(telling: Telling, known: Known | None, *, all_fields: Collection[str], all_parts: Collection[str]) -> ToStore:
    """What to store of a telling; `all_fields` and `all_parts` are those of which tellings may be silent."""
    if known is None:
        return _first_word(telling, [*all_fields, *all_parts])
    before = known.updated_at
    now = telling.at if before is None else max(telling.at or before, before)
    tellings = _moved(known, now, [*all_fields, *all_parts])
    times = _Times(tellings, now)
    stale = _is_stale(telling, known)
    fields = [name for name in telling.fields if not stale or times.accepts_late(name, telling.at)]
    for name in fields:
        times.set(name, telling.at)
    parts = {name: _weigh_parts(name, part, telling.at, times) for name, part in telling.parts.items()}
    deleted = None if stale else _deletion(telling, times)
    return ToStore(fields, parts, deleted, now, tellings)


def _first_word(telling: Telling, names: Sequence[str]) -> ToStore:
    """All that is told of a record that nobody told of before."""
    tellings: Tellings = {}
    if telling.at is not None:
        at = telling.at.isoformat()
        tellings = dict.fromkeys(name for name in names if name not in telling.fields and name not in telling.parts)
        for name, part in telling.parts.items():
            if not part.whole:
                tellings[name] = None
                tellings |= {f"{name}/{key}": at for key in part.keys}
        if telling.deleted:
            tellings[DELETION] = at
    parts = {name: PartsToStore(part.keys, part.whole) for name, part in telling.parts.items()}
    return ToStore(telling.fields, parts, telling.deleted, telling.at, tellings)


def _is_stale(telling: Telling, known: Known) -> bool:
    if known.updated_at is None or telling.at is None:
        return False
    if telling.at == known.updated_at:
        return known.final and not telling.lasting  # two things in one second, told in the wrong order
    return telling.at < known.updated_at


def _moved(known: Known, now: datetime | None, names: Sequence[str]) -> Tellings:
    """The times of before, in which what was told at the record's old time has to be named once it gets a new one."""
    if now is None:
        return {}
    if known.updated_at is None:
        return dict.fromkeys(names)
    if now == known.updated_at:
        return dict(known.tellings)
    return dict.fromkeys(names, known.updated_at.isoformat()) | known.tellings


class _Times:
    """When what was told, as far as it is not the record's own time."""

    def __init__(self, tellings: Tellings, now: datetime | None) -> None:
        self.tellings = tellings
        self.now = now

    def of(self, name: str) -> datetime | None:
        """None: never, or nobody knows when."""
        if name not in self.tellings:
            return self.now
        version = self.tellings[name]
        return datetime.fromisoformat(version) if version else None

    def set(self, name: str, at: datetime | None) -> None:
        if at is None or at == self.now:
            self.tellings.pop(name, None)
        else:
            self.tellings[name] = at.isoformat()

    def accepts_late(self, name: str, at: datetime | None) -> bool:
        """Whether a telling that is older than the record still knows this best."""
        if name not in self.tellings:
            return False
        version = self.of(name)
        return version is None or at is None or at >= version

    def accepts(self, name: str, at: datetime | None) -> bool:
        version = self.of(name)
        return version is None or at is None or at >= version


def _deletion(telling: Telling, times: _Times) -> bool | None:
    if telling.deleted:
        if telling.at is not None:
            times.tellings[DELETION] = telling.at.isoformat()
        return True
    if not times.accepts(DELETION, telling.at) or (DELETION in times.tellings and times.of(DELETION) == telling.at):
        return None  # told in the same second as its end
    times.tellings.pop(DELETION, None)
    return False


def _weigh_parts(name: str, part: PartsTelling, at: datetime | None, times: _Times) -> PartsToStore:
    if not times.accepts(name, at):
        return PartsToStore((), whole=False)  # a whole telling since has said which there are
    alone = {key: times.of(key) for key in times.tellings if key.startswith(f"{name}/")}
    prefixed = {f"{name}/{key}": key for key in part.keys}
    late = {key for key, since in alone.items() if at is not None and since is not None and since > at}
    if not part.whole:
        fresh = [key for path, key in prefixed.items() if path not in late]
        if at is not None:
            times.tellings |= {f"{name}/{key}": at.isoformat() for key in fresh}
        return PartsToStore(fresh, whole=False)
    times.set(name, at)
    versions = late | {key for key, since in alone.items() if at is not None and since == at and key not in prefixed}
    for key in alone.keys() - versions:
        del times.tellings[key]
    return PartsToStore(
        [key for path, key in prefixed.items() if path not in late],
        whole=True,
        keep=[key.removeprefix(f"{name}/") for key in versions],
    )
