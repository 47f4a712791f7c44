"""Deployments, incidents and lead times, as relations for the metric engine.

Lead times count for the people of their changes; deployments and incidents count for the owner of their service,
else of their repository.  integrations/delivery/linking/ links deployments with their contents and their failures.

Conditions on a row named `deployment` say which deployments count.

Optional columns come from LEFT JOINs by primary key, which the planner drops from queries that do not use them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, LiteralString

from integrations.facts.relation import Relation
from integrations.models import FactFamily

IN_PRODUCTION: Final[LiteralString] = """(
    deployment.status = 'success' AND deployment.environment = 'production'
    AND deployment.finished_at IS NOT NULL AND deployment.deleted_at IS NULL AND deployment.exclusion_reason = ''
)"""
"""A successful rollout to production: of several deployments that are one, the one by which it counts."""

ROLLED_OUT: Final[LiteralString] = """(
    deployment.status IN ('success', 'failure') AND deployment.environment = 'production'
    AND deployment.rollout_started_at IS NOT NULL AND deployment.finished_at IS NOT NULL
    AND deployment.deleted_at IS NULL AND deployment.exclusion_reason = ''
)"""
"""A rollout to production that has ended, successful or not: an incident may blame either."""

IS_ROLLBACK: Final[LiteralString] = """(
    deployment.rollback_of <> '' OR EXISTS (
        SELECT FROM integrations_proposedrollback proposed
        WHERE proposed.deployment_id = deployment.id AND proposed.state = 'confirmed'
    ) OR EXISTS (
        SELECT FROM integrations_deployment part WHERE part.part_of_id = deployment.id AND part.rollback_of <> ''
    )
)"""
"""Marked as a rollback by the tool, or confirmed by a person."""

IN_ORDER: Final[LiteralString] = 'deployment.finished_at, deployment.external_id COLLATE "C", deployment.id'
"""The earliest first.  Ties are broken by name, not by order of arrival."""

LATEST_START_FIRST: Final[LiteralString] = (
    'deployment.rollout_started_at DESC, deployment.finished_at DESC, deployment.external_id COLLATE "C" DESC, '
    "deployment.id DESC"
)

LATEST_FIRST: Final[LiteralString] = (
    'deployment.finished_at DESC, deployment.external_id COLLATE "C" DESC, deployment.id DESC'
)


_ASSISTANCE: LiteralString = "CASE WHEN {agents} <> '{{}}' THEN 'AI' ELSE 'Non-AI' END"
_BY_AGENT: LiteralString = """
        CROSS JOIN LATERAL unnest(
            CASE WHEN {agents} <> '{{}}' THEN {agents}::text[] ELSE ARRAY['Non-AI'] END
        ) AS agent (name)
"""
_DEPLOY_SECONDS: LiteralString = """
    CASE WHEN deployed.deployed_at >= figures.merged_at AND NOT deployed.predates
         THEN extract(epoch FROM deployed.deployed_at - figures.merged_at)::float8 END
"""
_IS_WHOLE: LiteralString = """
    deployed.deployed_at >= figures.merged_at AND NOT deployed.predates AND figures.coding_seconds IS NOT NULL
    AND figures.pickup_seconds IS NOT NULL AND figures.review_seconds IS NOT NULL AND figures.merge_seconds IS NOT NULL
