"""Stores commits read from git.  Object ids identify commits: rows stored by another source are left unchanged."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils import timezone

from core import sql
from integrations.code.commits.authors import identify_authors, marked_bots
from integrations.connectors.git.agent_signatures import (
    agent_of_signature,
    agent_of_trailer,
    has_work_of_its_own,
    is_bot,
)
from integrations.connectors.git.attributes import AttributeReader
from integrations.connectors.git.history import ReadCommit, Signature
from integrations.connectors.git.languages import Classification, classify
from integrations.connectors.git.messages import Trailer
from integrations.models import CoAuthor, Repository

COMMIT_COLUMNS = (
    "id, sha, author_id, committer_id, credited_id, authored_at, committed_at, first_seen_at, counted_on, parents, "
    "subject, lines_known, file_count, by_bot, by_agent, lines_added, lines_deleted, counts_key, change_key, "
    "set_apart, picked_from"
)
FILE_COLUMNS = "commit_id, path, old_path, language, file_type, added, deleted, set_apart"
CO_AUTHOR_KEYS = frozenset({"co-authored-by"})


@dataclass(frozen=True, slots=True)
class StoredCommit:
    """A newly stored commit, with the data from which evidence is extracted."""

    id: int
    read: ReadCommit
    co_authors: tuple[Signature, ...]


class KnownAuthors:
    """Cache of author identities during one sync: most authors appear many times.

    `known` are already resolved identities.
    """

    def __init__(self, known: Mapping[tuple[str, str], int] | None = None) -> None:
        self._known: dict[tuple[str, str], int] = dict(known or {})

    def of(self, signatures: Iterable[Signature]) -> Mapping[tuple[str, str], int]:
        """(name, e-mail) → identity id, for these signatures and all earlier ones."""
        if new := {_key(signature): signature for signature in signatures if _key(signature) not in self._known}:
            self._known |= identify_authors(new.values())
        return self._known


def store_commits(
    commits: Sequence[ReadCommit], attributes: AttributeReader, authors: KnownAuthors, *, home: Repository
) -> list[StoredCommit]:
    """Insert commits that are not stored yet, in the caller's transaction; returns the new ones.

    Their home is the repository being read until homes are recomputed (in_repositories.py): nearly always it is the
    only one, and no row has to be written twice.
    """
    drafts = draft_commits(commits, attributes, authors)
    new = _insert_commits(drafts.rows, home)
    stored = [
        StoredCommit(id_, commit, drafts.co_authors[commit.sha])
        for id_, commit in zip(drafts.ids, commits, strict=True)
        if id_ in new
    ]
    insert_files(((commit.id, commit.read) for commit in stored), drafts.classified)
    _insert_co_authors(stored, drafts.people)
    return stored


@dataclass(frozen=True, slots=True)
class Drafts:
    """Commits as rows to insert, in the order of COMMIT_COLUMNS, with their files and co-authors."""

    ids: list[int]
    rows: list[tuple[object, ...]]
    classified: dict[str, list[Classification]]
    co_authors: dict[str, tuple[Signature, ...]]
    people: Mapping[tuple[str, str], int]


def draft_commits(commits: Sequence[ReadCommit], attributes: AttributeReader, authors: KnownAuthors) -> Drafts:
    """Build the rows of these commits, with reserved ids."""
    path_attributes = attributes.of(file.path for commit in commits for file in commit.files)
    co_authors = {commit.sha: tuple(_co_authors(commit)) for commit in commits}
    people = authors.of(
        signature for commit in commits for signature in (commit.author, commit.committer, *co_authors[commit.sha])
    )
    bots = marked_bots({people[_key(commit.author)] for commit in commits})
    ids = _reserve(len(commits))
    seen_at = timezone.now()
    classified = {
        commit.sha: [
            classify(file.path, path_attributes[file.path], binary=file.added is None) for file in commit.files
        ]
        for commit in commits
    }
    rows = [
        _commit_row(
            commit,
            id_=id_,
            files=classified[commit.sha],
            people=people,
            bots=bots,
            co_authors=co_authors[commit.sha],
            seen_at=seen_at,
        )
        for id_, commit in zip(ids, commits, strict=True)
    ]
    return Drafts(ids, rows, classified, co_authors, people)


def counts_key(counts: Iterable[tuple[str, int | None, int | None]], *, otherwise: str) -> UUID:
    """A hash of paths with their counts; without any, a hash of `otherwise`, so that empty commits differ."""
    lines = sorted(f"{path}\0{added}\0{deleted}" for path, added, deleted in counts)
    text = "\n".join(lines) or otherwise
    return UUID(bytes=hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=16).digest())


def local_day(at: datetime) -> date:
    return at.astimezone(settings.ORGANISATION_TIME_ZONE).date()


def _commit_row(
    commit: ReadCommit,
    *,
    id_: int,
    files: Sequence[Classification],
    people: Mapping[tuple[str, str], int],
    bots: Container[int],
    co_authors: Sequence[Signature],
    seen_at: datetime,
) -> tuple[object, ...]:
    counted = [file for file, kind in zip(commit.files, files, strict=True) if not kind.exclusion_reason]
    counts = counts_key(((f.path, f.added, f.deleted) for f in commit.files), otherwise=commit.sha)
    merge = len(commit.parents) > 1
    # Merges, and commits whose lines are unknown, have no duplicates.
    own = commit.sha if merge or not commit.files else ""
    change = f"{commit.author.email.lower()}\0{commit.author.at.timestamp()}\0{counts}\0{own}"
    by_bot = is_bot(commit.author.name, commit.author.email) or people[_key(commit.author)] in bots
    agent = agent_of_signature(commit.author.name, commit.author.email) or (_agent_of_bots(commit) if by_bot else "")
    return (
        id_,
        commit.sha,
        people[_key(commit.author)],
        people[_key(commit.committer)],
        _credited(commit, agent, co_authors, people, bots),
        commit.author.at,
        commit.committer.at,
        seen_at,
        local_day(min(commit.committer.at, seen_at)),
        list(commit.parents),
        commit.subject.replace("\0", ""),
        commit.lines_known,
        len(counted),
        by_bot and not agent,
        agent,
        sum(file.added or 0 for file in counted),
        sum(file.deleted or 0 for file in counted),
        counts,
        UUID(bytes=hashlib.blake2b(change.encode("utf-8", "surrogateescape"), digest_size=16).digest()),
        "",
        list(commit.picked_from),
    )


def _agent_of_bots(commit: ReadCommit) -> str:
    """The agent behind a bot's commit: the first that its trailers identify, unless the bot updates or releases."""
    if has_work_of_its_own(commit.author.name, commit.author.email):
        return ""
    agents = (agent_of_trailer(trailer.key, trailer.value) for trailer in commit.trailers)
    return next(filter(None, agents), "")


