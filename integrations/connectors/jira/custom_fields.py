"""Custom fields have ids of each site's own: which of them hold estimates, sprints, epics and teams is found from the
list of fields, by what they are made of and by their names, unless an admin chose them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from integrations.connectors.base import Http, Json
from integrations.connectors.jira.site import Site
from integrations.connectors.json_text import list_in
from integrations.connectors.unchecked import object_of

# https://support.atlassian.com/jira-cloud-administration/docs/custom-fields-types-in-company-managed-projects/
SPRINT = "com.pyxis.greenhopper.jira:gh-sprint"
EPIC_LINK = "com.pyxis.greenhopper.jira:gh-epic-link"
ESTIMATE_OF_TEAM_PROJECTS = "com.pyxis.greenhopper.jira:jsw-story-points"
TEAMS = frozenset(
    {
        "com.atlassian.jira.plugin.system.customfieldtypes:atlassian-team",
        "com.atlassian.teams:rm-teams-custom-field-team",  # Data Center
    }
)
ESTIMATE_NAMES = frozenset({"story points", "story point estimate", "storypoints", "estimate"})
TEAM_NAMES = frozenset({"team", "squad", "scrum team", "delivery team", "team name"})


@dataclass(frozen=True, slots=True)
class CustomFields:
    """Ids; of several fields of one kind the first that an issue fills in counts.  Empty: the site has none."""

    estimates: tuple[str, ...] = ()
    sprints: tuple[str, ...] = ()
    epics: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        return (*self.estimates, *self.sprints, *self.epics, *self.teams)

    def document(self) -> Json:
        """For a record's payload, which is understood without asking again."""
        return {kind.setting: list(getattr(self, kind.setting)) for kind in KINDS}


@dataclass(frozen=True, slots=True)
class FieldKind:
    """`is_one` says whether a field is found to be of this kind, `could_be` whether an admin is shown it."""

    setting: str
    label: str
    is_one: Callable[[Json], bool]
    could_be: Callable[[Json], bool]


def fields_of(http: Http, site: Site, named: Mapping[str, Sequence[str]]) -> CustomFields:
    return chosen(known_fields(http, site), named)


def known_fields(http: Http, site: Site) -> list[Json]:
    """All fields of the site."""
    path = site.path("field")
    listed = list_in(http.get(path).json(), "", f"Jira answered {path}")
    return [field for field in listed if isinstance(field, dict) and isinstance(field.get("id"), str)]


def chosen(fields: Sequence[Json], named: Mapping[str, Sequence[str]]) -> CustomFields:
    """`named` are names or ids that an admin chose, by kind; they take the place of what would be found."""
    return CustomFields(**{kind.setting: _of_kind(fields, kind, named.get(kind.setting, ())) for kind in KINDS})


def unknown(fields: Sequence[Json], named: Sequence[str]) -> list[str]:
    """Names that are no field's."""
    return [name for name in named if not any(_is_called(field, name) for field in fields)]


def name_of(field: Json) -> str:
    """As Jira shows it."""
    return " ".join(str(field.get("name", "")).split())


def _of_kind(fields: Sequence[Json], kind: FieldKind, named: Sequence[str]) -> tuple[str, ...]:
    if named:
        return tuple(dict.fromkeys(_id(field) for name in named for field in fields if _is_called(field, name)))
    found = [field for field in fields if kind.is_one(field)]
    return _ids(sorted(found, key=lambda field: _name(field) != "story points"))


def _is_called(field: Json, name: str) -> bool:
    return " ".join(name.casefold().split()) in (_id(field).casefold(), _name(field))


def _is_estimate(field: Json) -> bool:
    if _made_of(field) == ESTIMATE_OF_TEAM_PROJECTS:
        return True
    return _name(field) in ESTIMATE_NAMES and _schema(field).get("type") == "number"


def _could_be_an_estimate(field: Json) -> bool:
    """Some sites keep numbers as text."""
    if not field.get("custom", True):
        return False
    number, text = (_schema(field).get("type") == kind for kind in ("number", "string"))
    return number or (text and any(word in _name(field) for word in ("point", "estimate")))


def _is_sprint(field: Json) -> bool:
    return _made_of(field) == SPRINT


def _is_epic_link(field: Json) -> bool:
    return _made_of(field) == EPIC_LINK


def _is_team(field: Json) -> bool:
    return _made_of(field) in TEAMS or (_name(field) in TEAM_NAMES and bool(_made_of(field)))


KINDS = (
    FieldKind("estimates", "Story points", _is_estimate, _could_be_an_estimate),
    FieldKind("sprints", "Sprint", _is_sprint, _is_sprint),
    FieldKind("epics", "Epic link", _is_epic_link, _is_epic_link),
    FieldKind("teams", "Team", _is_team, lambda field: _is_team(field) or "team" in _name(field)),
)


def _ids(fields: Iterable[Json]) -> tuple[str, ...]:
    return tuple(_id(field) for field in fields)


def _id(field: Json) -> str:
    return str(field["id"])


def _name(field: Json) -> str:
    return name_of(field).casefold()


def _made_of(field: Json) -> str:
    return str(_schema(field).get("custom", ""))


def _schema(field: Json) -> Mapping[str, Any]:
    return object_of(field, "schema")
