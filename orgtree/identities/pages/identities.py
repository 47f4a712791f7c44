"""Review pages of identities: waiting, unmatched, matched, bots, and the decision log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar, cast
from uuid import UUID

from django.contrib.auth.models import User
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from core.page_links import Picker, page_links, url_with
from orgtree.access.permissions import admins_only
from orgtree.identities import unmatched_queue
from orgtree.identities.activity import Activity, identity_activity, money, total
from orgtree.identities.pages.posts import answer, carry_out_post, previous_outcome
from orgtree.identities.unmatched_queue import ActiveIdentity, Unmatched
from orgtree.models import Identity, IdentityChange, MatchProposal, Person, Standing

ROWS_ON_A_PAGE = 50
LONGEST_SEARCH = 100
LOG_OF_AN_IDENTITY = 20
_Row = TypeVar("_Row")
_Context = dict[str, object]
View = Callable[..., HttpResponse]
# By confidence of the likeliest proposal: percent, half-open.
CERTAINTIES = {"": ("All", 0, 101), "high": ("90% and more", 90, 101), "low": ("Below 90%", 0, 90)}


def _respond(request: HttpRequest, template: str, context: Callable[[], _Context]) -> HttpResponse:
    """GET shows the page; POST applies a decision and shows it again, for htmx only the part below the heading."""
    if request.method == "POST":
        outcome = carry_out_post(request, cast(User, request.user))
        return answer(request, outcome, f"orgtree/identities/_{template}", context)
    return render(request, f"orgtree/identities/{template}", {**context(), "outcome": previous_outcome(request)})


def _tab(build: Callable[[HttpRequest, unmatched_queue.Unmatched], _Context], template: str) -> View:
    @admins_only
    @never_cache
    @require_http_methods(["GET", "POST"])
    def view(request: HttpRequest) -> HttpResponse:
        def context() -> _Context:
            now = unmatched_queue.unmatched_activity()
            return {"unmatched": shares(now), "tabs": _tabs(request), **build(request, now)}

        return _respond(request, template, context)

    return view


def _waiting(request: HttpRequest, now: unmatched_queue.Unmatched) -> _Context:
    search, certainty = _search(request), request.GET.get("certainty", "")
    _, at_least, below = CERTAINTIES.get(certainty, CERTAINTIES[""])
    waiting_rows = unmatched_queue.waiting_identities(search=search, at_least=at_least, below=below)
    page = _paged(request, waiting_rows)
    gain = total(row.activity for row in page.object_list)
    return {
        **_paging(request, page),
        "lines": page.object_list,
        "effect": confirmation_effect(len(page.object_list), gain, now),
        "search": search,
        "certainty": certainty,
        "certainties": [
            Picker(label, url_with("", {"q": search, "certainty": key}), key == certainty)
            for key, (label, _, _) in CERTAINTIES.items()
        ],
    }


def _unmatched(request: HttpRequest, _now: unmatched_queue.Unmatched) -> _Context:
    search = _search(request)
    page = _paged(request, unmatched_queue.unmatched_identities(search))
    return {**_paging(request, page), "lines": page.object_list, "search": search}


def _matched(request: HttpRequest, _now: unmatched_queue.Unmatched) -> _Context:
    search = _search(request)
    page = _paged(request, unmatched_queue.matched_people(search).prefetch_related("identities"))
    return {**_paging(request, page), "people": page.object_list, "search": search}


def _bots(request: HttpRequest, _now: unmatched_queue.Unmatched) -> _Context:
    search = _search(request)
    page = _paged(request, unmatched_queue.bots(search))
    return {**_paging(request, page), "lines": page.object_list, "search": search}


def _log(request: HttpRequest, _now: unmatched_queue.Unmatched) -> _Context:
    page = _paged(request, IdentityChange.objects.order_by("-pk"))
    return {**_paging(request, page), "entries": unmatched_queue.logged_changes(page.object_list)}


waiting = _tab(_waiting, "waiting.html")
unmatched = _tab(_unmatched, "unmatched.html")
matched = _tab(_matched, "matched.html")
bots = _tab(_bots, "bots.html")
log = _tab(_log, "log.html")


@admins_only
@never_cache
@require_http_methods(["GET", "POST"])
def identity(request: HttpRequest, pk: int) -> HttpResponse:
    """One identity: its owner or proposals, and its decisions."""
    chosen = get_object_or_404(Identity.objects.select_related("person", "waits_with"), pk=pk)
    return _respond(request, "identity.html", lambda: _identity_context(chosen.pk))


@admins_only
@never_cache
@require_http_methods(["GET", "POST"])
def person(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One person with all identities: split, add, or merge."""
    chosen = get_object_or_404(Person, public_id=public_id)
    return _respond(request, "person.html", lambda: _person_context(chosen))


