"""Stored data of repositories, by names that survive a new import, so that two imports can be compared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db import connection

from integrations.code.attribution.tasks import attribute_pending
from integrations.models import Commit, Connection, Repository, RepositorySource, SyncRun
from integrations.sync.git.connect import connect_git
from integrations.sync.git.read_source import sync_source
from tests.code.git.repositories import Repo

QUERIES = {
    "commits": """
        SELECT c.sha, c.set_apart, s.sha AS stands_in, a.value AS author, r.value AS credited, c.authored_at,
               c.committed_at, c.counted_on, c.parents, c.subject, c.lines_known, c.file_count, c.by_bot, c.by_agent,
               c.lines_added, c.lines_deleted, c.change_key, c.squashed,
               h.name AS home
        FROM integrations_commit c
        LEFT JOIN integrations_repository h ON h.id = c.home_id
        JOIN orgtree_identity a ON a.id = c.author_id
        LEFT JOIN orgtree_identity r ON r.id = c.credited_id
        LEFT JOIN integrations_commit s ON s.id = c.stands_in_id
        WHERE EXISTS (SELECT FROM integrations_commitinrepository l WHERE l.commit_id = c.id)
        ORDER BY c.sha
    """,
    "files": """
        SELECT c.sha, f.path, f.old_path, f.language, f.file_type, f.added, f.deleted, f.set_apart
        FROM integrations_commitfile f JOIN integrations_commit c ON c.id = f.commit_id
        WHERE EXISTS (SELECT FROM integrations_commitinrepository l WHERE l.commit_id = c.id)
        ORDER BY c.sha, f.path
    """,
    "links": """
        SELECT c.sha, r.name, l.on_default_branch FROM integrations_commitinrepository l
        JOIN integrations_commit c ON c.id = l.commit_id JOIN integrations_repository r ON r.id = l.repository_id
        ORDER BY c.sha, r.name
    """,
    "co_authors": """
        SELECT c.sha, i.value, o.agent FROM integrations_coauthor o
        JOIN integrations_commit c ON c.id = o.commit_id JOIN orgtree_identity i ON i.id = o.identity_id
        WHERE EXISTS (SELECT FROM integrations_commitinrepository l WHERE l.commit_id = c.id)
        ORDER BY c.sha, i.value
    """,
    "context_files": """
        SELECT r.name, f.path, f.agent, f.present_from, f.present_to FROM integrations_contextfile f
        JOIN integrations_repository r ON r.id = f.repository_id ORDER BY r.name, f.path, f.present_from
    """,
    "ai_lines": """
        SELECT c.sha, f.path, a.agent, a.method, a.level, a.ai_lines FROM integrations_fileattribution a
        JOIN integrations_commitfile f ON f.id = a.file_id JOIN integrations_commit c ON c.id = a.commit_id
        ORDER BY c.sha, f.path, a.agent
    """,
}


def sync(repo: Repo | Path, *, name: str = "", full: bool = False) -> SyncRun:
    """Connect the repository where that was not done, read it, and derive what came from agents."""
    source = connect_git(repo.path if isinstance(repo, Repo) else repo, name=name)
    run = sync_source(source, full=full)
    attribute_pending()
    return run


def tables() -> dict[str, list[tuple[Any, ...]]]:
    """All that branches still hold."""
    rows = {}
    for name, query in QUERIES.items():
        with connection.cursor() as cursor:
            cursor.execute(query)
            rows[name] = cursor.fetchall()
    return rows


def imported_anew(*repositories: Repo) -> dict[str, list[tuple[Any, ...]]]:
    """The tables as an import into an empty installation fills them, from the repositories as they are now."""
    names = {source.external_id: source.connection.name for source in RepositorySource.objects.all()}
    Connection.objects.all().delete()
    Repository.objects.all().delete()
    Commit.objects.all().delete()
    for repo in repositories:
        sync(repo, name=names.get(str(repo.path.resolve()), ""))
    return tables()


def counted() -> dict[str, int]:
    """Subject of each commit that counts → lines that it adds."""
    return dict(Commit.objects.filter(exclusion_reason="").values_list("subject", "lines_added"))


def exclusion_reason() -> dict[str, str]:
    """Object id of each commit that does not count → why."""
    return dict(Commit.objects.exclude(exclusion_reason="").values_list("sha", "exclusion_reason"))
