"""The form of an objective with five key result rows; it works without JavaScript, and empty rows are ignored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from django import forms
from django.forms import BaseFormSet, formset_factory

from insights.catalogue.declarations import Metric
from insights.catalogue.registry import get, metrics
from insights.models.annotations import family_of
from insights.pages.annotations.labels import family_words
from insights.query.enums import Better, UnitOfMeasure
from insights.query.errors import UnknownMetricError
from insights.query.query import Statistic
from insights.ui.amounts import AmountError, amount_text, read_amount, written
from orgtree.models import Person
from orgtree.models.visibility import Visibility
from programs.alignment.pages import parents_offered
from programs.key_results.services.reading import unit_of
from programs.models import KeyResult, Objective, Quarter, TargetKind
from programs.models.objectives import LONGEST_TITLE, MOST_KEY_RESULTS
from programs.objectives.services.drafts import KeyResultDraft, ObjectiveDraft
from programs.quarters.fiscal_quarters import quarter_at
from programs.teams.pages import WHOLE, offer, units_to_write_for

OF_METRIC = "The metric’s own"
LONGEST_AMOUNT = 60


class ObjectiveForm(forms.Form):
    title = forms.CharField(
        label="Objective", max_length=LONGEST_TITLE, help_text="What will be better, in memorable words."
    )
    unit = forms.ChoiceField(label="Unit")
    quarter = forms.ChoiceField(label="Quarter")
    description = forms.CharField(
        label="Why, and what it takes", required=False, widget=forms.Textarea(attrs={"rows": 4}), help_text="Markdown."
    )
    owner = forms.CharField(
        label="Owner",
        required=False,
        widget=forms.EmailInput(attrs={"list": "owners", "autocomplete": "off"}),
        help_text="By e-mail address.",
    )
    parent = forms.ChoiceField(
        label="Serves",
        required=False,
        help_text="The objective of a unit above, or of the organisation, that this one supports.",
    )
    is_mandatory = forms.BooleanField(label="This is the team’s mandatory objective of the quarter", required=False)
    template = forms.CharField(widget=forms.HiddenInput, required=False)
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    intent = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=1, max_value=2**63 - 1)

    def __init__(
        self,
        *args: Any,
        visibility: Visibility,
        quarters: Sequence[Quarter],
        known: Objective | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._quarters = {quarter.start.isoformat(): quarter for quarter in quarters}
        offered = {
            "unit": units_to_write_for(visibility, stored=known),
            "quarter": [(start, str(quarter)) for start, quarter in self._quarters.items()],
            "parent": parents_offered(
                visibility,
                str(self["unit"].value() or ""),
                self._quarters.get(str(self["quarter"].value() or "")),
                known=known,
                named=str(self["parent"].value() or ""),
            ),
        }
        for name, choices in offered.items():
            offer(self, name, choices)
        self._known_owner = known.owner if known else None

    def clean_owner(self) -> int | None:
        """A person's id; the owner that stands there stays, without an address too."""
        address = self.cleaned_data["owner"].strip()
        if not address:
            keeps = self._known_owner is not None and not self._known_owner.email
            return self._known_owner.pk if keeps and self._known_owner else None
        if self._known_owner is not None and (self._known_owner.email or "").casefold() == address.casefold():
            return self._known_owner.pk
        person = Person.objects.filter(email__iexact=address).first() if "\x00" not in address else None
        if person is None:
            raise forms.ValidationError(f"Nobody with the address {address} is known. People lists everybody.")
        return person.pk

    def draft(self, key_results: Iterable[KeyResultDraft], *, publish: bool) -> ObjectiveDraft:
        """What a valid form says."""
        data = self.cleaned_data
        return ObjectiveDraft(
            quarter=quarter_at(self._quarters[data["quarter"]].start),
            title=data["title"],
            unit=None if data["unit"] == WHOLE else data["unit"],
            description=data["description"].replace("\r\n", "\n"),
            owner=data["owner"],
            is_mandatory=data["is_mandatory"],
            parent=int(data["parent"]) if data["parent"] else None,
            template=data["template"],
            key_results=tuple(key_results),
            publish=publish,
            intent=data["intent"],
        )


