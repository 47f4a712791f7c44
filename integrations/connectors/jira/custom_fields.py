"""Detection of custom fields: their ids differ by site, so those for estimates, sprints, epics and teams are recognised
by type and name unless an admin chose them.  Examples of their values let an admin see whether the right ones are read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from integrations.connectors.base import CustomField, Http, Json, MappedField
from integrations.connectors.errors import PermanentError
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
EXAMPLES = 3  # values per field
MOST_CANDIDATES = 8  # per kind, two requests each
LONGEST_EXAMPLE = 40
ESTIMATE_NAMES = frozenset({"story points", "story point estimate", "storypoints", "estimate"})
TEAM_NAMES = frozenset({"team", "squad", "scrum team", "delivery team", "team name"})


CustomFields = Mapping[str, Sequence[str]]
"""Ids of fields by the setting of their kind; of several of one kind the first that an issue fills in counts."""


@dataclass(frozen=True, slots=True)
class FieldKind:
    """A kind of custom field; `is_one` recognises such a field, `could_be` decides whether an admin is offered it."""

    setting: str
    label: str
    is_one: Callable[[Json], bool]
    could_be: Callable[[Json], bool]


def known_fields(http: Http, site: Site) -> list[Json]:
    """All fields of the site."""
    path = site.path("field")
    listed = list_in(http.get(path).json(), "", f"Jira answered {path}")
    return [field for field in listed if isinstance(field, dict) and isinstance(field.get("id"), str)]


def chosen(fields: Sequence[Json], named: Mapping[str, Sequence[str]]) -> CustomFields:
    """The fields to read, by kind; `named` are names or ids that an admin chose, which replace the detected ones."""
    return {kind.setting: _fields_of_kind(fields, kind, named.get(kind.setting, ())) for kind in KINDS}


def names_of(fields: Sequence[Json], custom: CustomFields) -> dict[str, str]:
    """The ids of those fields by their names, which Data Center's changelogs give instead."""
    return {_name(field): _id(field) for field in fields for ids in custom.values() if _id(field) in ids}


def unknown(fields: Sequence[Json], named: Sequence[str]) -> list[str]:
    """Names that match no field."""
    return [name for name in named if not any(_is_called(field, name) for field in fields)]


def name_of(field: Json) -> str:
    """The name as Jira shows it."""
    return " ".join(str(field.get("name", "")).split())


def _fields_of_kind(fields: Sequence[Json], kind: FieldKind, named: Sequence[str]) -> tuple[str, ...]:
    if named:
        return tuple(dict.fromkeys(_id(field) for name in named for field in fields if _is_called(field, name)))
    found = [field for field in fields if kind.is_one(field)]
    return tuple(_id(field) for field in sorted(found, key=lambda field: _name(field) != "story points"))


def _is_called(field: Json, name: str) -> bool:
    return " ".join(name.casefold().split()) in (_id(field).casefold(), _name(field))


def _is_estimate(field: Json) -> bool:
    if _made_of(field) == ESTIMATE_OF_TEAM_PROJECTS:
        return True
    return _name(field) in ESTIMATE_NAMES and _schema(field).get("type") == "number"


def _could_be_an_estimate(field: Json) -> bool:
    """Whether a field could hold estimates; some sites store numbers as text."""
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


def _id(field: Json) -> str:
    return str(field["id"])


def _name(field: Json) -> str:
    return name_of(field).casefold()


def _made_of(field: Json) -> str:
    return str(_schema(field).get("custom", ""))


def _schema(field: Json) -> Mapping[str, Any]:
    return object_of(field, "schema")


def mapped_fields_of(
    http: Http, site: Site, named: Mapping[str, Sequence[str]], *, kinds: Sequence[FieldKind] = KINDS
) -> list[MappedField]:
    """The fields read for each kind, then other candidates, each with its use."""
    fields = known_fields(http, site)
    used = chosen(fields, named)
    return [
        MappedField(
            setting=kind.setting,
            label=kind.label,
            candidates=_candidates(http, site, fields, kind, used[kind.setting]),
            chosen=used[kind.setting],
            is_decided=bool(named.get(kind.setting)),
            unknown=unknown(fields, named.get(kind.setting, ())),
        )
        for kind in kinds
    ]


def _candidates(
    http: Http, site: Site, fields: Sequence[Json], kind: FieldKind, used: Sequence[str]
) -> list[CustomField]:
    """The fields being read first, then the most used."""
    others = [str(field["id"]) for field in fields if kind.could_be(field) and str(field["id"]) not in used]
    names = {str(field["id"]): name_of(field) for field in fields}
    found = [_with_use(http, site, id_, names[id_]) for id_ in [*used, *others][:MOST_CANDIDATES]]
    return sorted(found, key=lambda field: (field.id not in used, -(field.records or 0)))


def _with_use(http: Http, site: Site, id_: str, name: str) -> CustomField:
    """The field with its use; without numbers if it cannot be searched."""
    filled_in = f"cf[{id_.removeprefix('customfield_')}] is not EMPTY"
    try:
        issues = site.search(http, f"{filled_in} ORDER BY updated DESC", fields=[id_], start="", changes=False).issues
        records = site.count(http, filled_in) if issues else 0
    except PermanentError:
        return CustomField(id_, name)
    values = [_shown(object_of(issue, "fields").get(id_)) for issue in issues]
    return CustomField(id_, name, records, tuple(dict.fromkeys(value for value in values if value))[:EXAMPLES])


def _shown(value: Any) -> str:
    """A number, a text, or the name of an object; the last of several."""
    if isinstance(value, list):
        return _shown(value[-1]) if value else ""
    if isinstance(value, dict):
        return _shown(value.get("name") or value.get("value") or value.get("title") or "")
    if isinstance(value, bool) or value is None:
        return ""
    text = f"{value:g}" if isinstance(value, int | float) else str(value)
    return text[:LONGEST_EXAMPLE]
