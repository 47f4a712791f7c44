"""Names that facts store as dimensions, and former names of repositories.

The outbox is notified when a name changes.  Tools continue to use a former name until the end of a build, or for years.
"""

from __future__ import annotations

from typing import LiteralString

from integrations.intake.names import folded, spelled
from integrations.models import FactFamily, Repository, RepositoryAlias
from integrations.outbox.fact_changes import append_days

# The first day on which anything happened in the repository or project, by what happened.
_FIRST_DAYS: LiteralString = """
    SELECT min(counted_on) FROM integrations_commit WHERE home_id = %(repository)s
    UNION ALL
    SELECT min(commit.counted_on)
    FROM integrations_changedlines lines JOIN integrations_commit commit ON commit.id = lines.commit_id
    WHERE lines.repository_id = %(repository)s
    UNION ALL
    SELECT min(least(created_at, merged_at, closed_at))::date FROM integrations_pullrequest
    WHERE repository_id = %(repository)s
    UNION ALL
    SELECT min(finished_at)::date FROM integrations_pipelinerun WHERE repository_id = %(repository)s
    UNION ALL
    SELECT min(least(created_at, started_at, finished_at))::date FROM integrations_deployment
    WHERE repository_id = %(repository)s
    UNION ALL
    SELECT min(least(started_at, resolved_at))::date FROM integrations_incident WHERE repository_id = %(repository)s
    UNION ALL
    SELECT min(finished_at)::date FROM integrations_testreport WHERE repository_id = %(repository)s
    UNION ALL
    SELECT min(measured_at)::date FROM integrations_coveragereport WHERE repository_id = %(repository)s
    UNION ALL
    SELECT min(least(created_at, fixed_at))::date FROM integrations_codescanningalert
    WHERE repository_id = %(repository)s
    UNION ALL
    SELECT min(created_on) FROM integrations_workitemfigures WHERE repository_id = %(repository)s
    UNION ALL
    SELECT min(created_at)::date FROM integrations_workitem WHERE project_id = %(project)s
    UNION ALL
    SELECT min(figures.day)
    FROM integrations_sessionshare share JOIN integrations_agentsessionday figures USING (session_id)
    WHERE share.repository_id = %(repository)s
"""
_ALL_DAYS = f"""
    SELECT min(day), greatest(min(day), now()::date) + 1 FROM ({_FIRST_DAYS}) AS days (day)
"""  # noqa: S608  # constants of this module
_OF_PEOPLE = (FactFamily.ENROLMENT, FactFamily.SEATS, FactFamily.EFFORT, FactFamily.HAND_KEPT, FactFamily.VENDOR)
_OF_REPOSITORIES = tuple(family for family in FactFamily if family not in _OF_PEOPLE)


def append_changes_of_renamed(*, repository: int | None = None, project: int | None = None) -> None:
    """Append all days on which anything could have happened there, in the transaction that changes the name."""
    families = (FactFamily.WORK_ITEM, FactFamily.SPRINT) if repository is None else _OF_REPOSITORIES
    append_days(dict.fromkeys(families, _ALL_DAYS), {"repository": repository, "project": project})


def note_former_names(instance: Repository, **_: object) -> None:
    """Signal: a repository is about to get another name, address or default branch."""
    if instance._state.adding:
        return
    stored = Repository.objects.filter(pk=instance.pk).values_list("name", "remote", "default_branch").first()
    if stored is None:
        return
    *before, default_branch = stored
    if default_branch != instance.default_branch:  # coverage is that of the default branch
        append_days({FactFamily.COVERAGE: _ALL_DAYS}, {"repository": instance.pk, "project": None})
    now = {folded(spelled(instance.name)), folded(instance.remote)}
    former = {folded(spelled(name)) for name in before} - now - {""}
    RepositoryAlias.objects.bulk_create(
        [RepositoryAlias(repository=instance, name=name) for name in sorted(former)], ignore_conflicts=True
    )
