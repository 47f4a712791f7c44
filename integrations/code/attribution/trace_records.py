"""Agent Trace records of a commit, built from its evidence.  https://agent-trace.dev

Evidence counts lines and does not store where they are.  Ranges are read from the git-ai note of the commit in a clone;
a file whose lines no note locates has no ranges.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC
from typing import Any
from uuid import uuid5

from django.db.models import Q

from integrations.code.attribution.commit_evidence import SeenEvidence
from integrations.code.attribution.git_ai_notes import UnreadableNoteError, ranges_by_writer
from integrations.code.commits.own_commits import sources_of
from integrations.connectors.git.commands import GitError
from integrations.connectors.git.history import existing
from integrations.connectors.git.line_changes import Ranges, added_lines
from integrations.connectors.git.repository import GitRepository
from integrations.model_names import model_name
from integrations.models import CommitEvidence, CommitInRepository, EvidenceLevel, Repository

VERSION = "0.1.0"  # of the specification
OWN_METADATA = "org.headway"
# The beginning of a model's name → its maker, as https://models.dev spells it.
_MAKERS = (
    *(("claude-", "anthropic"), ("gpt-", "openai"), ("o1", "openai"), ("o3", "openai"), ("o4", "openai")),
    *(("codex-", "openai"), ("gemini-", "google"), ("grok-", "xai"), ("deepseek-", "deepseek")),
    *(("mistral-", "mistral"), ("devstral-", "mistral"), ("codestral", "mistral"), ("kimi-", "moonshotai")),
    *(("glm-", "zai"), ("qwen", "alibaba")),
)
_Located = Mapping[tuple[str, str, str], Mapping[str, Ranges]]
"""Commit, agent and the agent's session id → path → ranges."""


def trace_records(seen: Sequence[SeenEvidence], *, named_sessions: Collection[int]) -> list[dict[str, Any]]:
    """A record for each agent in the evidence that decided, about the commit that the evidence names.

    For a squash this may be a commit of its branch.  `named_sessions` are the rows whose session the viewer may know.
    """
    deciding = [evidence for evidence in seen if evidence.decided and evidence.row.agent]
    rows = [evidence.row for evidence in deciding]
    counts = dict(CommitEvidence.objects.filter(pk__in=[row.pk for row in rows]).values_list("pk", "lines_by_path"))
    located = _located([row for row in rows if row.level == EvidenceLevel.LINE])
    return [
        _record(evidence, counts[evidence.row.pk] or {}, located, is_named=evidence.row.pk in named_sessions)
        for evidence in deciding
    ]


def _record(
    evidence: SeenEvidence, lines_by_path: Mapping[str, int], located: _Located, *, is_named: bool
) -> dict[str, Any]:
    row, session = evidence.row, evidence.session
    own: dict[str, Any] = {"method": row.method, "level": row.level, "confidence": row.confidence}
    if row.model:
        own["model"] = row.model
    if lines_by_path:
        own["lines_by_path"] = dict(sorted(lines_by_path.items()))
    known = {"session_id": row.external_session or (session.external_id if session else "")} if is_named else {}
    ranges = located.get((row.commit.sha, row.agent, row.external_session), {})
    contributor = _contributor(row.model)
    version = session.agent_version if session else ""
    return {
        "version": VERSION,
        "id": str(uuid5(row.digest, row.commit.sha)),
        "timestamp": row.seen_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "vcs": {"type": "git", "revision": row.commit.sha},
        "tool": {"name": row.agent, **({"version": version} if version else {})},
        "files": [
            {
                "path": path,
                "conversations": [
                    {
                        "contributor": contributor,
                        "ranges": [{"start_line": first, "end_line": last} for first, last in ranges.get(path, ())],
                    }
                ],
            }
            for path in sorted(lines_by_path)
        ],
        "metadata": {**known, OWN_METADATA: own},
    }


def _contributor(model: str) -> dict[str, str]:
    """The contributor; a model whose maker is unknown gets no id, as the convention requires."""
    name = model_name(model) if model else ""
    maker = next((maker for beginning, maker in _MAKERS if name.startswith(beginning)), "")
    return {"type": "ai", **({"model_id": f"{maker}/{name}"} if maker else {})}


def _located(rows: Sequence[CommitEvidence]) -> _Located:
    """The ranges that notes in clones name; unknown for a clone that cannot be read."""
    found: dict[tuple[str, str, str], Mapping[str, Ranges]] = {}
    shas = sorted({row.commit.sha for row in rows})
    links = CommitInRepository.objects.filter(commit__in={row.commit_id for row in rows})
    noted = Q(pk__in={row.repository_id for row in rows if row.repository_id})
    for repository in Repository.objects.filter(noted | Q(pk__in=links.values("repository"))) if rows else ():
        for source in sources_of(repository):
            try:
                git = GitRepository.open(source.external_id)
                notes = list(git.notes_of(shas))
                added = dict(added_lines(git.git_dir, existing(git.git_dir, {sha for sha, _ in notes})))
            except GitError:
                continue
            for sha, text in notes:
                for (agent, _, session), by_path in _ranges_of_note(text, added.get(sha)).items():
                    found.setdefault((sha, agent, session), by_path)
    return found


def _ranges_of_note(text: bytes, added: Mapping[str, Ranges] | None) -> Mapping[tuple[str, str, str], Any]:
    try:
        return ranges_by_writer(text, added) if added is not None else {}
    except UnreadableNoteError:
        return {}
