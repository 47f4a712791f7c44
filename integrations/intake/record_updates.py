"""Merges a record update into a stored record: plain functions over timestamps, without a database.

Updates arrive in any order, repeatedly, and cover different fields.  Each field, and each part, keeps the value of the
newest update that provided it.  An update's version is its `updated_at`; one without it counts as the newest.

Nearly every field was last provided at the record's own `updated_at`.  Exceptions are stored in its `tellings` column:

    {"additions": "2026-03-02T10:00:00+00:00",           provided then, and omitted by the newer update
     "estimate": null,                                   never provided
     "reviews": "2026-03-02T10:00:00+00:00",             the whole collection was provided then
     "reviews/7": "2026-03-03T09:00:00+00:00"}           this review was provided alone later

A record whose latest update provided everything has no exceptions.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

FieldVersions = dict[str, str | None]
DELETION = "deleted"  # reported by the provider; a record that was only missing from a list has no timestamp


@dataclass(frozen=True, slots=True)
class Known:
    """The stored record.  `final`: in a state that never changes again, such as merged."""

    id: int
    updated_at: datetime | None
    field_versions: FieldVersions
    final: bool = False

    def was_provided(self, collection: str) -> bool:
        """Whether any update with a time provided this collection or a part of it."""
        if self.updated_at is None:
            return False
        return self.field_versions.get(collection, "now") is not None or any(
            name.startswith(f"{collection}/") for name in self.field_versions
        )


@dataclass(frozen=True, slots=True)
class PartsUpdate:
    """The parts that an update provides, by key; `whole` if it provides the complete collection."""

    keys: Collection[str]
    whole: bool


@dataclass(frozen=True, slots=True)
class RecordUpdate:
    """The content of a draft: the names of its fields, and its parts by collection name.

    `lasting` is False if its state may still change; see `Known.final`.
    """

    at: datetime | None
    fields: Collection[str]
    parts: Mapping[str, PartsUpdate] = field(default_factory=dict)
    deleted: bool = False
    lasting: bool = True


@dataclass(frozen=True, slots=True)
class MergedParts:
    """Keys of the parts to write; for a complete collection, also the keys of parts that it lacks and that are kept."""

    keys: Collection[str]
    whole: bool
    keep: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class MergedUpdate:
    """The result of a merge.  `deleted` is None if it stays unchanged."""

    fields: Collection[str]
    parts: Mapping[str, MergedParts]
    deleted: bool | None
    updated_at: datetime | None
    field_versions: FieldVersions


def merge(
    update: RecordUpdate, known: Known | None, *, all_fields: Collection[str], all_parts: Collection[str]
) -> MergedUpdate:
    """The changes to store for an update; `all_fields` and `all_parts` are the ones that updates may omit."""
    if known is None:
        return _first_update(update, [*all_fields, *all_parts])
    before = known.updated_at
    now = update.at if before is None else max(update.at or before, before)
    field_versions = _carried_over(known, now, [*all_fields, *all_parts])
    versions = _Versions(field_versions, now)
    stale = _is_stale(update, known)
    fields = [name for name in update.fields if not stale or versions.accepts_late(name, update.at)]
    for name in fields:
        versions.set(name, update.at)
    parts = {name: _merge_parts(name, part, update.at, versions) for name, part in update.parts.items()}
    deleted = None if stale else _deletion(update, versions)
    return MergedUpdate(fields, parts, deleted, now, field_versions)


def _first_update(update: RecordUpdate, names: Sequence[str]) -> MergedUpdate:
    """The first update of a record: everything in it is stored."""
    field_versions: FieldVersions = {}
    if update.at is not None:
        at = update.at.isoformat()
        field_versions = dict.fromkeys(name for name in names if name not in update.fields and name not in update.parts)
        for name, part in update.parts.items():
            if not part.whole:
                field_versions[name] = None
                field_versions |= {f"{name}/{key}": at for key in part.keys}
        if update.deleted:
            field_versions[DELETION] = at
    parts = {name: MergedParts(part.keys, part.whole) for name, part in update.parts.items()}
    return MergedUpdate(update.fields, parts, update.deleted, update.at, field_versions)


def _is_stale(update: RecordUpdate, known: Known) -> bool:
    if known.updated_at is None or update.at is None:
        return False
    if update.at == known.updated_at:
        return known.final and not update.lasting  # two changes in one second, received in the wrong order
    return update.at < known.updated_at


def _carried_over(known: Known, now: datetime | None, names: Sequence[str]) -> FieldVersions:
    """The stored versions; fields at the record's old `updated_at` become exceptions once it gets a new one."""
    if now is None:
        return {}
    if known.updated_at is None:
        return dict.fromkeys(names)
    if now == known.updated_at:
        return dict(known.field_versions)
    return dict.fromkeys(names, known.updated_at.isoformat()) | known.field_versions


class _Versions:
    """Versions of fields and parts that differ from the record's own `updated_at`."""

    def __init__(self, field_versions: FieldVersions, now: datetime | None) -> None:
        self.by_name = field_versions
        self.now = now

    def of(self, name: str) -> datetime | None:
        """The version of a field; None if it was never provided, or at an unknown time."""
        if name not in self.by_name:
            return self.now
        version = self.by_name[name]
        return datetime.fromisoformat(version) if version else None

    def set(self, name: str, at: datetime | None) -> None:
        if at is None or at == self.now:
            self.by_name.pop(name, None)
        else:
            self.by_name[name] = at.isoformat()

    def accepts_late(self, name: str, at: datetime | None) -> bool:
        """Whether an update that is older than the record still has the newest value of this field."""
        return name in self.by_name and self.accepts(name, at)

    def accepts(self, name: str, at: datetime | None) -> bool:
        version = self.of(name)
        return version is None or at is None or at >= version


def _deletion(update: RecordUpdate, versions: _Versions) -> bool | None:
    if update.deleted:
        if update.at is not None:
            versions.by_name[DELETION] = update.at.isoformat()
        return True
    same_second = DELETION in versions.by_name and versions.of(DELETION) == update.at
    if same_second or not versions.accepts(DELETION, update.at):
        return None  # received in the same second as its deletion
    versions.by_name.pop(DELETION, None)
    return False


def _merge_parts(name: str, part: PartsUpdate, at: datetime | None, versions: _Versions) -> MergedParts:
    if not versions.accepts(name, at):
        return MergedParts((), whole=False)  # superseded by a newer complete collection
    alone = {key: versions.of(key) for key in versions.by_name if key.startswith(f"{name}/")}
    prefixed = {f"{name}/{key}": key for key in part.keys}
    late = {key for key, since in alone.items() if at is not None and since is not None and since > at}
    if not part.whole:
        fresh = [key for path, key in prefixed.items() if path not in late]
        if at is not None:
            versions.by_name |= {f"{name}/{key}": at.isoformat() for key in fresh}
        return MergedParts(fresh, whole=False)
    versions.set(name, at)
    keep = late | {key for key, since in alone.items() if at is not None and since == at and key not in prefixed}
    for key in alone.keys() - keep:
        del versions.by_name[key]
    return MergedParts(
        [key for path, key in prefixed.items() if path not in late],
        whole=True,
        keep=[key.removeprefix(f"{name}/") for key in keep],
    )
