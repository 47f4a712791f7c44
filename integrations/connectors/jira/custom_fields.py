"""Custom fields have ids of each site's own: which of them hold estimates, sprints and epics is found from the list of
fields, by what they are made of and by their names, unless an admin names them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from integrations.connectors.base import Http, Json
from integrations.connectors.errors import TransientError
from integrations.connectors.jira.site import Site

# https://support.atlassian.com/jira-cloud-administration/docs/custom-fields-types-in-company-managed-projects/
SPRINT = "com.pyxis.greenhopper.jira:gh-sprint"
EPIC_LINK = "com.pyxis.greenhopper.jira:gh-epic-link"
ESTIMATE_OF_TEAM_PROJECTS = "com.pyxis.greenhopper.jira:jsw-story-points"
ESTIMATE_NAMES = frozenset({"story points", "story point estimate", "storypoints", "estimate"})


@dataclass(frozen=True, slots=True)
class CustomFields:
    """Ids; of several fields of estimates the first that an issue fills in counts.  Empty: the site has none."""

    estimates: tuple[str, ...] = ()
    sprints: tuple[str, ...] = ()
    epics: tuple[str, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        return (*self.estimates, *self.sprints, *self.epics)

    def document(self) -> Json:
        """For a record's payload, which is understood without asking again."""
        return {"estimates": list(self.estimates), "sprints": list(self.sprints), "epics": list(self.epics)}


def fields_of(http: Http, site: Site, named_estimates: Sequence[str]) -> CustomFields:
    return chosen(known_fields(http, site), named_estimates)


def known_fields(http: Http, site: Site) -> list[Json]:
    """All fields of the site."""
    path = site.path("field")
    listed = http.get(path).json()
    if not isinstance(listed, list):
        raise TransientError(f"Jira answered {path} with something else than a list.")
    return [field for field in listed if isinstance(field, dict) and isinstance(field.get("id"), str)]


def chosen(fields: Sequence[Json], named_estimates: Sequence[str]) -> CustomFields:
    """`named_estimates` are names or ids that an admin entered; they take the place of what would be found."""
    wanted = {name.casefold() for name in named_estimates}
    if wanted:
        estimates = [field for field in fields if {str(field["id"]).casefold(), _name(field)} & wanted]
    else:
        found = [field for field in fields if _made_of(field) == ESTIMATE_OF_TEAM_PROJECTS or _is_estimate(field)]
        estimates = sorted(found, key=lambda field: _name(field) != "story points")
    return CustomFields(
        estimates=_ids(estimates),
        sprints=_ids(field for field in fields if _made_of(field) == SPRINT),
        epics=_ids(field for field in fields if _made_of(field) == EPIC_LINK),
    )


def _is_estimate(field: Json) -> bool:
    return _name(field) in ESTIMATE_NAMES and _schema(field).get("type") == "number"


def _ids(fields: Any) -> tuple[str, ...]:
    return tuple(str(field["id"]) for field in fields)


def _name(field: Json) -> str:
    return " ".join(str(field.get("name", "")).casefold().split())


def _made_of(field: Json) -> str:
    return str(_schema(field).get("custom", ""))


def _schema(field: Json) -> Mapping[str, Any]:
    schema = field.get("schema")
    return schema if isinstance(schema, dict) else {}
