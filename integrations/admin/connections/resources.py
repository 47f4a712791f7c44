"""The resources that a connection syncs: rules that pick by name, and an admin's manual decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from integrations.admin.connections.sections import section_context
from integrations.models import Connection, Resource
from integrations.sync.enqueue import enqueue_sync
from integrations.sync.resources import Rules, leave_to_rules, nothing_matches, pick_resources, rules_of, set_rules

ON_A_PAGE = 100
LONGEST_PATTERNS = 10_000
NEW_FOR = timedelta(days=30)
SHOWN = {
    "": "All",
    "picked": "Synced",
    "left": "Not synced",
    "new": f"Found in the last {NEW_FOR.days} days",
    "archived": "Archived",
    "by_hand": "Selected by hand",
}


class RulesForm(forms.Form):
    """The rules: patterns, one per line."""

    match = forms.CharField(
        required=False,
        max_length=LONGEST_PATTERNS,
        label="Sync all that match",
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "placeholder": "acme/*"}),
        help_text=(
            "One pattern per line; * matches anything, * alone everything. New resources that match are added "
            "automatically."
        ),
    )
    exclude = forms.CharField(
        required=False,
        max_length=LONGEST_PATTERNS,
        label="Except those that match",
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false", "placeholder": "acme/sandbox-*"}),
    )
    archived = forms.BooleanField(required=False, label="Include archived ones")

    def rules(self) -> Rules:
        given = self.cleaned_data
        return Rules(match=_patterns(given["match"]), exclude=_patterns(given["exclude"]), archived=given["archived"])


@dataclass(frozen=True)
class ResourceLine:
    """A resource in the picker: whether it is synced, and who decided so.  `is_new` if it was discovered recently."""

    resource: Resource
    url: str
    why: str
    is_new: bool


def resources(request: HttpRequest, connection: Connection) -> HttpResponse:
    """The picker.  A POST saves the rules, picks by hand, or lists the resources again."""
    if request.method == "POST":
        return _decide(request, connection)
    return _shown(request, connection, RulesForm(initial=_written(rules_of(connection))))


def count_matches(request: HttpRequest, connection: Connection) -> HttpResponse:
    """The number of resources that the form's rules would pick; requested while typing."""
    return require_POST(_count_matches)(request, connection)


def _count_matches(request: HttpRequest, connection: Connection) -> HttpResponse:
    form = RulesForm(request.POST)
    context = {"matches": _count(connection, form.rules()) if form.is_valid() else None, "found": _found(connection)}
    return render(request, "admin/integrations/connection/_matches.html", context)


def _shown(request: HttpRequest, connection: Connection, form: RulesForm) -> HttpResponse:
    listed = _narrowed(connection, request.GET)
    page = Paginator(listed, ON_A_PAGE).get_page(request.GET.get("page"))
    here = connection.resources.filter(gone_at=None)
    context = {
        **section_context(request, connection, title=f"What {connection} syncs", current="resources"),
        "form": form,
        "lines": [_line(resource) for resource in page],
        "page": page,
        "found": here.count(),
        "picked": here.filter(picked=True).count(),
        "matches": _count(connection, rules_of(connection)),
        "search": request.GET.get("q", ""),
        "state": request.GET.get("state", ""),
        "states": list(SHOWN.items()),
        "is_listing": _is_first_listing(connection),
        "query": _without_page(request.GET),
    }
    return render(request, "admin/integrations/connection/resources.html", context)


def _decide(request: HttpRequest, connection: Connection) -> HttpResponse:
    act = request.POST.get("act", "")
    if act == "rules":
        form = RulesForm(request.POST)
        if not form.is_valid():
            return _shown(request, connection, form)
        set_rules(connection, form.rules())
        enqueue_sync(connection)
        if there_are := nothing_matches(connection, form.rules()):
            messages.warning(request, f"Nothing matches. {there_are}")
        if _is_first_listing(connection):
            messages.success(request, "The rules are saved. What matches is synced as soon as it is listed.")
            return _back(request, connection)
    elif act == "list":
        Connection.objects.filter(pk=connection.pk).update(discover_at=timezone.now())
        enqueue_sync(connection)
        messages.success(request, "The list of what the credential can see is being refreshed.")
        return _back(request, connection)
    else:
        chosen = _chosen(request, connection)
        if act == "pick":
            pick_resources(connection, picked=chosen)
            enqueue_sync(connection)
        elif act == "drop":
            pick_resources(connection, dropped=chosen)
        elif act == "leave":
            leave_to_rules(connection, chosen)
    number = connection.resources.filter(picked=True, gone_at=None).count()
    messages.success(request, f"{number:,} of {_found(connection):,} are synced.")
    return _back(request, connection)


def _is_first_listing(connection: Connection) -> bool:
    return connection.discovered_at is None and not connection.problem


def _chosen(request: HttpRequest, connection: Connection) -> Sequence[int]:
    """The selected resources, or all search results."""
    if "all_found" in request.POST:
        return list(_narrowed(connection, request.GET).values_list("pk", flat=True))
    ticked = [int(pk) for pk in request.POST.getlist("resource") if pk.isascii() and pk.isdigit() and len(pk) < 19]
    return list(connection.resources.filter(pk__in=ticked).values_list("pk", flat=True))


def _narrowed(connection: Connection, params: QueryDict) -> QuerySet[Resource]:
    matching = connection.resources.filter(gone_at=None).order_by("name", "pk")
    if search := params.get("q", "").replace("\0", "").strip():
        matching = matching.filter(name__icontains=search)
    match params.get("state", ""):
        case "picked":
            return matching.filter(picked=True)
        case "left":
            return matching.filter(picked=False)
        case "new":
            return matching.filter(found_at__gte=timezone.now() - NEW_FOR).order_by("-found_at", "name", "pk")
        case "archived":
            return matching.filter(archived=True)
        case "by_hand":
            return matching.exclude(picked_by_hand=None)
    return matching


def _line(resource: Resource) -> ResourceLine:
    by_rules = "by the rules" if resource.picked else ""
    return ResourceLine(
        resource,
        url=resource.url if resource.url.startswith(("https://", "http://")) else "",
        why="by hand" if resource.picked_by_hand is not None else by_rules,
        is_new=resource.found_at >= timezone.now() - NEW_FOR,
    )


def _count(connection: Connection, rules: Rules) -> int:
    """The number of resources that the rules pick, without manual decisions."""
    here = connection.resources.filter(gone_at=None).only(
        "connection", "kind", "name", "external_id", "url", "archived", "details"
    )
    return sum(rules.pick(resource) for resource in here.iterator())


def _found(connection: Connection) -> int:
    return connection.resources.filter(gone_at=None).count()


def _patterns(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))


def _written(rules: Rules) -> dict[str, object]:
    return {"match": "\n".join(rules.match), "exclude": "\n".join(rules.exclude), "archived": rules.archived}


def _without_page(params: QueryDict) -> str:
    remaining = params.copy()
    remaining.pop("page", None)
    return remaining.urlencode()


def _back(request: HttpRequest, connection: Connection) -> HttpResponse:
    address = reverse("admin:integrations_connection_resources", args=[connection.pk])
    query = _without_page(request.GET)
    return redirect(f"{address}?{query}" if query else address)
