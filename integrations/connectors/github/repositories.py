"""Repositories: those available for syncing, and the stream that follows their names and branches."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from urllib.parse import quote

from integrations.connectors.base import Cursor, Http, Json, Page, ResourceDraft
from integrations.connectors.drafts import MISSING, RepositoryDraft
from integrations.connectors.errors import GoneError
from integrations.connectors.git.repository import one_spelling
from integrations.connectors.github.lists import list_all
from integrations.connectors.github.stream_repository import Place, recognise, record_of
from integrations.connectors.reader import Reader
from integrations.connectors.unchecked import as_record, text_of
from integrations.enums import ResourceKind


def normalise_repository(payload: Json) -> list[RepositoryDraft]:
    """`repository` from REST or a webhook; `deleted` if it is gone."""
    reader = Reader(payload)
    repository = Reader(payload.get("repository"), "repository", parent=reader)
    page = repository.text("html_url")
    return [
        RepositoryDraft(
            external_id=repository.identifier("id"),
            updated_at=repository.part_time("updated_at"),
            deleted=reader.boolean("deleted", default=False),
            name=repository.text("full_name"),
            remote=one_spelling(page),
            url=page,
            default_branch=repository.text("default_branch", default=MISSING),
            archived=repository.boolean("archived", default=MISSING),
            left_out=tuple(reader.left_out),
        )
    ]


def fetch_repository(http: Http, place: Place, cursor: Cursor, *, now: datetime) -> Iterator[Page]:
    """Read the repository itself, in one request that is free if nothing has changed."""
    etag = str(cursor.get("etag", ""))
    answer = http.get(place.path(), headers={"if-none-match": etag} if etag else None)
    if answer.status == 304:
        recognise(place, None)
        yield Page((), cursor)
        return
    recognise(place, answer.json())
    record = record_of("repository", normalise_repository, answer.json())
    yield Page((record,), {"etag": answer.headers.get("etag", "")})


def list_repositories(http: Http, owners: list[str], *, as_app: bool) -> Iterator[ResourceDraft]:
    """All repositories that this credential can see, limited to these owners if any are named; each once."""
    seen: set[str] = set()
    for repository in _listed(http, owners, as_app=as_app):
        draft = resource_of(repository)
        if draft.external_id not in seen:
            seen.add(draft.external_id)
            yield draft


def resource_of(repository: Json) -> ResourceDraft:
    """The resource of a repository.  Raises SchemaError."""
    reader = Reader(repository)
    page = reader.text("html_url")
    return ResourceDraft(
        kind=ResourceKind.REPOSITORY,
        external_id=reader.identifier("id"),
        name=reader.text("full_name"),
        url=page,
        remote=one_spelling(page),
        default_branch=reader.text("default_branch", default=""),
        archived=reader.boolean("archived", default=False),
        details={
            "html_url": page,
            "has_issues": reader.boolean("has_issues", default=True),
        },
    )


def _listed(http: Http, owners: list[str], *, as_app: bool) -> Iterator[Json]:
    if as_app:
        logins = {owner.lower() for owner in owners}
        for repository in map(as_record, list_all(http, "installation/repositories", within="repositories")):
            if not logins or text_of(repository, "full_name").partition("/")[0].lower() in logins:
                yield repository
        return
    if not owners:
        yield from map(as_record, list_all(http, "user/repos"))
    for owner in (quote(owner, safe="") for owner in owners):
        try:
            yield from map(as_record, list_all(http, f"orgs/{owner}/repos"))
        except GoneError:  # a person, not an organisation
            yield from map(as_record, list_all(http, f"users/{owner}/repos"))
