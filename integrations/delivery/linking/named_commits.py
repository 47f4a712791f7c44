"""The commit that a deployment names: by full id, abbreviated id, output of git describe, tag, image or version.

An abbreviation of at least 7 digits matches if exactly one commit of the repository begins with it.  A tag is resolved
by a clone, else by its release, else by the one commit that pipelines ran for it.  A name without a known commit stays
as it was written, in lower case if it is an id, and is resolved again whenever the repository gains or loses commits or
tags.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, LiteralString

from core import sql

# Patterns as literals within a statement that is formatted, so braces are doubled.
_IS_WHOLE: LiteralString = "'^([0-9a-f]{{40}}|[0-9a-f]{{64}})$'"
# git describe: tag, commits since, id; `g` stands for git.  Image tags have sha- before the id.
_ABBREVIATION: LiteralString = "'^(?:(?:refs/)?tags/)?(?:.+-[0-9]+-g|sha-)?([0-9a-f]{{7,64}})(?:-dirty|-broken)?$'"
# Images and versions: the last word of a name that could begin an id, main-abc1234, 1.4.2+abc1234 or
# 2026.11.28-abc1234-1764288000; not the date or time of a build, and not the digest of an image.
_WORD: LiteralString = (
    r"'^(?:.*[^0-9a-z])?g?(?!(?:(?:19|20)[0-9]{{6,12}}|1[0-9]{{9}}|1[0-9]{{12}})(?![0-9a-z]))"
    r"([0-9a-f]{{7,64}})(?![0-9a-z])'"
)
_DIGEST: LiteralString = "'(^|@)sha256:[0-9a-f]{{64}}$'"
_TAG: LiteralString = "'^(?:(?:refs/)?tags/)?(.+?)(?:-0-g[0-9A-Fa-f]+)?(?:-dirty|-broken)?$'"
_RESOLVE: LiteralString = f"""
    WITH named AS MATERIALIZED (
        SELECT deployment.id, deployment.repository_id, btrim(deployment.named_sha) AS written,
               substring(lower(btrim(deployment.named_sha)) FROM {_ABBREVIATION}) AS abbreviation,
               substring(regexp_replace(lower(btrim(deployment.named_sha)), {_DIGEST}, '') FROM {_WORD}) AS word,
               substring(btrim(deployment.named_sha) FROM {_TAG}) AS tag
        FROM integrations_deployment deployment WHERE deployment.pipeline_run_id IS NULL AND {{scope}}
    ), short AS MATERIALIZED (
        SELECT id, repository_id, coalesce(abbreviation, word) AS abbreviation,
               left(coalesce(abbreviation, word), 7) AS beginning
        FROM named WHERE coalesce(abbreviation, word) !~ {_IS_WHOLE}
    ), concerned AS MATERIALIZED (
        SELECT DISTINCT repository_id FROM short
    ), known AS (
        SELECT repository_id, sha FROM integrations_commitplace JOIN concerned USING (repository_id)
        UNION ALL
        SELECT repository_id, commit.sha FROM integrations_commitinrepository JOIN concerned USING (repository_id)
        JOIN integrations_commit commit ON commit.id = commit_id
        UNION ALL
        SELECT repository_id, own.sha FROM integrations_pullrequest pull_request JOIN concerned USING (repository_id)
        CROSS JOIN unnest(ARRAY[pull_request.merge_sha, pull_request.head_sha]) AS own (sha)
        WHERE pull_request.deleted_at IS NULL
        UNION ALL
        SELECT repository_id, listed.sha FROM integrations_pullrequest pull_request
        JOIN concerned USING (repository_id)
        JOIN integrations_pullrequestcommit listed ON listed.pull_request_id = pull_request.id
        WHERE pull_request.deleted_at IS NULL
    ), by_abbreviation AS (
        SELECT short.id, min(known.sha) AS sha FROM short
        JOIN known ON known.repository_id = short.repository_id AND left(known.sha, 7) = short.beginning
             AND starts_with(known.sha, short.abbreviation)
        GROUP BY short.id HAVING min(known.sha) = max(known.sha)
    ), tagged AS MATERIALIZED (
        SELECT id, repository_id, tag FROM named WHERE abbreviation IS NULL OR abbreviation !~ {_IS_WHOLE}
    ), by_tag AS (
        SELECT tagged.id, min(source.tags ->> tagged.tag) AS sha FROM tagged
        JOIN integrations_repository own ON coalesce(own.joined_into_id, own.id) = tagged.repository_id
        JOIN integrations_repositorysource source ON source.repository_id = own.id AND source.tags ? tagged.tag
        GROUP BY tagged.id HAVING min(source.tags ->> tagged.tag) = max(source.tags ->> tagged.tag)
    ), by_release AS (
        SELECT tagged.id, min(lower(release.target)) AS sha FROM tagged
        JOIN integrations_release release ON release.repository_id = tagged.repository_id AND release.tag = tagged.tag
             AND release.deleted_at IS NULL AND NOT release.is_draft AND lower(release.target) ~ {_IS_WHOLE}
        GROUP BY tagged.id HAVING min(lower(release.target)) = max(lower(release.target))
    ), by_run AS (
        SELECT tagged.id, min(run.sha) AS sha FROM tagged
        JOIN integrations_repository repository ON repository.id = tagged.repository_id
             AND repository.default_branch <> tagged.tag
        JOIN integrations_pipelinerun run ON run.repository_id = tagged.repository_id
             AND run.branch IN (tagged.tag, 'refs/tags/' || tagged.tag) AND run.sha <> '' AND run.deleted_at IS NULL
        GROUP BY tagged.id HAVING min(run.sha) = max(run.sha)
    ), resolved AS (
        SELECT named.id, left(coalesce(
                   CASE WHEN named.abbreviation ~ {_IS_WHOLE} THEN named.abbreviation END,
                   CASE WHEN named.abbreviation IS NOT NULL THEN by_abbreviation.sha END,
                   by_tag.sha, by_release.sha, by_run.sha,
                   CASE WHEN named.word ~ {_IS_WHOLE} THEN named.word END, by_abbreviation.sha,
                   CASE WHEN named.abbreviation = lower(named.written) THEN named.abbreviation END, named.written
               ), 64) AS sha
        FROM named
        LEFT JOIN by_abbreviation USING (id)
        LEFT JOIN by_tag USING (id) LEFT JOIN by_release USING (id) LEFT JOIN by_run USING (id)
    )
    UPDATE integrations_deployment stored SET sha = resolved.sha FROM resolved
    WHERE stored.id = resolved.id AND stored.sha <> resolved.sha
    RETURNING stored.id
