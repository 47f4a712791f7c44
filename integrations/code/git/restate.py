"""Updates stored commits from git: a changed mailmap or .gitattributes also affects old commits.

Rows of commits and files keep their ids, and evidence stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core import sql
from integrations.code.attribution.evidence import restate_evidence
from integrations.code.commits.changed_days import append_changes_of_commits
from integrations.code.commits.store import (
    Drafts,
    KnownAuthors,
    StoredCommit,
    copy_drafts,
    draft_commits,
    insert_files,
    replace_co_authors,
)
from integrations.connectors.git.attributes import AttributeReader
from integrations.connectors.git.history import ReadCommit
from integrations.connectors.git.languages import Classification

STATED = (
    *("author_id", "committer_id", "credited_id", "lines_known", "file_count", "by_bot", "by_agent"),
    *("lines_added", "lines_deleted", "counts_key", "change_key", "parents", "subject", "without_clone"),
    "picked_from",
)
_FRESH = ", ".join(f"fresh.{column}" for column in STATED)
_KNOWN = ", ".join(f"known.{column}" for column in STATED)
# A partial clone that has less data than another source does not overwrite it.
_DIFFERENT = f"({_FRESH}) IS DISTINCT FROM ({_KNOWN}) AND (fresh.lines_known OR NOT known.lines_known)"


def update_commits(commits: Sequence[ReadCommit], attributes: AttributeReader, authors: KnownAuthors) -> set[int]:
    """Update those of these commits that are stored, in the caller's transaction; return the ids that changed."""
    drafts = draft_commits(commits, attributes, authors)
    copy_drafts(drafts.rows)
    rows = sql.rows(
        "SELECT known.id, known.sha, known.lines_known FROM new_commit fresh "
        "JOIN integrations_commit known USING (sha) WHERE fresh.lines_known OR NOT known.lines_known"
    )
    stored = {sha: (id_, lines_known) for id_, sha, lines_known in rows}
    changed = sql.ids(
        f"SELECT known.id FROM new_commit fresh JOIN integrations_commit known USING (sha) WHERE {_DIFFERENT}"  # noqa: S608  # constants of this module
    )
    changed |= _restate_files(commits, stored, drafts.classified)
    append_changes_of_commits(changed)  # for the previous people; the new ones follow when attribution is recomputed
    assignments = ", ".join(f"{column} = fresh.{column}" for column in STATED)
    sql.execute(
        f"UPDATE integrations_commit known SET {assignments} FROM new_commit fresh "  # noqa: S608  # constants of this module
        f"WHERE known.sha = fresh.sha AND {_DIFFERENT}"
    )
    unknown = [commit for commit in commits if commit.lines_known and not stored.get(commit.sha, (0, True))[1]]
    insert_files(((stored[commit.sha][0], commit) for commit in unknown), drafts.classified)
    return changed | _restate_messages(commits, {sha: id_ for sha, (id_, _) in stored.items()}, drafts)


def _restate_messages(commits: Sequence[ReadCommit], ids: Mapping[str, int], drafts: Drafts) -> set[int]:
    """Update co-authors and evidence from the messages of stored commits; returns the commits that changed."""
    stored = [
        StoredCommit(ids[commit.sha], commit, drafts.co_authors[commit.sha]) for commit in commits if commit.sha in ids
    ]
    return replace_co_authors(stored, drafts.people) | restate_evidence(stored) if stored else set()


def _restate_files(
    commits: Sequence[ReadCommit],
    stored: Mapping[str, tuple[int, bool]],
    classified: Mapping[str, Sequence[Classification]],
) -> set[int]:
    """Update the files' languages, types and exclusion reasons; returns the commits that changed."""
    rows = [
        (stored[commit.sha][0], file.path, kind.language, kind.file_type, kind.exclusion_reason)
        for commit in commits
        if commit.sha in stored
        for file, kind in zip(commit.files, classified[commit.sha], strict=True)
    ]
    ids, paths, languages, file_types, exclusion_reason = zip(*rows, strict=True) if rows else ((), (), (), (), ())
    return sql.ids(
        """
        UPDATE integrations_commitfile known
        SET language = fresh.language, file_type = fresh.file_type, set_apart = fresh.set_apart
        FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[])
            AS fresh (commit_id, path, language, file_type, set_apart)
        WHERE known.commit_id = fresh.commit_id AND known.path = fresh.path
          AND (known.language, known.file_type, known.set_apart)
              IS DISTINCT FROM (fresh.language, fresh.file_type, fresh.set_apart)
        RETURNING known.commit_id
        """,
        [list(column) for column in (ids, paths, languages, file_types, exclusion_reason)],
    )
