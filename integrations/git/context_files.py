"""Agent context files of a repository's default branch, as rows."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from integrations.connectors.git.context_files import context_file_periods
from integrations.git.store import local_day
from integrations.models import ContextFile, Repository


def store_context_files(repository: Repository, git_dir: Path, tip: str, paths: Collection[str] | None = None) -> None:
    """Replace what is known: a rewritten branch has another past.

    `paths` are those of all context files that any commit touches, where they are known.
    """
    rows: dict[tuple[str, object], ContextFile] = {}
    for period in context_file_periods(git_dir, tip, paths):
        since, until = local_day(period.since), local_day(period.until) if period.until else None
        rows[period.path, since] = ContextFile(
            repository=repository, path=period.path, agent=period.agent, present_from=since, present_to=until
        )
    repository.context_files.all().delete()
    ContextFile.objects.bulk_create(rows.values())
