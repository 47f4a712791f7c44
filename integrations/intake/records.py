"""Records of one kind, each told of once: weighed against what is stored, and written by as few statements."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection as database

from integrations.connectors.drafts import UNTOLD, Draft, Told, Untold, Who
from integrations.intake.record_updates import Known, PartsTelling, Telling, ToStore, weigh
from integrations.intake.rows import as_json, key_of, values_of
from integrations.intake.statements import (
    delete_other_parts,
    insert_records,
    known_records,
    note_tellings,
    put_parts,
    update_records,
)
from integrations.intake.tables import Column, PartTable, RecordTable, Source
from integrations.models import Connection

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class References:
    """What the names in drafts stand for: somebody's identity, and a repository's or project's row."""

    people: Mapping[Who, int]
    places: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Expected:
    """What a draft of a new record alone says of derived columns: mostly that is right, and else it is mended."""

    columns: tuple[Column, ...]
    of: Callable[[Draft], Row]


@dataclass(slots=True)
class Written:
    """What became of records; ids by external id, and which are new, different, or gone."""

    ids: dict[str, int] = field(default_factory=dict)
    added: set[int] = field(default_factory=set)
    changed: set[int] = field(default_factory=set)
    removed: set[int] = field(default_factory=set)
    known_as_gone: set[int] = field(default_factory=set)  # their end was told before anything else

    @property
    def touched(self) -> set[int]:
        return self.added | self.changed | self.removed | self.known_as_gone

    def note_changed(self, ids: set[int]) -> None:
        """Of these records something changed beside the row itself."""
        self.changed |= ids - self.added - self.removed - self.known_as_gone


@dataclass(slots=True)
class StoredRecord:
    """What is stored of a record before this telling."""

    known: Known
    deleted: bool


