"""Random facts, written straight into the tables that the relations publish: what a fold may leave there."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from django.db.backends.postgresql.psycopg_any import DateRange

from integrations.models import (
    AgentSession,
    AgentSessionDay,
    AgentToolDay,
    Enrolment,
    FactFamily,
    Repository,
    SessionShare,
)
from integrations.outbox.fact_changes import Change, append_changes
from orgtree.models import Identity, IdentityKind, OrgTree, Person, Placement, Unit
from tests.engine.code_facts import REPOSITORIES, CommitFacts, random_commits, random_context_files

AGENTS = ("claude_code", "codex", "gemini")
PRICED = ("opus", "sonnet")
UNPRICED = "homegrown"
TOOLS = ("Bash", "Edit", "Read")
KINDS = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens")


@dataclass
class DayFacts:
    """One row of a session's day, as counted: tokens by kind and money of one model, or lines, or tool calls."""

    day: date
    model: str = ""
    tokens: dict[str, int] = field(default_factory=dict)
    spend: Decimal | None = None
    unpriced: int = 0
    cost: Decimal | None = None
    lines: int = 0
    calls: dict[str, tuple[int, int, int]] = field(default_factory=dict)  # tool → calls, failures, refusals


@dataclass
class SessionFacts:
    person: int | None
    agent: str
    started: datetime
    ended: datetime
    active_seconds: float
    days: list[DayFacts]
    covered: bool = False
    shipped: dict[str, int] = field(default_factory=dict)  # repository → AI lines in its commits

    @property
    def day(self) -> date:
        return self.started.date()


@dataclass
class World:
    """The oracle's knowledge: sessions, units of people by date, enrolments, and departures."""

    sessions: list[SessionFacts]
    placements: list[tuple[int, str, date, date | None]]  # person, unit or one above, from, to
    enrolled: dict[int, date]
    left: dict[int, date]
    commits: list[CommitFacts]
    context_files: Mapping[str, tuple[date, date | None]]
    units: dict[str, list[str]]  # by tree
    attributes: list[tuple[int, str, str, date, date | None]] = field(default_factory=list)  # value, from, to


