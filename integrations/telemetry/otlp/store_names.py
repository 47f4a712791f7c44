"""Limits the number of new names of models, agents and tools per token and day: names beyond it count as `other`.

Every name is a line in charts and a filter choice for everybody, and anyone with a token can invent names.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from core.cache import Cache
from core.locks import Lock
from integrations.model_names import model_name
from integrations.models import IngestToken, KnownName
from integrations.telemetry.otlp.decoded import DecodedRequest
from integrations.telemetry.otlp.ingest_tokens import Sender
from integrations.telemetry.otlp.session_keys import SessionKey

OTHER = "other"
NEW_NAMES = Lock("new names of a token")

Kind = KnownName.Kind


class Name(NamedTuple):
    kind: str
    name: str


known_names: Cache[Name] = Cache(10_000_000, lambda name: 200 + 4 * len(name.name))
"""Names that are known, by themselves; they never become unknown."""


class Folded(NamedTuple):
    """A row (by digest) in which a name was replaced."""

    row: bytes
    name: Name


def fold_new_names(decoded: DecodedRequest, sender: Sender | None) -> list[Folded]:
    """Replace the names beyond the sender's limit by `other`; return the rows with such names.

    Without a sender (records replayed after their token was deleted) there is no limit.
    """
    if sender is None or sender.most_new_names is None:
        return []
    named = dict.fromkeys(_names_in(decoded))
    too_many = _too_many(
        [name for name in named if known_names.get(repr(name)) is None], sender.token_id, sender.most_new_names
    )
    return _replace(decoded, too_many) if too_many else []


def note_folded(token_id: int, folded: Collection[Folded], new: Collection[bytes]) -> None:
    """Count the new rows in which names were replaced, in the caller's transaction."""
    counted = [one for one in folded if one.row in new]
    if counted:
        kind, name = counted[-1].name
        IngestToken.objects.filter(pk=token_id).update(
            folded_records=F("folded_records") + len({one.row for one in counted}),
            last_folded=f"{Kind(kind).label.lower()} {name}"[: IngestToken.LONGEST_FOLDED],
            last_folded_at=timezone.now(),
        )


def _names_in(decoded: DecodedRequest) -> Iterator[Name]:
    for event in decoded.events:
        yield from _names_of(event.session, event.figures.model, event.figures.tool)
    for point in decoded.points:
        yield from _names_of(point.session, point.model)


def _names_of(session: SessionKey | None, model: str, tool: str = "") -> Iterator[Name]:
    if session is not None:
        yield Name(Kind.AGENT, session.agent)
    if model:
        yield Name(Kind.MODEL, model_name(model))
    if tool:
        yield Name(Kind.TOOL, tool)


def _too_many(names: Collection[Name], token_id: int, most: int) -> Collection[Name]:
    """Store names as known, as far as the token's limit allows; return the others."""
    unknown = _unknown(names) if names else []
    if not unknown:
        return ()
    today = datetime.now(UTC).date()
    of_token = KnownName.objects.filter(token_id=token_id, day=today)
    by_kind: Mapping[str, list[Name]] = defaultdict(list)
    for name in unknown:
        by_kind[name.kind].append(name)

    def room() -> Counter[str]:
        brought = Counter(of_token.values_list("kind", flat=True))
        return Counter({kind: max(0, most - brought[kind]) for kind in by_kind})

    if not room().total():  # decided without waiting: senders of invented names delay nobody
        return {*unknown}
    with transaction.atomic():
        NEW_NAMES.hold()
        unknown = _unknown(unknown)
        left = room()
        taken = []
        for name in unknown:
            if left[name.kind] > 0:
                left[name.kind] -= 1
                taken.append(name)
        KnownName.objects.bulk_create(
            [KnownName(kind=kind, name=name, token_id=token_id, day=today) for kind, name in taken]
        )
    return {*unknown}.difference(taken)


def _unknown(names: Collection[Name]) -> list[Name]:
    """The names that no earlier record contained, in order."""
    by_kind: Mapping[str, list[str]] = defaultdict(list)
    for kind, name in names:
        by_kind[kind].append(name)
    known = {
        Name(kind, name)
        for kind, of_kind in by_kind.items()
        for name in KnownName.objects.filter(kind=kind, name__in=of_kind).values_list("name", flat=True)
    }
    for one in known:
        known_names.put(repr(one), one)
    return [name for name in names if name not in known]


def _replace(decoded: DecodedRequest, too_many: Collection[Name]) -> list[Folded]:
    folded: list[Folded] = []
    sessions: dict[SessionKey, SessionKey] = {}

    def replaced(row: bytes, kind: str, name: str, normal: Callable[[str], str] = str) -> str:
        key = Name(kind, normal(name))
        if not name or key not in too_many:
            return name
        folded.append(Folded(row, key))
        return OTHER

    def of_agent(row: bytes, session: SessionKey) -> SessionKey:
        # Its author keeps the agent's name: accounts of different agents are different people.
        if replaced(row, Kind.AGENT, session.agent) == session.agent:
            return session
        return sessions.setdefault(session, session._replace(agent=OTHER))

    decoded.events = [
        event._replace(
            session=event.session and of_agent(event.digest, event.session),
            figures=event.figures._replace(
                model=replaced(event.digest, Kind.MODEL, event.figures.model, model_name),
                tool=replaced(event.digest, Kind.TOOL, event.figures.tool),
            ),
        )
        for event in decoded.events
    ]
    decoded.points = [
        point._replace(
            session=of_agent(point.series, point.session),
            model=replaced(point.series, Kind.MODEL, point.model, model_name),
        )
        for point in decoded.points
    ]
    return folded
