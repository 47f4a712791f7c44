"""The pages that create and edit tickets, including from a template or a CSV file."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse

from core.csv_import import CsvFileError, uploaded_text
from core.form_page import FormTexts
from core.forms import rows_of
from core.page_links import url_with
from core.views import form_view
from insights.catalogue.registry import metrics
from insights.privacy.scope_access import access_in
from insights.query import windows
from insights.ui import wording
from orgtree.access.access import Access
from programs.alignment.pages import plans_offered
from programs.finding_work.pages import start_named_work
from programs.models import Ticket, TicketTemplate
from programs.requests.list_pages import ProgramForm
from programs.requests.visible import visible_ticket
from programs.teams.fields import suggested_owners
from programs.teams.pages import WHOLE, OwnedForm, offer, units_to_write_for, word_of
from programs.tickets.services.csv_files import (
    LABELS,
    MOST_ROWS,
    NEEDED,
    NOT_READ,
    check_imports,
    import_tickets,
    read_tickets,
)
from programs.tickets.services.fields import SPECIAL, WRITTEN, names_of_pull_requests
from programs.tickets.services.writing import ONLY_LEADERS, add_ticket, change_ticket, may_change

DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
KEPT_PARAMETERS = ("unit", "objective", "metric", "finding")


class TicketForm(OwnedForm, forms.ModelForm[Ticket]):
    metric = forms.ChoiceField(
        label="Metric", required=False, help_text="The metric it should move, measured before and after."
    )
    objective = forms.ChoiceField(label="Objective", required=False)
    pull_requests = forms.CharField(
        label="Pull requests",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="One per line: repository#number, or a URL.",
    )
    field_order = WRITTEN

    class Meta:
        model = Ticket
        fields = tuple(name for name in WRITTEN if name not in SPECIAL)
        labels: ClassVar = {"nature": "Type", "kind": "Cause"}
        help_texts: ClassVar = {"kind": "Rarely people: check process and tooling first."}
        widgets: ClassVar = {"resolution": forms.Textarea(attrs={"rows": 5}), "starts_on": DAY, "due_on": DAY}

    def __init__(self, data: Any = None, *, access: Access, instance: Ticket | None = None, **kwargs: Any) -> None:
        if instance is not None:
            kwargs["initial"] = {
                "unit": word_of(instance.unit),
                "owner": (instance.owner.email or "") if instance.owner else "",
                "metric": instance.metric,
                "objective": instance.objective_id or "",
                "pull_requests": names_of_pull_requests(instance, access),
                "version": instance.version,
            }
        super().__init__(data, instance=instance, **kwargs)
        named = instance is None or (instance.owner is not None and bool(instance.owner.email))
        self.fields["owner"].required = named  # an older ticket may have no owner, and an owner no address
        unit, objective = str(self["unit"].value() or ""), str(self["objective"].value() or "")
        offer(self, "unit", units_to_write_for(access.visibility, stored=instance))
        offer(self, "metric", [("", "None"), *((metric.key, f"{metric.name} ({metric.key})") for metric in metrics())])
        offer(self, "objective", plans_offered(access.visibility, unit, known=instance, named=objective))

    def given(self) -> dict[str, Any]:
        data = super().given()
        return {
            **data,
            "objective": int(data["objective"]) if data["objective"] else None,
            "pull_requests": data["pull_requests"].splitlines(),
        }


class TicketPage(ProgramForm):
    """`unit`, `metric`, `objective`, `title` and `template` in the address fill in the form of a new ticket.

    The new ticket addresses the `finding`.
    """

    template_name = "programs/tickets/form.html"
    adding = FormTexts("New ticket", "Create ticket", "Ticket created.")
    changing = FormTexts("Change ticket", "Save", "Ticket saved.")
    list_route, record_route = "tickets", "ticket"
    find, add, change = staticmethod(visible_ticket), staticmethod(add_ticket), staticmethod(change_ticket)

    def refusal(self) -> str:
        visibility = self.access.visibility
        if self.record is None:
            return "" if visibility.leads_any else "Only managers of a unit, executives and admins can write tickets."
        return "" if may_change(visibility, self.record) else ONLY_LEADERS

    def form_of(self, record: Ticket | None, data: Any = None) -> TicketForm:
        if record is not None:
            return TicketForm(data, access=self.access, instance=record)
        params = self.request.GET
        initial: dict[str, Any] = {name: params.get(name, "") for name in ("unit", "metric", "objective", "title")}
        initial["unit"] = initial["unit"] or (WHOLE if self.access.visibility.leads_whole else "")
        initial |= {"starts_on": windows.local_today(), **prefilled_from(params)}
        return TicketForm(data, access=self.access, initial=initial)

    def save(self, form: TicketForm) -> Ticket:
        saved: Ticket = super().save(form)
        if self.record is None:
            start_named_work(self.request, self.access, saved)
        return saved

    def context(self, form: TicketForm) -> dict[str, Any]:
        params = self.request.GET
        kept = {name: params.get(name) for name in KEPT_PARAMETERS}
        templates = [] if self.record or form.is_bound else templates_for(params.get("metric", ""))
        return {
            "rows": rows_of(form),
            "owners": suggested_owners(self.access.visibility),
            "templates": [
                (template, url_with(reverse("ticket_new"), {**kept, "template": template.slug}))
                for template in templates
            ],
        }


def templates_for(metric: str) -> list[TicketTemplate]:
    """The available templates; those meant for the given metric first."""
    offered = TicketTemplate.objects.filter(is_offered=True)
    return sorted(offered, key=lambda template: not metric or template.metric != metric)


def prefilled_from(params: QueryDict) -> dict[str, Any]:
    """The values of the chosen template; empty without one, or if its name is unknown."""
    slug = params.get("template", "").replace("\x00", "")
    template = TicketTemplate.objects.filter(slug=slug, is_offered=True).first() if slug else None
    if template is None:
        return {}
    known = template.metric in {metric.key for metric in metrics()}
    return {
        "title": template.title,
        "nature": template.nature,
        "kind": template.kind,
        "resolution": template.resolution,
        "due_on": windows.local_today() + timedelta(days=template.days),
        "metric": template.metric if known else params.get("metric", ""),
    }


@form_view
def tickets_import(request: HttpRequest) -> HttpResponse:
    """A POST with `file` previews the import; one with `text`, which the preview contains, performs it."""
    access = access_in(request)
    check_imports(access.visibility)
    if request.method == "GET":
        return _import_page(request, {})
    try:
        if "text" in request.POST:
            stored = import_tickets(access, read_tickets(access, request.POST["text"]))
            messages.success(request, f"{wording.count(len(stored), 'ticket')} imported.")
            return redirect("tickets")
        text = uploaded_text(request)
        rows = read_tickets(access, text)
    except CsvFileError as problem:
        return _import_page(request, {"problem": str(problem)}, status=400)
    wrong = sum(bool(row.problem) for row in rows)
    new = sum(row.given is not None and not row.problem for row in rows)
    counts = {"new": new, "wrong": wrong, "known": sum(row.is_known for row in rows)}
    return _import_page(request, {"rows": rows, "text": "" if wrong else text, **counts})


def _import_page(request: HttpRequest, context: dict[str, Any], status: int = 200) -> HttpResponse:
    columns = [label for name, label in LABELS.items() if name not in NOT_READ]
    page = {"columns": columns, "needed": [LABELS[name] for name in NEEDED], "most": MOST_ROWS, **context}
    return render(request, "programs/tickets/import.html", page, status=status)
