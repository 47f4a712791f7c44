"""The rows that a join of repositories moves, and that undoing it returns: records and commits."""
# ruff: noqa: S608  # names of tables and columns of this module

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, LiteralString, NamedTuple

from core import sql
from integrations.models import OwnCommit, OwnRecord, Repository, TelemetryPlace


class Moved(NamedTuple):
    """A table with a column that names a repository; `once` are the columns that are unique within a repository."""

    table: LiteralString
    label: str
    once: tuple[LiteralString, ...] = ()
    column: LiteralString = "repository_id"
    key: LiteralString = "id"


# If both have a row, that of the joined one is left out until the join is undone.
TABLES = (
    Moved("integrations_pullrequest", "pull requests"),
    Moved("integrations_pipelinerun", "pipeline runs"),
    Moved("integrations_deployment", "deployments"),
    Moved("integrations_incident", "incidents"),
    Moved("integrations_release", "releases"),
    Moved("integrations_testreport", "test reports"),
    Moved("integrations_coveragereport", "coverage reports"),
    Moved("integrations_codescanningalert", "code scanning alerts"),
    Moved("integrations_project", "projects of work items"),
    Moved("integrations_telemetryplace", "places in agents’ telemetry"),
    Moved("integrations_servicepaths", "path rules of services", once=("service",)),
    Moved(
        "integrations_repeatedreport", "repeated reports", once=("kind", "service", "connection_id", "reported_by_id")
    ),
    Moved("integrations_owned", "services and projects that follow its owner", column="follows_id"),
    Moved("integrations_contextfile", "agent context files", once=("path", "present_from")),
    Moved("integrations_changedlines", "line histories of commits", key="commit_id"),
    Moved("integrations_commitevidence", "notes on commits"),
    Moved("integrations_unusednote", "unused notes", once=("sha",)),
    Moved("integrations_unreadablenote", "unreadable notes", once=("commit_id",)),
)
OWNERSHIP = "integrations_ownership"
_MOVE: LiteralString = """
    WITH moved AS (
        UPDATE {table} moving SET {column} = %(repository)s
        WHERE moving.{column} = %(joined)s AND NOT ({there})
        RETURNING moving.{key}
    )
    INSERT INTO integrations_ownrecord (repository_id, "table", record_id)
    SELECT %(joined)s, %(table)s, {key} FROM moved
    ON CONFLICT DO NOTHING
"""
_THERE: LiteralString = "EXISTS (SELECT FROM {table} there WHERE there.{column} = %(repository)s AND {same})"
_MOVE_BACK: LiteralString = """
    UPDATE {table} moving SET {column} = %(joined)s
    FROM integrations_ownrecord own
    WHERE own."table" = %(table)s AND own.record_id = moving.{key} AND own.repository_id = ANY (%(parts)s)
      AND moving.{column} = %(repository)s
"""
# One owner per tree: the repository's, if it has one there.
_MOVE_OWNERS: LiteralString = """
    WITH moved AS (
        UPDATE integrations_ownership moving SET owned_id = kept.id
        FROM integrations_owned joined, integrations_owned kept
        WHERE joined.repository_id = %(joined)s AND moving.owned_id = joined.id AND kept.repository_id = %(repository)s
          AND NOT EXISTS (
              SELECT FROM integrations_ownership there
              WHERE there.owned_id = kept.id AND there.tree_id = moving.tree_id
          )
        RETURNING moving.id
    )
    INSERT INTO integrations_ownrecord (repository_id, "table", record_id)
    SELECT %(joined)s, %(table)s, id FROM moved
    ON CONFLICT DO NOTHING
"""
_MOVE_OWNERS_BACK: LiteralString = """
    UPDATE integrations_ownership moving SET owned_id = joined.id
    FROM integrations_ownrecord own, integrations_owned joined, integrations_owned kept
    WHERE own."table" = %(table)s AND own.record_id = moving.id AND own.repository_id = ANY (%(parts)s)
      AND joined.repository_id = %(joined)s AND kept.repository_id = %(repository)s AND moving.owned_id = kept.id
"""
# Rows derived from other rows, whenever they arrived: the issues of a repository, and deployments of runs.
_FOLLOWING: tuple[LiteralString, ...] = (
    """
    UPDATE integrations_project project SET repository_id = %(joined)s
    FROM integrations_resource resource
    WHERE resource.connection_id = project.connection_id AND resource.external_id = project.external_id
      AND resource.kind = 'repository' AND resource.repository_id = ANY (%(parts)s)
      AND project.repository_id = %(repository)s
    """,
    """
    UPDATE integrations_deployment deployment SET repository_id = run.repository_id
    FROM integrations_pipelinerun run
    WHERE run.id = deployment.pipeline_run_id AND deployment.repository_id <> run.repository_id
      AND deployment.repository_id = ANY (%(both)s)
    """,
    """
    UPDATE integrations_deployment deployment SET repository_id = original.repository_id
    FROM integrations_deployment original
    WHERE original.id = deployment.activation_of_id AND deployment.repository_id <> original.repository_id
      AND deployment.repository_id = ANY (%(both)s)
    """,
)
_OWN_COMMITS: LiteralString = """
    INSERT INTO integrations_owncommit (repository_id, commit_id, on_default_branch)
    SELECT link.repository_id, link.commit_id, link.on_default_branch
    FROM integrations_commitinrepository link
    WHERE link.repository_id = ANY (%(both)s) AND NOT EXISTS (
        SELECT FROM integrations_repository part WHERE part.joined_into_id = link.repository_id
    )
    ON CONFLICT DO NOTHING
"""
_MERGE_COMMITS: LiteralString = """
    WITH moved AS (
        DELETE FROM integrations_commitinrepository WHERE repository_id = %(joined)s
        RETURNING commit_id, on_default_branch
    )
    INSERT INTO integrations_commitinrepository AS link (commit_id, repository_id, on_default_branch)
    SELECT commit_id, %(repository)s, on_default_branch FROM moved
    ON CONFLICT (commit_id, repository_id) DO UPDATE SET on_default_branch = true
    WHERE excluded.on_default_branch AND NOT link.on_default_branch
    RETURNING commit_id
"""
_SPLIT_COMMITS: tuple[LiteralString, ...] = (
    # Commits that only the joined one holds.
    """
    DELETE FROM integrations_commitinrepository link
    WHERE link.repository_id = %(repository)s
      AND EXISTS (SELECT FROM integrations_owncommit own
                  WHERE own.commit_id = link.commit_id AND own.repository_id = ANY (%(parts)s))
      AND NOT EXISTS (SELECT FROM integrations_owncommit own
                      WHERE own.commit_id = link.commit_id AND own.repository_id = ANY (%(left)s))
    """,
    """
    UPDATE integrations_commitinrepository link SET on_default_branch = false
    WHERE link.repository_id = %(repository)s AND link.on_default_branch
      AND EXISTS (SELECT FROM integrations_owncommit own
                  WHERE own.commit_id = link.commit_id AND own.repository_id = ANY (%(left)s))
      AND NOT EXISTS (SELECT FROM integrations_owncommit own
                      WHERE own.commit_id = link.commit_id AND own.repository_id = ANY (%(left)s)
                        AND own.on_default_branch)
    """,
    """
    INSERT INTO integrations_commitinrepository (commit_id, repository_id, on_default_branch)
    SELECT commit_id, %(joined)s, bool_or(on_default_branch)
    FROM integrations_owncommit WHERE repository_id = ANY (%(parts)s)
    GROUP BY commit_id
    """,
)


