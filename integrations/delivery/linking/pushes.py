"""Push → the first successful production deployment that contains it, for units that work without pull requests.

A unit's working agreement says whether it works without them in the repositories that it owns.  A push is a commit of
the default branch's first-parent chain that no pull request brought, together with the commits that it merged: the same
history has the same pushes, whichever source sent the commits (docs/decisions/0048).  The pushes of a repository are
recomputed together.
"""
# ruff: noqa: S608  # constants of this module and of those it imports

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import LiteralString

from core import sql
from integrations.delivery.linking.copies import COPIES_OF_THESE, Copy
from integrations.delivery.linking.first_deployment import OF_REPOSITORIES, linked_merges, params_of_linked
from integrations.delivery.linking.service_paths import rules_in, services_of
from integrations.delivery.linking.side_branches import DEPLOYED_BESIDE, deployed_beside
from integrations.delivery.mappings.defaults import default_work_type_of_title
from integrations.enums import WorkType
from integrations.facts.working_agreements import AGREED, NEAREST_FIRST
from integrations.models import FactFamily
from integrations.outbox.fact_changes import announce_changes, insert_days

# One row per push of these repositories.  Commits that a merged pull request brought are excluded: its merge, the
# commits that it lists, their rebased copies (by author time and subject), and a commit that names its number.
_PUSHES: LiteralString = rf"""
    agreed AS MATERIALIZED (
        SELECT owned.repository_id, agreed.during, agreed.trunk, agreed.depth, agreed.agreement_id
        FROM ({AGREED}) AS agreed
        JOIN integrations_owned owned ON owned.id = agreed.owned_id
        WHERE agreed.trunk IS NOT NULL AND owned.repository_id = ANY (%(repositories)s)
    ), brought AS MATERIALIZED (
        SELECT place.repository_id, place.position, place.on_chain, commit.id, commit.sha, commit.subject,
               commit.authored_at, commit.counted_on, cardinality(commit.parents) > 1 AS is_merge,
               least(commit.committed_at, commit.first_seen_at) AS pushed_at,
               CASE WHEN commit.picked_from <> '{{}}' THEN commit.committed_at
                    WHEN commit.authored_at >= '1970-01-02Z' AND commit.authored_at < '2100-01-01Z'
                    THEN commit.authored_at END AS first_at,
               coalesce(substring(commit.subject FROM '\(#([0-9]{{1,9}})\)$'),
                        substring(commit.subject FROM '^Merge pull request #([0-9]{{1,9}}) '))::int AS number
        FROM integrations_commitplace place
        JOIN integrations_commit commit ON commit.sha = place.sha
        WHERE place.position IS NOT NULL AND place.repository_id IN (SELECT repository_id FROM agreed WHERE trunk)
    ), merged AS MATERIALIZED (
        SELECT id, repository_id, number, merge_sha FROM integrations_pullrequest
        WHERE state = 'merged' AND deleted_at IS NULL AND repository_id IN (SELECT repository_id FROM brought)
    ), listed AS MATERIALIZED (
        SELECT merged.repository_id, listed.sha, listed.authored_at, listed.subject
        FROM merged JOIN integrations_pullrequestcommit listed ON listed.pull_request_id = merged.id
    ), of_pull_request AS MATERIALIZED (
        SELECT brought.repository_id, brought.id FROM brought
        JOIN merged ON merged.repository_id = brought.repository_id AND merged.merge_sha = brought.sha
        UNION
        SELECT brought.repository_id, brought.id FROM brought
        JOIN merged ON merged.repository_id = brought.repository_id AND merged.number = brought.number
        UNION
        SELECT brought.repository_id, brought.id FROM brought
        JOIN listed ON listed.repository_id = brought.repository_id AND listed.sha = brought.sha
        UNION
        SELECT brought.repository_id, brought.id FROM brought
        JOIN listed ON listed.repository_id = brought.repository_id
             AND listed.authored_at = brought.authored_at AND listed.subject = brought.subject
    ), push AS MATERIALIZED (
        SELECT brought.repository_id, brought.position,
               max(brought.id) FILTER (WHERE on_chain) AS commit_id,
               max(brought.sha) FILTER (WHERE on_chain) AS sha,
               max(brought.counted_on) FILTER (WHERE on_chain) AS day,
               max(brought.pushed_at) FILTER (WHERE on_chain) AS pushed_at,
               min(brought.first_at) FILTER (WHERE of_pull_request.id IS NULL) AS first_commit_at,
               array_agg(brought.id) FILTER (WHERE of_pull_request.id IS NULL) AS commits
        FROM brought LEFT JOIN of_pull_request USING (repository_id, id)
        GROUP BY brought.repository_id, brought.position
        HAVING count(*) FILTER (WHERE on_chain) = 1
           AND NOT bool_or(on_chain AND of_pull_request.id IS NOT NULL)
           AND (NOT bool_or(on_chain AND is_merge) OR bool_or(NOT on_chain AND of_pull_request.id IS NULL))
    ), counted AS MATERIALIZED (
        SELECT push.* FROM push
        JOIN integrations_commit commit ON commit.id = push.commit_id AND commit.home_id = push.repository_id
        WHERE (
            SELECT agreed.trunk FROM agreed
            WHERE agreed.repository_id = push.repository_id AND agreed.during @> push.day
            ORDER BY {NEAREST_FIRST} LIMIT 1
        )
    )
"""
_MERGES: LiteralString = """
    SELECT counted.commit_id AS id, counted.repository_id, counted.pushed_at AS merged_at, '' AS head_sha,
           counted.position, true AS known, coalesce(touched.service, '') AS track, NULL::bigint AS beside_id
    FROM counted
    LEFT JOIN unnest(%(touching)s::bigint[], %(touched)s::text[]) AS touched (commit_id, service)
         ON touched.commit_id = counted.commit_id
"""
_FIGURES = (
    *("repository_id", "first_commit_at", "pushed_at", "deployment_id", "method", "deployed_at", "deployed_on"),
    "predates",
)
_COLUMNS = ", ".join(("commit_id", *_FIGURES))
_RECOMPUTE = f"""
    WITH {_PUSHES}, {linked_merges(_MERGES, OF_REPOSITORIES)}, found AS MATERIALIZED (
        SELECT {_COLUMNS} FROM linked JOIN counted ON counted.commit_id = linked.merge_id
    ), gone AS (
        DELETE FROM integrations_deployedpush stored
        WHERE stored.repository_id = ANY (%(repositories)s)
          AND NOT EXISTS (SELECT FROM found WHERE found.commit_id = stored.commit_id)
        RETURNING stored.commit_id, stored.deployed_on
    ), before AS MATERIALIZED (
        SELECT commit_id, stored.deployed_on
        FROM (SELECT {_COLUMNS} FROM found EXCEPT SELECT {_COLUMNS} FROM integrations_deployedpush) AS differing
        JOIN integrations_deployedpush stored USING (commit_id)
    ), put AS (
        {sql.upsert("integrations_deployedpush", "commit_id", _FIGURES, "found")}
        RETURNING stored.commit_id, stored.deployed_on
    ), changed AS (
        SELECT commit_id, deployed_on FROM gone
        UNION SELECT commit_id, deployed_on FROM before
        UNION SELECT commit_id, deployed_on FROM put
    ), noted AS (
        {insert_days({FactFamily.DEPLOYMENT: "SELECT deployed_on, deployed_on + 1 FROM changed"})}
    )
    SELECT DISTINCT commit_id FROM changed
"""
# Repositories that can have pushes: those whose working agreement says so, and those that have some already.
_CONCERNED = f"""
    SELECT owned.repository_id
    FROM ({AGREED}) AS agreed
    JOIN integrations_owned owned ON owned.id = agreed.owned_id
    WHERE agreed.trunk AND (%(repositories)s::bigint[] IS NULL OR owned.repository_id = ANY (%(repositories)s))
      AND owned.repository_id IS NOT NULL
    UNION
    SELECT repository_id FROM integrations_deployedpush
    WHERE %(repositories)s::bigint[] IS NULL OR repository_id = ANY (%(repositories)s)
"""
_COPIES = f"""
    WITH {_PUSHES}, origins AS MATERIALIZED (SELECT sha::varchar FROM counted), copy AS MATERIALIZED ({COPIES_OF_THESE})
    SELECT counted.commit_id, counted.repository_id, copy.sha
    FROM copy JOIN counted ON counted.sha = copy.origin AND copy.committed_at >= counted.pushed_at
"""
_PATHS = f"""
    WITH {_PUSHES}
    SELECT DISTINCT counted.commit_id, counted.repository_id, changed.path
    FROM counted
    CROSS JOIN unnest(counted.commits) AS own (id)
    JOIN integrations_commitfile file ON file.commit_id = own.id
    CROSS JOIN LATERAL (VALUES (file.path), (file.old_path)) AS changed (path)
    WHERE changed.path <> '' AND counted.repository_id IN (SELECT repository_id FROM integrations_servicepaths)
"""


