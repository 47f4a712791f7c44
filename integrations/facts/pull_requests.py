"""Pull requests, as relations for the metric engine.

They count for their author, or, if that is a coding agent, for the person who asked it.  If nobody is known to have
asked, they have no person_id, are marked as autonomous, and count for the owner of their repository. Pull requests of
other bots are left out. `assistance` is AI if an agent contributed to any of its commits, else Non-AI; `agent` has a
row for each agent.

Optional columns come from LEFT JOINs by primary key, which the planner drops from queries that do not use them.
"""

from __future__ import annotations

from typing import LiteralString

from integrations.facts.relation import STOCK_DAY, Relation, Stock
from integrations.models import FactFamily

# The largest of the known numbers of files, directories and languages decides.
_COMPLEXITY_CLASS: LiteralString = """
               CASE WHEN figures.file_count > 20 OR figures.directory_count > 6 OR figures.language_count > 3
                    THEN 'complex'
                    WHEN figures.file_count > 5 OR figures.directory_count > 2 OR figures.language_count > 1
                    THEN 'moderate'
                    WHEN figures.file_count IS NOT NULL OR figures.directory_count IS NOT NULL THEN 'simple'
                    ELSE '' END
"""
DESCRIPTION: LiteralString = f"""
               figures.pull_request_id,
               identity.person_id,
               figures.repository_id,
               figures.is_autonomous,
               repository.name || '#' || pull_request.number AS reference,
               pull_request.title,
               pull_request.url,
               repository.name AS repository,
               figures.work_type,
               figures.size_class,
               {_COMPLEXITY_CLASS} AS complexity_class,
               CASE WHEN figures.agents <> '{{}}' THEN 'AI' ELSE 'Non-AI' END AS assistance
"""
FROM_FIGURES: LiteralString = """
        FROM integrations_pullrequestfigures figures
        LEFT JOIN orgtree_identity identity ON identity.id = figures.credited_id
        LEFT JOIN integrations_repository repository ON repository.id = figures.repository_id
        LEFT JOIN integrations_pullrequest pull_request ON pull_request.id = figures.pull_request_id
"""
# One row for each agent that contributed.
AGENTS: LiteralString = """
        CROSS JOIN LATERAL unnest(
            CASE WHEN figures.agents <> '{}' THEN figures.agents ELSE ARRAY['Non-AI'::varchar] END
        ) AS agent (name)
"""
# One row for each service whose paths it touches; without service paths, the service of its first deployment.
_SERVICES: LiteralString = """
        LEFT JOIN integrations_touchedservice touched ON touched.pull_request_id = figures.pull_request_id
        LEFT JOIN integrations_deployedpullrequest deployed ON deployed.pull_request_id = figures.pull_request_id
        LEFT JOIN integrations_deployment deployment ON deployment.id = deployed.deployment_id
"""
_SERVICE: LiteralString = "coalesce(touched.service, deployment.service, '') AS service"
# Only if all phases are known: first commit, first review and approval.
_PHASED: LiteralString = (
    "figures.coding_seconds IS NOT NULL AND figures.pickup_seconds IS NOT NULL"
    " AND figures.review_seconds IS NOT NULL AND figures.merge_seconds IS NOT NULL"
)
_MERGED_COLUMNS: LiteralString = f"""
               figures.merged_on AS day,
               figures.coding_seconds,
               figures.pickup_seconds,
               figures.review_seconds,
               figures.merge_seconds,
               figures.cycle_seconds,
               figures.ci_wait_seconds,
               ({_PHASED})::int AS phased,
               CASE WHEN {_PHASED} THEN figures.coding_seconds END AS coding_phase_seconds,
               CASE WHEN {_PHASED} THEN figures.pickup_seconds + figures.review_seconds END AS review_phase_seconds,
               CASE WHEN {_PHASED} THEN figures.merge_seconds END AS merge_phase_seconds,
               figures.size,
               figures.file_count AS files,
               figures.directory_count AS directories,
               figures.language_count AS languages,
               figures.reviewed_path_count AS reviewed_paths,
               figures.new_path_count AS new_paths,
               CASE WHEN figures.size > 0 THEN figures.comment_count END AS comments,
               CASE WHEN figures.comment_count IS NOT NULL THEN figures.size / 100.0 END AS commented_hundreds,
               (figures.review_count = 0)::int AS unreviewed,
               figures.is_self_merged::int AS self_merged,
               (figures.is_self_merged IS NOT NULL)::int AS merger_known,
               figures.is_linked::int AS linked,
               (figures.size > figures.agreed_lines)::int AS oversized,
               CASE WHEN figures.agreed_lines IS NOT NULL THEN (figures.size IS NOT NULL)::int END AS size_agreed,
               (figures.pickup_seconds > figures.agreed_review_hours * 3600)::int AS reviewed_late,
               CASE WHEN figures.agreed_review_hours IS NOT NULL
                    THEN (figures.pickup_seconds IS NOT NULL)::int END AS review_agreed,
               CASE WHEN figures.agreed_item THEN (NOT figures.is_linked)::int END AS unlinked,
               CASE WHEN figures.agreed_item THEN 1 END AS item_agreed,
               (figures.reverted_by_id IS NOT NULL)::int AS reverted,
               1 AS merged,
               figures.written_line_count AS lines_written,
               figures.rewritten_line_count AS lines_rewritten
"""
_WHERE_MERGED: LiteralString = "WHERE figures.merged_on IS NOT NULL AND figures.set_apart = ''"

