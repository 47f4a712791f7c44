"""Editable fields of an objective, shared by the form, the API, the roadmap and templates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from core.api.model_serializers import WholeNumber, WriteSerializer, YesOrNo, validated
from core.write_errors import FieldError
from insights.query import windows
from orgtree.access.access import Access
from orgtree.models import Unit, UnitPlacement
from programs.key_results.services.baselines import key_results_from
from programs.key_results.services.fields import KeyResultWriteSerializer, as_written
from programs.models import Objective, ObjectiveTemplate, Quarter
from programs.models.objectives import MOST_KEY_RESULTS
from programs.quarters.fiscal_quarters import QuarterField
from programs.requests.model_fields import NamedField, VisibleField
from programs.teams.fields import LedUnitField, OwnerField

LONGEST_DESCRIPTION = 20_000  # characters; anything longer belongs in a document
MOST_LEVELS = 50  # levels of alignment
FIELDS = (  # read and written, in the order of the form
    *("title", "unit", "quarter", "owner", "parent", "is_mandatory", "description", "template"),
)
SPECIAL = ("unit", "quarter", "owner", "parent")  # named differently from the model's fields
PLAIN = tuple(name for name in FIELDS if name not in SPECIAL)
MOST = f"At most {MOST_KEY_RESULTS}: more key results blur the objective."
NO_PARENT = "There is no such objective, or you may not see it."


class TemplateField(NamedField):
    """An objective template, by its slug."""

    def find(self, name: str) -> str:
        if name and not ObjectiveTemplate.objects.filter(slug=name).exists():
            raise serializers.ValidationError("There is no such template.")
        return name

    def name_of(self, value: str) -> str:
        return value


class ObjectiveWriteSerializer(WriteSerializer[Objective]):
    """Create: title is required.  Update: version is required; omitted fields keep their value."""

    quarter = QuarterField(help_text="Any date in the quarter (2026-08-01); default: the current one.")
    unit = LedUnitField("Objectives")
    owner = OwnerField(help_text="E-mail address.")
    parent = VisibleField("objective", queryset=Objective.objects)  # type: ignore[assignment]  # a field of that name
    template = TemplateField()
    key_results = KeyResultWriteSerializer(  # type: ignore[call-arg]  # of the list
        many=True, required=False, max_length=MOST_KEY_RESULTS, error_messages={"max_length": MOST}
    )
    publish = YesOrNo(required=False, help_text="Before everybody whom it concerns.")
    intent = WholeNumber(
        required=False, allow_null=True, help_text="For a new objective: the roadmap intent that it replaces."
    )

    class Meta:
        model = Objective
        fields: tuple[str, ...] = (*FIELDS, "key_results", "publish", "intent")
        extra_kwargs = {
            "title": {"error_messages": dict.fromkeys(("blank", "required"), "Enter what you want to achieve.")},
            "description": {"max_length": LONGEST_DESCRIPTION},
            "is_mandatory": {"help_text": ""},
        }
        validators: tuple[Any, ...] = ()  # the check for a mandatory objective has a better message below

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Validates the objective; key results are returned as stored, with baselines and targets.  Raises
        FieldError.
        """
        known: Objective | None = self.instance
        unit, quarter = (attrs[name] if name in attrs else getattr(known, name) for name in ("unit", "quarter"))
        stays = known is not None and (unit, quarter) == (known.unit, known.quarter)
        today = windows.local_today()
        if attrs.get("is_mandatory", known is not None and known.is_mandatory):
            _check_mandatory(unit, quarter, known)
        parent = attrs.get("parent", known and known.parent)
        if parent is not None and not (stays and known is not None and parent == known.parent):
            self._check_parent(parent, unit, quarter)
        attrs["key_results"] = key_results_from(
            attrs.get("key_results", ()),
            unit,
            quarter,
            self.context["access"],
            today=today,
            known=known.key_results.all() if known else (),
            stays=stays,
        )
        if attrs.get("publish") or (known is not None and known.published_at):
            check_publishable([key_result.is_guardrail for key_result in attrs["key_results"]])
        return attrs

    def _check_parent(self, parent: Objective, unit: Unit | None, quarter: Quarter) -> None:
        """Checks that the parent is of the same quarter, and of a unit above or the whole organisation."""
        visible = Objective.objects.within(self.context["access"].visibility)
        if parent == self.instance or not visible.filter(pk=parent.pk, dropped_at=None).exists():
            raise FieldError("parent", NO_PARENT)
        if parent.quarter != quarter:
            raise FieldError(
                "parent", f"It is of {parent.quarter}: an objective can only serve one of the same quarter."
            )
        if unit is None:
            raise FieldError("parent", "Objectives of the whole organisation are at the top.")
        above = UnitPlacement.objects.filter(
            unit=unit, ancestor=parent.unit_id, during__contains=windows.local_today()
        ).exclude(ancestor=unit)
        if parent.unit_id is not None and not above.exists():
            raise FieldError("parent", f"{parent.unit} does not stand above {unit}: choose an objective from above.")
        _check_no_circle(parent, self.instance)


def objective_fields(access: Access, given: Mapping[str, Any], known: Objective | None = None) -> dict[str, Any]:
    """The checked fields in the model's terms; for a stored objective only those that were given.  `key_results` are
    always included, unsaved.

    Raises FieldError, MayNotWriteError.
    """
    if known is not None and "key_results" not in given:
        given = {**given, "key_results": [as_written(key_result) for key_result in known.key_results.all()]}
    serializer = ObjectiveWriteSerializer(known, data=given, partial=known is not None, context={"access": access})
    return validated(serializer)


def check_publishable(guardrails: list[bool]) -> None:
    """Checks that an objective with these key results (True: guardrail) can be published.  Raises FieldError."""
    if not guardrails or all(guardrails):
        raise FieldError("key_results", "Before it is published it needs a key result that is not a guardrail.")


def _check_mandatory(unit: Unit | None, quarter: Quarter, known: Objective | None) -> None:
    if unit is None:
        raise FieldError("is_mandatory", "The mandatory objective is a team's: choose its unit.")
    others = Objective.objects.filter(quarter=quarter, unit=unit, is_mandatory=True, dropped_at=None)
    other = (others.exclude(pk=known.pk) if known else others).first()
    if other is not None:  # those who lead the unit may see it, even a draft
        raise FieldError(
            "is_mandatory",
            f"{unit} has its mandatory objective of {quarter}: “{other.title}”. A team has one per quarter; drop that "
            "one first, or write this one as a further objective.",
        )


def _check_no_circle(parent: Objective, known: Objective | None) -> None:
    """Rejects cycles; the check that a parent is above cannot prevent them, because units move.  Raises FieldError."""
    step: Objective | None = parent
    for _ in range(MOST_LEVELS):
        if step is None:
            return
        if known is not None and step.pk == known.pk:
            raise FieldError("parent", f"“{parent.title}” already serves this objective, so they would form a circle.")
        step = step.parent
    raise FieldError("parent", "It is too many levels down.")
