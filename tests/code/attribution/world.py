"""Sessions and commits as rows, and what attribution makes of them: for tests of attribution alone."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from psycopg.types.multirange import Multirange
from psycopg.types.range import Range

from integrations.code.attribution.evidence import Evidence, append_evidence
from integrations.code.attribution.tasks import attribute_pending
from integrations.delivery.recompute import recompute_waiting_pull_requests
from integrations.facts.relation import Relation
from integrations.models import (
    AgentSession,
    AgentSessionDay,
    AttributionWork,
    Commit,
    CommitFile,
    CommitInRepository,
    EvidenceLevel,
    FileAttribution,
    Method,
    Repository,
)
from integrations.outbox.attribution_queue import enqueue_commits
from orgtree.identities.resolving import IdentityName, identify
from orgtree.models import Identity, IdentityKind

DAY = datetime(2026, 3, 2, tzinfo=UTC)
PAUSE = timedelta(minutes=30)


def at(clock: str, day: int = 0) -> datetime:
    """The time of day, `day` days after 2 March 2026."""
    hours, minutes = clock.split(":")
    return DAY + timedelta(days=day, hours=int(hours), minutes=int(minutes))


def identity(email: str) -> Identity:
    (identity_id,) = identify([[IdentityName(IdentityKind.EMAIL, "", email)]])
    return Identity.objects.get(pk=identity_id)


def repository(name: str = "shop") -> Repository:
    return Repository.objects.get_or_create(name=name)[0]


def session(
    name: str,
    begin: str,
    end: str,
    *,
    by: str = "ada@example.com",
    agent: str = "claude_code",
    lines: int = 100,
    commits: int = 0,
    day: int = 0,
    spend: str = "1",
    more: Iterable[tuple[str, str]] = (),
) -> AgentSession:
    """A session of one active period, or of several, as the fold leaves it."""
    periods = [(at(one, day), at(other, day)) for one, other in [(begin, end), *more]]
    who, started = identity(by), min(one for one, _ in periods)
    stored, _ = AgentSession.objects.update_or_create(
        agent=agent,
        external_id=name,
        identity=who,
        defaults={
            "started_at": started,
            "ended_at": max(other for _, other in periods),
            "started_on": started.date(),
            "has_work": True,
            "lines_added": lines,
            "commits": commits,
            "event_tokens": 1000,
            "active_periods": Multirange([Range(one, other + PAUSE) for one, other in sorted(periods)]),
        },
    )
    AgentSessionDay.objects.update_or_create(
        session=stored,
        day=started.date(),
        source="events",
        model="sonnet",
        defaults={
            "identity": who,
            "agent": agent,
            "counted": True,
            "input_tokens": 1000,
            "spend": Decimal(spend),
            "lines_added": lines,
        },
    )
    AttributionWork.objects.create(session=stored)
    return stored


def commit(
    name: str,
    clock: str,
    files: Mapping[str, int],
    *,
    by: str = "ada@example.com",
    day: int = 0,
    inside: str = "shop",
    exclusion_reason: str = "",
    duplicate_of: Commit | None = None,
    change: str = "",
) -> Commit:
    """A commit on a default branch that adds so many lines to each file."""
    who, home = identity(by), repository(inside)
    authored = at(clock, day)
    stored, new = Commit.objects.update_or_create(
        sha=hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest(),
        defaults={
            "author": who,
            "committer": who,
            "credited": who,
            "authored_at": authored,
            "committed_at": authored,
            "first_seen_at": authored,
            "counted_on": authored.date(),
            "parents": ["0" * 40],
            "file_count": len(files),
            "lines_added": sum(files.values()),
            "counts_key": uuid.uuid5(uuid.NAMESPACE_OID, name),
            "change_key": uuid.uuid5(uuid.NAMESPACE_OID, change or name),
            "exclusion_reason": exclusion_reason,
            "duplicate_of": duplicate_of,
            "home": home,
        },
    )
    if new:
        CommitFile.objects.bulk_create(
            CommitFile(commit=stored, path=path, file_type="code", language="Python", added=added, deleted=0)
            for path, added in files.items()
        )
        CommitInRepository.objects.create(commit=stored, repository=home, on_default_branch=True)
    enqueue_commits([stored.pk] + ([duplicate_of.pk] if duplicate_of else []))
    return stored


def trailer(of: Commit, agent: str = "claude_code", text: str = "") -> None:
    append_evidence([(of.pk, Evidence(Method.TRAILER, EvidenceLevel.COMMIT, agent, 0.9, said=text))])
    enqueue_commits([of.pk])


def note(
    of: Commit, lines: Mapping[str, int], *, agent: str = "claude_code", session: str = "s", model: str = ""
) -> None:
    evidence = Evidence(
        Method.NOTE, EvidenceLevel.LINE, agent, 0.95, model=model, external_session=session, lines_by_path=lines
    )
    append_evidence([(of.pk, evidence)])
    enqueue_commits([of.pk])


def attribute() -> None:
    attribute_pending()


def recompute_all() -> None:
    """Commits, sessions and pull requests wait for each other."""
    while AttributionWork.objects.exists() or recompute_waiting_pull_requests():
        attribute()


def attributed() -> dict[tuple[str, str], dict[str, int]]:
    """(agent, the session's name or "") → "commit's path" → AI lines."""
    lines: dict[tuple[str, str], dict[str, int]] = {}
    for row in FileAttribution.objects.select_related("session", "file").order_by("file__path"):
        key = row.agent, row.session.external_id if row.session else ""
        lines.setdefault(key, {})
        lines[key][row.file.path] = lines[key].get(row.file.path, 0) + row.ai_lines
    return lines


def everything_derived() -> list[tuple[Any, ...]]:
    """All that attribution derived, without the numbers of its rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT commit.sha, file.path, row.agent, row.model, session.external_id, row.method, row.level, row.ai_lines
            FROM integrations_fileattribution row
            JOIN integrations_commitfile file ON file.id = row.file_id
            JOIN integrations_commit commit ON commit.id = row.commit_id
            LEFT JOIN integrations_agentsession session ON session.id = row.session_id
            UNION ALL
            SELECT 'outcome', external_id, committed::text, covered::text, '', '', '', lines_committed
            FROM integrations_agentsession
            UNION ALL
            SELECT 'split', session.external_id, repository.name, '', '', '', split.lines_of_session::text, split.lines
            FROM integrations_sessionshare split
            JOIN integrations_agentsession session ON session.id = split.session_id
            JOIN integrations_repository repository ON repository.id = split.repository_id
            ORDER BY 1, 2, 3, 4, 5, 6
            """
        )
        return list(cursor.fetchall())


def rows_of(relation: Relation) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(relation.sql)
        names = [column.name for column in cursor.description or ()]
        assert set(names) >= relation.columns - ({relation.kinds.dimension} if relation.kinds else set())
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def day_of(offset: int) -> date:
    return (DAY + timedelta(days=offset)).date()
