"""The demo's repositories, written below the data directory and connected like real ones."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from demo.plan.commits import plan_commits
from demo.plan.history import write_repository
from demo.plan.repositories import REPOSITORIES
from demo.plan.year import DemoYear
from integrations.models import AttributionWork, RepositorySource
from integrations.sync.git.connect import connect_git


def write_and_connect(year: DemoYear) -> int:
    """Write the missing repositories, connect them all and wake the worker; return how many commits people made.

    Idempotent: the same year yields the same commits, and each path has one connection.
    """
    folder = repositories_folder()
    folder.mkdir(parents=True, exist_ok=True)
    sessions = [session for week in range(year.weeks) for session in year.sessions_of_week(week)]
    planned = plan_commits(year, sessions)
    for repository in REPOSITORIES:
        path = folder / repository.name
        if not path.exists():
            write_repository(path, year, repository, planned[repository.name])
        connect_git(path)
    return sum(map(len, planned.values()))


def repositories_folder() -> Path:
    return settings.DATA_DIR / "demo" / "repositories"


def repositories_waiting() -> int:
    """The number of the demo's repositories that have not been read completely."""
    paths = [str((repositories_folder() / repository.name).resolve()) for repository in REPOSITORIES]
    return RepositorySource.objects.filter(external_id__in=paths, synced_at=None).count()


def commits_waiting() -> int:
    """The number of commits and sessions whose attribution is still to be derived."""
    return AttributionWork.objects.count()
