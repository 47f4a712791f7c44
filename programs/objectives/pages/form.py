"""The form of an objective with five rows of key results; it works without JavaScript, and empty rows are ignored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, cast

from django import forms
from django.forms import BaseFormSet, formset_factory

from core.edit_conflicts import NOTHING, Difference, field_differences, shown_value, values_of
from core.forms import show_error
from core.write_errors import FieldError
from insights.catalogue.declarations import Metric
from insights.catalogue.registry import find, metrics
from insights.models.annotations import family_of
from insights.pages.annotations.labels import family_words
from insights.query.enums import Better, UnitOfMeasure
from insights.query.query import Statistic
from insights.ui.amounts import AmountError, amount_text, read_amount, written
from orgtree.models.visibility import Visibility
from programs.alignment.pages import parents_offered
from programs.key_results.services.fields import as_written
from programs.key_results.services.reading import unit_of, unit_of_metric
from programs.models import Direction, KeyResult, Objective, Quarter, TargetKind
from programs.models.objectives import ITEMS, LONGEST_TITLE, MOST_KEY_RESULTS, PERCENT
from programs.objectives.services.fields import FIELDS, PLAIN
from programs.teams.pages import OwnedForm, offer, units_to_write_for, word_of

OF_METRIC = "The metric’s default"
LONGEST_AMOUNT = 60


class ObjectiveForm(OwnedForm, forms.ModelForm[Objective]):
    """The form of an objective and the rows of its key results."""

    quarter = forms.ChoiceField(label="Quarter")
    parent = forms.ChoiceField(
        label="Parent objective",
        required=False,
        help_text="The objective of a unit above, or of the whole organisation, that this one supports.",
    )
    intent = forms.IntegerField(widget=forms.HiddenInput, required=False)
    field_order = FIELDS

    class Meta:
        model = Objective
        fields = PLAIN
        labels: ClassVar = {
            "title": "Objective",
            "description": "Why, and what it takes",
            "is_mandatory": "This is the team’s mandatory objective of the quarter",
        }
        help_texts: ClassVar = {"title": "The objective in one memorable sentence.", "is_mandatory": ""}
        widgets: ClassVar = {"description": forms.Textarea(attrs={"rows": 4}), "template": forms.HiddenInput}

    def __init__(
        self,
        data: Any = None,
        *,
        visibility: Visibility,
        quarters: Sequence[Quarter],
        instance: Objective | None = None,
        initial: Mapping[str, Any] | None = None,
        key_results: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        """`key_results` are the initial rows."""
        stored: dict[str, Any] = {}
        if instance is not None:
            stored = {
                "unit": word_of(instance.unit),
                "quarter": instance.quarter.start.isoformat(),
                "owner": (instance.owner.email or "") if instance.owner else "",
                "parent": instance.parent_id or "",
                "version": instance.version,
            }
        super().__init__(data, instance=instance, initial={**stored, **(initial or {})})
        known = list(instance.key_results.all()) if instance else []
        rows = key_results or [row_of(as_written(key_result)) for key_result in known]
        self.rows = cast(
            KeyResultRows,
            _ROWS(
                data,
                initial=list(rows) if data is None else [],
                prefix="key_results",
                form_kwargs={"known": {key_result.pk: key_result for key_result in known}},
            ),
        )
        own = [instance.quarter] if instance is not None else []  # including one that is over
        offered = {quarter.start.isoformat(): quarter for quarter in (*own, *quarters)}
        unit, quarter, parent = (str(self[name].value() or "") for name in ("unit", "quarter", "parent"))
        offer(self, "unit", units_to_write_for(visibility, stored=instance))
        offer(self, "quarter", [(start, str(quarter)) for start, quarter in offered.items()])
        parents = parents_offered(visibility, unit, offered.get(quarter), known=instance, named=parent)
        offer(self, "parent", parents)

    def is_valid(self) -> bool:
        """Validates both parts, so that both show their problems."""
        are_valid = [super().is_valid(), self.rows.is_valid()]
        return all(are_valid) and "look" not in self.data  # only the baselines were requested

    def show(self, problem: FieldError) -> None:
        """Show the problem at its field, or at the field of its row."""
        name, _, rest = problem.field.partition(".")
        position, _, field = rest.partition(".")
        if name == "key_results" and position.isdecimal() and int(position) < len(self.rows.filled):
            field = "target" if field == "change_percent" else field
            show_error(self.rows.filled[int(position)], FieldError(field, problem.message))
        else:
            show_error(self, FieldError(name, problem.message))

    @property
    def status(self) -> int:
        status = super().status
        return 400 if status == 200 and self.rows.is_bound and any(self.rows.errors) else status

    def given(self) -> dict[str, Any]:
        data = super().given()
        return {
            **data,
            "parent": int(data["parent"]) if data["parent"] else None,
            "key_results": [row.given() for row in self.rows.filled],
            "publish": "publish" in self.data,
        }


class KeyResultForm(forms.Form):
    """One key result; `target` and `baseline` are entered in readable units, or in percent of change."""

    id = forms.IntegerField(widget=forms.HiddenInput, required=False)
    metric = forms.ChoiceField(label="Metric", required=False)
    initiative = forms.CharField(
        label="Epic or other initiative",
        required=False,
        max_length=500,
        help_text="Instead of a metric: an epic’s key, or the address of an initiative’s page.",
    )
    statistic = forms.ChoiceField(
        label="Statistic",
        required=False,
        choices=[("", OF_METRIC), *((statistic.value, statistic.value) for statistic in Statistic)],
    )
    target_kind = forms.ChoiceField(label="Kind of target", choices=TargetKind.choices, initial=TargetKind.ABSOLUTE)
    target = forms.CharField(
        label="Target",
        required=False,
        max_length=LONGEST_AMOUNT,
        help_text="With its unit: 40 h, 3 days, 80%. For a change: −20%.",
    )
    title = forms.CharField(
        label="Title",
        required=False,
        max_length=LONGEST_TITLE,
        help_text="Leave empty to use the metric and target.",
    )
    baseline = forms.CharField(
        label="Baseline",
        required=False,
        max_length=LONGEST_AMOUNT,
        help_text="Leave empty to compute it from the metric.",
    )
    better = forms.ChoiceField(label="Direction", required=False, choices=[("", OF_METRIC), *Direction.choices])
    unit_of_measure = forms.CharField(
        label="Unit of measure",
        required=False,
        max_length=40,
        help_text="For values entered by hand: points, %. Of an initiative: items or %.",
    )
    remove = forms.BooleanField(label="Remove this key result", required=False)

    def __init__(self, *args: Any, known: Mapping[int, KeyResult], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._known = known
        stored = self.stored
        offer(self, "metric", metric_choices(stored.metric if stored else ""))

    @property
    def stored(self) -> KeyResult | None:
        """The stored key result that the row belongs to; None for a new row."""
        word = str(self["id"].value() or "")
        return self._known.get(int(word)) if word.isdecimal() and len(word) < 18 else None

    @property
    def is_filled(self) -> bool:
        """Whether anything was entered; opening a row enters nothing."""
        said = ("title", "metric", "initiative", "target", "unit_of_measure")
        return any(str(self[name].value() or "").strip() for name in said)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("remove") or not self.is_filled:
            return data
        metric = find(data.get("metric", ""))
        is_change = data.get("target_kind") == TargetKind.RELATIVE
        if data.get("initiative", "").strip() and not data.get("unit_of_measure", "").strip():
            is_share = str(data.get("target", "")).strip().endswith(PERCENT) and not is_change
            data["unit_of_measure"] = PERCENT if is_share else ITEMS
        unit = metric.unit.value if metric else self._unit_by_hand(data)
        if not data.get("target", "").strip():
            self.add_error("target", "Enter what you want to achieve.")
        field, measured_in = ("change_percent", UnitOfMeasure.PERCENT.value) if is_change else ("target", unit)
        data["amount"] = self._read("target", field, measured_in)
        data["baseline_amount"] = self._read("baseline", "baseline", unit)
        if not data.get("title", "").strip():
            if data.get("initiative", "").strip() and data["amount"] is not None:
                data["title"] = made_title_of_initiative(data)
            elif metric is None:
                self.add_error("title", "Enter what is measured: the value is entered by hand.")
            elif data["amount"] is not None:
                data["title"] = made_title(metric, data)
        return data

    def given(self) -> dict[str, Any]:
        """The data of a valid row, as services take it."""
        data, stored = self.cleaned_data, self.stored
        amount, change = data["amount"], None
        if data["target_kind"] == TargetKind.RELATIVE:
            amount, change = None, amount
        elif stored is not None and amount == stored.target:  # of a guardrail that allows a deviation in percent
            change = stored.change_percent
        return {
            **{name: data[name] for name in ("id", "title", "metric", "initiative", "better", "target_kind")},
            "statistic": data["statistic"] if data["metric"] else "",
            "unit_of_measure": "" if data["metric"] else data["unit_of_measure"],
            "target": amount,
            "change_percent": change,
            "baseline": data["baseline_amount"],
        }

    def _unit_by_hand(self, data: Mapping[str, Any]) -> str:
        stored = self.stored
        if data.get("metric") and stored is not None:
            return unit_of(stored)  # its metric was removed
        return str(data.get("unit_of_measure", "")).strip()

    def _read(self, name: str, field: str, unit: str) -> float | None:
        """A key result's amount; an unchanged one keeps the stored value with all its digits."""
        text = str(self.cleaned_data.get(name, "")).strip()
        if not text:
            return None
        stored = self.stored
        if stored is not None:
            given = as_written(stored)
            same_unit = field == "change_percent" or unit == unit_of(stored)
            if same_unit and text == row_of(given)[name] and given[field] is not None:
                return float(given[field])
        try:
            return read_amount(text, unit)
        except AmountError as problem:
            self.add_error(name, str(problem))
            return None


