"""Checks what a connection can read, and names the permission to grant for the rest."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from integrations.connectors.base import CheckedPermission, Http, ResourceDraft, tried
from integrations.connectors.linear.cycles import LIST as CYCLES
from integrations.connectors.linear.graphql import ask, list_page
from integrations.connectors.linear.issues import LIST as ISSUES
from integrations.connectors.linear.roadmap import INITIATIVES, PROJECTS
from integrations.connectors.linear.teams import ROADMAP, list_resources
from integrations.enums import ResourceKind

READ = "Create the key with the permission Read, or the OAuth token with the scope read."
TEAMS = f"{READ} A key may be limited to teams: include those that Headway is to read."


def checked(http: Http) -> Iterator[CheckedPermission]:
    """One result for each list.  Raises CredentialRefusedError or PermanentError if nothing works."""
    ask(http, "query Viewer { viewer { id } }")
    seen: list[ResourceDraft] = []
    answer = tried("Teams", lambda: seen.extend(list_resources(http)), TEAMS)
    teams = [one for one in seen if one.kind is ResourceKind.PROJECT and not one.details.get(ROADMAP)]
    if answer.works and not teams:
        answer = CheckedPermission("Teams", works=False, remedy=f"The token does not see any team. {TEAMS}")
    yield answer
    for team in teams[:1]:
        wanted = {"team": {"id": {"eq": team.external_id}}}
        for query, name in ((ISSUES, "issues"), (CYCLES, "cycles")):
            read = partial(list_page, http, query, name, {"first": 1, "filter": wanted})
            yield tried(name.capitalize(), read, f"Tried on {team.name}. {TEAMS}")
    for query, name in ((PROJECTS, "projects"), (INITIATIVES, "initiatives")):
        yield tried(name.capitalize(), partial(list_page, http, query, name, {"first": 1, "filter": {}}), READ)