def move_rows(repository: Repository, joined: Repository) -> None:
    """Move the rows of `joined` to `repository`, and record which rows were moved."""
    ids = _ids(repository, joined, [])
    for moved in TABLES:
        same = " AND ".join(f"there.{column} = moving.{column}" for column in moved.once)
        there = _THERE.format(table=moved.table, column=moved.column, same=same) if same else "false"
        sql.execute(
            _MOVE.format(table=moved.table, column=moved.column, key=moved.key, there=there),
            {**ids, "table": moved.table},
        )
    sql.execute(_MOVE_OWNERS, {**ids, "table": OWNERSHIP})
    for statement in _FOLLOWING[1:]:
        sql.execute(statement, ids)


def move_rows_back(repository: Repository, joined: Repository, parts: Collection[int]) -> None:
    """Return to `joined` the rows that came from it or from its parts."""
    ids = _ids(repository, joined, parts)
    for moved in TABLES:
        sql.execute(
            _MOVE_BACK.format(table=moved.table, column=moved.column, key=moved.key),
            {**ids, "table": moved.table},
        )
    sql.execute(_MOVE_OWNERS_BACK, {**ids, "table": OWNERSHIP})
    for statement in _FOLLOWING:
        sql.execute(statement, ids)
    OwnRecord.objects.filter(repository=joined).delete()


