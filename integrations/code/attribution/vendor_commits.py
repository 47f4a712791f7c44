"""Evidence in vendors' reports of commits: how many of a commit's added lines the vendor traced to its agent.

Lines that were not traced need not be a person's, so a commit without traced lines is no evidence of any kind.  The
vendor does not say which lines it means: as with a trailer they are a part of the commit, but their number is known.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import LiteralString

from core import sql
from integrations.code.attribution.evidence import Evidence, append_evidence, withdraw_others
from integrations.models import CommitEvidence, EvidenceLevel, Method

CONFIDENCE = 0.9

_TRACED: LiteralString = """
    SELECT DISTINCT ON (commit.id, usage.agent) commit.id, usage.agent, usage.lines_added, usage.lines_of_commit
    FROM integrations_commit commit
    JOIN integrations_vendorusage usage ON usage.name = commit.sha AND usage.lines_of_commit IS NOT NULL
    JOIN integrations_vendorreport report
      ON report.id = usage.report_id AND report.content = 'commits' AND report.deleted_at IS NULL
    WHERE commit.id = ANY (%(commits)s) AND usage.lines_added > 0 AND usage.lines_of_commit > 0
    ORDER BY commit.id, usage.agent, report.day DESC, usage.id DESC
"""


def update_vendor_evidence(commits: Collection[int]) -> None:
    """Update the evidence from vendors' traced lines in these commits; the latest report about a commit counts."""
    traced = {
        (commit, agent): Evidence(
            Method.VENDOR,
            EvidenceLevel.COMMIT,
            agent,
            CONFIDENCE,
            said=f"{lines:,} of {whole:,} added lines by the vendor's count",
            bound=min(lines / whole, 1.0),
        )
        for commit, agent, lines, whole in sql.rows(_TRACED, {"commits": sorted(commits)})
    }
    entries = [(commit, evidence) for (commit, _), evidence in traced.items()]
    known = CommitEvidence.objects.filter(commit__in=commits, method=Method.VENDOR, withdrawn_at=None)
    withdraw_others(known, {(commit, evidence.digest) for commit, evidence in entries})
    append_evidence(entries)
