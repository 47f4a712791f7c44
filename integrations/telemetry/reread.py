"""Reprocess records that were not understood on arrival, with the current vocabularies.

Such records are stored with their attributes, without content, for the retention time of raw telemetry
(decode_unread.py).  Reprocessing yields the rows that would result if they arrived today: rows merged from them are
deleted and rebuilt from all records of the same request or call.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any, NamedTuple, cast
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from core import sql
from core.locks import Lock
from integrations.models import UnreadEvent
from integrations.telemetry.agents import vocabulary_of_agent
from integrations.telemetry.agents.dictionary import forget_dictionary, learned
from integrations.telemetry.agents.events import EventKind, Measure
from integrations.telemetry.agents.values import Attributes, BadRecordError
from integrations.telemetry.agents.vocabulary import (
    INCOMPLETE,
    TRACE_ID,
    UNKNOWN,
    Event,
    Metric,
    NotKept,
    Vocabulary,
)
from integrations.telemetry.otlp.decode_events import increments_of, meaning, time_of_event
from integrations.telemetry.otlp.decode_figures import figures_of
from integrations.telemetry.otlp.decode_metrics import measure_of, metric_rule, model_of_point
from integrations.telemetry.otlp.decode_unread import (
    AGENT,
    IS_CUMULATIVE,
    IS_HISTOGRAM,
    IS_READ,
    SERIES,
    SIGNAL,
    START,
    VALUE,
)
from integrations.telemetry.otlp.decoded import Signal
from integrations.telemetry.otlp.session_keys import SessionKey, session_of, unnamed_session_of
from integrations.telemetry.otlp.store_rows import YEAR_2000, EventRow, Figures, PointRow
from integrations.telemetry.reread_store import ReplacedRow, Reprocessed, store_reprocessed

ROWS_PER_TRANSACTION = 2_000
REREAD = Lock("reread")  # one process at a time reprocesses rows
NO_ROW = Reprocessed(None, (), is_still_unread=False)  # known by now, but not stored
# Raise it if records with the same names are read by other rules, so that stored ones are tried again.
RULES = "records without a session id count for their author"
_NO_LIMIT = 2**62  # the time was validated on arrival

_Name = tuple[str, str]  # a signal, and the name of an event, span or metric


class _Row(NamedTuple):
    at: datetime
    digest: UUID
    session_id: int | None
    kind: int
    name: str
    key: str
    attributes: str
    batch_id: int

    @property
    def microseconds(self) -> int:
        """The time in microseconds since 2000."""
        since = self.at - YEAR_2000
        return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def reprocess_unread_events() -> int:
    """Reprocess stored records that vocabularies now understand, fully or better than before; return their number.

    Agents whose vocabulary has not changed since the last run are skipped.  A run marks its rows first and completes
    only those still marked at the end: new work (dictionary.py, store_tallies.py) and later runs remove the mark.
    """
    forget_dictionary()
    listed = UnreadEvent.objects.filter(Q(known=False) | ~Q(means=""))
    read = 0
    for agent in sorted(set(listed.values_list("agent", flat=True))):
        vocabulary = learned(vocabulary_of_agent(agent))
        fingerprint = _fingerprint(vocabulary)
        of_agent = listed.filter(agent=agent)
        if not of_agent.exclude(tried_with=fingerprint).exists():
            continue
        trying = uuid4().hex
        of_agent.update(tried_with=trying)
        read += _reprocess_agent(vocabulary, agent)
        UnreadEvent.objects.filter(agent=agent, tried_with=trying).update(tried_with=fingerprint)
    return read


def _fingerprint(vocabulary: Vocabulary) -> str:
    """A digest of all names that a vocabulary knows and of their meanings."""
    content = (
        RULES,
        *(sorted(vocabulary.figure_names), sorted(vocabulary.known), sorted(vocabulary.naming)),
        *(sorted(vocabulary.events), sorted(vocabulary.spans), sorted(vocabulary.metrics)),
        *(sorted(vocabulary.attribute_means.items()), sorted(vocabulary.name_means.items())),
        *(vocabulary.not_needed_prefixes, [sorted(metric.measures) for metric in _metrics(vocabulary)]),
    )
    return blake2b(repr(content).encode(), digest_size=16).hexdigest()


def _metrics(vocabulary: Vocabulary) -> Iterator[Metric]:
    return (metric for metric in vocabulary.metrics.values() if isinstance(metric, Metric))


def _reprocess_agent(vocabulary: Vocabulary, agent: str) -> int:
    read = 0
    understood: set[_Name] = set()
    waiting: set[_Name] = set()
    after: tuple[datetime, UUID] | None = (YEAR_2000, UUID(int=0))
    while after is not None:
        with transaction.atomic():
            rows = _rows_after(agent, *after)
            after = (rows[-1].at, rows[-1].digest) if rows else None
            again: list[ReplacedRow] = []
            for row in rows:
                attributes = vocabulary.with_known_names(json.loads(row.attributes))
                result = _read(vocabulary, row, attributes)
                name = (str(_signal_of(vocabulary, row, attributes)), row.name)
                if result is not None:
                    again.append(
                        ReplacedRow(row.microseconds, row.digest.bytes, row.session_id, row.key, row.batch_id, result)
                    )
                (waiting if result is None or result.is_still_unread else understood).add(name)
            if again:
                store_reprocessed(again)
        read += sum(row.read is not NO_ROW for row in again)
    _list_as_known(vocabulary, agent, understood - waiting, waiting)
    return read


def _rows_after(agent: str, at: datetime, digest: UUID) -> list[_Row]:
    REREAD.hold()
    rows = sql.rows(
        """
        SELECT event.at, event.digest, event.session_id, event.kind, event.name, event.key, event.attributes::text,
               event.batch_id
        FROM integrations_agent_event event
        LEFT JOIN integrations_agentsession session ON session.id = event.session_id
        WHERE event.attributes IS NOT NULL AND (event.at, event.digest) > (%s, %s)
          AND coalesce(session.agent, event.attributes ->> %s) = %s
        ORDER BY event.at, event.digest
        LIMIT %s
        """,
        [at, digest, AGENT, agent, ROWS_PER_TRANSACTION],
    )
    return [_Row(*row) for row in rows]


def _signal_of(vocabulary: Vocabulary, row: _Row, attributes: Attributes) -> Signal:
    if row.kind == EventKind.UNREAD_POINT:
        return Signal.METRICS
    if signal := attributes.get(SIGNAL):
        return Signal(str(signal))
    return Signal.TRACES if row.name in vocabulary.spans else Signal.LOGS


def _read(vocabulary: Vocabulary, row: _Row, attributes: dict[str, Any]) -> Reprocessed | None:
    """The new interpretation of a row; None if unchanged."""
    unknown = [name for name in attributes.get(UNKNOWN, ()) if not vocabulary.knows(name)]
    is_point = row.kind == EventKind.UNREAD_POINT
    was_read = attributes.get(IS_READ) if is_point else row.kind != EventKind.UNREAD
    if was_read and UNKNOWN in attributes and len(unknown) == len(attributes[UNKNOWN]):
        return None
    try:
        session = _session(vocabulary, row, attributes, unknown)
        if session is None:
            return None
        read = _point if is_point else _event
        return read(vocabulary, row, attributes, session, unknown)
    except BadRecordError:
        return None


def _session(vocabulary: Vocabulary, row: _Row, attributes: dict[str, Any], unknown: list[str]) -> SessionKey | None:
    if row.session_id is not None and AGENT not in attributes:
        return cast(SessionKey, row.session_id)  # resolved already: used as its own key
    session = session_of(attributes, vocabulary)
    if session is None and vocabulary.trace_is_session and (trace := attributes.get(TRACE_ID)):
        session = session_of({**attributes, vocabulary.session_keys[0]: trace}, vocabulary)
    if session is not None or vocabulary.is_generic:
        return session
    if row.session_id is not None:
        return cast(SessionKey, row.session_id)
    if row.kind == EventKind.UNREAD_POINT and unknown:
        return None  # its session may be in an unknown attribute
    day = row.at.astimezone(ZoneInfo(settings.TIME_ZONE)).date()
    return unnamed_session_of(attributes, vocabulary, day)


def _event(
    vocabulary: Vocabulary, row: _Row, attributes: dict[str, Any], session: SessionKey, unknown: list[str]
) -> Reprocessed | None:
    signal = _signal_of(vocabulary, row, attributes)
    named = attributes.get("event.name") if signal is Signal.LOGS else None  # it may have been sent under another name
    name, event = meaning(vocabulary, signal, named if isinstance(named, str) and named else row.name, attributes)
    if event is None or (event is INCOMPLETE and unknown):
        return None
    if not isinstance(event, Event):
        return NO_ROW
    lacks_figures = bool(event.expects) and event.expects.isdisjoint(attributes)
    if lacks_figures and row.kind == event.kind:
        return None
    figures = figures_of(name, event, attributes)
    if unknown or lacks_figures:
        figures = figures._replace(attributes={**attributes, UNKNOWN: unknown})
    at = time_of_event(event, attributes, row.microseconds, _NO_LIMIT)
    return Reprocessed(
        EventRow(at, row.digest.bytes, session, event.kind, figures),
        tuple(increments_of(event, attributes, at, row.digest.bytes, session)),
        is_still_unread=lacks_figures,
    )


def _point(
    vocabulary: Vocabulary, row: _Row, attributes: dict[str, Any], session: SessionKey, unknown: list[str]
) -> Reprocessed | None:
    rule = metric_rule(vocabulary, row.name)
    if isinstance(rule, NotKept):
        return NO_ROW
    if not isinstance(rule, Metric) or rule.is_histogram != attributes[IS_HISTOGRAM]:
        return None
    measure = measure_of(rule, attributes)
    if not isinstance(measure, Measure):
        return None if measure is None else NO_ROW
    point = PointRow(
        row.microseconds,
        bytes.fromhex(attributes[SERIES]),
        attributes[START],
        session,
        attributes[IS_CUMULATIVE],
        measure,
        model_of_point(rule, attributes),
        attributes[VALUE],
    )
    left = None
    if unknown:
        figures = Figures(row.name, attributes={**attributes, IS_READ: True, UNKNOWN: unknown})
        left = EventRow(row.microseconds, row.digest.bytes, session, EventKind.UNREAD_POINT, figures)
    return Reprocessed(left, (point,), is_still_unread=False)


def _list_as_known(vocabulary: Vocabulary, agent: str, understood: set[_Name], waiting: set[_Name]) -> None:
    """Mark names that are now understood as known, whether or not records with them are still stored."""
    for unread in UnreadEvent.objects.filter(agent=agent, known=False):
        name = (unread.signal, unread.name)
        if unread.attribute:
            is_known = vocabulary.knows(unread.attribute)
        else:
            is_known = name not in waiting and (name in understood or _is_listed(vocabulary, *name))
        if is_known:  # unless its meaning was changed meanwhile
            UnreadEvent.objects.filter(pk=unread.pk, means=unread.means).update(known=True)


def _is_listed(vocabulary: Vocabulary, signal: str, name: str) -> bool:
    tables: Mapping[str, Mapping[str, Any]] = {
        Signal.LOGS: vocabulary.events,
        Signal.TRACES: vocabulary.spans,
        Signal.METRICS: vocabulary.metrics,
    }
    name = name.removeprefix(vocabulary.event_prefix if signal == Signal.LOGS else "")
    return name in vocabulary.name_means or name in tables.get(signal, {})
