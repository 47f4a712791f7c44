"""Choices of objectives for forms, nearest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from core.forms import flat
from insights.ui.scope_bar import EVERYBODY, unit_name
from orgtree.models.visibility import Visibility
from programs.alignment.offers import Of, Offer, parents_of, plans_of
from programs.models import Objective, Quarter, Ticket
from programs.teams.pages import WHOLE

UNSEEN_OBJECTIVE = "An objective that you may not see"
LABELS: Mapping[Of, str] = {
    "unit": "This unit",
    "above": "Units above",
    "organisation": EVERYBODY,
    "others": "Other units",
}
Choice = tuple[str, "str | list[tuple[str, str]]"]


def parents_offered(
    visibility: Visibility, unit: str, quarter: Quarter | None, *, known: Objective | None = None, named: str = ""
) -> list[Choice]:
    """Parent objectives for a unit (a slug, or WHOLE) and quarter: those of the units above, nearest first, then those
    of the whole organisation.

    `named` is the id chosen before.  It remains a choice so that the service can say what is wrong with it; the parent
    of the `known` objective remains one even if the viewer may not see it.
    """
    offers = parents_of(visibility, None if unit == WHOLE else unit, quarter, known=known)
    grouped = _grouped(offers)
    return _with_chosen(grouped, visibility, named, known.parent_id if known else None)


def plans_offered(visibility: Visibility, unit: str, *, known: Ticket | None = None, named: str = "") -> list[Choice]:
    """Objectives whose improvement plan a ticket of the unit (a slug, or WHOLE) can join: the unit's own, those of
    units above, those of the whole organisation, and others.
    """
    grouped = _grouped(plans_of(visibility, unit if unit and unit != WHOLE else None))
    return _with_chosen(grouped, visibility, named, known.objective_id if known else None)


def _grouped(offers: Iterable[Offer]) -> list[Choice]:
    listed = [(LABELS[offer.of], _worded(offer.objectives)) for offer in offers]
    return [("", "None"), *((label, objectives) for label, objectives in listed if objectives)]


def _worded(objectives: Iterable[Objective]) -> list[tuple[str, str]]:
    return [(str(objective.pk), f"{unit_name(objective.unit)}: {objective.title}") for objective in objectives]


def _with_chosen(choices: list[Choice], visibility: Visibility, named: str, current: int | None) -> list[Choice]:
    """Adds the `named` objective, if the viewer may see it, and the current one, which an edit keeps even if the viewer
    may not know what it is.
    """
    offered = _keys(choices)
    numbers = {named if named.isdecimal() and len(named) < 16 else "", str(current or "")} - {""}
    missing = [int(number) for number in numbers if number not in offered]
    if not missing:
        return choices
    chosen = _worded(Objective.objects.within(visibility).select_related("unit").filter(pk__in=missing))
    if current in missing and str(current) not in dict(chosen):
        chosen.append((str(current), UNSEEN_OBJECTIVE))
    return [*choices, *([("Chosen", chosen)] if chosen else [])]


def _keys(choices: Sequence[Choice]) -> set[str]:
    return {str(key) for key, _ in flat(choices)}