class KeyResultRows(BaseFormSet):  # type: ignore[type-arg]
    """The rows of the form: five, filled or blank."""

    @property
    def filled(self) -> list[KeyResultForm]:
        """The rows that are not blank."""
        return [form for form in self.forms if form.is_filled and not form.cleaned_data.get("remove")]


_ROWS = formset_factory(
    KeyResultForm, formset=KeyResultRows, extra=MOST_KEY_RESULTS, max_num=MOST_KEY_RESULTS, absolute_max=10
)


def row_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """The initial data of a key result's row."""
    unit = unit_of_metric(given["metric"]) or given["unit_of_measure"]
    is_change = given["target_kind"] == TargetKind.RELATIVE and given["change_percent"] is not None
    return {
        **given,
        "target": f"{given['change_percent']:g}%" if is_change else written(given["target"], unit),
        "baseline": written(given["baseline"], unit),
    }


def made_title(metric: Metric, data: Mapping[str, Any]) -> str:
    """A title such as "Lead time: 40.0 h or less" or "Lead time: −20%"."""
    if data["target_kind"] == TargetKind.RELATIVE:
        sign = "−" if data["amount"] < 0 else "+"
        return f"{metric.name}: {sign}{abs(data['amount']):g}%"
    direction = data.get("better") or metric.better
    words = "or less" if direction == Better.LOWER else "or more"
    prefix = "stays at " if data["target_kind"] == TargetKind.GUARDRAIL else ""
    return f"{metric.name}: {prefix}{amount_text(data['amount'], metric.unit.value)} {words}"