def known_of(connection: Connection, table: RecordTable, external_ids: Collection[str]) -> dict[str, StoredRecord]:
    """What is stored of these records, by external id."""
    with database.cursor() as cursor:
        cursor.execute(known_records(table), {"connection": connection.pk, "external_ids": sorted(external_ids)})
        return {
            external_id: StoredRecord(Known(id_, updated_at, json.loads(tellings), final), deleted)
            for external_id, id_, updated_at, tellings, final, deleted in cursor.fetchall()
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
    """Store drafts of different records, in the caller's transaction, with nobody else writing them.

    `expected` says what will be derived of new ones, so that their rows need not be written twice.
    """
    weighed = [_weigh(table, draft, stored.get(draft.external_id), references) for draft in drafts]
    written = Written({external_id: record.known.id for external_id, record in stored.items()})
    new = [record for record in weighed if record.before is None]
    if expected is not None:
        for record in new:
            record.row |= expected.of(record.draft)
    _insert(connection, table, new, written, expected.columns if expected else ())
    _update(table, [record for record in weighed if record.before is not None], written)
    for part in table.parts:
        written.note_changed(_write_parts(part, weighed, written.ids))
    return written


@dataclass(slots=True)
class _Weighed:
    """A draft, its parts as rows by key, and what is to be stored of them."""

    draft: Draft
    parts: Mapping[str, Mapping[str, Row]]
    to_store: ToStore
    before: StoredRecord | None
    row: Row


def _weigh(table: RecordTable, draft: Draft, before: StoredRecord | None, references: References) -> _Weighed:
    provided = [name for name in table.sources if getattr(draft, name) is not UNTOLD]
    parts: dict[str, Mapping[str, Row]] = {}
    tellings: dict[str, PartsTelling] = {}
    for name, part in table.collections.items():
        collection: Told[Any] | Untold = getattr(draft, name)
        if not isinstance(collection, Untold):
            parts[name] = _part_rows(part, collection, references)
            tellings[name] = PartsTelling(parts[name].keys(), collection.whole)
    lasting = table.lasting is None or getattr(draft, table.lasting.column) in (*table.lasting.values, UNTOLD)
    to_store = weigh(
        Telling(draft.updated_at, provided, tellings, deleted=draft.deleted, lasting=lasting),
        before.known if before else None,
        all_fields=table.optional,
        all_parts=table.collections.keys(),
    )
    row = {
        table.sources[name].column.name: _value(getattr(draft, name), table.sources[name], table, references)
        for name in to_store.fields
    }
    row["updated_at"], row["tellings"] = to_store.updated_at, to_store.tellings
    row["deleted"] = bool(before and before.deleted) if to_store.deleted is None else to_store.deleted
    return _Weighed(draft, parts, to_store, before, row)


def _value(value: Any, source: Source, table: RecordTable, references: References) -> Any:
    if source.field == table.place:
        return references.places.get(value)
    return references.people[value] if isinstance(value, Who) else value


def _part_rows(part: PartTable, collection: Told[Any], references: References) -> Mapping[str, Row]:
    """Rows by key; of two parts with one key the later."""
    rows = {}
    keys = [column.name for column in part.key_columns]
    for draft in collection.parts:
        row = {}
        for field_name, column, is_somebody in part.plan:
            value = getattr(draft, field_name)
            row[column] = references.people[value] if is_somebody and value is not None else value
        rows[key_of([row[key] for key in keys])] = row
    return rows


def _insert(
    connection: Connection,
    table: RecordTable,
    weighed: Iterable[_Weighed],
    written: Written,
    derived: tuple[Column, ...],
) -> None:
    for fields, group in _by_fields(weighed):
        columns = (*(table.sources[name].column for name in fields), *derived)
        rows = sorted(({"external_id": record.draft.external_id, **record.row} for record in group), key=_external_id)
        with database.cursor() as cursor:
            cursor.execute(insert_records(table, columns), {"connection": connection.pk, "rows": as_json(rows)})
            ids = dict(cursor.fetchall())
        written.ids |= ids
        for record in group:
            (written.known_as_gone if record.row["deleted"] else written.added).add(ids[record.draft.external_id])


def _external_id(row: Row) -> str:
    return str(row["external_id"])


def _update(table: RecordTable, weighed: Iterable[_Weighed], written: Written) -> None:
    """Of those that are the same, too, note when they were told of."""
    noted: list[Row] = []
    for fields, group in _by_fields(weighed):
        changed: set[int] = set()
        known = {record.before.known.id: record for record in group if record.before}
        if fields:
            columns = tuple(table.sources[name].column for name in fields)
            with database.cursor() as cursor:
                cursor.execute(
                    update_records(table, columns),
                    {"rows": as_json([{"id": id_, **record.row} for id_, record in known.items()])},
                )
                changed = {row[0] for row in cursor.fetchall()}
        for id_, record in known.items():
            before = record.before
            if before is None:
                continue
            if id_ in changed:
                gone = record.row["deleted"] and not before.deleted
                (written.removed if gone else written.changed).add(id_)
            elif (before.known.updated_at, before.known.tellings) != (record.row["updated_at"], record.row["tellings"]):
                noted.append({name: record.row[name] for name in ("updated_at", "tellings")} | {"id": id_})
    if noted:
        with database.cursor() as cursor:
            cursor.execute(note_tellings(table), {"rows": as_json(noted)})


def _by_fields(weighed: Iterable[_Weighed]) -> Iterator[tuple[tuple[str, ...], list[_Weighed]]]:
    """Groups that are to be stored by one statement."""
    groups: dict[tuple[str, ...], list[_Weighed]] = defaultdict(list)
    for record in weighed:
        groups[tuple(record.to_store.fields)].append(record)
    yield from groups.items()


def _write_parts(part: PartTable, weighed: Sequence[_Weighed], ids: Mapping[str, int]) -> set[int]:
    """The ids of the records of which any part is new, different or gone."""
    alone: list[Row] = []
    among_all: list[Row] = []
    rows_to_keep: list[Row] = []
    owners: list[int] = []
    for record in weighed:
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
    with database.cursor() as cursor:
        if owners:
            cursor.execute(delete_other_parts(part), {"owners": owners, "rows": as_json(among_all + rows_to_keep)})
            changed |= {row[0] for row in cursor.fetchall()}
        for rows_to_put, told_alone in ((among_all, False), (alone, True)):
            if rows_to_put:
                cursor.execute(put_parts(part, alone=told_alone), {"rows": as_json(rows_to_put)})
                changed |= {row[0] for row in cursor.fetchall()}
    return changed


def _key_columns(part: PartTable, key: str) -> Row:
    values = values_of(key, len(part.key_columns))
    return dict(zip((column.name for column in part.key_columns), values, strict=True))
