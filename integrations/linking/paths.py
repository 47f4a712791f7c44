"""Which services of a repository pull requests touch, by the paths that services are built from.

Paths are known of commits that a clone has told of: those of the pull request, and the one that it was merged as.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from django.db import connection
from pathspec import GitIgnoreSpec

from integrations.models import ServicePaths, TouchedService

AT_ONCE = 1000  # pull requests, whose paths are held in memory
_OF_THESE = """
    SELECT id FROM integrations_pullrequest
    WHERE id = ANY (%s) AND repository_id IN (SELECT repository_id FROM integrations_servicepaths)
"""
_TOUCHING = """
    SELECT told.pull_request_id AS id FROM integrations_commit commit
    JOIN integrations_pullrequestcommit told ON told.sha = commit.sha
    WHERE commit.id = ANY (%(commits)s)
    UNION
    SELECT pull_request.id FROM integrations_commit commit
    JOIN integrations_pullrequest pull_request ON pull_request.merge_sha = commit.sha
         AND pull_request.repository_id = %(repository)s
    WHERE commit.id = ANY (%(commits)s)
"""
_PATHS = """
    SELECT DISTINCT pull_request.id, pull_request.repository_id, file.path
    FROM integrations_pullrequest pull_request
    CROSS JOIN LATERAL (
        SELECT sha FROM integrations_pullrequestcommit WHERE pull_request_id = pull_request.id
        UNION SELECT pull_request.merge_sha
    ) AS told
    JOIN integrations_commit commit ON commit.sha = told.sha
    CROSS JOIN LATERAL (
        SELECT path FROM integrations_commitfile WHERE commit_id = commit.id
        UNION ALL
        SELECT old_path FROM integrations_commitfile WHERE commit_id = commit.id AND old_path <> ''
    ) AS file
    WHERE pull_request.id = ANY (%s)
"""


def settle_touched_services(pull_requests: Collection[int]) -> None:
    """Look up anew which services these pull requests touch; nothing follows where no repository has path rules."""
    with connection.cursor() as cursor:
        cursor.execute(_OF_THESE, [sorted(pull_requests)])
        ruled = [row[0] for row in cursor.fetchall()]
    for start in range(0, len(ruled), AT_ONCE):
        _settle(ruled[start : start + AT_ONCE])


def settle_touched_services_in(repository_id: int) -> None:
    """As above, of all pull requests of a repository, whose rules have changed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM integrations_pullrequest WHERE repository_id = %s", [repository_id])
        ids = [row[0] for row in cursor.fetchall()]
    if not ServicePaths.objects.filter(repository=repository_id).exists():
        TouchedService.objects.filter(pull_request__repository=repository_id).delete()
        return
    for start in range(0, len(ids), AT_ONCE):
        _settle(ids[start : start + AT_ONCE])


def touching(repository_id: int, commits: Collection[int]) -> set[int]:
    """The pull requests whose paths these commits tell, where the repository has path rules."""
    if not commits or not ServicePaths.objects.filter(repository=repository_id).exists():
        return set()
    with connection.cursor() as cursor:
        cursor.execute(_TOUCHING, {"repository": repository_id, "commits": sorted(commits)})
        return {row[0] for row in cursor.fetchall()}


def services_of(paths: Iterable[str], rules: Mapping[str, GitIgnoreSpec]) -> set[str]:
    """The services with rules that match one of the paths."""
    return {service for service, spec in rules.items() if any(spec.match_files(paths))}


def rules_of(patterns: Iterable[str]) -> GitIgnoreSpec:
    """The patterns of one service.  Raises ValueError where one is none."""
    return GitIgnoreSpec.from_lines(patterns)


def _settle(pull_requests: Collection[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_PATHS, [list(pull_requests)])
        rows = cursor.fetchall()
    paths: dict[tuple[int, int], list[str]] = defaultdict(list)
    for pull_request, repository, path in rows:
        paths[pull_request, repository].append(path)
    rules = _rules({repository for _, repository in paths})
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


def _rules(repositories: Collection[int]) -> Mapping[int, Mapping[str, GitIgnoreSpec]]:
    rules: dict[int, dict[str, GitIgnoreSpec]] = defaultdict(dict)
    for each in ServicePaths.objects.filter(repository__in=repositories):
        rules[each.repository_id][each.service] = rules_of(each.patterns)
    return rules
