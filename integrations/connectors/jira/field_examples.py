"""Which custom fields a site fills in, and with what: so that an admin sees whether the right ones are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from integrations.connectors.base import CustomField, Http, Json, MappedField
from integrations.connectors.errors import PermanentError
from integrations.connectors.jira.custom_fields import KINDS, FieldKind, chosen, known_fields, name_of, unknown
from integrations.connectors.jira.site import Site
from integrations.connectors.unchecked import object_of

EXAMPLES = 3
MOST_CANDIDATES = 8  # of one kind, two requests each
LONGEST_EXAMPLE = 40


def mapped_fields_of(
    http: Http, site: Site, named: Mapping[str, Sequence[str]], *, kinds: Sequence[FieldKind] = KINDS
) -> list[MappedField]:
    """For each kind the fields that are read, then others that could be, each with its use."""
    fields = known_fields(http, site)
    used = chosen(fields, named)
    return [
        MappedField(
            setting=kind.setting,
            label=kind.label,
            candidates=_candidates(http, site, fields, kind, getattr(used, kind.setting)),
            chosen=getattr(used, kind.setting),
            is_decided=bool(named.get(kind.setting)),
            unknown=unknown(fields, named.get(kind.setting, ())),
        )
        for kind in kinds
    ]


def _candidates(
    http: Http, site: Site, fields: Sequence[Json], kind: FieldKind, used: Sequence[str]
) -> list[CustomField]:
    """What is read first, then the most used."""
    others = [str(field["id"]) for field in fields if kind.could_be(field) and str(field["id"]) not in used]
    names = {str(field["id"]): name_of(field) for field in fields}
    found = [_with_use(http, site, id_, names[id_]) for id_ in [*used, *others][:MOST_CANDIDATES]]
    return sorted(found, key=lambda field: (field.id not in used, -(field.records or 0)))


def _with_use(http: Http, site: Site, id_: str, name: str) -> CustomField:
    """Without numbers where the field cannot be searched."""
    filled_in = f"cf[{id_.removeprefix('customfield_')}] is not EMPTY"
    try:
        issues = site.search(http, f"{filled_in} ORDER BY updated DESC", fields=[id_], start="", changes=False).issues
        records = site.count(http, filled_in) if issues else 0
    except PermanentError:
        return CustomField(id_, name)
    values = [_shown(object_of(issue, "fields").get(id_)) for issue in issues]
    return CustomField(id_, name, records, tuple(dict.fromkeys(value for value in values if value))[:EXAMPLES])


def _shown(value: Any) -> str:
    """A number, a text, or the name of an object; of several the last."""
    if isinstance(value, list):
        return _shown(value[-1]) if value else ""
    if isinstance(value, dict):
        return _shown(value.get("name") or value.get("value") or value.get("title") or "")
    if isinstance(value, bool) or value is None:
        return ""
    text = f"{value:g}" if isinstance(value, int | float) else str(value)
    return text[:LONGEST_EXAMPLE]
