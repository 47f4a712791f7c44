"""Counted reviews, as relations for the metric engine.

Submitted (approved, changes requested, commented) before the merge, by a person other than the author, not by a bot.
They count for the reviewer.
"""

from __future__ import annotations

from dataclasses import replace
from typing import LiteralString

from integrations.facts.pull_requests import AGENTS
from integrations.facts.relation import Relation
from integrations.models import FactFamily

_GIVEN: LiteralString = """
               review.review_id,
               identity.person_id,
               review.submitted_on AS day,
               repository.name || '#' || pull_request.number AS reference,
               pull_request.title,
               pull_request.url,
               repository.name AS repository,
               figures.work_type,
               figures.size_class,
               CASE WHEN figures.agents <> '{}' THEN 'AI' ELSE 'Non-AI' END AS assistance
"""
_FROM: LiteralString = """
        FROM integrations_countedreview review
        LEFT JOIN orgtree_identity identity ON identity.id = review.reviewer_id
        LEFT JOIN integrations_pullrequestfigures figures ON figures.pull_request_id = review.pull_request_id
        LEFT JOIN integrations_pullrequest pull_request ON pull_request.id = review.pull_request_id
        LEFT JOIN integrations_repository repository ON repository.id = figures.repository_id
"""

REVIEWS_GIVEN = Relation(
    name="reviews_given",
    family=FactFamily.PULL_REQUEST,
    open_as_in_tools=True,
    fact="review_id",
    fact_is_row=True,
    sql=f"SELECT {_GIVEN} {_FROM}",
).split_by(
    "agent",
    sql=f"SELECT {_GIVEN}, agent.name AS agent {_FROM} {AGENTS}",
)
"""One row per review; it counts on the local day on which it was submitted.

Reviews of excluded pull requests (those of bots) are left out.  assistance is AI where an agent contributed to a commit
of the pull request.  By agent: a row for each that did, `Non-AI` where none did.
"""

REVIEWERS = replace(REVIEWS_GIVEN, name="reviewers", finer=())
"""REVIEWS_GIVEN under another name, for grouping by person alone."""
