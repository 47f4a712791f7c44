"""Connect an agent: settings to paste, an ingest token, and the status of arriving telemetry."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import resolve, reverse
from django.utils import timezone

from core.forms import posted_number
from core.views import form_view, record_view
from insights.pages.integrations.agent_settings import AGENTS, TOKEN_PLACEHOLDER, Agent
from insights.ui import wording
from integrations.models import IngestToken
from integrations.telemetry.otlp.ingest_tokens import (
    create_ingest_token,
    find_ingest_token,
    replace_ingest_token,
)
from integrations.telemetry.otlp.reception import SESSIONS_COUNTED, Reception, last_session_of, reception
from orgtree.models import Person

LONGEST_TOKEN_NAME = 100
NAMES_SHOWN = 3  # of unknown names
ANY_PROGRAM = "gen_ai"  # any program, which uses a name of its own
SESSION_ID_REMEDY = "Look for a collector or relay that drops session.id, and let it pass."
SESSION_ID_REMEDIES = {
    "claude_code": "Remove OTEL_METRICS_INCLUDE_SESSION_ID=false from its settings, which switches them off for events "
    "as well, or let the collector pass session.id.",
    "codex": "Look for a collector or relay that drops conversation.id, and let it pass.",
    "copilot": "Look for a collector or relay that drops gen_ai.conversation.id and session.id, and let it pass.",
}
ADDRESS_PLACEHOLDER = "you@example.com"  # for an account without an address


@form_view
def connect_agent(request: HttpRequest) -> HttpResponse:
    """The page; a POST by an admin creates or replaces an ingest token, which is shown until the page is left.

    Headway stores only the token's hash, so the page itself carries the token to the settings of another agent.
    """
    if request.method != "POST":
        return _render(request)
    if not request.user.is_staff:
        raise PermissionDenied("Only an admin can create an ingest token.")
    if shown := request.POST.get("token"):
        if find_ingest_token(shown) is None:
            return _render(request, problem="This token is no longer valid. Create another one.")
        return _render(request, secret=shown)
    if "replace" in request.POST:
        return _render(request, secret=_replace(posted_number(request, "replace")))
    name, address = request.POST.get("name", "").strip(), request.POST.get("person", "").strip()
    person = Person.objects.filter(email__iexact=address).first() if address else None
    problem = _problem_with_token_name(name)
    if address and person is None:
        problem = "No person has this address. Enter it as listed under People, or leave it empty."
    if problem:
        return _render(request, problem=problem)
    return _render(request, secret=create_ingest_token(name, person=person)[1])


def connect_first_agent(request: HttpRequest) -> HttpResponse:
    """The same page instead of a page without data, with the way back to the guided start."""
    request.resolver_match = resolve(reverse("connect_agent"))
    return _render(request)


@record_view
def arrival(request: HttpRequest) -> HttpResponse:
    """The status alone, which the page polls every two seconds until something arrives."""
    return render(request, "insights/_arrival.html", {**_arrival_context(request, reception()), "polled": True})


def _render(request: HttpRequest, *, secret: str | None = None, problem: str = "") -> HttpResponse:
    agent = _chosen_agent(request)
    email = _address_of(request)
    snippets = agent.snippets(settings.BASE_URL, secret or TOKEN_PLACEHOLDER, email) if agent.snippets else []
    received = reception()
    context = {
        "agents": AGENTS,
        "any_program": next(choice for choice in AGENTS if choice.slug == ANY_PROGRAM),
        "agent": agent,
        "snippets": snippets,
        "secret": secret,
        "problem": problem,
        "placeholder": TOKEN_PLACEHOLDER,
        "email": email,
        "tokens": received.tokens,
        **_arrival_context(request, received),
    }
    return render(request, "insights/connect_agent.html", context, status=400 if problem else 200)


def _replace(token_id: int) -> str:
    """A new token with the name of the old one, which is revoked at once."""
    return replace_ingest_token(get_object_or_404(IngestToken, pk=token_id, revoked_at=None))[1]


def _arrival_context(request: HttpRequest, received: Reception) -> dict[str, Any]:
    now = timezone.now()
    return {
        "arrival": _arrival(received, _chosen_agent(request), _address_of(request), now),
        "agent": _chosen_agent(request),
        "diagnosis": _diagnosis(received, now),
        "base_url": settings.BASE_URL,
    }


def _arrival(received: Reception, agent: Agent, email: str, now: datetime) -> dict[str, Any]:
    sessions = wording.count(received.sessions, "session")
    if received.sessions == SESSIONS_COUNTED:
        sessions = f"{SESSIONS_COUNTED:,} sessions or more"
    own_last_at = last_session_of(email, agent="" if agent.slug == ANY_PROGRAM else agent.slug)
    if own_last_at is not None:
        named = "" if agent.slug == ANY_PROGRAM else f"{agent.name} "
        detail = f"Last event of yours {wording.ago(own_last_at, now)} · {sessions} of everybody"
        return {"arrived": True, "title": f"Your {named}sessions are arriving", "detail": detail}
    if received.sessions:
        since = f"Last request {wording.ago(received.last_used_at, now)} · " if received.last_used_at else ""
        of_agent = "" if agent.slug == ANY_PROGRAM else f" with {agent.name}"
        return {
            "arrived": True,
            "title": "Events are arriving",
            "detail": f"{since}{sessions} · none yet from {email}{of_agent}",
        }
    if unread := [source for source in received.unread if source.count]:
        agents = wording.listed([source.agent for source in unread])
        records = wording.count(sum(source.count for source in unread), "record")
        return {
            "title": "Telemetry arrives and is kept",
            "detail": f"{records} of {agents}, which Headway cannot read yet",
        }
    return {
        "title": "Waiting for the first event",
        "detail": f"Listening on {settings.BASE_URL} · nothing received yet",
    }


def _diagnosis(received: Reception, now: datetime) -> list[tuple[str, str, str]]:
    """Reasons why nothing arrives, the most likely first: icon, title and detail."""
    findings = [_token_finding(received, now)]
    if received.quarantined:
        title = f"{wording.count(received.quarantined, 'record')} in quarantine"
        detail = f"The last one: {received.last_quarantine_reason} Admin can look at them and replay them."
        findings.append(("alert-triangle", title, detail))
    for agent in received.without_session:
        unknown = "Its requests count for their person, but their number of sessions is unknown."
        detail = f"{unknown} {SESSION_ID_REMEDIES.get(agent, SESSION_ID_REMEDY)}"
        findings.append(("alert-triangle", f"{agent}: no session ids", detail))
    for unread in received.unread:
        if unread.count:
            records = wording.count(unread.count, "record")
            detail = f"{records} that Headway cannot read yet: {_some_of(unread.names)}"
            findings.append(("database", f"{unread.agent}: kept, not read", detail))
        if unread.attributes:
            detail = f"Unknown attributes: {_some_of(unread.attributes)}. Map them in admin."
            findings.append(("database", f"{unread.agent}: kept, read in part", detail))
    return findings


def _some_of(names: Sequence[str]) -> str:
    return wording.listed([*names[:NAMES_SHOWN], *(["others"] if len(names) > NAMES_SHOWN else [])])


def _token_finding(received: Reception, now: datetime) -> tuple[str, str, str]:
    if not received.tokens:
        return ("key", "No ingest token", "Headway accepts no telemetry until an admin creates one")
    if received.last_used_at is None:
        detail = "The agent does not reach this address, or sends a different token"
        return ("key", "No request with a valid token yet", detail)
    last = f"Last request {wording.ago(received.last_used_at, now)}"
    return ("plug-connected", "A valid token is in use", last)


def _chosen_agent(request: HttpRequest) -> Agent:
    slug = request.POST.get("agent") or request.GET.get("agent") or AGENTS[0].slug
    for agent in AGENTS:
        if agent.slug == slug:
            return agent
    raise Http404("No such agent.")


def _problem_with_token_name(name: str) -> str:
    if not name:
        return "Give the token a name, such as the team or machine that will use it."
    if len(name) > LONGEST_TOKEN_NAME or not name.isprintable():
        return f"A token's name has at most {LONGEST_TOKEN_NAME} printable characters."
    return ""


def _address_of(request: HttpRequest) -> str:
    """The signed-in person's email, which the settings send as the sessions' author."""
    return getattr(request.user, "email", "") or ADDRESS_PLACEHOLDER
