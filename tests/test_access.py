"""Every address of the application, and what a visitor, a member and an admin are answered there.

A route that is missing here fails the test: whoever adds a page says who may see it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.personas import ADMIN, MEMBER, Persona

SIGN_IN = 302  # to the sign-in page
VISITORS: dict[str, Persona | None] = {"visitor": None, "member": MEMBER, "admin": ADMIN}


@dataclass(frozen=True)
class Access:
    """An address of a route, and the status of a GET by each kind of visitor."""

    address: str
    visitor: int
    member: int
    admin: int
    query: dict[str, str] = field(default_factory=dict)


def signed_in_only(address: str) -> Access:
    return Access(address, visitor=SIGN_IN, member=200, admin=200)


def admins_only(address: str) -> Access:
    """Members are not told that such a page exists."""
    return Access(address, visitor=SIGN_IN, member=404, admin=200)


def no_such(address: str) -> Access:
    """What the address names is not there; tests of its own say who may see it."""
    return Access(address, visitor=SIGN_IN, member=404, admin=404)


def everybody(address: str, status: int = 200) -> Access:
    return Access(address, visitor=status, member=status, admin=status)


def api(address: str) -> Access:
    """Programs are told that they need a token; nobody is sent to a sign-in page."""
    return Access(address, visitor=401, member=200, admin=200)


ROUTES: dict[str, Access] = {
    "healthz": everybody("/healthz"),
    "readyz": everybody("/readyz"),
    "accounts/login/": Access("/accounts/login/", visitor=200, member=302, admin=302),
    "accounts/logout/": signed_in_only("/accounts/logout/"),
    "accounts/inactive/": everybody("/accounts/inactive/"),
    "accounts/password/change/": signed_in_only("/accounts/password/change/"),
    "accounts/password/set/": everybody("/accounts/password/set/", SIGN_IN),
    "": signed_in_only("/"),
    "insights/ai/": signed_in_only("/insights/ai/"),
    "insights/ai/pulse/": Access("/insights/ai/pulse/", visitor=SIGN_IN, member=204, admin=204),
    "insights/ai/parts/<slug:name>/": signed_in_only("/insights/ai/parts/failing_tools/"),
    "insights/ai/charts/<slug:name>/": signed_in_only("/insights/ai/charts/adoption/"),
    "insights/ai/charts/<slug:name>.csv": signed_in_only("/insights/ai/charts/adoption.csv"),
    "insights/ai/repositories/": signed_in_only("/insights/ai/repositories/"),
    "insights/ai/repositories.csv": signed_in_only("/insights/ai/repositories.csv"),
    "insights/ai/attribution/": signed_in_only("/insights/ai/attribution/"),
    "insights/ai/attribution.csv": signed_in_only("/insights/ai/attribution.csv"),
    "insights/ai/attribution/<slug:sha>/": Access(
        "/insights/ai/attribution/0123456789abcdef/", visitor=SIGN_IN, member=404, admin=404
    ),
    "insights/metrics/<str:key>/how/": signed_in_only("/insights/metrics/ai.spend/how/"),
    "insights/metrics/<str:key>/rows/": signed_in_only("/insights/metrics/ai.spend/rows/"),
    "insights/metrics/<str:key>/rows/first/": signed_in_only("/insights/metrics/ai.spend/rows/first/"),
    "insights/metrics/<str:key>/rows.csv": signed_in_only("/insights/metrics/ai.spend/rows.csv"),
    "insights/metrics/": signed_in_only("/insights/metrics/"),
    "insights/metrics.csv": signed_in_only("/insights/metrics.csv"),
    "insights/metrics/<str:key>/": signed_in_only("/insights/metrics/ai.spend/"),
    "insights/metrics/<str:key>/charts/<slug:name>/": signed_in_only("/insights/metrics/ai.spend/charts/trend/"),
    "insights/metrics/<str:key>/charts/<slug:name>.csv": signed_in_only("/insights/metrics/ai.spend/charts/trend.csv"),
    "api/v1/metrics/": api("/api/v1/metrics/"),
    "api/v1/metrics/<str:key>/": api("/api/v1/metrics/ai.spend/"),
    "api/v1/metrics/<str:key>/series/": api("/api/v1/metrics/ai.spend/series/"),
    "api/v1/metrics/<str:key>/rows/": api("/api/v1/metrics/ai.spend/rows/"),
    "api/v1/metrics/<str:key>/distribution/": api("/api/v1/metrics/ai.spend/distribution/"),
    "api/schema/": everybody("/api/schema/"),
    "api/docs/": everybody("/api/docs/"),
    "prometheus": everybody("/prometheus"),  # from this machine, while no proxy stands in front
    "setup/agents/": signed_in_only("/setup/agents/"),
    "setup/agents/arrival/": signed_in_only("/setup/agents/arrival/"),
    "setup/repositories/": signed_in_only("/setup/repositories/"),
    "setup/repositories/list/": signed_in_only("/setup/repositories/list/"),
    "orgtree/": signed_in_only("/orgtree/"),
    "orgtree/identities/": admins_only("/orgtree/identities/"),
    "orgtree/identities/unmatched/": admins_only("/orgtree/identities/unmatched/"),
    "orgtree/identities/matched/": admins_only("/orgtree/identities/matched/"),
    "orgtree/identities/bots/": admins_only("/orgtree/identities/bots/"),
    "orgtree/identities/log/": admins_only("/orgtree/identities/log/"),
    "orgtree/identities/<int:pk>/": no_such("/orgtree/identities/4711/"),
    "orgtree/identities/people/<uuid:public_id>/": no_such(
        "/orgtree/identities/people/00000000-0000-4000-8000-000000000000/"
    ),
    "orgtree/trees/new/": admins_only("/orgtree/trees/new/"),
    "orgtree/trees/<slug:slug>/": no_such("/orgtree/trees/engineering/"),
    "orgtree/trees/<slug:slug>/units/": Access("/orgtree/trees/engineering/units/", SIGN_IN, member=404, admin=405),
    "orgtree/trees/<slug:slug>/move/": no_such("/orgtree/trees/engineering/move/"),
    "orgtree/trees/<slug:slug>/levels/": no_such("/orgtree/trees/engineering/levels/"),
    "orgtree/trees/<slug:slug>/state/": Access("/orgtree/trees/engineering/state/", SIGN_IN, member=404, admin=405),
    "setup/components/": admins_only("/setup/components/"),
    "setup/components/panel/": admins_only("/setup/components/panel/"),
    "setup/components/chart/<slug:name>/": admins_only("/setup/components/chart/agents/"),
    r"^v1/(?P<signal>logs|metrics|traces)/?$": everybody("/v1/logs", 405),  # POST only, with an ingest token
}


def routes(resolver: URLResolver, prefix: str = "") -> Iterator[str]:
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield route
        else:
            yield from routes(entry, route)


def test_every_route_is_listed_and_every_listed_one_exists() -> None:
    own = {route for route in routes(get_resolver()) if not route.startswith("admin/")}
    assert set(ROUTES) == own


@pytest.mark.parametrize("visitor", VISITORS)
@pytest.mark.parametrize("route", ROUTES)
def test_who_sees_what(route: str, visitor: str, sign_in: Callable[[Persona], Client]) -> None:
    persona = VISITORS[visitor]
    client = sign_in(persona) if persona else Client()
    access = ROUTES[route]
    answer = client.get(access.address, access.query)
    assert answer.status_code == getattr(access, visitor), answer.content[:300]
    if answer.status_code == SIGN_IN and getattr(access, visitor) == SIGN_IN and visitor == "visitor":
        assert "/accounts/login/" in answer["Location"]


ADMIN_LISTS = sorted(f"{model._meta.app_label}/{model._meta.model_name}" for model in admin.site._registry)


@pytest.mark.parametrize("listed", ADMIN_LISTS)
def test_admin_pages_are_for_admins(listed: str, sign_in: Callable[[Persona], Client]) -> None:
    address = f"/admin/{listed}/"
    assert sign_in(ADMIN).get(address, follow=True).status_code == 200
    assert sign_in(MEMBER).get(address).status_code == SIGN_IN
    assert Client().get(address).status_code == SIGN_IN


# What an agent did is for the pages, which keep the trust policy; the admin pages know no such policy.
NOT_IN_ADMIN = ("agentsession", "agentrequest", "agenttoolcall", "agentsessionday", "agenttoolday", "factchange")


@pytest.mark.parametrize("name", NOT_IN_ADMIN)
def test_facts_about_people_are_not_browsable_in_admin(name: str) -> None:
    assert name not in {model._meta.model_name for model in admin.site._registry}