"""
_LEAD_TIME: LiteralString = f"""
               deployed.pull_request_id AS change_id,
               identity.person_id,
               figures.repository_id,
               figures.is_autonomous,
               deployed.deployed_on AS day,
               repository.name || '#' || pull_request.number AS reference,
               pull_request.title,
               pull_request.url,
               repository.name AS repository,
               deployment.service,
               figures.work_type,
               figures.size_class,
               {_ASSISTANCE.format(agents="figures.agents")} AS assistance,
               deployed.method,
               CASE WHEN deployed.deployed_at >= figures.first_commit_at AND NOT deployed.predates
                    THEN extract(epoch FROM deployed.deployed_at - figures.first_commit_at)::float8 END AS lead_seconds,
               {_DEPLOY_SECONDS} AS deploy_seconds,
               CASE WHEN {_IS_WHOLE} THEN figures.coding_seconds END AS whole_coding_seconds,
               CASE WHEN {_IS_WHOLE} THEN figures.pickup_seconds END AS whole_pickup_seconds,
               CASE WHEN {_IS_WHOLE} THEN figures.review_seconds END AS whole_review_seconds,
               CASE WHEN {_IS_WHOLE} THEN figures.merge_seconds END AS whole_merge_seconds,
               CASE WHEN {_IS_WHOLE} THEN {_DEPLOY_SECONDS} END AS whole_deploy_seconds,
               CASE WHEN figures.first_commit_at >= origin.started_at AND NOT deployed.predates
                    THEN extract(epoch FROM figures.first_commit_at - origin.started_at)::float8
                    END AS planning_seconds,
               CASE WHEN origin.started_at >= origin.created_at AND NOT deployed.predates
                    THEN extract(epoch FROM origin.started_at - origin.created_at)::float8 END AS backlog_seconds,
               CASE WHEN deployed.deployed_at >= origin.created_at AND NOT deployed.predates
                    THEN extract(epoch FROM deployed.deployed_at - origin.created_at)::float8 END AS idea_seconds
"""
_LEAD_TIME_FROM: LiteralString = """
        FROM integrations_deployedpullrequest deployed
        JOIN integrations_pullrequestfigures figures
             ON figures.pull_request_id = deployed.pull_request_id AND figures.set_apart = ''
        LEFT JOIN orgtree_identity identity ON identity.id = figures.credited_id
        LEFT JOIN integrations_repository repository ON repository.id = figures.repository_id
        LEFT JOIN integrations_pullrequest pull_request ON pull_request.id = deployed.pull_request_id
        LEFT JOIN integrations_deployment deployment ON deployment.id = deployed.deployment_id
        LEFT JOIN integrations_pullrequestorigin origin ON origin.pull_request_id = deployed.pull_request_id
"""

_CODED: LiteralString = """
    CASE WHEN push.pushed_at >= push.first_commit_at AND NOT push.predates
         THEN extract(epoch FROM push.pushed_at - push.first_commit_at)::float8 END
"""
_PUSHED: LiteralString = """
    CASE WHEN push.deployed_at >= push.pushed_at AND NOT push.predates
         THEN extract(epoch FROM push.deployed_at - push.pushed_at)::float8 END
"""
_BOTH: LiteralString = (
    "push.pushed_at >= push.first_commit_at AND push.deployed_at >= push.pushed_at AND NOT push.predates"
)
_PUSH: LiteralString = f"""
               -push.commit_id AS change_id,
               identity.person_id,
               push.repository_id,
               commit.credited_id IS NULL AS is_autonomous,
               push.deployed_on AS day,
               repository.name || '@' || left(commit.sha, 10) AS reference,
               commit.subject AS title,
               '' AS url,
               repository.name AS repository,
               deployment.service,
               push.work_type,
               '' AS size_class,
               {_ASSISTANCE.format(agents="part.agents")} AS assistance,
               push.method,
               CASE WHEN push.deployed_at >= push.first_commit_at AND NOT push.predates
                    THEN extract(epoch FROM push.deployed_at - push.first_commit_at)::float8 END AS lead_seconds,
               {_PUSHED} AS deploy_seconds,
               CASE WHEN {_BOTH} THEN {_CODED} END AS whole_coding_seconds,
               NULL::float8 AS whole_pickup_seconds,
               NULL::float8 AS whole_review_seconds,
               NULL::float8 AS whole_merge_seconds,
               CASE WHEN {_BOTH} THEN {_PUSHED} END AS whole_deploy_seconds,
               NULL::float8 AS planning_seconds,
               NULL::float8 AS backlog_seconds,
               NULL::float8 AS idea_seconds