class KeyResultForm(forms.Form):
    """One row.  What is typed into `target` and `baseline` stands in human units, or in percent of change."""

    id = forms.IntegerField(widget=forms.HiddenInput, required=False)
    metric = forms.ChoiceField(label="Metric", required=False)
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
        label="In words", required=False, max_length=LONGEST_TITLE, help_text="Empty: made from the metric and target."
    )
    baseline = forms.CharField(
        label="Baseline", required=False, max_length=LONGEST_AMOUNT, help_text="Empty: computed from the metric."
    )
    better = forms.ChoiceField(label="Direction", required=False, choices=[("", OF_METRIC), *KeyResult.Better.choices])
    unit_of_measure = forms.CharField(
        label="Unit of measure", required=False, max_length=40, help_text="Where it is entered by hand: points, %."
    )
    remove = forms.BooleanField(label="Remove this key result", required=False)

    def __init__(self, *args: Any, known: Mapping[int, KeyResult], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._known = known
        stored = self.stored
        offer(self, "metric", metric_choices(stored.metric if stored else ""))

    @property
    def stored(self) -> KeyResult | None:
        """The key result that the row is of, where it is one that stands."""
        word = str(self["id"].value() or "")
        return self._known.get(int(word)) if word.isdecimal() and len(word) < 18 else None

    @property
    def is_filled(self) -> bool:
        """Whether anything is said in it; whoever only opened a row said nothing."""
        return any(str(self[name].value() or "").strip() for name in ("title", "metric", "target", "unit_of_measure"))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("remove") or not self.is_filled:
            return data
        metric = self.metric_named(data.get("metric", ""))
        unit = metric.unit.value if metric else self._unit_by_hand(data)
        is_change = data.get("target_kind") == TargetKind.RELATIVE
        if not data.get("target", "").strip():
            self.add_error("target", "Enter what is to be achieved.")
        data["amount"] = self._read("target", UnitOfMeasure.PERCENT if is_change else unit)
        data["baseline_amount"] = self._read("baseline", unit)
        if not data.get("title", "").strip():
            if metric is None:
                self.add_error("title", "Say what is measured: it is entered by hand.")
            elif data["amount"] is not None:
                data["title"] = made_title(metric, data)
        return data

    def draft(self) -> KeyResultDraft:
        """What a valid row says."""
        data = self.cleaned_data
        is_change = data["target_kind"] == TargetKind.RELATIVE
        return KeyResultDraft(
            title=data["title"],
            metric=data["metric"],
            statistic=data["statistic"] if data["metric"] else "",
            unit_of_measure="" if data["metric"] else data["unit_of_measure"],
            better=data["better"],
            target_kind=data["target_kind"],
            target=None if is_change else data["amount"],
            change_percent=data["amount"] if is_change else None,
            baseline=data["baseline_amount"],
            id=data["id"],
        )

    def metric_named(self, key: str) -> Metric | None:
        try:
            return get(key) if key else None
        except UnknownMetricError:
            return None

    def _unit_by_hand(self, data: Mapping[str, Any]) -> str:
        stored = self.stored
        if data.get("metric") and stored is not None:
            return unit_of(stored)  # its metric is gone
        return str(data.get("unit_of_measure", "")).strip()

    def _read(self, name: str, unit: str) -> float | None:
        """An amount; what stands there as it was stored keeps every digit."""
        text = str(self.cleaned_data.get(name, "")).strip()
        if not text:
            return None
        stored = self.stored
        if stored is not None and text == amounts_written(stored)[name] and unit == _unit_written(stored, name):
            return _amount_stored(stored, name)
        try:
            return read_amount(text, unit)
        except AmountError as problem:
            self.add_error(name, str(problem))
            return None


class KeyResultRows(BaseFormSet):  # type: ignore[type-arg]
    """Five rows, whatever stands in them."""

    def drafts(self) -> list[tuple[int, KeyResultDraft]]:
        """Those that say something, with the number of their row."""
        return [
            (row, form.draft())
            for row, form in enumerate(self.forms)
            if form.is_filled and not form.cleaned_data.get("remove")
        ]


_ROWS = formset_factory(
    KeyResultForm, formset=KeyResultRows, extra=MOST_KEY_RESULTS, max_num=MOST_KEY_RESULTS, absolute_max=10
)


def key_result_rows(
    data: Any = None, *, initial: Sequence[Mapping[str, Any]] = (), known: Mapping[int, KeyResult] | None = None
) -> KeyResultRows:
    rows = _ROWS(data, initial=list(initial), prefix="key_results", form_kwargs={"known": known or {}})
    return cast(KeyResultRows, rows)


def amounts_written(stored: KeyResult) -> Mapping[str, str]:
    """What the fields of a stored key result begin with; a computed baseline stands beside its field, not in it."""
    change = stored.change_percent
    is_computed = bool(stored.metric) and stored.baseline_from is not None
    return {
        "target": f"{change:g}%" if change is not None else written(stored.target, unit_of(stored)),
        "baseline": "" if is_computed else written(stored.baseline, unit_of(stored)),
    }


def _unit_written(stored: KeyResult, name: str) -> str:
    """In which unit of measure a field of a stored key result is written: a relative target in percent."""
    is_change = name == "target" and stored.change_percent is not None
    return UnitOfMeasure.PERCENT.value if is_change else unit_of(stored)


def _amount_stored(stored: KeyResult, name: str) -> float | None:
    if name == "baseline":
        return stored.baseline
    return stored.target if stored.change_percent is None else stored.change_percent


def made_title(metric: Metric, data: Mapping[str, Any]) -> str:
    """Lead time: 40.0 h or less; lead time: −20%; guardrail: change failure rate."""
    if data["target_kind"] == TargetKind.RELATIVE:
        sign = "−" if data["amount"] < 0 else "+"
        return f"{metric.name}: {sign}{abs(data['amount']):g}%"
    direction = data.get("better") or metric.better
    words = "or less" if direction == Better.LOWER else "or more"
    prefix = "stays at " if data["target_kind"] == TargetKind.GUARDRAIL else ""
    return f"{metric.name}: {prefix}{amount_text(data['amount'], metric.unit.value)} {words}"


def metric_choices(stored: str) -> list[tuple[str, Any]]:
    """By family; one that is gone stays sayable where it stands."""
    by_family: dict[str, list[tuple[str, str]]] = {}
    for metric in metrics():
        if not metric.always_by:
            by_family.setdefault(family_words(family_of(metric.key)), []).append((metric.key, metric.marked_name))
    known = {key for choices in by_family.values() for key, _ in choices}
    gone = [(stored, f"{stored}, which is no metric any more")] if stored and stored not in known else []
    return [("", "Entered by hand"), *gone, *by_family.items()]