def create_world(seed: int, *, days: Sequence[date], people: int = 7, sessions: int = 60) -> World:
    """A random organisation with a tree of two teams under a root, somebody unmatched, a mover and a leaver."""
    rng = random.Random(seed)
    persons = [
        Person.objects.create(full_name=f"Person {seed}-{n}", email=f"p{seed}-{n}@example.com") for n in range(people)
    ]
    identities: list[Identity] = [
        Identity.objects.create(kind=IdentityKind.EMAIL, value=str(person.email), person=person) for person in persons
    ]
    identities.append(
        Identity.objects.create(kind=IdentityKind.INSTALLATION, provider="claude", value=f"machine{seed}")
    )
    placements = _place(persons, rng, days)
    leaver = persons[-1]
    left_on = rng.choice(days[len(days) // 2 :])
    leaver.employments.create(during=DateRange(None, left_on))
    facts = [_session(rng, days, identities) for _ in range(sessions)]
    for identity, session in facts:
        _store(identity, session)
    enrolled: dict[int, date] = {}
    for identity, session in facts:
        known = Enrolment.objects.filter(identity=identity).first()
        if known is None or session.started < known.first_at:
            Enrolment.objects.update_or_create(identity=identity, defaults={"first_at": session.started})
        if identity.person_id is not None:
            enrolled[identity.person_id] = min(enrolled.get(identity.person_id, session.day), session.day)
    world = World(
        [session for _, session in facts],
        placements,
        enrolled,
        {leaver.pk: left_on},
        random_commits(rng, days, identities, AGENTS, number=sessions),
        random_context_files(rng, days),
        {"engineering": ["root", "red", "blue"]},
    )
    announce(world, tomorrow=days[-1] + timedelta(days=1))
    return world


def announce(world: World, *, tomorrow: date) -> None:
    """Append to the outbox what a fold of these sessions would."""
    changed = {row.day for s in world.sessions for row in s.days} | {s.day for s in world.sessions}
    one_day = timedelta(days=1)
    append_changes(
        [Change(FactFamily.AI, day, day + one_day) for day in changed]
        + [Change(FactFamily.ENROLMENT, day, tomorrow) for day in world.enrolled.values()]
        + [Change(FactFamily.CODE, commit.day, commit.day + one_day) for commit in world.commits]
    )


def _place(
    persons: Sequence[Person], rng: random.Random, days: Sequence[date]
) -> list[tuple[int, str, date, date | None]]:
    tree = OrgTree.objects.create(name="Engineering", slug="engineering")
    units = {slug: Unit.objects.create(tree=tree, name=slug.title(), slug=slug) for slug in ("root", "red", "blue")}
    placements: list[tuple[int, str, date, date | None]] = []

    def place(person: Person, team: str, start: date, end: date | None) -> None:
        for slug in ("root", team):
            Placement.objects.create(
                tree=tree, person=person, unit=units[team], ancestor=units[slug], during=DateRange(start, end)
            )
            placements.append((person.pk, slug, start, end))

    long_ago = days[0] - timedelta(days=400)
    for number, person in enumerate(persons[:-1]):  # the last one is in no unit
        team = "red" if number % 2 else "blue"
        if number == 0:
            move = rng.choice(days)
            place(person, "red", long_ago, move)
            place(person, "blue", move, None)
        else:
            place(person, team, long_ago, None)
    return placements


def _session(rng: random.Random, days: Sequence[date], identities: Sequence[Identity]) -> tuple[Identity, SessionFacts]:
    identity = rng.choice(identities)
    start = datetime.combine(rng.choice(days), time(rng.randrange(24), rng.randrange(60)), UTC)
    length = timedelta(minutes=rng.choice([1, 7, 45, 300, 2000]))
    session = SessionFacts(
        identity.person_id, rng.choice(AGENTS), start, start + length, rng.randrange(1, 5000) / 4, []
    )
    session.covered = rng.random() < 0.6
    if rng.random() < 0.5:
        names = rng.sample(REPOSITORIES, rng.choice([1, 2]))
        session.shipped = {name: rng.randrange(1, 200) for name in sorted(names)}
    last = min(session.ended.date(), days[-1])
    day = session.day
    while day <= last:
        for model in rng.sample([*PRICED, UNPRICED], rng.choice([0, 1, 1, 2])):
            session.days.append(_model_day(rng, day, model))
        if rng.random() < 0.6:
            session.days.append(DayFacts(day, model=rng.choice(["", "opus"]), lines=rng.randrange(0, 90)))
        if rng.random() < 0.6:
            calls = {tool: _calls(rng) for tool in rng.sample(TOOLS, rng.randrange(1, 3))}
            session.days.append(DayFacts(day, calls=calls))
        day += timedelta(days=1)
    return identity, session


def _calls(rng: random.Random) -> tuple[int, int, int]:
    calls = rng.randrange(0, 20)
    return calls, rng.randrange(0, calls + 1), rng.randrange(0, 3)


def _model_day(rng: random.Random, day: date, model: str) -> DayFacts:
    tokens = {kind: rng.choice([0, rng.randrange(10_000)]) for kind in KINDS}
    total = sum(tokens.values())
    priced = model in PRICED
    return DayFacts(
        day,
        model,
        tokens,
        spend=Decimal(total) / 1000 if priced else None,
        unpriced=0 if priced else total,
        cost=Decimal(total) / 900 if rng.random() < 0.7 else None,
    )


def _store(identity: Identity, session: SessionFacts) -> None:
    stored = AgentSession.objects.create(
        agent=session.agent,
        external_id=f"s{AgentSession.objects.count()}",
        identity=identity,
        started_at=session.started,
        ended_at=session.ended,
        started_on=session.day,
        active_seconds=session.active_seconds,
        has_work=True,
        event_tokens=10,
        metric_tokens=5,
        lines_added=sum(row.lines for row in session.days),
        committed=bool(session.shipped),
        lines_committed=sum(session.shipped.values()),
        covered=session.covered,
    )
    before, whole = 0, sum(session.shipped.values())
    for name, lines in session.shipped.items():
        home, _ = Repository.objects.get_or_create(name=name)
        SessionShare.objects.create(
            session=stored, repository=home, lines=lines, lines_before=before, lines_of_session=whole
        )
        before += lines
    rows_by_key: dict[tuple[str, date, str], AgentSessionDay] = {}

    def row_of(source: str, day: date, model: str) -> AgentSessionDay:
        """Tokens are counted from events, and stand there as the metrics tell them too."""
        return rows_by_key.setdefault(
            (source, day, model),
            AgentSessionDay(
                session=stored,
                identity=identity,
                agent=session.agent,
                source=source,
                counted=source == AgentSessionDay.Source.EVENTS,
                day=day,
                model=model,
            ),
        )

    for session_day in session.days:
        row = row_of(
            AgentSessionDay.Source.METRICS if session_day.lines else AgentSessionDay.Source.EVENTS,
            session_day.day,
            session_day.model,
        )
        for kind, amount in session_day.tokens.items():
            setattr(row, kind, amount)
        row.spend, row.reported_cost, row.unpriced_tokens = session_day.spend, session_day.cost, session_day.unpriced
        row.lines_added += session_day.lines
        row.tool_calls += sum(calls for calls, _, _ in session_day.calls.values())
        row.tool_failures += sum(failures for _, failures, _ in session_day.calls.values())
        row.tool_refusals += sum(refusals for _, _, refusals in session_day.calls.values())
        if session_day.tokens:
            row_of(
                AgentSessionDay.Source.METRICS, session_day.day, session_day.model
            ).input_tokens = session_day.tokens["input_tokens"]
    AgentSessionDay.objects.bulk_create(rows_by_key.values())
    AgentToolDay.objects.bulk_create(
        AgentToolDay(
            session=stored,
            identity=identity,
            agent=session.agent,
            day=session_day.day,
            tool=tool,
            calls=calls,
            failures=failures,
            refusals=refusals,
        )
        for session_day in session.days
        for tool, (calls, failures, refusals) in session_day.calls.items()
    )
