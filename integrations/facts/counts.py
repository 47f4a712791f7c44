"""How many facts there are of each kind, and in which state: what an import can be checked against."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Q, QuerySet

from integrations.models import (
    AgentSession,
    Commit,
    CommitInRepository,
    Connection,
    ContextFile,
    QuarantinedRecord,
    Repository,
)


def count_facts(connection: Connection | None = None) -> dict[str, Any]:
    """Kind of fact → {"total", "by_state"}, and the records in quarantine; of one connection, or of all.

    A commit's state is why it stands apart, or "counted"; "lines_unknown" are those whose objects git lacks.
    """
    repositories = Repository.objects.all()
    commits = Commit.objects.all()
    if connection is not None:
        repositories = repositories.filter(sources__connection=connection).distinct()
        commits = commits.filter(pk__in=_held_by(repositories))
    facts: dict[str, Any] = {
        "repository": {"total": repositories.count()},
        "commit": _commits(commits),
        "context_file": _context_files(ContextFile.objects.filter(repository__in=repositories)),
    }
    if connection is None:  # telemetry comes through tokens, not through connections
        by_agent = AgentSession.objects.order_by("agent").values_list("agent").annotate(Count("pk"))
        sessions = dict(by_agent)
        facts["session"] = {"total": sum(sessions.values()), "by_agent": sessions}
        facts["quarantined"] = QuarantinedRecord.objects.filter(replayed_at=None).count()
    else:
        facts["quarantined"] = 0  # what git cannot read fails a reading, and is no record to put aside
    return facts


def _commits(commits: QuerySet[Commit]) -> dict[str, Any]:
    by_state = {
        state or "counted": number
        for state, number in commits.order_by("set_apart").values_list("set_apart").annotate(Count("pk"))
    }
    return {
        "total": sum(by_state.values()),
        "by_state": by_state,
        "lines_unknown": commits.filter(lines_known=False).count(),
    }


def _context_files(files: QuerySet[ContextFile]) -> dict[str, Any]:
    numbers = files.aggregate(present=Count("pk", Q(present_to=None)), removed=Count("pk", ~Q(present_to=None)))
    return {"total": sum(numbers.values()), "by_state": {state: n for state, n in numbers.items() if n}}


def _held_by(repositories: QuerySet[Repository]) -> QuerySet[Any]:
    return CommitInRepository.objects.filter(repository__in=repositories).values("commit")
