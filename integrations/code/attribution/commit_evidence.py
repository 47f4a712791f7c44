"""All evidence for one commit, and the attribution derived from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Sum, Value
from django.db.models.expressions import RawSQL

from core import sql
from integrations.models import (
    AgentSession,
    AttributionWork,
    Commit,
    CommitEvidence,
    CommitFile,
    FileAttribution,
    Method,
    UnreadableNote,
)

MOST_EVIDENCE = 200  # rows read: a squash of a long branch can have thousands


@dataclass(frozen=True)
class SeenEvidence:
    """An evidence row, its session, and the number of lines that it names, if any."""

    row: CommitEvidence
    session: AgentSession | None
    lines: int | None
    decided: bool


@dataclass(frozen=True)
class AttributedFile:
    """A file of a commit, and the AI lines in it by agent."""

    file: CommitFile
    ai_lines: Mapping[str, int]


@dataclass(frozen=True)
class AgentLines:
    """Lines of a commit by one agent, with the method that decided."""

    agent: str
    model: str
    method: Method
    level: str
    lines: int


@dataclass(frozen=True)
class UnresolvedEvidence:
    """The reasons why an attribution is not final yet."""

    waits: bool  # a change has not been attributed yet
    unreadable_notes: Sequence[str]  # the reason for each


def evidence_of(commit: Commit, decided: Iterable[AgentLines]) -> tuple[list[SeenEvidence], int]:
    """The evidence for a commit and the commits it represents, strongest first, and the total number of rows.

    `decided` is the attribution derived from it.
    """
    own = CommitEvidence.objects.filter(commit__in=_with_represented(commit))
    rows = own.select_related("session__identity__person", "commit").defer("lines_by_path")
    order = {method.value: position for position, method in enumerate(Method)}
    read = sorted(rows.order_by("-pk")[:MOST_EVIDENCE], key=lambda row: (order.get(row.method, len(order)), row.pk))
    lines = _named_lines([row.pk for row in read])
    sessions = _named_sessions(read)
    deciding = {(share.method, share.agent) for share in decided}
    if not deciding:  # the best evidence may say that there is no agent
        deciding = {(Method(row.method), "") for row in [row for row in read if row.withdrawn_at is None][:1]}
    seen = [
        SeenEvidence(
            row=row,
            session=row.session or sessions.get((row.agent, row.external_session)),
            lines=lines.get(row.pk),
            decided=row.withdrawn_at is None and (row.method, row.agent) in deciding,
        )
        for row in read
    ]
    return seen, len(seen) if len(seen) < MOST_EVIDENCE else own.count()


def _with_represented(commit: Commit) -> RawSQL:
    """Ids of the commit and, recursively, of all commits that it represents."""
    return RawSQL(
        """
        WITH RECURSIVE behind (id) AS (
            SELECT %s::bigint
            UNION
            SELECT commit.id FROM behind JOIN integrations_commit commit ON commit.stands_in_id = behind.id
        )
        SELECT id FROM behind
        """,
        [commit.pk],
    )


def _named_lines(evidence: Sequence[int]) -> dict[int, int]:
    """The number of lines that each evidence row names; commit-level rows are left out."""
    rows = sql.rows(
        """
        SELECT evidence.id, sum(path.lines::bigint)
        FROM integrations_commitevidence evidence
        CROSS JOIN LATERAL jsonb_each_text(evidence.lines_by_path) AS path (name, lines)
        WHERE evidence.id = ANY (%s) AND jsonb_typeof(evidence.lines_by_path) = 'object'
        GROUP BY evidence.id
        """,
        [list(evidence)],
    )
    return {pk: int(lines) for pk, lines in rows}


def _named_sessions(rows: Sequence[CommitEvidence]) -> dict[tuple[str, str], AgentSession]:
    """Sessions that notes name by the agent's own id, if their telemetry has arrived."""
    named = {row.external_session for row in rows if row.external_session and row.session_id is None}
    if not named:
        return {}
    sessions = AgentSession.objects.filter(external_id__in=named).select_related("identity__person").order_by("pk")
    return {(session.agent, session.external_id): session for session in sessions}


def agent_lines_of(commit: Commit) -> list[AgentLines]:
    """AI lines of the commit by agent, model and method, most lines first."""
    rows = FileAttribution.objects.filter(commit=commit).values_list("agent", "model", "method", "level")
    return [
        AgentLines(agent, model, Method(method), level, lines)
        for agent, model, method, level, lines in rows.annotate(lines=Sum("ai_lines")).order_by(
            "-lines", "agent", "model"
        )
    ]


def files_of(commit: Commit, *, first: int, count: int) -> list[AttributedFile]:
    """A page of the commit's files: `count` files from offset `first`, most lines first."""
    ordered = CommitFile.objects.filter(commit=commit).extra(
        select={"touched": "COALESCE(added, 0) + COALESCE(deleted, 0)"}, order_by=["exclusion_reason", "-touched", "id"]
    )
    files = list(ordered[first : first + count])
    by_file: dict[int, dict[str, int]] = {}
    rows = FileAttribution.objects.filter(file__in=[file.pk for file in files])
    for file_id, agent, lines in rows.values_list("file_id", "agent", "ai_lines"):
        agents = by_file.setdefault(file_id, {})
        agents[agent] = agents.get(agent, 0) + lines
    return [AttributedFile(file, by_file.get(file.pk, {})) for file in files]


def file_count_of(commit: Commit) -> int:
    """Number of files, including excluded ones."""
    return CommitFile.objects.filter(commit=commit).count()


def unresolved_evidence_of(commit: Commit) -> UnresolvedEvidence:
    waiting = AttributionWork.objects.filter(commit=commit).order_by().values_list(Value("waits"), Value(""))
    unreadable = UnreadableNote.objects.filter(commit=commit).order_by().values_list(Value("unreadable"), "reason")
    questions = sorted(waiting.union(unreadable))
    return UnresolvedEvidence(
        waits=any(kind == "waits" for kind, _ in questions),
        unreadable_notes=[reason for kind, reason in questions if kind == "unreadable"],
    )