def _identity_context(pk: int) -> _Context:
    chosen = Identity.objects.select_related("person", "waits_with").get(pk=pk)
    changes = IdentityChange.objects.filter(steps__identities__contains=[{"identity": pk}]).order_by("-pk")
    return {
        "identity": chosen,
        "activity": identity_activity([pk])[pk],
        "is_waiting": chosen.standing == Standing.WAITING,
        "proposals": chosen.proposals.filter(state=MatchProposal.State.WAITING).select_related("person"),
        "entries": unmatched_queue.logged_changes(changes[:LOG_OF_AN_IDENTITY]),
    }


def _person_context(person: Person) -> _Context:
    identities = list(person.identities.order_by("kind", "provider", "value"))
    activity = identity_activity([known.pk for known in identities])
    return {
        "person": person,
        "lines": [ActiveIdentity(known, activity[known.pk]) for known in identities],
    }


def _tabs(request: HttpRequest) -> list[Picker]:
    waiting_now = Identity.objects.filter(standing=Standing.WAITING, waits_with=None).count()
    named = (
        (f"Waiting ({waiting_now:,})" if waiting_now else "Waiting", "identities"),
        ("Unmatched", "identities_unmatched"),
        ("Matched", "identities_matched"),
        ("Bots", "identities_bots"),
        ("Log", "identities_log"),
    )
    return [Picker(label, reverse(name), reverse(name) == request.path) for label, name in named]


def _search(request: HttpRequest) -> str:
    return request.GET.get("q", "").strip()[:LONGEST_SEARCH]


def _paged(request: HttpRequest, rows: Sequence[_Row] | QuerySet[_Row]) -> Page[_Row]:  # type: ignore[type-var]  # whatever a row is
    return Paginator(rows, ROWS_ON_A_PAGE).get_page(request.GET.get("page"))


def _paging(request: HttpRequest, page: Page[_Row]) -> _Context:
    return page_links(page, lambda number: url_with("", {**request.GET.dict(), "page": number}))


@dataclass(frozen=True)
class Share:
    """The unmatched share of one kind of activity; empty without any activity."""

    label: str
    share: str
    counts: str


def shares(unmatched: Unmatched) -> list[Share]:
    """Unmatched commits, sessions and cost, each as a share and as counts."""
    whole, part = unmatched.everybody, unmatched.nobody
    return [
        Share("Commits", percent(part.commits, whole.commits), f"{part.commits:,} of {whole.commits:,}"),
        Share("Sessions", percent(part.sessions, whole.sessions), f"{part.sessions:,} of {whole.sessions:,}"),
        Share("Cost", percent(part.cost, whole.cost), f"{money(part.cost)} of {money(whole.cost)}"),
    ]


def confirmation_effect(count: int, matched: Activity, now: Unmatched) -> str:
    """One sentence: what confirming would match, and the resulting unmatched shares."""
    if not count:
        return ""
    done = matched.amounts
    these = "this one" if count == 1 else f"these {count}"
    if not done:
        return f"Confirming {these} changes no figure of the last 12 weeks."
    falls = [
        f"from {before.share} to {then.share} of {then.label.lower()}"
        for before, then in zip(shares(now), shares(now.without(matched)), strict=True)
        if before.share != then.share
    ]
    sentence = f"Confirming {these} matches {_listed(done)}"
    return f"{sentence}: unmatched falls {_listed(falls)}." if falls else f"{sentence}."


def percent(part: Decimal | int, whole: Decimal | int) -> str:
    """The share as text, 8.1%; empty if the whole is zero."""
    return f"{100 * part / whole:.1f}%" if whole else ""


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
