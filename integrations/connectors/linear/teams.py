"""Teams, with a board of their cycles, and the roadmap of the workspace: those available for syncing."""

from __future__ import annotations

from collections.abc import Iterator

from integrations.connectors.base import Http, ResourceDraft
from integrations.connectors.linear.graphql import ask, list_all
from integrations.connectors.reader import Reader
from integrations.connectors.unchecked import object_of
from integrations.enums import ResourceKind

ROADMAP = "roadmap"  # in the details of the resource of projects and initiatives
WORKSPACE = "query Workspace { organization { id name urlKey } }"
TEAMS = """
query Teams($first: Int!, $after: String) {
  teams(first: $first, after: $after, orderBy: createdAt) {
    pageInfo { hasNextPage endCursor }
    nodes { id key name cyclesEnabled archivedAt }
  }
}"""


def list_resources(http: Http) -> Iterator[ResourceDraft]:
    """The teams that the token sees, newest first, after the roadmap."""
    data, _ = ask(http, WORKSPACE)
    workspace = Reader(object_of(data, "organization"), "organization")
    address = f"https://linear.app/{workspace.text('urlKey', default='')}"
    yield ResourceDraft(
        ResourceKind.PROJECT,
        external_id=workspace.identifier("id"),
        name=f"{workspace.text('name', default='Workspace')} · Projects and initiatives",
        url=f"{address}/projects/all",
        details={ROADMAP: True},
    )
    for team in map(Reader, list_all(http, TEAMS, "teams")):
        key, name = team.text("key"), f"{team.text('key')} · {team.text('name', default='')}"
        page, is_archived = f"{address}/team/{key}/active", team.has("archivedAt")
        # Rules that pick the team pick its cycles: ENG*
        details = {"key": key, "projects": [name]}
        kinds = [ResourceKind.PROJECT, *([ResourceKind.BOARD] if team.boolean("cyclesEnabled", default=False) else [])]
        for kind in kinds:
            yield ResourceDraft(
                kind, team.identifier("id"), name, url=page, archived=is_archived, details=dict(details)
            )
