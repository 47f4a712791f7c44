"""The SQL that stores figures of pull requests: one row each, and the reviews that count, if they differ."""
# ruff: noqa: S608  # names and constants of this module and the one below

from __future__ import annotations

from collections.abc import Mapping
from typing import LiteralString

from core import sql
from integrations.delivery.pull_requests.stages_sql import AGENTS, COMMITS, DAYS, LINES, REVIEWS, SELECTED
from integrations.facts.line_history import FROM_CHANGES, WHERE_COUNTED
from integrations.facts.working_agreements import AGREED, NEAREST_FIRST

# One row per pull request with a counted review and with files known from a clone: the number of paths it changes, and
# how many of them none of its reviewers had changed before it was opened, in a repository that holds its commits and by
# any of their accounts.  Each reviewer's history of a repository is read once for all pull requests.
#
# The planner expects few rows here and would choose a nested loop: a FULL JOIN is always hashed.
NOVELTY: LiteralString = """
    reviewed_path AS MATERIALIZED (
        SELECT DISTINCT review.id, held.repository_id, coalesce(account.id, review.author_id) AS account_id, file.path,
               selected.opened_at
        FROM review
        JOIN selected ON selected.id = review.id
        JOIN telling ON telling.id = review.id
        JOIN integrations_commitinrepository held ON held.commit_id = telling.commit_id
        JOIN integrations_commitfile file ON file.commit_id = telling.commit_id AND file.set_apart = ''
        LEFT JOIN orgtree_identity account ON account.person_id = review.person_id
    ), history AS MATERIALIZED (
        SELECT reviewer.repository_id, reviewer.account_id, file.path, min(commit.committed_at) AS since
        FROM (SELECT DISTINCT repository_id, account_id FROM reviewed_path) AS reviewer
        JOIN integrations_commit commit ON commit.author_id = reviewer.account_id
        JOIN integrations_commitinrepository held
          ON held.commit_id = commit.id AND held.repository_id = reviewer.repository_id
        JOIN integrations_commitfile file ON file.commit_id = commit.id
        WHERE file.path IN (SELECT path FROM reviewed_path)
        GROUP BY reviewer.repository_id, reviewer.account_id, file.path
    ), known_path AS MATERIALIZED (
        SELECT id, path, bool_or(since < opened_at) AS is_known
        FROM reviewed_path FULL JOIN history USING (repository_id, account_id, path)
        GROUP BY id, path
    ), novelty AS (
        SELECT id, count(*) AS paths, count(*) FILTER (WHERE is_known IS NOT TRUE) AS new_paths
        FROM known_path
        WHERE id IS NOT NULL
        GROUP BY id
    )
"""


def _seconds(start: LiteralString, end: LiteralString) -> LiteralString:
    """Seconds between two columns; null if one is missing or the end precedes the start."""
    return f"CASE WHEN {end} >= {start} THEN extract(epoch FROM {end} - {start})::float8 END"


# The upper limit of each size class in lines, unless a working agreement sets others; anything larger is XL.  400 and
# 800 are the limits of strong and fair in LinearB's community benchmarks (1,971 teams).
_SIZE_CLASS: LiteralString = """
    CASE WHEN sized.size <= coalesce(sizing.size_thresholds[1], 100) THEN 'S'
         WHEN sized.size <= coalesce(sizing.size_thresholds[2], 400) THEN 'M'
         WHEN sized.size <= coalesce(sizing.size_thresholds[3], 800) THEN 'L'
         WHEN sized.size IS NOT NULL THEN 'XL' ELSE '' END
"""

