"""Writes drafts of one kind, each record once: merged with the stored record, in as few statements as possible."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core import sql
from integrations.connectors.drafts import MISSING, Draft, Missing, ProvidedParts, Who
from integrations.intake.record_updates import Known, MergedUpdate, PartsUpdate, RecordUpdate, merge
from integrations.intake.rows import as_json, key_of, values_of
from integrations.intake.statements import (
    delete_other_parts,
    insert_records,
    known_records,
    put_parts,
    update_records,
    write_field_versions,
)
from integrations.intake.tables import Column, PartTable, RecordTable, Source
from integrations.models import Connection

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class References:
    """Database ids for the names in drafts: a person's identity, and the row of a repository or project."""

    people: Mapping[Who, int]
    places: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Expected:
    """Derived columns predicted from a new record's draft alone; usually right, and corrected later if not."""

    columns: tuple[Column, ...]
    of: Callable[[Draft], Row]


@dataclass(slots=True)
class Written:
    """The outcome of a write: ids by external id, and which records were added, changed or deleted."""

    ids: dict[str, int] = field(default_factory=dict)
    added: set[int] = field(default_factory=set)
    changed: set[int] = field(default_factory=set)
    removed: set[int] = field(default_factory=set)
    known_as_gone: set[int] = field(default_factory=set)  # their deletion arrived before anything else

    @property
    def touched(self) -> set[int]:
        return self.added | self.changed | self.removed | self.known_as_gone

    def note_changed(self, ids: set[int]) -> None:
        """Mark records as changed although their own rows are not."""
        self.changed |= ids - self.added - self.removed - self.known_as_gone


@dataclass(slots=True)
class StoredRecord:
    """A stored record before this update."""

    known: Known
    deleted: bool


def known_of(connection: Connection, table: RecordTable, external_ids: Collection[str]) -> dict[str, StoredRecord]:
    """The stored versions of these records, by external id."""
    parameters = {"connection": connection.pk, "external_ids": sorted(external_ids)}
    return {
        external_id: StoredRecord(Known(id_, updated_at, json.loads(field_versions), final), deleted)
        for external_id, id_, updated_at, field_versions, final, deleted in sql.rows(known_records(table), parameters)
    }


def write_records(
    connection: Connection,
    table: RecordTable,
    drafts: Sequence[Draft],
    stored: Mapping[str, StoredRecord],
    references: References,
    *,
    expected: Expected | None = None,
) -> Written:
    """Store drafts of different records, in the caller's transaction, while nobody else writes them.

    `expected` predicts derived columns of new records, so that their rows need not be written twice.
    """
    merged_records = [_merge(table, draft, stored.get(draft.external_id), references) for draft in drafts]
    written = Written({external_id: record.known.id for external_id, record in stored.items()})
    new = [record for record in merged_records if record.before is None]
    if expected is not None:
        for record in new:
            record.row |= expected.of(record.draft)
    _insert(connection, table, new, written, expected.columns if expected else ())
    _update(table, [record for record in merged_records if record.before is not None], written)
    for part in table.parts:
        written.note_changed(_write_parts(part, merged_records, written.ids))
    if table.following:
        written.note_changed({record.before.known.id for record in merged_records if record.before and record.follows})
    return written


@dataclass(slots=True)
class _Merged:
    """A draft, its parts as rows by key, and the result of the merge.

    `follows` says whether it is the first to provide the parts from which fields are derived.
    """

    draft: Draft
    parts: Mapping[str, Mapping[str, Row]]
    to_store: MergedUpdate
    before: StoredRecord | None
    row: Row
    follows: bool


def _merge(table: RecordTable, draft: Draft, before: StoredRecord | None, references: References) -> _Merged:
    followed_before = bool(table.following and before and before.known.was_provided(table.following.collection))
    follows = not followed_before and _provides_followed(table, draft)
    following = table.following.fields if table.following and (followed_before or follows) else ()
    provided = [name for name in table.sources if name not in following and getattr(draft, name) is not MISSING]
    parts: dict[str, Mapping[str, Row]] = {}
    part_updates: dict[str, PartsUpdate] = {}
    for name, part in table.collections.items():
        collection: ProvidedParts[Any] | Missing = getattr(draft, name)
        if not isinstance(collection, Missing):
            parts[name] = _part_rows(part, collection, references)
            part_updates[name] = PartsUpdate(parts[name].keys(), collection.whole)
    lasting = (
        table.lasting is None
        or table.lasting.column in following
        or getattr(draft, table.lasting.column) in (*table.lasting.values, MISSING)
    )
    to_store = merge(
        RecordUpdate(draft.updated_at, provided, part_updates, deleted=draft.deleted, lasting=lasting),
        before.known if before else None,
        all_fields=table.optional,
        all_parts=table.collections.keys(),
    )
    row = {
        table.sources[name].column.name: _value(getattr(draft, name), table.sources[name], table, references)
        for name in to_store.fields
    }
    row["updated_at"], row["tellings"] = to_store.updated_at, to_store.field_versions
    row["deleted"] = bool(before and before.deleted) if to_store.deleted is None else to_store.deleted
    return _Merged(draft, parts, to_store, before, row, follows)