"""
# Agents that contributed to the push: by their lines, by evidence if lines are unknown, or as its author.
_PUSH_FROM: LiteralString = """
        FROM integrations_deployedpush push
        JOIN integrations_commit commit
             ON commit.id = push.commit_id AND NOT commit.by_bot AND commit.set_apart IN ('', 'merge', 'bulk')
        LEFT JOIN orgtree_identity identity ON identity.id = commit.credited_id
        LEFT JOIN integrations_repository repository ON repository.id = push.repository_id
        LEFT JOIN integrations_deployment deployment ON deployment.id = push.deployment_id
        CROSS JOIN LATERAL (
            SELECT coalesce(array_agg(DISTINCT provided.agent ORDER BY provided.agent), '{}') AS agents
            FROM integrations_commitplace head
            JOIN integrations_commitplace place
                 ON place.repository_id = head.repository_id AND place.position = head.position
            JOIN integrations_commit brought ON brought.sha = place.sha
            CROSS JOIN LATERAL (
                SELECT attribution.agent::text FROM integrations_fileattribution attribution
                WHERE attribution.commit_id = brought.id
                UNION
                SELECT evidence.agent FROM integrations_commitevidence evidence
                WHERE evidence.commit_id = brought.id AND evidence.withdrawn_at IS NULL AND evidence.agent <> ''
                  AND NOT brought.lines_known
                UNION
                SELECT brought.by_agent WHERE brought.by_agent <> ''
            ) AS provided (agent)
            WHERE head.repository_id = push.repository_id AND head.sha = commit.sha
        ) AS part
"""

LEAD_TIMES = Relation(
    name="lead_times",
    family=FactFamily.DEPLOYMENT,
    open_as_in_tools=True,
    credited_to_owner=True,
    fact="change_id",
    fact_is_row=True,
    sql=f"SELECT {_LEAD_TIME} {_LEAD_TIME_FROM} UNION ALL SELECT {_PUSH} {_PUSH_FROM}",
).split_by(
    "agent",
    sql=f"""
        SELECT {_LEAD_TIME}, agent.name AS agent
        {_LEAD_TIME_FROM} {_BY_AGENT.format(agents="figures.agents")}
        UNION ALL
        SELECT {_PUSH}, agent.name AS agent
        {_PUSH_FROM} {_BY_AGENT.format(agents="part.agents")}
    """,
)
"""One row per change that reached production, on the local day on which its first deployment finished.

A change is a merged pull request, or a push of a unit that works without them: change_id is the pull request's id, or
the negative of the commit's.  A push has the stages coding (its first commit → pushed) and deploy alone.

Seconds are null where an end point is unknown, or they are in the wrong order, or where it was merged long before the
first known deployment, so that an earlier one brought it: lead (first own commit → deployed) and deploy (merge →
deployed); planning (work item in progress → first own commit), backlog (item created → in progress) and idea (item
created → deployed) for those linked to an item.  whole_… are the stages coding, pickup, review, merge
(integrations/facts/pull_requests.py) and deploy of changes with all their stages known: they add up.
service is that of the deployment; method is how it was determined that it contains the merge: chain, graph, pick or
time.  By agent: a row for each that contributed to the change, `Non-AI` where none did.
"""

# The caller provides `deployment` and its day.
_DEPLOYMENT: LiteralString = """
               deployment.id AS deployment_id,
               NULL::bigint AS person_id,
               coalesce(owned_service.id, owned_repository.id) AS owned_id,
               deployment.external_id AS reference,
               CASE WHEN deployment.service = '' THEN repository.name ELSE deployment.service END AS title,
               deployment.url,
               repository.name AS repository,
               deployment.service
"""
_OF_DEPLOYMENT: LiteralString = """
        LEFT JOIN integrations_owned owned_service
             ON owned_service.kind = 'service' AND owned_service.name = deployment.service
        LEFT JOIN integrations_owned owned_repository ON owned_repository.repository_id = deployment.repository_id
        LEFT JOIN integrations_repository repository ON repository.id = deployment.repository_id
"""

PRODUCTION_DEPLOYMENTS = Relation(
    name="production_deployments",
    family=FactFamily.DEPLOYMENT,
    open_as_in_tools=True,
    owner="owned_id",
    fact="deployment_id",
    fact_is_row=True,
    sql=f"""
        SELECT {_DEPLOYMENT},
               deployment.finished_at::date AS day,
               coalesce(deployment.unplanned, false)::int AS unplanned,
               (deployment.unplanned IS NULL)::int AS plan_unknown
        FROM integrations_deployment deployment
        {_OF_DEPLOYMENT}
        WHERE {IN_PRODUCTION}
    """,  # noqa: S608  # constants
)
"""One row per successful rollout to production, rollbacks and hotfixes among them, on the day on which it finished.