# Column → its expression.
_COLUMNS: Mapping[LiteralString, LiteralString] = {
    "pull_request_id": "selected.id",
    "repository_id": "selected.repository_id",
    "credited_id": "selected.credited_id",
    "is_autonomous": "coalesce(selected.is_autonomous, false)",
    "set_apart": "coalesce(nullif(selected.set_apart, ''), CASE WHEN terms.ignores_it THEN 'label' END, '')",
    "opened_at": "selected.opened_at",
    "opened_on": "selected.opened_at::date",
    "merged_at": "selected.merged_at",
    "merged_on": "selected.merged_at::date",
    "first_commit_at": "clone.first_commit_at",
    "first_review_at": "reviewed.first_at",
    "approved_at": "reviewed.approved_at",
    "coding_seconds": _seconds("clone.first_commit_at", "selected.opened_at"),
    "pickup_seconds": _seconds("selected.opened_at", "reviewed.first_at"),
    "review_seconds": _seconds("reviewed.first_at", "reviewed.approved_at"),
    "merge_seconds": _seconds("reviewed.approved_at", "selected.merged_at"),
    "cycle_seconds": _seconds("selected.opened_at", "selected.merged_at"),
    "review_count": "coalesce(reviewed.reviews, 0)",
    "reviewer_count": "coalesce(reviewed.reviewers, 0)",
    "is_self_merged": """
        CASE WHEN selected.merged_at IS NOT NULL AND selected.merged_by_id IS NOT NULL
                  AND selected.author_id IS NOT NULL
             THEN selected.merged_by_id = selected.author_id
                  OR coalesce(merger.person_id = selected.author_person, false) END
    """,
    "size": "sized.size",
    "size_class": _SIZE_CLASS,
    "agreed_lines": "terms.most_lines",
    "agreed_review_hours": "terms.review_hours",
    "agreed_item": "terms.needs_work_item",
    "agreed_marks": "terms.marks_pull_requests",
    "comment_count": "selected.comment_count",
    "file_count": "coalesce(selected.changed_files, changed.files)",
    "directory_count": "changed.directories",
    "language_count": "changed.languages",
    "reviewed_path_count": "novelty.paths",
    "new_path_count": "novelty.new_paths",
    "written_line_count": "fate.written",
    "rewritten_line_count": "fate.rewritten",
    "is_linked": """
        EXISTS (
            SELECT FROM integrations_workitemlink link
            WHERE link.pull_request_id = selected.id AND link.work_item_id IS NOT NULL
        )
    """,
    "work_type": "selected.work_type",
    "agents": "coalesce(agents.agents, '{}')",
    "open_days": """
        CASE WHEN lasting.id IS NOT NULL
             THEN datemultirange(daterange(lasting.opened_at::date, lasting.ended_at::date))
                  - coalesce(closed.days, '{}') END
    """,
    "stale_days": "stale.days - coalesce(closed.days, '{}')",
    "is_revert": r"selected.title ~* '^\W*revert' OR selected.source_branch ~* '^revert[-/]'",
}
_NAMES: LiteralString = ", ".join(_COLUMNS)
_VALUES: LiteralString = ", ".join(_COLUMNS.values())

# For merged pull requests: the number of lines that their changes left on the default branch, and how many of these
# another counted change rewrote at most 21 days later.  Changes are those of the line history: the commit that the pull
# request was merged as, else its own commits there, or their representatives.  A commit that another pull request was
# merged as belongs to that one.
FATE: LiteralString = f"""
    brought AS MATERIALIZED (
        SELECT DISTINCT part.id, counted.commit_id, counted.written
        FROM part
        JOIN selected ON selected.id = part.id AND selected.merged_at IS NOT NULL
        CROSS JOIN LATERAL (
            SELECT lines.commit_id, lines.written, commit.sha {FROM_CHANGES}
            {WHERE_COUNTED} AND lines.commit_id = part.commit_id AND lines.repository_id = selected.repository_id
        ) AS counted
        WHERE counted.sha = selected.merge_sha
           OR NOT EXISTS (
                  SELECT FROM integrations_pullrequest other
                  WHERE other.merge_sha = counted.sha AND other.repository_id = selected.repository_id
                    AND other.id <> selected.id
              )
    ), fate AS (
        SELECT brought.id,
               CASE WHEN bool_and(brought.written IS NOT NULL) THEN sum(brought.written) END::int AS written,
               CASE WHEN bool_and(brought.written IS NOT NULL) THEN coalesce(sum(again.lines), 0) END::int AS rewritten
        FROM brought
        LEFT JOIN LATERAL (
            SELECT sum(rewritten.lines) AS lines
            FROM integrations_rewrittenlines rewritten
            WHERE rewritten.commit_id = brought.commit_id
              AND rewritten.by_id IN (SELECT lines.commit_id {FROM_CHANGES} {WHERE_COUNTED}
                                      AND lines.commit_id = rewritten.by_id)
              AND NOT EXISTS (SELECT FROM brought own WHERE own.id = brought.id AND own.commit_id = rewritten.by_id)
        ) AS again ON true
        GROUP BY brought.id
    )
"""

