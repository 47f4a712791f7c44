"""Commits of joined repositories: those that each holds by itself (OwnCommit), so that the join can be undone."""

from __future__ import annotations

from collections.abc import Collection, Set
from typing import LiteralString

from django.db import models
from django.db.models import Q

from core import sql
from integrations.models import OwnCommit, Repository, RepositorySource

_ADD: LiteralString = """
    INSERT INTO integrations_owncommit AS stored (repository_id, commit_id, on_default_branch)
    SELECT %(own)s, commit.id, bool_or(held.on_default)
    FROM (
        SELECT sha, false AS on_default FROM unnest(%(shas)s::text[]) AS sha
        UNION ALL SELECT sha, true FROM unnest(%(on_default)s::text[]) AS sha
    ) AS held
    JOIN integrations_commit commit ON commit.sha = held.sha
    GROUP BY commit.id
    ON CONFLICT (repository_id, commit_id) DO UPDATE SET on_default_branch = true
    WHERE excluded.on_default_branch AND NOT stored.on_default_branch
"""
_HELD: LiteralString = """
    SELECT commit.sha, bool_or(own.on_default_branch)
    FROM integrations_owncommit own
    JOIN integrations_repository repository ON repository.id = own.repository_id
    JOIN integrations_commit commit ON commit.id = own.commit_id
    WHERE coalesce(repository.joined_into_id, repository.id) = %s
    GROUP BY commit.sha
"""


def is_joined(own: Repository) -> bool:
    """Whether the repository is one of several that count as one."""
    return own.joined_into_id is not None or Repository.objects.filter(joined_into=own).exists()


def hold(own: Repository, shas: Collection[str], on_default: Collection[str]) -> None:
    """Record that a source of `own` provided these commits, some of them on its default branch."""
    if shas and is_joined(own):
        sql.execute(_ADD, {"own": own.pk, "shas": list(shas), "on_default": list(on_default)})


def release(own: models.QuerySet[Repository], shas: Collection[str]) -> None:
    """Record that these repositories no longer hold these commits, unless a clone does."""
    OwnCommit.objects.filter(repository__in=own, commit__sha__in=shas, commit__without_clone=True).delete()


def hold_exactly(own: Repository, shas: Set[str], on_default: Set[str]) -> tuple[Set[str], Set[str]]:
    """Record that the sources of `own` hold exactly these commits; return those of all repositories joined with it."""
    if not is_joined(own):
        return shas, on_default
    OwnCommit.objects.filter(repository=own).delete()
    hold(own, shas, on_default)
    held = sql.rows(_HELD, [own.counted_as.pk])
    return {sha for sha, _ in held}, {sha for sha, is_on_default in held if is_on_default}


def sources_of(repository: Repository) -> models.QuerySet[RepositorySource]:
    """The clones of a repository and of those joined with it, in the order in which they were connected."""
    return RepositorySource.objects.filter(Q(repository=repository) | Q(repository__joined_into=repository)).order_by(
        "pk"
    )