def repositories_with_pushes(repositories: Collection[int] | None = None) -> set[int]:
    """Those of these repositories (None: all) whose owners work, or once worked, without pull requests."""
    return sql.ids(_CONCERNED, {"repositories": None if repositories is None else list(repositories)})


def recompute_pushes(repositories: Collection[int] | None = None) -> int:
    """Recompute which pushes of these repositories (None: all) are deployed; return how many changed.

    Needs the exclusive lock for linking.
    """
    concerned = sorted(repositories_with_pushes(repositories))
    if not concerned:
        return 0
    copies = _copies_in(concerned)
    touched = _touched_in(concerned)
    changed = sql.column(
        _RECOMPUTE,
        {
            **params_of_linked(concerned, deployed_beside([], copies), copies),
            "touching": [commit for commit, services in touched.items() for _ in services],
            "touched": [service for services in touched.values() for service in services],
        },
    )
    if changed:
        _type(changed)
        announce_changes()
    return len(changed)


def _copies_in(repositories: Collection[int]) -> list[Copy]:
    """Copies of pushes; none if everything was deployed from the default branch, where copies make no difference."""
    beside = sql.column(DEPLOYED_BESIDE, {"repositories": list(repositories)})
    if not beside:
        return []
    return [Copy(*row) for row in sql.rows(_COPIES, {"repositories": beside})]


def _touched_in(repositories: Collection[int]) -> Mapping[int, Collection[str]]:
    """The services whose paths each push touches, by its commit."""
    rules = rules_in(repositories)
    if not rules:
        return {}
    paths: dict[tuple[int, int], list[str]] = defaultdict(list)
    for commit, repository, path in sql.rows(_PATHS, {"repositories": list(rules)}):
        paths[commit, repository].append(path)
    return {commit: sorted(services_of(of_it, rules[repository])) for (commit, repository), of_it in paths.items()}


def _type(commits: Collection[int]) -> None:
    """Set the work type of these pushes, by the convention of their subjects."""
    types = {
        id_: default_work_type_of_title(subject) or WorkType.OTHER
        for id_, subject in sql.rows("SELECT id, subject FROM integrations_commit WHERE id = ANY (%s)", [list(commits)])
    }
    sql.execute(
        """
        UPDATE integrations_deployedpush push SET work_type = derived.work_type
        FROM unnest(%s::bigint[], %s::text[]) AS derived (commit_id, work_type)
        WHERE push.commit_id = derived.commit_id AND push.work_type <> derived.work_type
        """,
        [list(types), [work_type.value for work_type in types.values()]],
    )
