"""One commit explained: its data in git, whether it counts, and the evidence of agents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse

from core.page_links import links_of_page, read_page, url_with
from core.views import page_view
from insights.catalogue.agents import agent_name, in_agent_order
from insights.pages.attribution import labels
from insights.pages.attribution.commits import LONGEST_SHA, SHORT_SHA, SHORTEST_PREFIX
from insights.privacy.scope_access import access_in
from insights.ui import wording
from integrations.code.attribution.commit_evidence import (
    MOST_EVIDENCE,
    AttributedFile,
    SeenEvidence,
    agent_lines_of,
    evidence_of,
    file_count_of,
    files_of,
    unresolved_evidence_of,
)
from integrations.code.commits.listing import may_name_session, repositories_of, visible_commits
from integrations.models import Commit
from orgtree.access.access import Access

FILES_PER_PAGE = 100
DUPLICATES_LISTED = 20


@page_view
def commit(request: HttpRequest, sha: str) -> HttpResponseBase:
    access = access_in(request)
    visible = visible_commits(access)
    related = visible.select_related("author__person", "credited__person", "duplicate_of")
    shown = related.filter(sha=sha.lower()).first()
    if shown is None:
        if SHORTEST_PREFIX <= len(sha) < LONGEST_SHA and visible.filter(sha__startswith=sha.lower()).exists():
            return redirect(url_with(reverse("attribution"), {"q": sha.lower()}))
        raise Http404("No such commit, or you may not see it.")
    by_agent = agent_lines_of(shown)
    seen, evidence_count = evidence_of(shown, by_agent)
    page = read_page(request)
    first = (page - 1) * FILES_PER_PAGE
    files = files_of(shown, first=first, count=FILES_PER_PAGE)
    file_count = first + len(files) if 0 < len(files) < FILES_PER_PAGE else file_count_of(shown)
    duplicates = list(shown.duplicates.order_by("-committed_at", "-pk")[: DUPLICATES_LISTED + 1])
    others = _others(visible, [*duplicates, *([shown.duplicate_of] if shown.duplicate_of else [])])
    ai_lines = sum(agent.lines for agent in by_agent)
    context = {
        "commit": shown,
        "short_sha": shown.sha[:SHORT_SHA],
        "facts": _facts(shown, labels.labels_of(access, [shown])[shown.pk]),
        "counts": not shown.exclusion_reason,
        "exclusion_reason": labels.EXCLUSION_REASONS.get(shown.exclusion_reason, ""),
        "why": labels.why(shown),
        "duplicate_of": others.get(shown.duplicate_of_id) if shown.duplicate_of_id else None,
        "duplicates": [others[other.pk] for other in duplicates[:DUPLICATES_LISTED]],
        "more_duplicates": len(duplicates) > DUPLICATES_LISTED,
        "ai_lines": f"{ai_lines:,}",
        "ai_percent": wording.percent_of(ai_lines, shown.lines_added) if shown.lines_added else "",
        "by_agent": [
            (agent, agent_name(agent.agent), labels.METHODS[agent.method], f"{agent.lines:,}") for agent in by_agent
        ],
        "upper_bound": any(agent.level == "commit" for agent in by_agent),
        "evidence": _evidence_lines(shown, seen, others, visible, access),
        "evidence_left_out": max(0, evidence_count - MOST_EVIDENCE),
        "questions": unresolved_evidence_of(shown),
        "files": [_file_line(file) for file in files],
        **links_of_page(page, files, file_count, lambda number: f"?page={number}", size=FILES_PER_PAGE),
    }
    return render(request, "insights/attribution/commit.html", context)


def _facts(commit: Commit, author: str) -> list[tuple[str, str]]:
    """The commit's data, in pairs of term and description."""
    held = repositories_of([commit]).get(commit.pk, ())
    where = [
        f"{link.repository.name} ({'default branch' if link.on_default_branch else 'another branch'})" for link in held
    ]
    lines = f"+{commit.lines_added:,} −{commit.lines_deleted:,}" if commit.lines_known else "unknown"
    facts = [
        ("Commit", commit.sha),
        ("Counts as", author),
        ("Committed", wording.moment(commit.committed_at)),
        ("Written", wording.moment(commit.authored_at)),
        ("Counted on", wording.day(commit.counted_on)),
        ("Repositories", ", ".join(where) or "none: on no branch any more"),
        ("Parents", str(len(commit.parents))),
        ("Files", f"{commit.file_count:,} counted"),
        ("Lines", f"{lines}, without excluded files" if commit.lines_known else lines),
    ]
    if commit.by_agent:
        facts.insert(2, ("Signed by", agent_name(commit.by_agent)))
    return facts