def place_back(repository: Repository, joined: Repository) -> set[int]:
    """Reassign to `joined` the telemetry places whose name means it, including later ones; return the sessions
    there.
    """
    named = TelemetryPlace.objects.filter(repository=repository).exclude(named="").order_by().distinct()
    mean_joined = [name for name in named.values_list("named", flat=True) if Repository.objects.at(name) == joined]
    TelemetryPlace.objects.filter(repository=repository, named__in=mean_joined).update(repository=joined)
    return sql.ids(
        """
        SELECT DISTINCT there.session_id FROM integrations_sessionplace there
        JOIN integrations_telemetryplace place ON place.id = there.place_id
        WHERE place.repository_id = %s
        """,
        [joined.pk],
    )


def merge_commits(repository: Repository, joined: Repository) -> set[int]:
    """Add the commits of `joined` to `repository`, and record which commits each holds by itself; return the affected
    commits.
    """
    ids = _ids(repository, joined, [])
    sql.execute(_OWN_COMMITS, ids)
    sql.execute(_MERGE_COMMITS, ids)
    return joined_commits({joined.pk, *joined.joined.values_list("pk", flat=True)})


def split_commits(repository: Repository, joined: Repository, parts: Collection[int]) -> None:
    """Restore the commits that each repository holds by itself.  `joined` already counts separately."""
    left = Repository.objects.filter(joined_into=repository).values_list("pk", flat=True)
    ids = {**_ids(repository, joined, parts), "left": [repository.pk, *left]}
    for statement in _SPLIT_COMMITS:
        sql.execute(statement, ids)
    alone = [one.pk for one in (repository, joined) if not one.joined.exists()]
    OwnCommit.objects.filter(repository__in=alone).delete()


def joined_commits(parts: Collection[int]) -> set[int]:
    """The ids of the commits that these repositories hold by themselves, without joins."""
    return set(OwnCommit.objects.filter(repository__in=parts).values_list("commit_id", flat=True))


def count_rows(repository: Repository) -> Mapping[str, int]:
    """The number of rows by label that name the repository, or that are its own if it is joined."""
    counts = {}
    for moved in TABLES:
        if repository.joined_into_id is None:
            counts[moved.label] = sql.value(
                f"SELECT count(*) FROM {moved.table} WHERE {moved.column} = %s", [repository.pk]
            )
        else:
            counts[moved.label] = sql.value(
                f"""
                SELECT count(*) FROM integrations_ownrecord own
                JOIN {moved.table} moved ON moved.{moved.key} = own.record_id
                WHERE own."table" = %s AND own.repository_id = %s
                """,
                [moved.table, repository.pk],
            )
    return counts


def count_commits(repository: Repository) -> int:
    """The number of commits that the repository holds, by itself if it is joined."""
    table = "integrations_commitinrepository" if repository.joined_into_id is None else "integrations_owncommit"
    number: int = sql.value(f"SELECT count(*) FROM {table} WHERE repository_id = %s", [repository.pk])
    return number


def _ids(repository: Repository, joined: Repository, parts: Collection[int]) -> dict[str, Any]:
    return {
        "repository": repository.pk,
        "joined": joined.pk,
        "both": [repository.pk, joined.pk],
        "parts": sorted(parts),
    }
