"""Releases of a repository."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from integrations.connectors.base import Cursor, Http, Json, Page, RawRecord
from integrations.connectors.drafts import ReleaseDraft, shown_title
from integrations.connectors.github.newest_first import NewestFirst
from integrations.connectors.github.stream_repository import Place, record_of
from integrations.connectors.reader import Reader
from integrations.connectors.unchecked import text_of


def normalise_release(payload: Json) -> list[ReleaseDraft]:
    """`release` and `repository` (its id), from REST or a webhook; `deleted` if it is gone."""
    reader = Reader(payload)
    release = Reader(payload.get("release"), "release", parent=reader)
    created_at, published_at = release.part_time("created_at"), release.part_time("published_at")
    return [
        ReleaseDraft(
            external_id=release.identifier("id"),
            updated_at=release.part_time("updated_at") or max(filter(None, (created_at, published_at)), default=None),
            deleted=reader.boolean("deleted", default=False),
            repository=reader.identifier("repository.id"),
            tag=release.text("tag_name"),
            name=shown_title(release.text("name", default="")),
            url=release.text("html_url", default=""),
            target=release.text("target_commitish", default=""),
            is_draft=release.boolean("draft", default=False),
            is_prerelease=release.boolean("prerelease", default=False),
            created_at=created_at,
            published_at=published_at,
            left_out=tuple(reader.left_out),
        )
    ]


def fetch_releases(http: Http, place: Place, cursor: Cursor, *, now: datetime) -> Iterator[Page]:
    def read(entries: Sequence[Json]) -> list[RawRecord]:
        return [record_of("release", normalise_release, entry, repository=place.repository) for entry in entries]

    releases = NewestFirst(path=place.path("releases"), params={}, sorted_by="created_at", read=read, version=_version)
    yield from releases.pages(http, cursor, now=now)


def _version(item: object) -> str:
    """The version of an entry: publishing a draft, or renaming a release, may show in other fields than its times."""
    fields = ("updated_at", "published_at", "name", "tag_name", "draft", "prerelease", "target_commitish")
    return " ".join(text_of(item, field) for field in fields)
