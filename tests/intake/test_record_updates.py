"""Merging updates, compared with applying them in order."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from integrations.intake.record_updates import Known, PartsUpdate, RecordUpdate, merge

FIELDS, PARTS = ("title", "state", "size"), ("reviews", "commits")
START = datetime(2026, 3, 2, tzinfo=UTC)


@dataclass
class Word:
    """The content of one draft: fields and parts with their values."""

    at: datetime
    fields: dict[str, int]
    parts: dict[str, tuple[dict[str, int], bool]]  # the parts by key, and whether these are all
    deleted: bool = False


@dataclass
class Record:
    """A record as `weigh` says to store it."""

    values: dict[str, int] = field(default_factory=dict)
    parts: dict[str, dict[str, int]] = field(default_factory=dict)
    deleted: bool = False
    known: Known | None = None

    def hear(self, word: Word) -> None:
        parts_provided = {name: PartsUpdate(parts.keys(), whole) for name, (parts, whole) in word.parts.items()}
        to_store = merge(
            RecordUpdate(word.at, word.fields.keys(), parts_provided, deleted=word.deleted),
            self.known,
            all_fields=FIELDS,
            all_parts=PARTS,
        )
        self.values |= {name: word.fields[name] for name in to_store.fields}
        for name, parts in to_store.parts.items():
            stored = self.parts.setdefault(name, {})
            if parts.whole:
                for key in stored.keys() - set(parts.keys) - set(parts.keep):
                    del stored[key]
            stored |= {key: word.parts[name][0][key] for key in parts.keys}
        self.deleted = self.deleted if to_store.deleted is None else to_store.deleted
        self.known = Known(1, to_store.updated_at, to_store.field_versions)

    @property
    def shown(self) -> tuple[object, ...]:
        return self.values, {name: parts for name, parts in self.parts.items() if parts}, self.deleted


def applied_in_order(words: Sequence[Word]) -> tuple[object, ...]:
    """The record after the newest word on everything: each word replaces what it speaks of."""
    values: dict[str, int] = {}
    collections: dict[str, dict[str, int]] = {}
    for word in sorted(words, key=lambda update: update.at):
        values |= word.fields
        for name, (parts, whole) in word.parts.items():
            collections[name] = dict(parts) if whole else collections.get(name, {}) | parts
    newest = max(words, key=lambda update: update.at)
    return values, {name: parts for name, parts in collections.items() if parts}, newest.deleted


@st.composite
def words(draw: st.DrawFn) -> list[Word]:
    """Words of different times: two that contradict each other at one time have no newest."""
    hours = draw(st.lists(st.integers(0, 30), min_size=1, max_size=7, unique=True))
    keys = st.dictionaries(st.sampled_from(["a", "b/c", 'd"']), st.integers(0, 99), max_size=3)
    return [
        Word(
            START + timedelta(hours=hour),
            draw(st.dictionaries(st.sampled_from(FIELDS), st.integers(0, 99))),
            draw(st.dictionaries(st.sampled_from(PARTS), st.tuples(keys, st.booleans()))),
            deleted=draw(st.booleans()) and draw(st.booleans()),
        )
        for hour in hours
    ]


@given(words(), st.randoms(use_true_random=False))
def test_the_order_of_updates_does_not_matter(history: list[Word], chance: random.Random) -> None:
    heard = [*history, *chance.choices(history, k=3)]
    chance.shuffle(heard)
    record = Record()
    for word in heard:
        record.hear(word)
    assert record.shown == applied_in_order(history)


@given(words())
def test_a_whole_record_leaves_no_field_versions(history: list[Word]) -> None:
    record = Record()
    for word in history:
        record.hear(word)
    latest = max(word.at for word in history) + timedelta(hours=1)
    whole = Word(latest, dict.fromkeys(FIELDS, 1), {name: ({"a": 1}, True) for name in PARTS})
    record.hear(whole)
    assert record.known
    assert record.known.field_versions == {}


@given(words())
def test_the_last_word_again_changes_nothing(history: list[Word]) -> None:
    record = Record()
    for word in history:
        record.hear(word)
    before, known = record.shown, record.known
    for word in history:
        record.hear(word)
    assert (record.shown, record.known) == (before, known)
