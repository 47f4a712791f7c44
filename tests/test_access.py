"""Every address of the application, and what each role is answered there, by GET and by POST.

A route that is missing here fails the test: whoever adds a page says who may see it.  What the units of an Org Tree
change is in tests/test_access_to_units.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from orgtree.services.api_tokens import create_api_token
from tests.personas import ADMIN, AUDITOR, EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, Persona, create_user

SIGN_IN = 302  # to the sign-in page
NOT_TAKEN = 405
ROLES: dict[str, Persona] = {
    "member": MEMBER,
    "other_member": OTHER_MEMBER,
    "manager": MANAGER,
    "executive": EXECUTIVE,
    "auditor": AUDITOR,
    "admin": ADMIN,
}
TOKENS = ("token", "token_of_nobody")
ASKING = ("visitor", *ROLES, *TOKENS)


@dataclass(frozen=True)
class Access:
    """An address of a route, and the status of a GET by each role.

    Without an Org Tree whoever signed in is a member, and sees what members see; a grant adds nothing.  A token signs
    nobody in: pages take its holder for a visitor.
    """

    address: str
    visitor: int
    member: int
    admin: int
    query: dict[str, str] = field(default_factory=dict)
    token: int | None = None  # None: as a visitor
    token_of_nobody: int | None = None  # None: as another token

    def by(self, asking: str) -> int:
        if asking in TOKENS:
            status = self.token_of_nobody if asking == "token_of_nobody" else None
            return next(each for each in (status, self.token, self.visitor) if each is not None)
        return {"visitor": self.visitor, "admin": self.admin}.get(asking, self.member)


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
    return Access(address, visitor=401, member=200, admin=200, token=200)


def api_rows(address: str) -> Access:
    """Rows show individuals: a token of nobody gets none."""
    return Access(address, visitor=401, member=200, admin=200, token=200, token_of_nobody=403)


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
    "insights/ai/units/": signed_in_only("/insights/ai/units/"),
    "insights/ai/units/unassigned/": signed_in_only("/insights/ai/units/unassigned/"),
    "insights/ai/units.csv": signed_in_only("/insights/ai/units.csv"),
    "insights/delivery/": signed_in_only("/insights/delivery/"),
    "insights/delivery/parts/<slug:name>/": signed_in_only("/insights/delivery/parts/slowest/"),
    "insights/delivery/charts/<slug:name>/": signed_in_only("/insights/delivery/charts/stages/"),
    "insights/delivery/charts/<slug:name>.csv": signed_in_only("/insights/delivery/charts/stages.csv"),
    "insights/delivery/units/": signed_in_only("/insights/delivery/units/"),
    "insights/delivery/units/unassigned/": signed_in_only("/insights/delivery/units/unassigned/"),
    "insights/delivery/units.csv": signed_in_only("/insights/delivery/units.csv"),
    "insights/compare/": signed_in_only("/insights/compare/"),
    "insights/compare.csv": signed_in_only("/insights/compare.csv"),
    "insights/compare/parts/<slug:name>/": signed_in_only("/insights/compare/parts/work_types/"),
    "insights/compare/units/": signed_in_only("/insights/compare/units/"),
    "insights/units/": signed_in_only("/insights/units/?to=/insights/ai/"),
    "insights/attributes/": signed_in_only("/insights/attributes/?to=/insights/ai/"),
    "insights/ai/leaderboard/": signed_in_only("/insights/ai/leaderboard/"),
    "insights/ai/leaderboard/parts/<slug:name>/": signed_in_only("/insights/ai/leaderboard/parts/models/"),
    "insights/ai/leaderboard.csv": signed_in_only("/insights/ai/leaderboard.csv"),
    "insights/ai/sessions/": signed_in_only("/insights/ai/sessions/"),
    "insights/ai/sessions/parts/<slug:name>/": signed_in_only("/insights/ai/sessions/parts/models/"),
    "insights/ai/sessions.csv": signed_in_only("/insights/ai/sessions.csv"),
    "insights/ai/sessions/<int:pk>/": no_such("/insights/ai/sessions/4711/"),
    "insights/ai/prices/": signed_in_only("/insights/ai/prices/"),
    "insights/ai/prices.csv": signed_in_only("/insights/ai/prices.csv"),
    "insights/ai/repositories/": signed_in_only("/insights/ai/repositories/"),
    # Here no repository is known of that name.
    "insights/ai/repositories/rows/": Access(
        "/insights/ai/repositories/rows/?repository=shop&of=spend", visitor=SIGN_IN, member=404, admin=404
    ),
    "insights/ai/repositories/rows.csv": Access(
        "/insights/ai/repositories/rows.csv?repository=shop&of=spend", visitor=SIGN_IN, member=404, admin=404
    ),
    "insights/ai/repositories.csv": signed_in_only("/insights/ai/repositories.csv"),
    "insights/ai/attribution/": signed_in_only("/insights/ai/attribution/"),
    "insights/ai/attribution.csv": signed_in_only("/insights/ai/attribution.csv"),
    "insights/ai/attribution/<slug:sha>/": Access(
        "/insights/ai/attribution/0123456789abcdef/", visitor=SIGN_IN, member=404, admin=404
    ),
    "insights/metrics/<str:key>/units/": signed_in_only("/insights/metrics/ai.spend/units/"),
    "insights/metrics/<str:key>/units/unassigned/": signed_in_only("/insights/metrics/ai.spend/units/unassigned/"),
    "insights/metrics/<str:key>/units.csv": signed_in_only("/insights/metrics/ai.spend/units.csv"),
    "insights/metrics/<str:key>/chain/": signed_in_only("/insights/metrics/ai.spend/chain/"),
    "insights/metrics/<str:key>/chain.csv": signed_in_only("/insights/metrics/ai.spend/chain.csv"),
    "insights/metrics/<str:key>/outliers/": signed_in_only("/insights/metrics/ai.spend/outliers/"),
    "insights/metrics/<str:key>/how/": signed_in_only("/insights/metrics/ai.spend/how/"),
    "insights/metrics/<str:key>/rows/": signed_in_only("/insights/metrics/ai.spend/rows/"),
    "insights/metrics/<str:key>/rows/first/": signed_in_only("/insights/metrics/ai.spend/rows/first/"),
    "insights/metrics/<str:key>/rows.csv": signed_in_only("/insights/metrics/ai.spend/rows.csv"),
    "insights/metrics/": signed_in_only("/insights/metrics/"),
    "insights/metrics.csv": signed_in_only("/insights/metrics.csv"),
    "insights/metrics/<str:key>/": signed_in_only("/insights/metrics/ai.spend/"),
    "insights/metrics/<str:key>/parts/<slug:name>/": signed_in_only("/insights/metrics/ai.spend/parts/agent/"),
    "insights/metrics/<str:key>/charts/<slug:name>/": signed_in_only("/insights/metrics/ai.spend/charts/trend/"),
    "insights/metrics/<str:key>/charts/<slug:name>.csv": signed_in_only("/insights/metrics/ai.spend/charts/trend.csv"),
    "api/v1/metrics/": api("/api/v1/metrics/"),
    "api/v1/metrics/<str:key>/": api("/api/v1/metrics/ai.spend/"),
    "api/v1/dora/": api("/api/v1/dora/"),
    "api/v1/metrics/<str:key>/series/": api("/api/v1/metrics/ai.spend/series/"),
    "api/v1/metrics/<str:key>/rows/": api_rows("/api/v1/metrics/ai.spend/rows/"),
    "api/v1/metrics/<str:key>/distribution/": api("/api/v1/metrics/ai.spend/distribution/"),
    "insights/pull-requests/<int:pk>/": no_such("/insights/pull-requests/4711/"),
    "insights/work-items/<int:pk>/": no_such("/insights/work-items/4711/"),
    "insights/deployments/<int:pk>/": no_such("/insights/deployments/4711/"),
    "insights/incidents/<int:pk>/": no_such("/insights/incidents/4711/"),
    "insights/annotations/": signed_in_only("/insights/annotations/"),
    "insights/annotations/new/": Access("/insights/annotations/new/", visitor=SIGN_IN, member=403, admin=200),
    "insights/annotations/<int:pk>/": no_such("/insights/annotations/4711/"),
    "insights/annotations/<int:pk>/remove/": Access(
        "/insights/annotations/4711/remove/", SIGN_IN, member=405, admin=405
    ),
    "programs/philosophy/": signed_in_only("/programs/philosophy/"),
    "programs/philosophy/edit/": Access("/programs/philosophy/edit/", visitor=SIGN_IN, member=403, admin=200),
    "programs/philosophy/acknowledge/": Access("/programs/philosophy/acknowledge/", SIGN_IN, member=405, admin=405),
    "programs/philosophy/versions/<int:number>/": no_such("/programs/philosophy/versions/4711/"),
    "programs/tickets/": signed_in_only("/programs/tickets/"),
    "programs/tickets/tickets.csv": signed_in_only("/programs/tickets/tickets.csv"),
    "programs/tickets/new/": Access("/programs/tickets/new/", visitor=SIGN_IN, member=403, admin=200),
    "programs/tickets/<int:pk>/": no_such("/programs/tickets/4711/"),
    "programs/tickets/<int:pk>/edit/": no_such("/programs/tickets/4711/edit/"),
    "programs/tickets/<int:pk>/move/": Access("/programs/tickets/4711/move/", SIGN_IN, member=405, admin=405),
    "programs/tickets/<int:pk>/comment/": Access("/programs/tickets/4711/comment/", SIGN_IN, member=405, admin=405),
    "programs/tickets/<int:pk>/watch/": Access("/programs/tickets/4711/watch/", SIGN_IN, member=405, admin=405),
    "api/v1/annotations/": api("/api/v1/annotations/"),
    "api/v1/annotations/<int:pk>/": Access("/api/v1/annotations/4711/", 401, member=404, admin=404, token=404),
    "api/v1/people/": Access("/api/v1/people/", visitor=401, member=403, admin=200, token=403),
    "api/v1/people/<str:key>/": Access(
        "/api/v1/people/nobody@example.com/", visitor=401, member=403, admin=404, token=403
    ),
    "api/v1/units/": Access("/api/v1/units/", visitor=401, member=403, admin=200, token=403),
    "api/v1/units/<str:slug>/": Access("/api/v1/units/nowhere/", visitor=401, member=403, admin=404, token=403),
    "api/v1/ownership/": Access("/api/v1/ownership/", visitor=401, member=403, admin=200, token=403),
    "api/v1/ownership/confirm/": Access("/api/v1/ownership/confirm/", visitor=401, member=403, admin=405, token=403),
    "api/schema/": everybody("/api/schema/"),
    "api/docs/": everybody("/api/docs/"),
    "prometheus": everybody("/prometheus"),  # from this machine, while no proxy stands in front
    "insights/badges/": signed_in_only("/insights/badges/"),  # to publish: tests/pages/test_badges.py
    "badges/<str:key>.svg": everybody("/badges/guessed.svg", 404),
    "integrations/": signed_in_only("/integrations/"),
    "integrations/ownership/": signed_in_only("/integrations/ownership/"),
    "integrations/usage-files/": admins_only("/integrations/usage-files/"),
    "integrations/live/": signed_in_only("/integrations/live/"),
    "setup/agents/": signed_in_only("/setup/agents/"),
    "setup/agents/arrival/": signed_in_only("/setup/agents/arrival/"),
    "setup/repositories/": signed_in_only("/setup/repositories/"),
    "setup/repositories/list/": signed_in_only("/setup/repositories/list/"),
    "orgtree/": signed_in_only("/orgtree/"),
    "orgtree/people/": signed_in_only("/orgtree/people/"),
    "orgtree/people/<uuid:public_id>/": no_such("/orgtree/people/00000000-0000-4000-8000-000000000000/"),
    "orgtree/import/": admins_only("/orgtree/import/"),
    "orgtree/import/<uuid:public_id>/": no_such("/orgtree/import/00000000-0000-4000-8000-000000000000/"),
    "orgtree/import/<uuid:public_id>/preview.csv": no_such(
        "/orgtree/import/00000000-0000-4000-8000-000000000000/preview.csv"
    ),
    "orgtree/import/<uuid:public_id>/discard/": Access(
        "/orgtree/import/00000000-0000-4000-8000-000000000000/discard/", SIGN_IN, member=404, admin=405
    ),
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
    "accounts/me/": signed_in_only("/accounts/me/"),
    "accounts/me/tokens/": Access("/accounts/me/tokens/", SIGN_IN, member=405, admin=405),
    "accounts/me/tokens/<int:pk>/revoke/": Access("/accounts/me/tokens/4711/revoke/", SIGN_IN, member=405, admin=405),
    "accounts/me/sign-out-everywhere/": Access("/accounts/me/sign-out-everywhere/", SIGN_IN, member=405, admin=405),
    "accounts/invitation/<str:token>/": everybody("/accounts/invitation/guessed/", 404),
    "orgtree/access/": signed_in_only("/orgtree/access/"),
    "orgtree/access/roles/": Access("/orgtree/access/roles/", SIGN_IN, member=404, admin=405),
    "orgtree/access/roles/<int:pk>/end/": Access("/orgtree/access/roles/4711/end/", SIGN_IN, member=404, admin=405),
    "orgtree/access/invitations/": admins_only("/orgtree/access/invitations/"),
    "orgtree/access/invitations/<int:pk>/renew/": Access(
        "/orgtree/access/invitations/4711/renew/", SIGN_IN, member=404, admin=405
    ),
    "orgtree/access/invitations/<int:pk>/withdraw/": Access(
        "/orgtree/access/invitations/4711/withdraw/", SIGN_IN, member=404, admin=405
    ),
    "setup/components/": admins_only("/setup/components/"),
    "setup/components/panel/": admins_only("/setup/components/panel/"),
    "setup/components/chart/<slug:name>/": admins_only("/setup/components/chart/agents/"),
    r"^v1/(?P<signal>logs|metrics|traces)/?$": everybody("/v1/logs", 405),  # POST only, with an ingest token
    "ingest/v1/<slug:kind>/": everybody("/ingest/v1/deployments/", 405),  # as above
    "ingest/v1/<slug:kind>/<path:record_id>/": everybody("/ingest/v1/deployments/4711/", 405),  # DELETE only
    "hooks/<slug:provider>/<int:connection_id>/": everybody("/hooks/github/4711/", 405),  # signed POST only
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


@pytest.fixture
def client_of(sign_in: Callable[[Persona], Client]) -> Callable[[str], Client]:
    """Somebody who asks as that role, or with that kind of token."""

    def client_as(asking: str) -> Client:
        if asking in ROLES:
            return sign_in(ROLES[asking])
        if asking in TOKENS:
            user = create_user(MEMBER) if asking == "token" else None
            _, secret = create_api_token(asking, user=user, expires_at=None)
            return Client(headers={"Authorization": f"Bearer {secret}"})
        return Client()

    return client_as


@pytest.mark.parametrize("asking", ASKING)
def test_who_sees_what(asking: str, client_of: Callable[[str], Client]) -> None:
    client = client_of(asking)
    wrong = {}
    for route, access in ROUTES.items():
        answer = client.get(access.address, access.query)
        if answer.status_code != access.by(asking):
            wrong[route] = f"{answer.status_code}, not {access.by(asking)}"
        if answer.status_code == SIGN_IN and asking == "visitor":
            assert "/accounts/login/" in answer["Location"], route
    assert not wrong


def post(address: str, *, visitor: int = SIGN_IN, member: int, admin: int) -> Access:
    """An empty POST.  404: that such a thing exists is not said; 400: something was missing."""
    return Access(address, visitor, member, admin)


def admins_post(address: str, status: int) -> Access:
    return Access(address, SIGN_IN, member=404, admin=status)


POSTS: dict[str, Access] = {
    "accounts/login/": post("/accounts/login/", visitor=200, member=302, admin=302),
    "accounts/logout/": post("/accounts/logout/", member=302, admin=302),
    "accounts/password/change/": post("/accounts/password/change/", member=200, admin=200),
    "accounts/password/set/": post("/accounts/password/set/", member=302, admin=302),
    "accounts/me/tokens/": post("/accounts/me/tokens/", member=400, admin=400),
    "accounts/me/tokens/<int:pk>/revoke/": post("/accounts/me/tokens/4711/revoke/", member=404, admin=404),
    "accounts/me/sign-out-everywhere/": post("/accounts/me/sign-out-everywhere/", member=302, admin=302),
    "accounts/invitation/<str:token>/": post("/accounts/invitation/guessed/", visitor=404, member=404, admin=404),
    "setup/agents/": post("/setup/agents/", member=403, admin=400),
    "insights/badges/": post("/insights/badges/", member=400, admin=400),
    "setup/repositories/": post("/setup/repositories/", member=403, admin=400),
    "orgtree/import/": admins_post("/orgtree/import/", 200),
    "orgtree/import/<uuid:public_id>/": admins_post("/orgtree/import/00000000-0000-4000-8000-000000000000/", 404),
    "orgtree/import/<uuid:public_id>/discard/": admins_post(
        "/orgtree/import/00000000-0000-4000-8000-000000000000/discard/", 404
    ),
    "orgtree/identities/": admins_post("/orgtree/identities/", 302),
    "orgtree/identities/unmatched/": admins_post("/orgtree/identities/unmatched/", 302),
    "orgtree/identities/matched/": admins_post("/orgtree/identities/matched/", 302),
    "orgtree/identities/bots/": admins_post("/orgtree/identities/bots/", 302),
    "orgtree/identities/log/": admins_post("/orgtree/identities/log/", 302),
    "orgtree/identities/<int:pk>/": admins_post("/orgtree/identities/4711/", 404),
    "orgtree/identities/people/<uuid:public_id>/": admins_post(
        "/orgtree/identities/people/00000000-0000-4000-8000-000000000000/", 404
    ),
    "orgtree/trees/new/": admins_post("/orgtree/trees/new/", 200),
    "orgtree/trees/<slug:slug>/units/": admins_post("/orgtree/trees/engineering/units/", 404),
    "orgtree/trees/<slug:slug>/move/": admins_post("/orgtree/trees/engineering/move/", 404),
    "orgtree/trees/<slug:slug>/levels/": admins_post("/orgtree/trees/engineering/levels/", 404),
    "orgtree/trees/<slug:slug>/state/": admins_post("/orgtree/trees/engineering/state/", 404),
    "orgtree/access/roles/": admins_post("/orgtree/access/roles/", 400),
    "orgtree/access/roles/<int:pk>/end/": admins_post("/orgtree/access/roles/4711/end/", 404),
    "orgtree/access/invitations/": admins_post("/orgtree/access/invitations/", 400),
    "orgtree/access/invitations/<int:pk>/renew/": admins_post("/orgtree/access/invitations/4711/renew/", 404),
    "orgtree/access/invitations/<int:pk>/withdraw/": admins_post("/orgtree/access/invitations/4711/withdraw/", 404),
    "insights/annotations/new/": post("/insights/annotations/new/", member=403, admin=400),
    "insights/annotations/<int:pk>/": post("/insights/annotations/4711/", member=404, admin=404),
    "insights/annotations/<int:pk>/remove/": post("/insights/annotations/4711/remove/", member=404, admin=404),
    "programs/philosophy/edit/": post("/programs/philosophy/edit/", member=403, admin=400),
    "programs/philosophy/acknowledge/": post("/programs/philosophy/acknowledge/", member=302, admin=302),
    "programs/tickets/new/": post("/programs/tickets/new/", member=403, admin=400),
    "programs/tickets/<int:pk>/edit/": post("/programs/tickets/4711/edit/", member=404, admin=404),
    "programs/tickets/<int:pk>/move/": post("/programs/tickets/4711/move/", member=404, admin=404),
    "programs/tickets/<int:pk>/comment/": post("/programs/tickets/4711/comment/", member=404, admin=404),
    "programs/tickets/<int:pk>/watch/": post("/programs/tickets/4711/watch/", member=404, admin=404),
    "api/v1/annotations/": post("/api/v1/annotations/", visitor=401, member=415, admin=415),
    "api/v1/people/": post("/api/v1/people/", visitor=401, member=403, admin=415),
    "api/v1/units/": post("/api/v1/units/", visitor=401, member=403, admin=415),
    "api/v1/ownership/confirm/": post("/api/v1/ownership/confirm/", visitor=401, member=403, admin=415),
    "integrations/ownership/": admins_post("/integrations/ownership/", 404),
    "integrations/usage-files/": admins_post("/integrations/usage-files/", 422),
    r"^v1/(?P<signal>logs|metrics|traces)/?$": post("/v1/logs", visitor=401, member=401, admin=401),
    "ingest/v1/<slug:kind>/": post("/ingest/v1/deployments/", visitor=401, member=401, admin=401),
    "hooks/<slug:provider>/<int:connection_id>/": post("/hooks/github/4711/", visitor=404, member=404, admin=404),
}
# Programs post there with an ingest token or a signature, from no page that a browser shows.
WITHOUT_CSRF = (
    r"^v1/(?P<signal>logs|metrics|traces)/?$",
    "ingest/v1/<slug:kind>/",
    "hooks/<slug:provider>/<int:connection_id>/",
)


def test_every_route_that_takes_posts_is_listed(client_of: Callable[[str], Client]) -> None:
    taking = {
        route for route, access in ROUTES.items() if client_of("admin").post(access.address).status_code != NOT_TAKEN
    }
    assert taking == set(POSTS)


@pytest.mark.parametrize("asking", ["visitor", "member", "executive", "admin"])
def test_who_may_change_what(asking: str, client_of: Callable[[str], Client]) -> None:
    wrong = {}
    for route, access in POSTS.items():
        answer = client_of(asking).post(access.address)
        if answer.status_code != access.by(asking):
            wrong[route] = f"{answer.status_code}, not {access.by(asking)}"
    assert not wrong


def test_nothing_is_changed_from_another_site(db: None) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(create_user(ADMIN), backend="django.contrib.auth.backends.ModelBackend")
    guarded = [access.address for route, access in POSTS.items() if route not in WITHOUT_CSRF]
    assert {client.post(address).status_code for address in guarded} == {403}


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
