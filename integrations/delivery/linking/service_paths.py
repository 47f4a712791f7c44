"""The services of a repository that pull requests touch, by the paths that services are built from.

Paths are known for commits of a clone: the pull request's own, and the one that it was merged as.  Commits that came
into its branch from the default branch are not its own (integrations/delivery/pull_requests/stages_sql.py).
"""
# ruff: noqa: S608  # constants of this module and of those it imports

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import LiteralString

from pathspec import GitIgnoreSpec

from core import sql
from core.batches import batched
from integrations.delivery.pull_requests.changed_days import note_services
from integrations.delivery.pull_requests.figures import shared_commits, sharing_commits
from integrations.delivery.pull_requests.stages_sql import COMMITS
from integrations.models import ServicePaths, TouchedService
from integrations.models.connections import USUAL_DEFAULT_BRANCHES

AT_ONCE = 1000  # pull requests whose paths are held in memory
_OF_THESE = """
    SELECT id FROM integrations_pullrequest
    WHERE id = ANY (%s) AND repository_id IN (SELECT repository_id FROM integrations_servicepaths)
"""
_TOUCHING = """
    SELECT listed.pull_request_id AS id FROM integrations_commit commit
    JOIN integrations_pullrequestcommit listed ON listed.sha = commit.sha
    WHERE commit.id = ANY (%(commits)s)
    UNION
    SELECT pull_request.id FROM integrations_commit commit
    JOIN integrations_pullrequest pull_request ON pull_request.merge_sha = commit.sha
         AND pull_request.repository_id = %(repository)s
    WHERE commit.id = ANY (%(commits)s)
"""
_NAMING = """
    SELECT listed.pull_request_id AS id FROM integrations_pullrequestcommit listed
    JOIN integrations_pullrequest pull_request ON pull_request.id = listed.pull_request_id
    WHERE listed.sha = ANY (%(shas)s) AND pull_request.repository_id = %(repository)s
    UNION
    SELECT id FROM integrations_pullrequest
    WHERE merge_sha <> '' AND merge_sha = ANY (%(shas)s) AND repository_id = %(repository)s
"""
_PATHS: LiteralString = f"""
    WITH selected AS MATERIALIZED (
        SELECT id, repository_id, merged_at, nullif(merge_sha, '') AS merge_sha
        FROM integrations_pullrequest
        WHERE id = ANY (%(ids)s)
    ), {COMMITS}
    SELECT DISTINCT reached.id, reached.repository_id, file.path
    FROM (
        SELECT own.id, selected.repository_id, own.sha FROM own JOIN selected ON selected.id = own.id
        UNION
        SELECT id, repository_id, merge_sha FROM selected WHERE merge_sha IS NOT NULL
    ) AS reached
    JOIN integrations_commit commit ON commit.sha = reached.sha
    CROSS JOIN LATERAL (
        SELECT path FROM integrations_commitfile WHERE commit_id = commit.id
        UNION ALL
        SELECT old_path FROM integrations_commitfile WHERE commit_id = commit.id AND old_path <> ''
    ) AS file
"""


def recompute_touched_services(pull_requests: Collection[int]) -> set[int]:
    """Recompute which services these pull requests touch; return all pull requests that changed, others included.

    Another one changes if these brought its commits to the default branch before it, or no longer do.  Does nothing
    without path rules.
    """
    ruled = _in_repositories_with_rules(pull_requests)
    ruled |= _in_repositories_with_rules(sharing_commits(ruled))
    return _recompute_in_chunks(sorted(ruled))


def recompute_touched_services_in(repository_id: int) -> None:
    """Recompute the touched services of all pull requests of a repository whose rules changed."""
    ids = sql.column("SELECT id FROM integrations_pullrequest WHERE repository_id = %s", [repository_id])
    if not _has_rules(repository_id):
        touched = TouchedService.objects.filter(pull_request__repository=repository_id)
        note_services(set(touched.values_list("pull_request_id", flat=True)))
        touched.delete()
        return
    _recompute_in_chunks(ids)


def touching(repository_id: int, commits: Collection[int]) -> set[int]:
    """The pull requests whose paths come from these commits, if the repository has path rules."""
    if not commits or not _has_rules(repository_id):
        return set()
    return sql.ids(_TOUCHING, {"repository": repository_id, "commits": sorted(commits)})


def touching_placed(repository_id: int, shas: Collection[str]) -> set[int]:
    """The pull requests whose own commits may depend on the places of these commits."""
    if not shas or not _has_rules(repository_id):
        return set()
    return sql.ids(_NAMING, {"repository": repository_id, "shas": list(shas)})


def services_of(paths: Iterable[str], rules: Mapping[str, GitIgnoreSpec]) -> set[str]:
    """The services whose rules match one of the paths."""
    return {service for service, spec in rules.items() if any(spec.match_files(paths))}


def rules_of(patterns: Iterable[str]) -> GitIgnoreSpec:
    """The compiled patterns of one service.  Raises ValueError for an invalid one."""
    return GitIgnoreSpec.from_lines(patterns)


def _has_rules(repository_id: int) -> bool:
    return ServicePaths.objects.filter(repository=repository_id).exists()


def _in_repositories_with_rules(pull_requests: Collection[int]) -> set[int]:
    if not pull_requests:
        return set()
    return sql.ids(_OF_THESE, [sorted(pull_requests)])


def _recompute_in_chunks(pull_requests: list[int]) -> set[int]:
    changed: set[int] = set()
    for some in batched(pull_requests, AT_ONCE):
        changed |= _recompute(some)
    note_services(changed)
    return changed


def _recompute(pull_requests: Sequence[int]) -> set[int]:
    rows = sql.rows(
        _PATHS,
        {
            "ids": pull_requests,
            "shared": shared_commits(pull_requests),
            "usual_branches": sorted(USUAL_DEFAULT_BRANCHES),
        },
    )
    paths: dict[tuple[int, int], list[str]] = defaultdict(list)
    for pull_request, repository, path in rows:
        paths[pull_request, repository].append(path)
    rules = rules_in({repository for _, repository in paths})
    touched = {
        (pull_request, service)
        for (pull_request, repository), of_it in paths.items()
        for service in services_of(of_it, rules.get(repository, {}))
    }
    stored = set(
        TouchedService.objects.filter(pull_request__in=pull_requests).values_list("pull_request_id", "service")
    )
    for pull_request, service in stored - touched:
        TouchedService.objects.filter(pull_request=pull_request, service=service).delete()
    TouchedService.objects.bulk_create(
        TouchedService(pull_request_id=pull_request, service=service)
        for pull_request, service in sorted(touched - stored)
    )
    return {pull_request for pull_request, _ in stored ^ touched}


def rules_in(repositories: Collection[int]) -> Mapping[int, Mapping[str, GitIgnoreSpec]]:
    """The path rules of these repositories, by service; repositories without rules are missing."""
    rules: dict[int, dict[str, GitIgnoreSpec]] = defaultdict(dict)
    for paths in ServicePaths.objects.filter(repository__in=repositories):
        rules[paths.repository_id][paths.service] = rules_of(paths.patterns)
    return rules