MERGED_PULL_REQUESTS = (
    Relation(
        name="merged_pull_requests",
        family=FactFamily.PULL_REQUEST,
        open_as_in_tools=True,
        credited_to_owner=True,
        fact="pull_request_id",
        fact_is_row=True,
        sql=f"SELECT {DESCRIPTION}, {_MERGED_COLUMNS} {FROM_FIGURES} {_WHERE_MERGED}",
    )
    .split_by(
        "agent",
        sql=f"SELECT {DESCRIPTION}, {_MERGED_COLUMNS}, agent.name AS agent {FROM_FIGURES} {AGENTS} {_WHERE_MERGED}",
    )
    .split_by(
        "service",
        sql=f"SELECT {DESCRIPTION}, {_MERGED_COLUMNS}, {_SERVICE} {FROM_FIGURES} {_SERVICES} {_WHERE_MERGED}",
    )
    .split_by(
        "agent",
        "service",
        sql=f"""
        SELECT {DESCRIPTION}, {_MERGED_COLUMNS}, agent.name AS agent, {_SERVICE}
        {FROM_FIGURES} {AGENTS} {_SERVICES}
        {_WHERE_MERGED}
    """,
    )
)
"""One row per merged pull request, whatever its target branch; it counts on the local day of its merge.

Stages in seconds, null where an end point is missing or the stage would be negative: coding (first own commit → open),
pickup (open → first review), review (first review → last approval), merge (that approval → merge), cycle (open →
merge).  ci_wait_seconds is the time during which pipelines were queued or ran for its commits while it was open, null
where none is known.  phased is 1 where coding, review (open → last approval) and merge are all known, else 0; only then
the …_phase_seconds are set.  size is lines added + deleted, null where unknown; files, directories and languages are
numbers, the latter two null without a clone.  new_paths of reviewed_paths (null without a clone or a review) are those
that no reviewer had changed before.  comments and commented_hundreds (of lines) are null where either is unknown.
oversized, reviewed_late and unlinked are 1 where it breaks that term of its working agreement, 0 where it does not,
null where nothing is agreed or the measure is unknown; size_agreed, review_agreed and item_agreed are 1 where it can.
unreviewed, self_merged (null where the merger is unknown), merger_known, linked (to a work item) and reverted (by one
merged later) are 1 or 0.  lines_written are those that it left on the default branch, lines_rewritten those of them
that gave way within 21 days; both are null without a clone.

By agent: a row for each that contributed, `Non-AI` where none did.  By service: a row for each that it touches
(docs/deployments.md), empty where none is known.
"""

_STALE: LiteralString = "WHERE figures.stale_days IS NOT NULL AND figures.set_apart = ''"

STALE_PULL_REQUESTS = Relation(
    name="stale_pull_requests",
    family=FactFamily.PULL_REQUEST,
    open_as_in_tools=True,
    day=STOCK_DAY,
    credited_to_owner=True,
    fact="pull_request_id",
    fact_is_row=True,
    stock=Stock("days"),
    sql=f"SELECT {DESCRIPTION}, figures.stale_days AS days {FROM_FIGURES} {_STALE}",
).split_by(
    "agent",
    sql=f"SELECT {DESCRIPTION}, figures.stale_days AS days, agent.name AS agent {FROM_FIGURES} {AGENTS} {_STALE}",
)
"""A stock: open pull requests without activity for two weeks at the end of a day.

Activity is a push, a review or a change of state; comments are none, because their times are not known.
By agent: as MERGED_PULL_REQUESTS.
"""

_ENDED: LiteralString = """
               coalesce(figures.merged_on, pull_request.closed_at::date) AS day,
               (figures.merged_on IS NOT NULL)::int AS merged,
               EXISTS (
                   SELECT FROM integrations_pullrequestevent event
                   WHERE event.pull_request_id = figures.pull_request_id AND event.kind = 'reopened'
               )::int AS reopened,
               (
                   SELECT count(DISTINCT (
                       SELECT count(*) FROM integrations_pullrequestcommit commit
                       WHERE commit.pull_request_id = figures.pull_request_id
                         AND commit.committed_at <= review.submitted_at
                   ))
                   FROM integrations_countedreview counted
                   JOIN integrations_pullrequestreview review ON review.id = counted.review_id
                   WHERE counted.pull_request_id = figures.pull_request_id
               )::int AS review_rounds,
               figures.failed_run_count AS failed_runs
"""
_WHERE_ENDED: LiteralString = """
        WHERE figures.set_apart = ''
          AND (figures.merged_on IS NOT NULL
               OR pull_request.state = 'closed' AND pull_request.merged_at IS NULL
                  AND pull_request.closed_at IS NOT NULL)
"""

ENDED_PULL_REQUESTS = Relation(
    name="ended_pull_requests",
    family=FactFamily.PULL_REQUEST,
    open_as_in_tools=True,
    credited_to_owner=True,
    fact="pull_request_id",
    fact_is_row=True,
    sql=f"SELECT {DESCRIPTION}, {_ENDED} {FROM_FIGURES} {_WHERE_ENDED}",
).split_by(
    "agent",
    sql=f"SELECT {DESCRIPTION}, {_ENDED}, agent.name AS agent {FROM_FIGURES} {AGENTS} {_WHERE_ENDED}",
)
"""One row per pull request that was merged or closed; it counts on the local day on which it ended.

merged and reopened (at any time) are 1 or 0.  review_rounds is the number of counted reviews, those between the same
two commits taken together.  failed_runs are the pipeline runs on its commits that failed before its end, one for
every attempt; null where none finished.  By agent: as MERGED_PULL_REQUESTS.
"""
