"""The pages that create and edit objectives, with the baseline next to each row of key results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from core.edit_conflicts import Difference
from core.form_page import FormTexts
from core.forms import rows_of
from core.views import record_view
from core.write_errors import FieldError, MayNotWriteError
from insights.catalogue.registry import find
from insights.privacy.scope_access import access_in
from insights.query import windows
from insights.query.enums import Better
from insights.query.query import Statistic
from insights.ui import wording
from insights.ui.amounts import amount_text
from orgtree.access.access import Access
from programs.finding_work.pages import start_named_work
from programs.key_results.services.baselines import BaselinePreview, baseline_previews
from programs.models import Objective, Quarter, RoadmapIntent
from programs.objectives.pages.form import ObjectiveForm, differences, row_of
from programs.objectives.services.templates import objective_from_template, objective_templates, own_address
from programs.objectives.services.writing import add_objective, change_objective, may_change
from programs.quarters.pages import quarters
from programs.requests.fields import LONGEST_ID
from programs.requests.list_pages import ProgramForm
from programs.requests.visible import visible_objective
from programs.teams.fields import suggested_owners
from programs.teams.pages import WHOLE, units_to_write_for, word_of

ONLY_LEADERS = "Only managers of a unit, executives and admins can write objectives."
ONLY_OWNERS = (
    "Only its owner, the managers of its unit, executives and admins can change an objective, until its quarter is "
    "closed."
)
BLANK = "blank"
STARTS = ("template", "metric", "parent", "intent")
DIRECTIONS = {
    Better.HIGHER: "Higher is better.",
    Better.LOWER: "Lower is better.",
    Better.NEITHER: "Neither direction is better by itself: choose one.",
}


class ObjectivePage(ProgramForm):
    """`unit`, `quarter`, `template`, `metric`, `statistic` and `parent` in the address fill in the form of a new
    objective; so does an `intent` of the roadmap, with its own fields.  The new objective addresses the `finding`.

    Without any of the last four, the page first asks what to start from.
    """

    template_name = "programs/objectives/form.html"
    adding = FormTexts("New objective", "Save as draft", "Draft saved.")
    changing = FormTexts("Change objective", "Save", "Objective saved.")
    list_route, record_route = "objectives", "objective"
    find, add = staticmethod(visible_objective), staticmethod(add_objective)
    change = staticmethod(change_objective)

    def refusal(self) -> str:
        visibility = self.access.visibility
        if self.record is None:
            return "" if visibility.leads_any else ONLY_LEADERS
        return "" if may_change(visibility, self.record) else ONLY_OWNERS

    @cached_property
    def quarters(self) -> Sequence[Quarter]:
        """The open quarters."""
        return quarters(windows.local_today()).open()

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        if self.record is None and not any(request.GET.get(name) for name in STARTS):
            return _choose_page(request, self.access, self.quarters)
        return super().get(request, **kwargs)

    def form_of(self, record: Objective | None, data: Any = None) -> ObjectiveForm:
        if record is None and data is None:
            return _started(self.request, self.access, self.quarters)
        return ObjectiveForm(data, visibility=self.access.visibility, quarters=self.quarters, instance=record)

    def save(self, form: ObjectiveForm) -> Objective:
        saved: Objective = super().save(form)
        if self.record is None:
            start_named_work(self.request, self.access, saved)
        return saved

    def differences(self, form: ObjectiveForm, stored: Objective) -> Iterable[Difference]:
        return differences(form, self.form_of(stored))

    def message(self, saved: Objective) -> str:
        return "Objective published." if self.record is None and saved.published_at else super().message(saved)

    def context(self, form: ObjectiveForm) -> dict[str, Any]:
        rows = form.rows
        queries = [(str(row["metric"].value() or ""), str(row["statistic"].value() or "")) for row in rows.forms]
        unit, quarter = str(form["unit"].value() or ""), str(form["quarter"].value() or "")
        lines = baseline_lines(queries, unit, quarter, self.quarters, self.access)
        return {
            "known": self.record.pk if self.record else None,
            "is_draft": self.record is None or self.record.published_at is None,
            "form_rows": rows_of(form),
            "rows": rows,
            "numbered": list(zip(rows.forms, lines, strict=True)),
            "failed_rows": rows.is_bound and any(rows.errors),
            "owners": suggested_owners(self.access.visibility),
        }


@record_view
def objective_baseline(request: HttpRequest) -> HttpResponse:
    """The baseline of one row of the form (`row`), for the unit, quarter and metric chosen in it."""
    access = _access_of_writer(request)
    word = request.GET.get("row", "")
    row = int(word) if word.isdecimal() and len(word) < 3 else 0
    rows = [(request.GET.get(f"key_results-{row}-metric", ""), request.GET.get(f"key_results-{row}-statistic", ""))]
    chosen = quarters(windows.local_today()).open()
    [line] = baseline_lines(rows, request.GET.get("unit", ""), request.GET.get("quarter", ""), chosen, access)
    return render(request, "programs/objectives/_baseline.html", {"line": line})


@record_view
def objective_parents(request: HttpRequest) -> HttpResponse:
    """Parent objectives for the unit and quarter chosen in the form; `known` is the objective being edited."""
    access = _access_of_writer(request)
    number = request.GET.get("known", "")
    known = visible_objective(int(number), access) if number.isdecimal() and len(number) < 16 else None
    params = {name: request.GET.get(name, "") for name in ("unit", "quarter", "parent")}
    form = ObjectiveForm(
        visibility=access.visibility, quarters=quarters(windows.local_today()).open(), instance=known, initial=params
    )
    return render(request, "programs/objectives/_parent.html", {"form": form})


def _access_of_writer(request: HttpRequest) -> Access:
    """The access of a viewer who leads any unit.  Raises PermissionDenied for others."""
    access = access_in(request)
    if not access.visibility.leads_any:
        raise PermissionDenied(ONLY_LEADERS)
    return access


def _choose_page(request: HttpRequest, access: Access, open_quarters: Sequence[Quarter]) -> HttpResponse:
    """The page that offers the templates and an empty objective."""
    today = windows.local_today()
    current = next((quarter for quarter in open_quarters if quarter.start <= today < quarter.end), None)
    context = {
        "templates": objective_templates(),
        "units": units_to_write_for(access.visibility),
        "unit": request.GET.get("unit", ""),
        "quarters": [(quarter.start.isoformat(), str(quarter)) for quarter in open_quarters],
        "quarter": request.GET.get("quarter", current.start.isoformat() if current else ""),
        "mandatory": request.GET.get("mandatory", ""),
    }
    return render(request, "programs/objectives/begin.html", context)


def _started(request: HttpRequest, access: Access, open_quarters: Sequence[Quarter]) -> ObjectiveForm:
    """The form filled in from the address; from a template, with its baselines and the targets derived from them."""
    params = {name: request.GET.get(name, "") for name in ("unit", "quarter", "parent", "metric", "template")}
    intent = _intent(request, access)
    if intent is not None:
        params |= {
            "unit": word_of(intent.unit),
            "quarter": intent.quarter.start.isoformat(),
            "template": intent.template,
        }
    today = windows.local_today()
    quarter = next(
        (open_quarter for open_quarter in open_quarters if open_quarter.start.isoformat() == params["quarter"]), None
    )
    quarter = quarter or next(open_quarter for open_quarter in open_quarters if open_quarter.end > today)
    initial: dict[str, Any] = {
        "unit": params["unit"] or (WHOLE if access.visibility.leads_whole else _first_led(access)),
        "quarter": quarter.start.isoformat(),
        "owner": own_address(access),
        "parent": params["parent"],
        "is_mandatory": bool(request.GET.get("mandatory")) or (intent is not None and _lacks_mandatory(intent)),
        "intent": intent.pk if intent else None,
    }
    rows: list[Mapping[str, Any]] = []
    template = params["template"]
    if template and template != BLANK:
        try:
            unit = None if initial["unit"] == WHOLE else initial["unit"]
            filled = objective_from_template(template, unit, quarter, access)
        except (FieldError, MayNotWriteError) as problem:
            messages.warning(request, str(problem))
        else:
            initial |= {name: filled[name] for name in ("title", "description", "template")}
            computed = {"baseline": None}  # the baseline is shown next to its field
            rows = [row_of({**row, **(computed if row["metric"] else {})}) for row in filled["key_results"]]
    elif params["metric"]:
        rows = [{"metric": params["metric"], "statistic": request.GET.get("statistic", "")}]
    if intent is not None:
        initial["title"] = intent.title
    return ObjectiveForm(visibility=access.visibility, quarters=open_quarters, initial=initial, key_results=rows)


def _intent(request: HttpRequest, access: Access) -> RoadmapIntent | None:
    """The intent that the address names; None if it no longer exists."""
    word = request.GET.get("intent", "")
    if not word.isdecimal() or len(word) > LONGEST_ID:
        return None
    intents = RoadmapIntent.objects.within(access.visibility).select_related("unit", "quarter")
    intent = intents.filter(pk=int(word)).first()
    if intent is None:
        messages.warning(
            request, "The intent is no longer on the roadmap: somebody wrote its objective, or removed it."
        )
    return intent


def _lacks_mandatory(intent: RoadmapIntent) -> bool:
    mandatory = Objective.objects.filter(unit=intent.unit, quarter=intent.quarter, is_mandatory=True, dropped_at=None)
    return intent.unit is not None and not mandatory.exists()


def _first_led(access: Access) -> str:
    """The slug of a unit that the viewer manages; empty if there is none."""
    home = access.visibility.home_unit
    if home is not None and access.visibility.slugs.get(home) in access.visibility.managed_ids:
        return home
    return next((slug for slug, pk in access.visibility.slugs.items() if pk in access.visibility.managed_ids), "")


@dataclass(frozen=True)
class BaselineLine:
    text: str  # "57.0 h, 1 Jul – 30 Sep 2026, from 412 facts"; empty without a metric
    reason: str  # why there is no baseline
    direction: str


NOTHING = BaselineLine("", "", "")


def baseline_lines(
    rows: Sequence[tuple[str, str]], unit: str, quarter: str, known: Sequence[Quarter], access: Access
) -> list[BaselineLine]:
    """The baseline line of each row; empty for rows without a metric."""
    chosen = next((row for row in known if row.start.isoformat() == quarter), None)
    requested = [(key, statistic if statistic in set(Statistic) else "") for key, statistic in rows]
    positions = [position for position, (key, _) in enumerate(requested) if find(key)]
    lines = [NOTHING] * len(rows)
    if chosen is None or not unit or not positions:
        return lines
    slug = None if unit == WHOLE else unit
    queries = [requested[position] for position in positions]
    previews = baseline_previews(queries, slug, chosen, access, today=windows.local_today())
    for position, preview in zip(positions, previews, strict=True):
        lines[position] = _baseline_line(requested[position][0], preview)
    return lines


def _baseline_line(key: str, preview: BaselinePreview) -> BaselineLine:
    metric = find(key)
    if metric is None:
        return NOTHING
    direction, days = DIRECTIONS[metric.better], wording.days(preview.window)
    if preview.value is None:
        return BaselineLine("", f"{preview.reason or 'No data.'} ({days})", direction)
    facts = f", from {wording.counted(preview.sample_size, metric.fact)}" if preview.sample_size else ""
    return BaselineLine(f"{amount_text(preview.value, metric.unit.value)}, {days}{facts}", "", direction)