def _credited(
    commit: ReadCommit,
    agent: str,
    co_authors: Sequence[Signature],
    people: Mapping[tuple[str, str], int],
    bots: Container[int],
) -> int | None:
    """The identity credited with the commit: for a coding agent, the person who asked; None if unknown."""
    if not agent:
        return people[_key(commit.author)]
    askers = (signature for signature in (*co_authors, commit.committer) if not is_bot(signature.name, signature.email))
    return next((people[_key(asker)] for asker in askers if people[_key(asker)] not in bots), None)


def _co_authors(commit: ReadCommit) -> Iterable[Signature]:
    for trailer in commit.trailers:
        if trailer.key.lower() in CO_AUTHOR_KEYS and (signature := _signature(trailer, commit.author.at)):
            yield signature


def _signature(trailer: Trailer, at: datetime) -> Signature | None:
    """A signature parsed from "Name <address>"; None if the value has no address."""
    name, bracket, rest = trailer.value.partition("<")
    email = rest.partition(">")[0].strip()
    return Signature(name.strip(), email, at) if bracket and "@" in email else None


def _key(signature: Signature) -> tuple[str, str]:
    return signature.name, signature.email


def _reserve(count: int) -> list[int]:
    return sql.column(
        "SELECT nextval(pg_get_serial_sequence('integrations_commit', 'id')) FROM generate_series(1, %s)", [count]
    )


def _insert_commits(rows: Sequence[tuple[object, ...]], home: Repository) -> set[int]:
    """Insert the rows; returns the ids of new ones."""
    copy_drafts(rows)
    return sql.ids(
        f"INSERT INTO integrations_commit ({COMMIT_COLUMNS}, home_id) "  # noqa: S608  # constants of this module
        f"SELECT {COMMIT_COLUMNS}, %s FROM new_commit ORDER BY sha ON CONFLICT (sha) DO NOTHING RETURNING id",
        [home.pk],
    )


def copy_drafts(rows: Sequence[tuple[object, ...]]) -> None:
    """Fill the temporary table new_commit with exactly these rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE IF NOT EXISTS new_commit (LIKE integrations_commit INCLUDING DEFAULTS) "
            "ON COMMIT DELETE ROWS"
        )
        cursor.execute("TRUNCATE new_commit")
        with cursor.copy(f"COPY new_commit ({COMMIT_COLUMNS}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)


def insert_files(commits: Iterable[tuple[int, ReadCommit]], classified: Mapping[str, Sequence[Classification]]) -> None:
    """Insert the files of commits, by commit id."""
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY integrations_commitfile ({FILE_COLUMNS}) FROM STDIN") as copy,
    ):
        for id_, commit in commits:
            for file, kind in zip(commit.files, classified[commit.sha], strict=True):
                copy.write_row(
                    (
                        *(id_, file.path, file.old_path, kind.language, kind.file_type),
                        *(file.added, file.deleted, kind.exclusion_reason),
                    )
                )


def replace_co_authors(stored: Sequence[StoredCommit], people: Mapping[tuple[str, str], int]) -> set[int]:
    """Replace the co-authors of these commits where they differ; return the commits that changed."""
    known: dict[int, dict[int, str]] = {}
    rows = CoAuthor.objects.filter(commit__in=[commit.id for commit in stored])
    for commit_id, identity_id, agent in rows.values_list("commit_id", "identity_id", "agent"):
        known.setdefault(commit_id, {})[identity_id] = agent
    differing = [commit for commit in stored if _agents_by_identity(commit, people) != known.get(commit.id, {})]
    CoAuthor.objects.filter(commit__in=[commit.id for commit in differing]).delete()
    _insert_co_authors(differing, people)
    return {commit.id for commit in differing}


def _agents_by_identity(commit: StoredCommit, people: Mapping[tuple[str, str], int]) -> dict[int, str]:
    """Each co-author's identity, and the agent that it belongs to, if any."""
    return {people[_key(author)]: agent_of_signature(author.name, author.email) for author in commit.co_authors}


def _insert_co_authors(stored: Sequence[StoredCommit], people: Mapping[tuple[str, str], int]) -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy("COPY integrations_coauthor (commit_id, identity_id, agent) FROM STDIN") as copy,
    ):
        for commit in stored:
            for identity_id, agent in _agents_by_identity(commit, people).items():
                copy.write_row((commit.id, identity_id, agent))
