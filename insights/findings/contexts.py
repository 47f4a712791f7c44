"""The context of units and repositories that is in force on a day, and how it is written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Q
from django.http import Http404
from django.utils import timezone

from core.authorship import changes_by
from core.write_errors import FieldError, MayNotWriteError, checked_text
from insights.models.contexts import MOST_WEIGHT, Context, Stage
from insights.query.errors import UnknownUnitError
from insights.query.parameters import EARLIEST
from integrations.enums import WorkType
from integrations.models import Ownership, Repository
from orgtree.access.access import Access
from orgtree.models import Unit, UnitPlace

FIELDS = ("stage", "language", "long_reviews", "weights", "conventions")
Place = Unit | Repository | None


@dataclass(frozen=True)
class InForce:
    """The values of one place on a day, and the row that each comes from, by field."""

    stage: str = ""
    language: str = ""
    long_reviews: bool | None = None
    weights: Mapping[str, float] = field(default_factory=dict)
    conventions: str = ""
    rows: Mapping[str, Context] = field(default_factory=dict)

    def values(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in FIELDS}


def contexts_of(units: Collection[int], day: date) -> Mapping[int, InForce]:
    """The contexts of units on a day.  Three statements, regardless of the number of units.

    A unit has its own values; otherwise those on which all of its repositories that state one agree; otherwise those of
    the unit above, or of the organisation.
    """
    said, of_repositories = _said_on(day)
    parents = dict(UnitPlace.objects.filter(during__contains=day).values_list("unit", "parent"))
    owned: dict[int, list[Context]] = defaultdict(list)
    owners = Ownership.objects.filter(during__contains=day, owned__repository__in=of_repositories)
    for unit, repository in owners.values_list("unit", "owned__repository") if of_repositories else ():
        owned[unit].append(of_repositories[repository])
    return {unit: _first_said(_chain(unit, said, parents, owned)) for unit in units}


def context_of(place: Place, day: date) -> InForce:
    """The context of a unit, of a repository (whose owner it inherits from) or of the organisation on a day."""
    said, of_repositories = _said_on(day)
    rows: list[Mapping[str, Context]] = []
    if isinstance(place, Repository) and place.pk in of_repositories:
        rows.append(_fields(of_repositories[place.pk]))
    unit = owner_of(place, day) if isinstance(place, Repository) else place
    if unit is not None:
        inherited = contexts_of([unit.pk], day)[unit.pk].rows
        return _first_said([*rows, inherited])
    return _first_said([*rows, _fields(said[None])] if None in said else rows)


def owner_of(repository: Repository, day: date) -> Unit | None:
    owners = Ownership.objects.filter(owned__repository=repository, during__contains=day).select_related("unit")
    first = owners.order_by("tree").first()
    return first.unit if first else None


def named_place(access: Access, *, unit: str, repository: str) -> Place:
    """The unit of that slug, or the repository of that name, that the viewer may see; None: the organisation.

    Raises UnknownUnitError, FieldError for both, and Http404 for a repository whose owner the viewer may not see.
    """
    if repository:
        if unit:
            raise FieldError("repository", "Name a unit or a repository, not both.")
        return visible_repository(repository, access)
    return named_unit(access, unit)


def named_unit(access: Access, unit: str) -> Unit | None:
    """The unit of that slug that the viewer may see; None: the organisation.  Raises UnknownUnitError."""
    if not unit:
        return None
    found = Unit.objects.within(access.visibility).filter(slug=unit.replace("\x00", "")).first()
    if found is None:
        raise UnknownUnitError(unit)
    return found


def visible_repository(name: str, access: Access) -> Repository:
    """A repository.  Raises Http404 if its owner is hidden from the viewer."""
    repository = Repository.objects.filter(name=name.replace("\x00", ""), joined_into=None).first()
    owner = owner_of(repository, timezone.localdate()) if repository else None
    seen = access.visibility.whole or (owner is not None and access.visibility.can_see(owner.pk))
    if repository is None or not seen:
        raise Http404("No such repository.")
    return repository


def history_of(place: Place) -> Sequence[Context]:
    """Return all contexts of the place, the latest first."""
    return [*_of_place(place).select_related("written_by").order_by("-since")]


def may_say(access: Access, place: Place) -> bool:
    """Return whether the viewer leads the unit, or the owner of the repository, and so may say its context."""
    if not isinstance(access.viewer, User):
        return False
    if isinstance(place, Repository):
        owner = owner_of(place, timezone.localdate())
        return access.visibility.leads(owner.pk if owner else None)
    return access.visibility.leads(place.pk if place else None)


def say(access: Access, place: Place, values: Mapping[str, Any], *, since: date) -> Context:
    """Set the context of the place from that day on, all fields at once; earlier days keep theirs.

    Raises FieldError, MayNotWriteError.
    """
    if not may_say(access, place):
        raise MayNotWriteError("Managers of the unit, executives and admins set its context.")
    author = access.viewer
    assert isinstance(author, User)  # noqa: S101 — `may_say` says so
    if not EARLIEST <= since <= timezone.localdate():
        raise FieldError("since", "It must be a day of the past, or today.")
    checked = _checked(values)
    unit, repository = (None, place) if isinstance(place, Repository) else (place, None)
    with changes_by(author):
        context, _ = Context.objects.update_or_create(
            unit=unit,
            repository=repository,
            since=since,
            defaults={**checked, "written_by": author, "written_at": timezone.now()},
        )
    return context


def _checked(values: Mapping[str, Any]) -> dict[str, Any]:
    given = {**InForce().values(), **values}
    for name in ("stage", "language", "conventions"):
        if not isinstance(given[name], str):
            raise FieldError(name, "It must be a text.")
    if given["stage"] not in ("", *Stage.values):
        raise FieldError("stage", "Choose greenfield or legacy, or leave it empty.")
    if not isinstance(given["long_reviews"], bool | None):
        raise FieldError("long_reviews", "It must be true, false or null.")
    weights = given["weights"]
    if not isinstance(weights, Mapping):
        raise FieldError("weights", "It must be an object: a number by work type.")
    for work_type, weight in weights.items():
        if work_type not in list(WorkType):
            raise FieldError("weights", f"There is no work type “{str(work_type)[:40]}”.")
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight <= MOST_WEIGHT:
            raise FieldError("weights", f"A weight is a number above 0 and at most {MOST_WEIGHT:g}.")
    return {
        "stage": given["stage"],
        "language": checked_text("language", given["language"], 60),
        "long_reviews": given["long_reviews"],
        "weights": {str(work_type): float(weight) for work_type, weight in weights.items()},
        "conventions": checked_text("conventions", given["conventions"], 300),
    }


def _of_place(place: Place) -> Any:
    if isinstance(place, Repository):
        return Context.objects.filter(repository=place)
    return Context.objects.filter(unit=place, repository=None)


def _said_on(day: date) -> tuple[Mapping[int | None, Context], Mapping[int, Context]]:
    """The row in force of each unit (None: the organisation) and of each repository that has one."""
    said: dict[int | None, Context] = {}
    of_repositories: dict[int, Context] = {}
    rows = Context.objects.filter(Q(since__lte=day)).select_related("unit", "repository").order_by("since")
    for row in rows:
        if row.repository_id is None:
            said[row.unit_id] = row
        else:
            of_repositories[row.repository_id] = row
    return said, of_repositories


def _chain(
    unit: int,
    said: Mapping[int | None, Context],
    parents: Mapping[int, int | None],
    owned: Mapping[int, Sequence[Context]],
) -> list[Mapping[str, Context]]:
    """Return the statements about the unit and those above it, the nearest first, by field."""
    chain: list[Mapping[str, Context]] = []
    above: int | None = unit
    while above is not None:
        if above in said:
            chain.append(_fields(said[above]))
        chain.append(_agreed(owned.get(above, ())))
        above = parents.get(above)
    if None in said:
        chain.append(_fields(said[None]))
    return chain


def _fields(row: Context) -> dict[str, Context]:
    return {name: row for name in FIELDS if getattr(row, name) not in ("", None, {})}


def _agreed(rows: Sequence[Context]) -> dict[str, Context]:
    """The fields on which all repositories that state them agree."""
    agreed: dict[str, Context] = {}
    for name in FIELDS:
        saying = [row for row in rows if name in _fields(row)]
        if saying and all(getattr(row, name) == getattr(saying[0], name) for row in saying):
            agreed[name] = saying[0]
    return agreed


def _first_said(chain: Sequence[Mapping[str, Context]]) -> InForce:
    rows: dict[str, Context] = {}
    for said in reversed(chain):
        rows |= said
    return InForce(**{name: getattr(row, name) for name, row in rows.items()}, rows=rows)
