"""The connector of the tests' own provider, as small as one can be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from integrations.connectors.base import (
    CheckedPermission,
    Connector,
    Cursor,
    FetchedResource,
    Field,
    Http,
    Json,
    Page,
    RawRecord,
    ResourceDraft,
    register,
)
from integrations.connectors.drafts import AnyDraft, PullRequestDraft
from integrations.connectors.reader import Reader
from integrations.enums import Kind, PullRequestState, ResourceKind


@register
class Example(Connector):
    slug = "example"
    name = "Example"
    kinds = {ResourceKind.REPOSITORY: (Kind.PULL_REQUEST,)}
    fields = (
        Field("base_url", "Base URL"),
        Field("token", "Token", secret=True),
        Field("note", "Note", required=False, default="none"),
    )
    permissions = "Everything."

    def sign(self, http: Http | None) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.settings.secrets['token']}"}

    def check(self, http: Http) -> Sequence[CheckedPermission]:
        http.get("/repos")
        return [CheckedPermission("Read repositories", True)]

    def resources(self, http: Http) -> Iterator[ResourceDraft]:
        page: int | None = 1
        while page is not None:
            answer = http.get("/repos", params={"page": page}).json()
            for record in answer["records"]:
                yield ResourceDraft(
                    kind=ResourceKind.REPOSITORY,
                    external_id=record["id"],
                    name=record["name"],
                    archived=record["archived"],
                    remote=f"example.com/{record['name']}",
                )
            page = answer["next"]

    def fetch(
        self, http: Http, resource: FetchedResource, kind: Kind, cursor: Cursor, *, now: datetime
    ) -> Iterator[Page]:
        """The cursor names the page to go on with, and the provider's time at which the reading began."""
        since, page, began = cursor.get("since"), cursor.get("page", 1), cursor.get("began")
        while True:
            params = {"page": page, **({"since": since} if since else {})}
            answer = http.get(f"/repos/{resource.external_id}/pulls", params=params).json()
            began = began or answer["now"]
            records = [
                RawRecord(record, normalise_of(resource), str(record.get("id", "")), resource.external_id)
                for record in answer["records"]
            ]
            if answer["next"] is None:
                yield Page(records, {"since": began}, left=0, complete=since is None)
                return
            page = answer["next"]
            yield Page(records, {"since": since, "page": page, "began": began}, left=answer["left"])

    def replay(self, source: str, payload: Json) -> Sequence[AnyDraft]:
        repository = FetchedResource(ResourceKind.REPOSITORY, source, "", {})
        return normalise_of(repository)(payload)


def normalise_of(resource: FetchedResource) -> Callable[[Json], Sequence[AnyDraft]]:
    def normalise(payload: Json) -> Sequence[AnyDraft]:
        pull = Reader(payload)
        return [
            PullRequestDraft(
                external_id=pull.identifier("id"),
                repository=resource.external_id,
                number=pull.integer("number"),
                title=pull.text("title"),
                state=PullRequestState.OPEN,
                created_at=pull.time("updated_at"),
                updated_at=pull.time("updated_at"),
            )
        ]

    return normalise
