"""Evidence from the collector: lines that snapshots on the author's machine show an agent to have written.

A report counts lines by file type, and they are spread over the commit's files of that type.  A report is accepted only
for commits that its own person wrote, committed or is credited with.  A report without lines proves nothing: lines that
no snapshot shows are unknown, not human.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import LiteralString, NamedTuple

from agent.lines import file_type
from core import sql
from integrations.code.attribution.amounts import fit
from integrations.code.attribution.evidence import Evidence, append_evidence, withdraw_others
from integrations.model_names import model_name
from integrations.models import CommitEvidence, CommitFile, EvidenceLevel, Method

CONFIDENCE = 0.98  # as measured: bench/collector_cases.py

_REPORTED: LiteralString = """
    SELECT commit.id, lines.agent, lines.model, lines.external_session, lines.lines_by_type::text
    FROM integrations_commit commit
    JOIN integrations_collectedlines lines ON lines.sha = commit.sha
    JOIN integrations_ingesttoken token ON token.id = lines.token_id
    JOIN orgtree_identity machine ON machine.id = token.identity_id
    WHERE commit.id = ANY (%(commits)s)
      AND EXISTS (
          SELECT FROM orgtree_identity identity
          WHERE identity.id IN (commit.author_id, commit.committer_id, commit.credited_id)
            AND identity.person_id = machine.person_id
      )
    ORDER BY commit.id, lines.agent, lines.external_session, lines.id
"""


class _Report(NamedTuple):
    """The lines of one session in one commit."""

    agent: str
    model: str
    external_session: str
    lines_by_type: Mapping[str, int]


def update_collected_evidence(commits: Collection[int]) -> None:
    """Update the evidence that the collector's reports give of these commits."""
    reports: dict[int, list[_Report]] = defaultdict(list)
    for commit, agent, model, session, lines_by_type in sql.rows(_REPORTED, {"commits": sorted(commits)}):
        reports[commit].append(_Report(agent, model, session, json.loads(lines_by_type)))
    known = CommitEvidence.objects.filter(commit__in=commits, method=Method.LINE_CHECKPOINT, withdrawn_at=None)
    files = _added_lines(reports)
    entries = [
        (commit, evidence) for commit, of_commit in reports.items() for evidence in _evidence(of_commit, files[commit])
    ]
    withdraw_others(known, {(commit, evidence.digest) for commit, evidence in entries})
    append_evidence(entries)


def _evidence(reports: Sequence[_Report], added: Mapping[str, int]) -> Iterator[Evidence]:
    lines: list[dict[str, int]] = [{} for _ in reports]
    paths: dict[str, list[str]] = defaultdict(list)
    for path in sorted(added):
        paths[file_type(path)].append(path)
    for kind, of_kind in paths.items():
        counted = [report.lines_by_type.get(kind, 0) for report in reports]
        for lines_of_report, spread in zip(lines, _spread(counted, [added[path] for path in of_kind]), strict=True):
            lines_of_report.update({path: count for path, count in zip(of_kind, spread, strict=True) if count})
    for report, by_path in zip(reports, lines, strict=True):
        if by_path:
            yield Evidence(
                Method.LINE_CHECKPOINT,
                EvidenceLevel.LINE,
                report.agent,
                CONFIDENCE,
                model=model_name(report.model),
                external_session=report.external_session,
                lines_by_path=by_path,
                said="Snapshots on the author's machine, before and after the agent's edits",
            )


def _spread(counted: Sequence[int], added: Sequence[int]) -> list[list[int]]:
    """The lines of each session by file, in proportion to the lines that each file adds and never more in total."""
    left = fit(list(counted), sum(added))
    left.append(sum(added) - sum(left))
    spread: list[list[int]] = [[] for _ in counted]
    for lines in added:
        parts = fit(left, lines)
        left = [rest - part for rest, part in zip(left, parts, strict=True)]
        for of_session, part in zip(spread, parts, strict=False):  # the last part is nobody's
            of_session.append(part)
    return spread


def _added_lines(commits: Collection[int]) -> Mapping[int, Mapping[str, int]]:
    """Lines that the commits add, by path, including excluded files: the collector does not know which files count."""
    lines: dict[int, dict[str, int]] = defaultdict(dict)
    rows = CommitFile.objects.filter(commit__in=commits, added__gt=0).values_list("commit_id", "path", "added")
    for commit, path, added in rows:
        lines[commit][path] = added or 0
    return lines
