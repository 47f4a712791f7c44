"""The agent context files of repositories' default branches."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from core import sql
from integrations.code.commits.store import local_day
from integrations.connectors.git.context_files import context_file_periods
from integrations.models import ContextFile, FactFamily, Repository
from integrations.outbox.fact_changes import append_days

_DAYS_WITH_ANY = """
    SELECT coalesce(range_agg(daterange(present_from, present_to)), '{}')::text
    FROM integrations_contextfile WHERE repository_id = %s
"""
# An agent active in January counts in the first quarter by the files present at the end of March, so all days with
# commits in the repository change.
_DAYS_WITH_COMMITS = """
    SELECT min(counted_on), max(counted_on) + 1 FROM integrations_commit WHERE home_id = %(repository)s
"""


def context_files_by_repository() -> Mapping[str, Sequence[ContextFile]]:
    """Every repository by name, with the files that are present, oldest first."""
    files: dict[int, list[ContextFile]] = {}
    for file in ContextFile.objects.filter(present_to=None).order_by("present_from", "path"):
        files.setdefault(file.repository_id, []).append(file)
    return {
        name: files.get(pk, []) for pk, name in Repository.objects.counted().order_by("name").values_list("pk", "name")
    }


def store_context_files(repository: Repository, git_dir: Path, tip: str, paths: Collection[str] | None = None) -> None:
    """Replace the stored periods, in the caller's transaction: a rewritten branch has a different history.

    `paths`, if known, are the paths of all context files that any commit touches.  A change of the days with any
    context file is appended to the outbox.
    """
    rows: dict[tuple[str, object], ContextFile] = {}
    for period in context_file_periods(git_dir, tip, paths):
        since, until = local_day(period.since), local_day(period.until) if period.until else None
        rows[period.path, since] = ContextFile(
            repository=repository, path=period.path, agent=period.agent, present_from=since, present_to=until
        )
    before = _days_with_any(repository)
    repository.context_files.all().delete()
    ContextFile.objects.bulk_create(rows.values())
    if _days_with_any(repository) != before:
        append_days({FactFamily.CLONE: _DAYS_WITH_COMMITS}, {"repository": repository.pk})


def _days_with_any(repository: Repository) -> str:
    return str(sql.value(_DAYS_WITH_ANY, [repository.pk]))