"""  # noqa: S608  # constants of this module
_NOTE_UNKNOWN: LiteralString = """
    WITH noted AS (
        SELECT deployment.id, deployment.sha <> '' AND NOT EXISTS (
                   SELECT FROM integrations_commitplace place
                   WHERE place.repository_id = deployment.repository_id AND place.sha = deployment.sha
               ) AND NOT EXISTS (
                   SELECT FROM integrations_pullrequest pull_request
                   WHERE pull_request.repository_id = deployment.repository_id AND pull_request.deleted_at IS NULL
                     AND pull_request.merge_sha = deployment.sha
               ) AS is_unknown
        FROM integrations_deployment deployment WHERE {scope}
    )
    UPDATE integrations_deployment stored SET names_unknown_commit = noted.is_unknown FROM noted
    WHERE stored.id = noted.id AND stored.names_unknown_commit <> noted.is_unknown
"""
_OF_THESE: LiteralString = "deployment.id = ANY (%(ids)s)"
_OF_REPOSITORIES: LiteralString = """
    deployment.repository_id = ANY (%(repositories)s)
    AND lower(btrim(deployment.named_sha)) !~ '^([0-9a-f]{40}|[0-9a-f]{64})$'
"""


def resolve_named_commits(deployments: Collection[int]) -> set[int]:
    """Resolve the commits that these deployments name; return the deployments whose commit changed."""
    return _resolve(_OF_THESE, {"ids": sorted(deployments)}) if deployments else set()


def resolve_named_commits_in(repositories: Collection[int]) -> set[int]:
    """Resolve the commits of those deployments in these repositories that name none by its full id."""
    return _resolve(_OF_REPOSITORIES, {"repositories": sorted(repositories)}) if repositories else set()


def resolve_all_named_commits() -> set[int]:
    """Resolve the commits that all deployments name; return the deployments whose commit changed."""
    return _resolve("true", {})


def note_unknown_commits(deployments: Collection[int]) -> None:
    """Store for these deployments whether they name a commit that no source knows."""
    if deployments:
        sql.execute(_NOTE_UNKNOWN.format(scope=_OF_THESE), {"ids": sorted(deployments)})


def note_all_unknown_commits() -> None:
    """Store for all deployments whether they name a commit that no source knows."""
    sql.execute(_NOTE_UNKNOWN.format(scope="true"))


def _resolve(scope: LiteralString, params: dict[str, Any]) -> set[int]:
    return sql.ids(_RESOLVE.format(scope=scope), params)