def _others(visible: QuerySet[Commit], commits: Sequence[Commit]) -> dict[int, dict[str, Any]]:
    """Other commits by id, with a link and a subject if the viewer may see them."""
    ids = [commit.pk for commit in commits]
    seen = set(visible.filter(pk__in=ids).values_list("pk", flat=True)) if ids else set()
    return {
        commit.pk: {
            "short_sha": commit.sha[:SHORT_SHA],
            "subject": commit.subject if commit.pk in seen else "",
            "url": reverse("attributed_commit", args=[commit.sha]) if commit.pk in seen else "",
        }
        for commit in commits
    }


def _evidence_lines(
    commit: Commit,
    seen: Sequence[SeenEvidence],
    others: dict[int, dict[str, Any]],
    visible: QuerySet[Commit],
    access: Access,
) -> list[dict[str, Any]]:
    elsewhere = [evidence.row.commit for evidence in seen if evidence.row.commit_id not in (commit.pk, *others)]
    others = {**others, **_others(visible, list({other.pk: other for other in elsewhere}.values()))}
    decided_by = next((labels.method_name(evidence.row.method) for evidence in seen if evidence.decided), "")
    return [
        {
            "method": labels.method_name(evidence.row.method),
            "level": labels.LEVELS.get(evidence.row.level, evidence.row.level),
            "agent": evidence.row.agent,
            "model": evidence.row.model,
            "confidence": f"{evidence.row.confidence:.0%}",
            "text": evidence.row.said,
            "lines": "" if evidence.lines is None else f"{evidence.lines:,}",
            "session": _session(evidence, access),
            "commit": others.get(evidence.row.commit_id) if evidence.row.commit_id != commit.pk else None,
            "seen_at": wording.moment(evidence.row.seen_at),
            "outcome": _outcome(commit, evidence, decided_by),
            "decided": evidence.decided,
        }
        for evidence in seen
    ]


def _session(seen: SeenEvidence, access: Access) -> str:
    """The session of an evidence row, as far as this viewer may see it."""
    session = seen.session
    if session is None:
        return f"{seen.row.external_session}, without telemetry" if seen.row.external_session else ""
    if not may_name_session(access, session):
        return "a colleague's"
    return f"#{session.pk}, {wording.moment(session.started_at)}"


def _outcome(commit: Commit, seen: SeenEvidence, decided_by: str) -> str:
    if seen.row.withdrawn_at is not None:
        return f"Withdrawn on {wording.day(seen.row.withdrawn_at.date())}: the notes no longer contain it"
    if commit.exclusion_reason:
        return "Counts if the commit counts" if commit.duplicate_of_id else "Not used: the commit does not count"
    if seen.decided:
        return "Decided" if seen.row.agent else "Decided: no AI lines"
    if decided_by and labels.method_name(seen.row.method) != decided_by:
        return f"Not used: {labels.in_a_sentence(decided_by)} takes precedence"
    return "No lines of counted files remain for it"


def _file_line(attributed: AttributedFile) -> dict[str, Any]:
    file = attributed.file
    return {
        "path": file.path,
        "old_path": file.old_path,
        "language": file.language,
        "file_type": labels.FILE_TYPES.get(file.file_type, file.file_type),
        "added": "" if file.added is None else f"{file.added:,}",
        "deleted": "" if file.deleted is None else f"{file.deleted:,}",
        "exclusion_reason": labels.FILE_EXCLUSION_REASONS.get(file.exclusion_reason, ""),
        "ai_lines": [(agent, f"{attributed.ai_lines[agent]:,}") for agent in in_agent_order(attributed.ai_lines)],
    }
