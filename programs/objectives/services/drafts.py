"""Validates drafts of objectives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from core.write_errors import FieldError, MayNotWriteError
from insights.query import windows
from orgtree.access.access import Access
from orgtree.models import Person, Unit, UnitPlace, UnitPlacement
from orgtree.models.visibility import Visibility
from programs.key_results.services.drafts import CheckedKeyResult, KeyResultDraft, check_key_results
from programs.models import KeyResult, Objective, Quarter
from programs.models.objective_templates import ObjectiveTemplate
from programs.models.objectives import LONGEST_TITLE
from programs.teams.fields import is_here

__all__ = [
    "CheckedObjective",
    "FieldError",
    "KeyResultDraft",
    "MayNotWriteError",
    "ObjectiveDraft",
    "check_draft",
]

LONGEST_DESCRIPTION = 20_000  # characters; what is longer belongs into a document
MOST_LEVELS = 50  # of alignment, one below another


@dataclass(frozen=True)
class ObjectiveDraft:
    """An objective as a form or the API gives it.  `unit` is a slug (None: the whole organisation), `owner` a
    person's id, `parent` an objective's, `intent` that of the roadmap's which it is written from.
    """

    quarter: Quarter
    title: str
    unit: str | None = None
    description: str = ""
    owner: int | None = None
    is_mandatory: bool = False
    parent: int | None = None
    template: str = ""
    key_results: tuple[KeyResultDraft, ...] = ()
    publish: bool = False
    intent: int | None = None


@dataclass(frozen=True)
class CheckedObjective:
    """A validated draft."""

    fields: Mapping[str, object]
    key_results: tuple[CheckedKeyResult, ...]


def check_draft(
    draft: ObjectiveDraft, access: Access, *, known: Objective | None = None, today: date | None = None
) -> CheckedObjective:
    """Raises FieldError, MayNotWriteError.

    What a `known` objective says stays sayable: a unit that is in no tree any more, an owner who has left, a parent
    that the viewer may not see.
    """
    today = today or windows.local_today()
    _check_words(draft)
    _check_quarter(draft.quarter)
    unit_stays = known is not None and draft.unit == (known.unit.slug if known.unit else None)
    stays = known is not None and unit_stays and draft.quarter == known.quarter
    unit = known.unit if known and unit_stays else unit_of(draft.unit, access.visibility, today)
    if draft.is_mandatory:
        _check_mandatory(unit, draft.quarter, known)
    parent_stays = known is not None and stays and draft.parent == known.parent_id
    key_results = check_key_results(
        draft.key_results,
        unit,
        draft.quarter,
        access,
        today=today,
        known={result.pk: result for result in known.key_results.all()} if known else {},
        stays=stays,
    )
    if draft.publish or (known is not None and known.published_at):
        check_publishable([checked.fields["target_kind"] == "guardrail" for checked in key_results])
    return CheckedObjective(
        fields={
            "quarter": draft.quarter,
            "title": draft.title.strip(),
            "description": draft.description.strip(),
            "template": _template(draft.template, known),
            "unit": unit,
            "owner": _owner(draft.owner, known.owner if known else None),
            "is_mandatory": draft.is_mandatory,
            "parent": known.parent
            if known and parent_stays
            else parent_of(draft, unit, access.visibility, known, today),
        },
        key_results=key_results,
    )


def check_publishable(guardrails: list[bool]) -> None:
    """By which of its key results are guardrails.  Raises FieldError."""
    if not guardrails or all(guardrails):
        raise FieldError("key_results", "Before it is published it needs a key result that is not a guardrail.")


def _check_words(draft: ObjectiveDraft) -> None:
    for field, text in (("title", draft.title), ("description", draft.description)):
        if "\x00" in text:
            raise FieldError(field, "A NUL character cannot be stored.")
    if not draft.title.strip():
        raise FieldError("title", "Enter what is to be achieved.")
    if len(draft.title.strip()) > LONGEST_TITLE:
        raise FieldError("title", f"At most {LONGEST_TITLE} characters; the description has room for more.")
    if len(draft.description) > LONGEST_DESCRIPTION:
        raise FieldError("description", f"At most {LONGEST_DESCRIPTION:,} characters.")


def _check_quarter(quarter: Quarter) -> None:
    if quarter.is_closed:
        raise FieldError("quarter", f"{quarter} is closed and cannot be changed. Use the following quarter.")


def unit_of(slug: str | None, visibility: Visibility, today: date) -> Unit | None:
    """The unit of that slug, which the viewer leads; None for the whole organisation.

    Raises FieldError for a unit that is not there or stands in no tree today, MayNotWriteError.
    """
    if not slug:
        if not visibility.leads_whole:
            raise MayNotWriteError("Objectives of the whole organisation are written by executives and admins.")
        return None
    unit = Unit.objects.within(visibility).filter(slug=slug).first() if "\x00" not in slug else None
    if unit is None:
        raise FieldError("unit", f"There is no unit “{slug[:80]}”, or you may not see it.".replace("\x00", ""))
    if not visibility.leads(unit.pk):
        raise MayNotWriteError(f"Objectives of {unit.name} are written by its managers, executives and admins.")
    if not UnitPlace.objects.filter(unit=unit, during__contains=today).exists():
        raise FieldError("unit", f"{unit.name} is no longer in any Org Tree: choose a current unit.")
    return unit


def _check_mandatory(unit: Unit | None, quarter: Quarter, known: Objective | None) -> None:
    if unit is None:
        raise FieldError("is_mandatory", "The mandatory objective is a team's: choose its unit.")
    others = Objective.objects.filter(quarter=quarter, unit=unit, is_mandatory=True, dropped_at=None)
    other = (others.exclude(pk=known.pk) if known else others).first()
    if other is not None:
        raise second_mandatory(other)


def second_mandatory(other: Objective) -> FieldError:
    """Whoever leads the unit may see the other one, a draft included."""
    return FieldError(
        "is_mandatory",
        f"{other.unit} has its mandatory objective of {other.quarter}: “{other.title}”. A team has one per quarter; "
        "drop that one first, or write this one as a further objective.",
    )


def _template(slug: str, known: Objective | None) -> str:
    if not slug or (known and known.template == slug):
        return slug
    if "\x00" in slug or not ObjectiveTemplate.objects.filter(slug=slug).exists():
        raise FieldError("template", "There is no such template.")
    return slug


def _owner(pk: int | None, known: Person | None) -> Person | None:
    if pk is None or (known is not None and known.pk == pk):
        return known if pk is not None else None
    person = Person.objects.filter(pk=pk).first()
    if person is None:
        raise FieldError("owner", "Nobody of that number is known.")
    if not is_here(person):
        raise FieldError("owner", f"{person.full_name} has left: choose somebody who is here.")
    return person


def parent_of(
    draft: ObjectiveDraft, unit: Unit | None, visibility: Visibility, known: Objective | None, today: date
) -> Objective | None:
    """The objective that this one serves: of the same quarter, of a unit above or the whole organisation."""
    if draft.parent is None:
        return None
    parent = (
        Objective.objects.within(visibility).select_related("unit").filter(pk=draft.parent, dropped_at=None).first()
    )
    if parent is None or (known is not None and parent.pk == known.pk):
        raise FieldError("parent", "There is no such objective, or you may not see it.")
    if parent.quarter_id != draft.quarter.pk:
        raise FieldError("parent", f"It is of {parent.quarter}: objectives serve one of their own quarter.")
    if unit is None:
        raise FieldError("parent", "Objectives of the whole organisation stand at the top.")
    if parent.unit_id is not None and not (
        parent.unit_id != unit.pk
        and UnitPlacement.objects.filter(unit=unit, ancestor=parent.unit_id, during__contains=today).exists()
    ):
        raise FieldError("parent", f"{parent.unit} does not stand above {unit}: choose an objective from above.")
    _check_no_circle(parent, known)
    return parent


def _check_no_circle(parent: Objective, known: Objective | None) -> None:
    """Units above can come to stand below, so that being above alone doesn't hold it."""
    step: Objective | None = parent
    for _ in range(MOST_LEVELS):
        if step is None:
            return
        if known is not None and step.pk == known.pk:
            raise FieldError("parent", f"“{parent.title}” serves this objective: they would stand in a circle.")
        step = step.parent
    raise FieldError("parent", "It stands too many levels down.")


def key_results_of(objective: Objective) -> tuple[KeyResultDraft, ...]:
    """As they are: for a change of something else."""
    return tuple(draft_of(result) for result in objective.key_results.all())


def draft_of(key_result: KeyResult) -> KeyResultDraft:
    """As it is.  The target of a relative one follows from its change, a baseline that was computed from the metric."""
    follows = key_result.target_kind == "relative"
    is_computed = bool(key_result.metric) and key_result.baseline_from is not None
    return KeyResultDraft(
        id=key_result.pk,
        title=key_result.title,
        metric=key_result.metric,
        statistic=key_result.statistic,
        unit_of_measure="" if key_result.metric else key_result.unit_of_measure,
        better=key_result.better,
        target_kind=key_result.target_kind,
        target=None if follows else key_result.target,
        change_percent=key_result.change_percent,
        baseline=None if is_computed else key_result.baseline,
    )
