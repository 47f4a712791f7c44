"""A build server as a connector: it names repositories by their addresses, and knows none itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

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
from integrations.connectors.drafts import AnyDraft, PipelineRunDraft, Who
from integrations.connectors.reader import Reader
from integrations.enums import Kind, ResourceKind, RunStatus


@register
class Builds(Connector):
    slug = "builds"
    name = "Builds"
    kinds = {ResourceKind.PIPELINE: (Kind.PIPELINE_RUN,)}
    fields = (Field("base_url", "Base URL", default="http://127.0.0.1:9"),)
    permissions = "None."
    builds: ClassVar[list[dict[str, Any]]] = []

    @property
    def base_url(self) -> str:
        return self.settings.values["base_url"]

    def sign(self, http: Http | None) -> Mapping[str, str]:
        return {}

    def check(self, http: Http) -> Sequence[CheckedPermission]:
        return []

    def resources(self, http: Http) -> Iterator[ResourceDraft]:
        yield ResourceDraft(ResourceKind.PIPELINE, "payments", "payments")

    def fetch(
        self, http: Http, resource: FetchedResource, kind: Kind, cursor: Cursor, *, now: datetime
    ) -> Iterator[Page]:
        yield Page([RawRecord(build, normalise, build["id"], "build") for build in self.builds], {"read": True}, left=0)

    def replay(self, source: str, payload: Json) -> Sequence[AnyDraft]:
        return normalise(payload)


def normalise(payload: Json) -> Sequence[AnyDraft]:
    build = Reader(payload)
    return [
        PipelineRunDraft(
            external_id=build.text("id"),
            updated_at=build.time("at"),
            repository=build.text("repository", default=""),
            run=build.text("id"),
            name=build.text("job", default="payments/main"),
            status=RunStatus(build.text("status", default="success")),
            started_by=Who(login=build.text("by", default="jo")),
            started_at=build.time("at"),
            finished_at=build.time("at"),
        )
    ]
