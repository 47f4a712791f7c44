"""Evidence in the labels of pull requests: vendors label those that their agent helped with.

Claude Code labels merged pull requests by a rule of its own.
https://code.claude.com/docs/en/analytics#pr-attribution
The label does not say how many lines are the agent's: like a trailer it is an upper bound, and any stronger evidence
for a commit takes precedence.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import LiteralString

from core import sql
from integrations.code.attribution.evidence import Evidence, append_evidence, withdraw_others
from integrations.models import CommitEvidence, EvidenceLevel, Method
from integrations.outbox.attribution_queue import enqueue_commits, with_representatives

LABELS = {"claude-code-assisted": "claude_code"}
CONFIDENCE = 0.6  # between a trailer and an overlap: the rule allows for 20 % of rewritten lines

# The commits of these pull requests, with the labels of all pull requests that they belong to.
LABELLED: LiteralString = """
    WITH concerned AS (
        SELECT commit.id, commit.sha
        FROM integrations_pullrequestcommit listed JOIN integrations_commit commit ON commit.sha = listed.sha
        WHERE listed.pull_request_id = ANY (%(pull_requests)s)
        UNION
        SELECT commit.id, commit.sha
        FROM integrations_pullrequest merged JOIN integrations_commit commit ON commit.sha = merged.merge_sha
        WHERE merged.id = ANY (%(pull_requests)s) AND merged.merge_sha <> ''
    ), brought AS (
        SELECT concerned.id, listed.pull_request_id
        FROM concerned JOIN integrations_pullrequestcommit listed ON listed.sha = concerned.sha
        UNION
        SELECT concerned.id, merged.id
        FROM concerned JOIN integrations_pullrequest merged ON merged.merge_sha = concerned.sha
    )
    SELECT brought.id, min(lower(label.name))
               FILTER (WHERE lower(label.name) = ANY (%(labels)s) AND pull_request.deleted_at IS NULL)
    FROM brought
    JOIN integrations_pullrequest pull_request ON pull_request.id = brought.pull_request_id
    LEFT JOIN LATERAL unnest(pull_request.labels) AS label (name) ON true
    GROUP BY brought.id
"""


def update_label_evidence(pull_requests: Collection[int]) -> None:
    """Update the label evidence of these pull requests' commits, and queue the commits that changed."""
    labels = dict(sql.rows(LABELLED, {"pull_requests": sorted(pull_requests), "labels": list(LABELS)}))
    expected = {
        commit: Evidence(Method.LABEL, EvidenceLevel.COMMIT, LABELS[label], CONFIDENCE, said=f"Label: {label}")
        for commit, label in labels.items()
        if label
    }
    known = CommitEvidence.objects.filter(commit__in=labels, method=Method.LABEL, withdrawn_at=None)
    gone = withdraw_others(known, {(commit, evidence.digest) for commit, evidence in expected.items()})
    enqueue_commits(with_representatives(gone | append_evidence(expected.items())))