def made_title_of_initiative(data: Mapping[str, Any]) -> str:
    """A title such as "SHOP-12: 80% done" or "SHOP-12: 40 items done"."""
    word = data["initiative"].strip()
    named = "Initiative" if "/" in word or ":" in word else word.upper()
    unit = str(data.get("unit_of_measure", "")).strip() or ITEMS
    return f"{named}: {data['amount']:,.6g}{PERCENT if unit == PERCENT else f' {ITEMS}'} done"


def metric_choices(stored: str) -> list[tuple[str, Any]]:
    """Metric choices by family; a stored metric that no longer exists stays selectable."""
    by_family: dict[str, list[tuple[str, str]]] = {}
    for metric in metrics():
        if not metric.always_by:
            by_family.setdefault(family_words(family_of(metric.key)), []).append((metric.key, metric.marked_name))
    known = {key for choices in by_family.values() for key, _ in choices}
    gone = [(stored, f"{stored}, no longer a metric")] if stored and stored not in known else []
    return [("", "Entered by hand"), *gone, *by_family.items()]


def differences(form: ObjectiveForm, stored: ObjectiveForm) -> list[Difference]:
    """The differences field by field: the stored objective, and the submitted one."""
    return [*field_differences(form, values_of(stored)), *_of_rows(form.rows, stored.rows.initial or ())]


def _of_rows(rows: KeyResultRows, stored_rows: Sequence[Mapping[str, Any]]) -> Iterator[Difference]:
    """Compares rows of the same key result; a row that only one side has is shown whole."""
    by_id = {row["id"]: row for row in stored_rows}
    shown = set()
    for row, form in enumerate(rows.forms, start=1):
        if not form.is_filled:
            continue
        stored = form.stored
        known = by_id.get(stored.pk) if stored is not None else None
        if known is not None:
            shown.add(known["id"])
        if known is None:
            yield Difference(f"Key result {row}", NOTHING, _in_a_line(form))
        elif form["remove"].value():
            yield Difference(f"Key result {row}", str(known["title"]), "Removed")
        else:
            yield from field_differences(form, known, f"Key result {row}: ")
    for known in stored_rows:
        if known["id"] not in shown:
            yield Difference("Key result", str(known["title"]), NOTHING)


def _in_a_line(form: KeyResultForm) -> str:
    values = [shown_value(form.fields[name], form[name].value()) for name in ("title", "metric", "target")]
    return ", ".join(word for word in values if word != NOTHING) or NOTHING
