"""What an account can read, and which permission to grant where it cannot; what was found of the site's own fields."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from integrations.connectors.base import CheckedPermission, Http
from integrations.connectors.errors import CredentialRefusedError, PermanentError
from integrations.connectors.jira.custom_fields import chosen, known_fields
from integrations.connectors.jira.resources import projects
from integrations.connectors.jira.site import Site, pages

LOOKED_AT = 50  # projects, among which one is chosen to try things on
EXAMPLES = 3


def checked(http: Http, site: Site, *, estimates: Sequence[str]) -> Iterator[CheckedPermission]:
    """One answer for each permission.  Raises PermanentError if nothing works, such as for a refused token."""
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
    yield _tried(
        f"Issues and their changes, in {project.name}",
        lambda: site.search(
            http, f"project = {project.external_id} ORDER BY updated DESC", fields=["status"], start=""
        ),
        "Grant the account “Browse projects”, and a token with scopes read:jira-work.",
    )
    yield _tried(
        "Boards and sprints",
        lambda: next(pages(http, "rest/agile/1.0/board"), None),
        "A token with scopes needs read:board-scope:jira-software and read:sprint:jira-software. Without it there are "
        "no sprints.",
    )
    yield _estimates(http, site, estimates)


def _tried(what: str, read: Callable[[], Any], remedy: str) -> CheckedPermission:
    try:
        read()
    except CredentialRefusedError:
        raise
    except PermanentError as problem:
        return CheckedPermission(what, works=False, remedy=f"{problem.problem} {remedy}")
    return CheckedPermission(what, works=True)


def _estimates(http: Http, site: Site, named: Sequence[str]) -> CheckedPermission:
    """Where estimates are read from, with examples, so that an admin sees whether it is the right field."""
    fields = known_fields(http, site)
    found = chosen(fields, named).estimates
    if not found:
        remedy = (
            f"No field is called {' or '.join(named)}. Enter its name as Jira shows it, or its id."
            if named
            else "No field of story points was found. Enter its name under Estimates, if the site has one."
        )
        return CheckedPermission("Estimates", works=False, remedy=remedy)
    names = {str(field["id"]): str(field.get("name", "")) for field in fields}
    jql = f"cf[{found[0].removeprefix('customfield_')}] is not EMPTY ORDER BY updated DESC"
    shown = []
    try:
        for issue in site.search(http, jql, fields=[found[0]], start="", changes=False).issues[:EXAMPLES]:
            shown.append(f"{issue['key']}: {issue['fields'][found[0]]:g}")
    except (PermanentError, KeyError, TypeError, ValueError):
        shown = []
    examples = f": {', '.join(shown)}" if shown else ""
    return CheckedPermission(f"Estimates from “{names[found[0]]}” ({found[0]}){examples}", works=True)