unplanned is 1 where the tool says so, plan_unknown where the tool does not say whether it was planned; else they are 0.
"""

ROLLOUTS_TO_USERS = replace(
    PRODUCTION_DEPLOYMENTS,
    name="rollouts_to_users",
    sql=f"""
        SELECT {_DEPLOYMENT},
               deployment.finished_at::date AS day,
               (failed.deployment_id IS NOT NULL)::int AS failed
        FROM integrations_deployment deployment
        LEFT JOIN integrations_faileddeployment failed ON failed.deployment_id = deployment.id
        {_OF_DEPLOYMENT}
        WHERE {IN_PRODUCTION} OR (failed.deployment_id IS NOT NULL AND {ROLLED_OUT})
    """,  # noqa: S608  # constants
)
"""PRODUCTION_DEPLOYMENTS, and rollouts that failed and are linked to an incident: users noticed those.

failed is 1 where an incident, a rollback or a fix is linked to it, else 0.
"""

DEPLOYMENT_DAYS = Relation(
    name="deployment_days",
    family=FactFamily.DEPLOYMENT,
    open_as_in_tools=True,
    owner="owned_id",
    fact="day_number",
    part="deployment_id",
    shared_facts=True,
    sql=f"""
        SELECT {_DEPLOYMENT},
               deployment.finished_at::date AS day,
               deployment.finished_at::date - date '2000-01-01' AS day_number
        FROM integrations_deployment deployment
        {_OF_DEPLOYMENT}
        WHERE {IN_PRODUCTION}
    """,  # noqa: S608  # constants
)
"""PRODUCTION_DEPLOYMENTS with the day as the fact: several deployments on one day count once."""

RECOVERIES = replace(
    PRODUCTION_DEPLOYMENTS,
    name="recoveries",
    sql=f"""
        SELECT {_DEPLOYMENT},
               coalesce(failed.restored_on, deployment.finished_at::date) AS day,
               failed.recovery_seconds,
               failed.method
        FROM integrations_faileddeployment failed
        JOIN integrations_deployment deployment ON deployment.id = failed.deployment_id
        {_OF_DEPLOYMENT}
        WHERE {ROLLED_OUT}
    """,  # noqa: S608  # constants
)
"""One row per failed deployment, on the day of recovery; until then on the day on which it finished.

recovery_seconds is deployment finished, or its first incident started where that is earlier → restored; null before
recovery, or where it precedes that.
method is the most reliable way by which the failure is known: explicit, rollback, hotfix or window.
"""

_INCIDENT: LiteralString = """
               incident.id AS incident_id,
               NULL::bigint AS person_id,
               coalesce(owned_service.id, owned_repository.id) AS owned_id,
               coalesce(nullif(incident.key, ''), incident.external_id) AS reference,
               incident.title,
               incident.url,
               coalesce(repository.name, '') AS repository,
               incident.service
"""
_OF_INCIDENT: LiteralString = """
        FROM integrations_incident incident
        LEFT JOIN integrations_owned owned_service
             ON owned_service.kind = 'service' AND owned_service.name = incident.service
        LEFT JOIN integrations_owned owned_repository ON owned_repository.repository_id = incident.repository_id
        LEFT JOIN integrations_repository repository ON repository.id = incident.repository_id
        WHERE incident.deleted_at IS NULL AND incident.duplicate_of_id IS NULL
"""

INCIDENTS_STARTED = Relation(
    name="incidents_started",
    family=FactFamily.INCIDENT,
    open_as_in_tools=True,
    owner="owned_id",
    fact="incident_id",
    fact_is_row=True,
    sql=f"""
        SELECT {_INCIDENT}, incident.started_at::date AS day
        {_OF_INCIDENT} AND incident.started_at IS NOT NULL
    """,
)
"""One row per incident, on the local day on which it started."""

INCIDENTS_RESOLVED = replace(
    INCIDENTS_STARTED,
    name="incidents_resolved",
    sql=f"""
        SELECT {_INCIDENT},
               incident.resolved_at::date AS day,
               CASE WHEN incident.resolved_at >= incident.started_at
                    THEN extract(epoch FROM incident.resolved_at - incident.started_at)::float8 END AS repair_seconds
        {_OF_INCIDENT} AND incident.resolved_at IS NOT NULL
    """,  # noqa: S608  # constants
)
"""One row per resolved incident, on the local day of its resolution.

repair_seconds is start → resolved; null where the start is unknown or after the resolution.
"""
