"""Creates and edits tickets.  An edit of an outdated version is answered with both versions and not saved."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from insights.catalogue.registry import metrics
from insights.privacy.scope_access import access_in
from insights.query import windows
from orgtree.access.access import Access
from orgtree.models.visibility import Visibility
from programs.alignment.pages import plans_offered
from programs.history.labels import Difference
from programs.models import BottleneckKind, Nature, Ticket
from programs.models.objectives import LONGEST_TITLE
from programs.requests.conflicts import renumber
from programs.teams.pages import WHOLE, flat, offer, units_to_write_for
from programs.teams.writing_for import suggested_owners
from programs.tickets.pages.beginnings import prefilled_from, template_offers
from programs.tickets.pages.page import visible_ticket
from programs.tickets.services.drafts import MayNotWriteTicketError, TicketDraft, TicketError
from programs.tickets.services.pull_request_names import names_of_pull_requests, pull_requests_named
from programs.tickets.services.writing import TicketConflictError, add_ticket, change_ticket, may_change

DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
CONFLICT = "Somebody changed this ticket while you were editing. Your version is not saved: both versions are below. "
"Adjust yours and save again."


class TicketForm(forms.Form):
    title = forms.CharField(label="Opportunity or challenge", max_length=LONGEST_TITLE)
    nature = forms.ChoiceField(label="Type", choices=Nature.choices, initial=Nature.CHALLENGE)
    resolution = forms.CharField(
        label="Resolution",
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="What will be done about it. Markdown.",
    )
    kind = forms.ChoiceField(
        label="Cause",
        choices=BottleneckKind.choices,
        help_text="Rarely people: look for a process or a tool first.",
    )
    unit = forms.ChoiceField(label="Unit")
    owner = forms.CharField(
        label="Owner",
        required=False,
        widget=forms.EmailInput(attrs={"list": "owners", "autocomplete": "off"}),
        help_text="By e-mail address.",
    )
    starts_on = forms.DateField(label="Started on", widget=DAY)
    due_on = forms.DateField(label="Due by", widget=DAY)
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
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, visibility: Visibility, known: Ticket | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = {
            "unit": units_to_write_for(
                visibility,
                stored=known.unit if known else None,
                is_stored_of_whole=known is not None and known.unit is None,
            ),
            "metric": [("", "None"), *((metric.key, f"{metric.name} ({metric.key})") for metric in metrics())],
            "objective": plans_offered(
                visibility, str(self["unit"].value() or ""), known=known, named=str(self["objective"].value() or "")
            ),
        }
        for name, choices in offered.items():
            offer(self, name, choices)

    def draft(self, access: Access, known: Ticket | None = None) -> TicketDraft:
        """What a valid form says.  Raises TicketError for a pull request that is not there."""
        data = self.cleaned_data
        hidden = names_of_pull_requests(known, access)[1] if known else ()
        return TicketDraft(
            title=data["title"],
            nature=data["nature"],
            resolution=data["resolution"].replace("\r\n", "\n"),
            kind=data["kind"],
            unit="" if data["unit"] == WHOLE else data["unit"],
            owner=data["owner"],
            starts_on=data["starts_on"],
            due_on=data["due_on"],
            metric=data["metric"],
            objective=int(data["objective"]) if data["objective"] else None,
            pull_requests=(*pull_requests_named(data["pull_requests"], access), *hidden),
        )


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def ticket_new(request: HttpRequest) -> HttpResponse:
    """`unit`, `metric`, `objective`, `title` and `template` in the address fill the form in."""
    access = access_in(request)
    visibility = access.visibility
    if not visibility.leads_any:
        raise PermissionDenied("Tickets are written by the managers of a unit, by executives and by admins.")
    params = {name: request.GET.get(name, "") for name in ("unit", "metric", "objective", "title")}
    params["unit"] = params["unit"] or (WHOLE if visibility.leads_whole else "")
    initial = {**params, "starts_on": windows.local_today(), **prefilled_from(request.GET)}
    form = TicketForm(request.POST if request.method == "POST" else None, visibility=visibility, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            added = add_ticket(access, form.draft(access))
        except TicketError as problem:
            form.add_error(problem.field if problem.field in form.fields else None, problem.message)
        except MayNotWriteTicketError as refusal:
            raise PermissionDenied(str(refusal)) from None
        else:
            messages.success(request, "Ticket created.")
            return redirect("ticket", added.pk)
    page = {"title": "New ticket", "submit": "Create ticket", "back_url": reverse("tickets")}
    offered = template_offers(request.GET) if request.method == "GET" else []
    return _form_page(request, form, {**page, "templates": offered})


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def ticket_edit(request: HttpRequest, pk: int) -> HttpResponse:
    access, ticket = access_in(request), visible_ticket(request, pk)
    if not may_change(access.visibility, ticket):
        raise PermissionDenied("A ticket is changed by its owner, by the managers of its unit, executives and admins.")
    page = {"title": "Change ticket", "submit": "Save", "back_url": reverse("ticket", args=[pk])}
    if request.method == "GET":
        return _form_page(
            request, TicketForm(visibility=access.visibility, known=ticket, initial=_filled_in(ticket, access)), page
        )
    form = TicketForm(request.POST, visibility=access.visibility, known=ticket)
    if form.is_valid():
        try:
            change_ticket(access, ticket, form.draft(access, ticket), of_version=form.cleaned_data["version"] or 0)
        except TicketConflictError as conflict:
            return _conflict_page(request, form, conflict.stored, page)
        except TicketError as problem:
            form.add_error(problem.field if problem.field in form.fields else None, problem.message)
        except MayNotWriteTicketError as refusal:
            raise PermissionDenied(str(refusal)) from None
        else:
            messages.success(request, "Ticket saved.")
            return redirect("ticket", pk)
    return _form_page(request, form, page)


def _conflict_page(request: HttpRequest, form: TicketForm, stored: Ticket, page: dict[str, Any]) -> HttpResponse:
    """What one wrote stays in the form, which is of the newest version now; beside it what the ticket says."""
    says = {
        name: str(value if value is not None else "") for name, value in _filled_in(stored, access_in(request)).items()
    }
    differences = [
        Difference(str(field.label), _shown(field, says[name]), _shown(field, form.data.get(name, "")))
        for name, field in form.fields.items()
        if name != "version" and says[name].replace("\r\n", "\n") != form.data.get(name, "").replace("\r\n", "\n")
    ]
    renumber(form, "version", stored.version)
    context = {**page, "conflict": CONFLICT, "differences": differences}
    return _form_page(request, form, context, status=409)


def _shown(field: forms.Field, value: str) -> str:
    choices = dict(flat(getattr(field, "choices", ())))
    return str(choices.get(value, value)) or "–"


def _filled_in(ticket: Ticket, access: Access) -> dict[str, Any]:
    """What the form of a ticket that stands begins with."""
    return {
        "title": ticket.title,
        "nature": ticket.nature,
        "resolution": ticket.resolution,
        "kind": ticket.kind,
        "unit": ticket.unit.slug if ticket.unit else WHOLE,
        "owner": (ticket.owner.email or "") if ticket.owner else "",
        "starts_on": ticket.starts_on,
        "due_on": ticket.due_on,
        "metric": ticket.metric,
        "objective": ticket.objective_id or "",
        "pull_requests": names_of_pull_requests(ticket, access)[0],
        "version": ticket.version,
    }


def _form_page(request: HttpRequest, form: TicketForm, context: dict[str, Any], status: int = 200) -> HttpResponse:
    page = {
        **context,
        "form": form,
        "owners": suggested_owners(access_in(request).visibility),
        "action": request.get_full_path(),
    }
    return render(request, "programs/tickets/form.html", page, status=400 if form.errors and status == 200 else status)