# One row per pull request with a change.
_COUNTED_REVIEWS = sql.upsert(
    "integrations_countedreview", "review_id", ("pull_request_id", "reviewer_id", "submitted_on"), "counting"
)
STORE: LiteralString = f"""
    WITH {SELECTED}, {REVIEWS}, {COMMITS}, {LINES}, {NOVELTY}, {AGENTS}, {DAYS}, {FATE},
    reviewed AS (
        SELECT review.id,
               count(*) AS reviews,
               count(DISTINCT coalesce(review.person_id, -review.author_id, 0)) AS reviewers,
               min(review.submitted_at) AS first_at,
               max(review.submitted_at) FILTER (WHERE review.state = 'approved') AS approved_at
        FROM review
        GROUP BY review.id
    ), sized AS (
        SELECT selected.id, coalesce(whole.lines, least(selected.provided_size, clone.lines))::int AS size
        FROM selected
        LEFT JOIN whole ON whole.id = selected.id
        LEFT JOIN clone ON clone.id = selected.id
    ), agreed AS MATERIALIZED (
        SELECT agreed.*, owned.repository_id
        FROM ({AGREED}) AS agreed
        JOIN integrations_owned owned ON owned.id = agreed.owned_id
        WHERE owned.repository_id IN (SELECT repository_id FROM selected)
    ), terms AS MATERIALIZED (
        SELECT selected.id,
               (array_agg(agreed.most_lines ORDER BY {NEAREST_FIRST})
                   FILTER (WHERE agreed.most_lines IS NOT NULL))[1] AS most_lines,
               (array_agg(agreed.review_hours ORDER BY {NEAREST_FIRST})
                   FILTER (WHERE agreed.review_hours IS NOT NULL))[1] AS review_hours,
               (array_agg(agreed.needs_work_item ORDER BY {NEAREST_FIRST})
                   FILTER (WHERE agreed.needs_work_item IS NOT NULL))[1] AS needs_work_item,
               (array_agg(agreed.marks_pull_requests ORDER BY {NEAREST_FIRST})
                   FILTER (WHERE agreed.marks_pull_requests IS NOT NULL))[1] AS marks_pull_requests,
               (array_agg(agreed.ignored_labels::text[] && selected.labels::text[] ORDER BY {NEAREST_FIRST})
                   FILTER (WHERE agreed.ignored_labels IS NOT NULL))[1] AS ignores_it,
               (array_agg(agreed.agreement_id ORDER BY {NEAREST_FIRST})
                   FILTER (WHERE agreed.size_thresholds IS NOT NULL))[1] AS sizing_id
        FROM selected
        JOIN agreed ON agreed.repository_id = selected.repository_id
         AND agreed.during @> coalesce(selected.merged_at, selected.opened_at, now())::date
        GROUP BY selected.id
    ), put AS (
        INSERT INTO integrations_pullrequestfigures AS stored ({_NAMES})
        SELECT {_VALUES}
        FROM selected
        LEFT JOIN sized ON sized.id = selected.id
        LEFT JOIN reviewed ON reviewed.id = selected.id
        LEFT JOIN clone ON clone.id = selected.id
        LEFT JOIN changed ON changed.id = selected.id
        LEFT JOIN novelty ON novelty.id = selected.id
        LEFT JOIN agents ON agents.id = selected.id
        LEFT JOIN fate ON fate.id = selected.id
        LEFT JOIN lasting ON lasting.id = selected.id
        LEFT JOIN closed ON closed.id = selected.id
        LEFT JOIN stale ON stale.id = selected.id
        LEFT JOIN terms ON terms.id = selected.id
        LEFT JOIN integrations_workingagreement sizing ON sizing.id = terms.sizing_id
        LEFT JOIN orgtree_identity merger ON merger.id = selected.merged_by_id
        {sql.update_changed("pull_request_id", _COLUMNS)}
        RETURNING pull_request_id
    ), counting AS (
        SELECT review.review_id, review.id AS pull_request_id, review.author_id AS reviewer_id,
               review.submitted_at::date AS submitted_on
        FROM review
        JOIN selected ON selected.id = review.id AND selected.set_apart = ''
        LEFT JOIN terms ON terms.id = selected.id
        WHERE terms.ignores_it IS NOT TRUE
    ), uncounted AS (
        DELETE FROM integrations_countedreview stored
        WHERE stored.pull_request_id = ANY (%(ids)s)
          AND NOT EXISTS (SELECT FROM counting WHERE counting.review_id = stored.review_id)
        RETURNING pull_request_id
    ), counted AS (
        {_COUNTED_REVIEWS}
        RETURNING pull_request_id
    )
    SELECT pull_request_id FROM put
    UNION SELECT pull_request_id FROM uncounted
    UNION SELECT pull_request_id FROM counted
"""