def _provides_followed(table: RecordTable, draft: Draft) -> bool:
    """Whether a draft provides parts from which fields are derived, or says that there are none."""
    if table.following is None:
        return False
    collection: ProvidedParts[Any] | Missing = getattr(draft, table.following.collection)
    return not isinstance(collection, Missing) and bool(collection.whole or collection.parts)


def _value(value: Any, source: Source, table: RecordTable, references: References) -> Any:
    if source.field == table.place:
        return references.places.get(value)
    return references.people[value] if isinstance(value, Who) else value


def _part_rows(part: PartTable, collection: ProvidedParts[Any], references: References) -> Mapping[str, Row]:
    """Rows by key; if two parts have the same key, the later one."""
    rows = {}
    keys = [column.name for column in part.key_columns]
    for draft in part.in_order(collection.parts):
        row = {}
        for field_name, column, is_somebody in part.plan:
            value = getattr(draft, field_name)
            row[column] = references.people[value] if is_somebody and value is not None else value
        rows[key_of([row[key] for key in keys])] = row
    return rows


def _insert(
    connection: Connection,
    table: RecordTable,
    merged_records: Iterable[_Merged],
    written: Written,
    derived: tuple[Column, ...],
) -> None:
    for fields, group in _grouped_by_fields(merged_records):
        columns = (*(table.sources[name].column for name in fields), *derived)
        rows = sorted(({"external_id": record.draft.external_id, **record.row} for record in group), key=_external_id)
        ids = dict(sql.rows(insert_records(table, columns), {"connection": connection.pk, "rows": as_json(rows)}))
        written.ids |= ids
        for record in group:
            (written.known_as_gone if record.row["deleted"] else written.added).add(ids[record.draft.external_id])


def _external_id(row: Row) -> str:
    return str(row["external_id"])


def _update(table: RecordTable, merged_records: Iterable[_Merged], written: Written) -> None:
    """Update the records; unchanged ones get new versions as well."""
    noted: list[Row] = []
    for fields, group in _grouped_by_fields(merged_records):
        changed: set[int] = set()
        known = {record.before.known.id: record for record in group if record.before}
        if fields:
            columns = tuple(table.sources[name].column for name in fields)
            changed = sql.ids(
                update_records(table, columns),
                {"rows": as_json([{"id": id_, **record.row} for id_, record in known.items()])},
            )
        for id_, record in known.items():
            before = record.before
            if before is None:
                continue
            if id_ in changed:
                gone = record.row["deleted"] and not before.deleted
                (written.removed if gone else written.changed).add(id_)
            elif (before.known.updated_at, before.known.field_versions) != (
                record.row["updated_at"],
                record.row["tellings"],
            ):
                noted.append({name: record.row[name] for name in ("updated_at", "tellings")} | {"id": id_})
    if noted:
        sql.execute(write_field_versions(table), {"rows": as_json(noted)})


def _grouped_by_fields(merged_records: Iterable[_Merged]) -> Iterator[tuple[tuple[str, ...], list[_Merged]]]:
    """Groups of records to be stored by one statement."""
    groups: dict[tuple[str, ...], list[_Merged]] = defaultdict(list)
    for record in merged_records:
        groups[tuple(record.to_store.fields)].append(record)
    yield from groups.items()


def _write_parts(part: PartTable, merged_records: Sequence[_Merged], ids: Mapping[str, int]) -> set[int]:
    """Store the parts; return the ids of the records with a new, changed or deleted part."""
    alone: list[Row] = []
    among_all: list[Row] = []
    rows_to_keep: list[Row] = []
    owners: list[int] = []
    for record in merged_records:
        to_store = record.to_store.parts.get(part.collection)
        if to_store is None:
            continue
        owner = ids[record.draft.external_id]
        rows = record.parts[part.collection]
        (among_all if to_store.whole else alone).extend({"owner": owner, **rows[key]} for key in to_store.keys)
        if to_store.whole and record.before is not None:
            owners.append(owner)
            rows_to_keep.extend({"owner": owner, **_key_columns(part, key)} for key in to_store.keep)
    changed: set[int] = set()
    if owners:
        changed |= sql.ids(delete_other_parts(part), {"owners": owners, "rows": as_json(among_all + rows_to_keep)})
    for rows_to_put, is_alone in ((among_all, False), (alone, True)):
        if rows_to_put:
            changed |= sql.ids(put_parts(part, alone=is_alone), {"rows": as_json(rows_to_put)})
    return changed


def _key_columns(part: PartTable, key: str) -> Row:
    values = values_of(key, len(part.key_columns))
    return dict(zip((column.name for column in part.key_columns), values, strict=True))
