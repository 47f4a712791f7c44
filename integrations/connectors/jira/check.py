"""Checks what an account can read, names the permission to grant for the rest, and shows the custom fields found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from integrations.connectors.base import CheckedPermission, Http, tried
from integrations.connectors.jira.custom_fields import KINDS, mapped_fields_of
from integrations.connectors.jira.resources import projects
from integrations.connectors.jira.site import Site, pages

LOOKED_AT = 50  # projects among which one is chosen for the test


def checked(http: Http, site: Site, *, named: Mapping[str, Sequence[str]]) -> Iterator[CheckedPermission]:
    """One result for each permission.  Raises CredentialRefusedError or PermanentError if nothing works."""
    http.get(site.path("myself"))
    seen = list(islice(projects(http, site), LOOKED_AT))
    yield CheckedPermission(
        "Projects",
        works=bool(seen),
        remedy="" if seen else "None is visible. Grant the account “Browse projects” in those that Headway is to read.",
    )
    if not seen:
        return
    project = seen[0]
    yield tried(
        f"Issues and their changes, in {project.name}",
        lambda: site.search(
            http, f"project = {project.external_id} ORDER BY updated DESC", fields=["status"], start=""
        ),
        "Grant the account “Browse projects”, and a token with scopes read:jira-work.",
    )
    yield tried(
        "Boards and sprints",
        lambda: next(pages(http, "rest/agile/1.0/board"), None),
        "A token with scopes needs read:board-scope:jira-software, read:project:jira and read:sprint:jira-software. "
        "Without them there are no sprints.",
    )
    yield _estimates(http, site, named)


def _estimates(http: Http, site: Site, named: Mapping[str, Sequence[str]]) -> CheckedPermission:
    """The fields that story points are read from, with examples, so that an admin sees whether they are the right
    ones.
    """
    (points,) = mapped_fields_of(http, site, named, kinds=KINDS[:1])
    if points.unknown:
        remedy = f"No field is called {' or '.join(points.unknown)}. Choose another one under Fields."
        return CheckedPermission(points.label, works=False, remedy=remedy)
    if not points.chosen:
        remedy = "No field of story points was found. If the site has one, choose it under Fields once this is saved."
        return CheckedPermission(points.label, works=False, remedy=remedy)
    used = [field.use for field in points.candidates if field.id in points.chosen]
    return CheckedPermission(f"{points.label} from {'; '.join(used)}", works=True)
