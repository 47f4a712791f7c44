"""The status of every URL by role, for GET and POST.

A route missing in tests/every_route.py fails the test: new pages must declare who may see them.  Access by unit is in
tests/test_access_to_units.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from orgtree.access.api_tokens import create_api_token
from tests.every_route import ASKING, NOT_TAKEN, ROLES, ROUTES, SIGN_IN, TOKENS, Access
from tests.personas import ADMIN, MEMBER, Persona, create_user


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
        caches = answer.headers.get("Cache-Control", "")
        if asking != "visitor" and not {"private", "no-store"} <= {part.strip() for part in caches.split(",")}:
            wrong[f"{route} in caches"] = caches
        if answer.status_code == SIGN_IN and asking == "visitor":
            assert "/accounts/login/" in answer["Location"], route
    assert not wrong


def post(address: str, *, visitor: int = SIGN_IN, member: int, admin: int) -> Access:
    """An empty POST.  404: that such a thing exists is not said; 400: something was missing."""
    return Access(address, visitor, member, admin)


def admins_post(address: str, status: int) -> Access:
    return Access(address, SIGN_IN, member=404, admin=status)


POSTS: dict[str, Access] = {
    "mcp": post("/mcp", visitor=401, member=415, admin=415),
    "accounts/login/": post("/accounts/login/", visitor=200, member=302, admin=302),
    "accounts/logout/": post("/accounts/logout/", member=302, admin=302),
    "accounts/password/change/": post("/accounts/password/change/", member=200, admin=200),
    "accounts/password/set/": post("/accounts/password/set/", member=302, admin=302),
    "accounts/me/tokens/": post("/accounts/me/tokens/", member=400, admin=400),
    "accounts/me/tokens/<int:pk>/revoke/": post("/accounts/me/tokens/4711/revoke/", member=404, admin=404),
    "accounts/me/sign-out-everywhere/": post("/accounts/me/sign-out-everywhere/", member=302, admin=302),
    "accounts/invitation/<str:token>/": post("/accounts/invitation/guessed/", visitor=404, member=404, admin=404),
    "setup/leave/": admins_post("/setup/leave/", 302),
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
    "orgtree/access/rules/": admins_post("/orgtree/access/rules/", 400),
    "orgtree/access/roles/": admins_post("/orgtree/access/roles/", 400),
    "orgtree/access/roles/<int:pk>/end/": admins_post("/orgtree/access/roles/4711/end/", 404),
    "orgtree/access/invitations/": admins_post("/orgtree/access/invitations/", 400),
    "orgtree/access/invitations/<int:pk>/renew/": admins_post("/orgtree/access/invitations/4711/renew/", 404),
    "orgtree/access/invitations/<int:pk>/withdraw/": admins_post("/orgtree/access/invitations/4711/withdraw/", 404),
    "insights/hand-kept/new/": post("/insights/hand-kept/new/", member=403, admin=400),
    "insights/hand-kept/import/": post("/insights/hand-kept/import/", member=403, admin=400),
    "insights/hand-kept/<slug:slug>/": post("/insights/hand-kept/nothing/", member=404, admin=404),
    "insights/hand-kept/<slug:slug>/edit/": post("/insights/hand-kept/nothing/edit/", member=404, admin=404),
    "insights/hand-kept/<slug:slug>/values/<int:pk>/remove/": post(
        "/insights/hand-kept/nothing/values/4711/remove/", member=404, admin=404
    ),
    "insights/findings/thresholds/undo/": post("/insights/findings/thresholds/undo/", member=403, admin=302),
    "insights/context/work-types/<int:pk>/": post("/insights/context/work-types/4711/", member=404, admin=404),
    "api/v1/work-types/<int:pk>/": post("/api/v1/work-types/4711/", visitor=401, member=404, admin=404),
    "insights/findings/<int:pk>/": post("/insights/findings/4711/", member=404, admin=404),
    "api/v1/findings/<int:pk>/decide/": post("/api/v1/findings/4711/decide/", visitor=401, member=404, admin=404),
    "insights/findings/<int:pk>/comment/": post("/insights/findings/4711/comment/", member=404, admin=404),
    "api/v1/findings/<int:pk>/comments/": post("/api/v1/findings/4711/comments/", visitor=401, member=404, admin=404),
    "api/v1/findings/<int:pk>/work/": post("/api/v1/findings/4711/work/", visitor=401, member=404, admin=404),
    "insights/context/": post("/insights/context/", member=403, admin=400),
    "insights/context/comparable/": post("/insights/context/comparable/", member=403, admin=302),
    "insights/annotations/new/": post("/insights/annotations/new/", member=403, admin=400),
    "insights/annotations/<int:pk>/": post("/insights/annotations/4711/", member=404, admin=404),
    "insights/annotations/<int:pk>/remove/": post("/insights/annotations/4711/remove/", member=404, admin=404),
    "programs/meetings/series/new/": post("/programs/meetings/series/new/", member=403, admin=400),
    "programs/meetings/series/<int:pk>/edit/": post("/programs/meetings/series/4711/edit/", member=404, admin=404),
    "programs/meetings/series/<int:pk>/end/": post("/programs/meetings/series/4711/end/", member=404, admin=404),
    "programs/meetings/<int:pk>/move/": post("/programs/meetings/4711/move/", member=404, admin=404),
    "programs/meetings/<int:pk>/cancel/": post("/programs/meetings/4711/cancel/", member=404, admin=404),
    "account/calendar-feed/": post("/account/calendar-feed/", member=200, admin=200),
    "programs/benchmarks/<str:key>/edit/": post("/programs/benchmarks/pr.size/edit/", member=403, admin=400),
    "programs/benchmarks/<str:key>/take-back/": post("/programs/benchmarks/pr.size/take-back/", member=403, admin=400),
    "programs/focus/edit/": post("/programs/focus/edit/", member=403, admin=400),
    "programs/focus/begin/": post("/programs/focus/begin/", member=403, admin=400),
    "programs/objectives/new/": post("/programs/objectives/new/", member=403, admin=400),
    "programs/objectives/<int:pk>/edit/": post("/programs/objectives/4711/edit/", member=404, admin=404),
    "programs/objectives/<int:pk>/check-in/": post("/programs/objectives/4711/check-in/", member=404, admin=404),
    "programs/objectives/<int:pk>/publish/": post("/programs/objectives/4711/publish/", member=404, admin=404),
    "programs/objectives/<int:pk>/standing/": post("/programs/objectives/4711/standing/", member=404, admin=404),
    "programs/objectives/<int:pk>/ending/": post("/programs/objectives/4711/ending/", member=404, admin=404),
    "programs/objectives/<int:pk>/drop/": post("/programs/objectives/4711/drop/", member=404, admin=404),
    "programs/quarters/<slug:start>/close/": post("/programs/quarters/1999-01-01/close/", member=404, admin=404),
    "programs/agreements/<str:pk>/": post("/programs/agreements/no-such-unit/", member=404, admin=404),
    "insights/allocation/rules/new/": post("/insights/allocation/rules/new/", member=403, admin=400),
    "insights/allocation/rules/<int:pk>/": post("/insights/allocation/rules/4711/", member=404, admin=404),
    "insights/allocation/rules/<int:pk>/remove/": post(
        "/insights/allocation/rules/4711/remove/", member=404, admin=404
    ),
    "insights/allocation/targets/": post("/insights/allocation/targets/", member=403, admin=302),
    "insights/capitalisation/new/": post("/insights/capitalisation/new/", member=403, admin=400),
    "insights/capitalisation/periods/new/": post("/insights/capitalisation/periods/new/", member=403, admin=400),
    **{
        f"insights/capitalisation/{route}": post(
            f"/insights/capitalisation/{route.replace('<int:pk>', '4711')}", member=status, admin=404
        )
        for route, status in (
            ("initiatives/<int:pk>/", 403),
            ("initiatives/<int:pk>/remove/", 404),
            ("periods/<int:pk>/edit/", 403),
            ("periods/<int:pk>/approve/", 403),
            ("periods/<int:pk>/freeze/", 403),
            ("periods/<int:pk>/remove/", 404),
        )
    },
    "programs/alerts/new/": post("/programs/alerts/new/", member=400, admin=400),
    "programs/alerts/<int:pk>/": post("/programs/alerts/4711/", member=404, admin=404),
    "programs/alerts/<int:pk>/remove/": post("/programs/alerts/4711/remove/", member=404, admin=404),
    "programs/digests/": post("/programs/digests/", member=400, admin=400),
    "insights/report/rewrite/": post("/insights/report/rewrite/", member=403, admin=403),
    "insights/report/freeze/": post("/insights/report/freeze/", member=403, admin=302),
    "api/v1/report/freeze/": post("/api/v1/report/freeze/", visitor=401, member=415, admin=415),
    "insights/ai/budgets/new/": post("/insights/ai/budgets/new/", member=403, admin=400),
    "insights/ai/budgets/<int:pk>/": post("/insights/ai/budgets/4711/", member=404, admin=404),
    "insights/ai/budgets/<int:pk>/remove/": post("/insights/ai/budgets/4711/remove/", member=404, admin=404),
    "programs/qbr/new/": post("/programs/qbr/new/", member=403, admin=400),
    "programs/qbr/<int:pk>/arrange/": post("/programs/qbr/4711/arrange/", member=404, admin=404),
    "programs/qbr/<int:pk>/decisions/new/": post("/programs/qbr/4711/decisions/new/", member=404, admin=404),
    "programs/qbr/<int:pk>/decisions/<int:decision>/": post("/programs/qbr/4711/decisions/1/", member=404, admin=404),
    "programs/qbr/<int:pk>/discard/": post("/programs/qbr/4711/discard/", member=404, admin=404),
    "programs/qbr/<int:pk>/freeze/": post("/programs/qbr/4711/freeze/", member=404, admin=404),
    "programs/qbr/<int:pk>/reopen/": post("/programs/qbr/4711/reopen/", member=404, admin=404),
    "programs/qbr/<int:pk>/sections/<slug:key>/": post("/programs/qbr/4711/sections/dora/", member=404, admin=404),
    "programs/qbr/<int:pk>/sign/": post("/programs/qbr/4711/sign/", member=404, admin=404),
    "programs/philosophy/edit/": post("/programs/philosophy/edit/", member=403, admin=400),
    "programs/philosophy/acknowledge/": post("/programs/philosophy/acknowledge/", member=302, admin=302),
    "programs/inbox/read/": post("/programs/inbox/read/", member=302, admin=302),
    "programs/inbox/<int:pk>/read/": post("/programs/inbox/4711/read/", member=404, admin=404),
    "account/notifications/": post("/account/notifications/", member=400, admin=400),
    "account/notifications/unsubscribe/<str:token>/": post(
        "/account/notifications/unsubscribe/guessed/", visitor=404, member=404, admin=404
    ),
    "programs/reviews/prepare/": post("/programs/reviews/prepare/", member=404, admin=404),
    "programs/reviews/<int:pk>/agenda/": post("/programs/reviews/4711/agenda/", member=404, admin=404),
    "programs/reviews/<int:pk>/save/": post("/programs/reviews/4711/save/", member=404, admin=404),
    "programs/reviews/<int:pk>/sign/": post("/programs/reviews/4711/sign/", member=404, admin=404),
    "programs/roadmap/move/": post("/programs/roadmap/move/", member=404, admin=404),
    "programs/roadmap/example/": post("/programs/roadmap/example/", member=403, admin=400),
    "programs/roadmap/intents/new/": post("/programs/roadmap/intents/new/", member=403, admin=400),
    "programs/roadmap/intents/<int:pk>/": post("/programs/roadmap/intents/4711/", member=404, admin=404),
    "programs/roadmap/intents/<int:pk>/remove/": post("/programs/roadmap/intents/4711/remove/", member=404, admin=404),
    "programs/roadmap/personas/restore/": post("/programs/roadmap/personas/restore/", member=403, admin=302),
    "programs/experiments/new/": post("/programs/experiments/new/", member=403, admin=400),
    "programs/experiments/<int:pk>/edit/": post("/programs/experiments/4711/edit/", member=404, admin=404),
    "programs/experiments/<int:pk>/widen/": post("/programs/experiments/4711/widen/", member=404, admin=404),
    "programs/experiments/<int:pk>/remove/": post("/programs/experiments/4711/remove/", member=404, admin=404),
    "programs/tickets/import/": post("/programs/tickets/import/", member=403, admin=400),
    "programs/tickets/new/": post("/programs/tickets/new/", member=403, admin=400),
    "programs/tickets/<int:pk>/edit/": post("/programs/tickets/4711/edit/", member=404, admin=404),
    "programs/tickets/<int:pk>/mirror/": post("/programs/tickets/4711/mirror/", member=404, admin=404),
    "programs/tickets/<int:pk>/move/": post("/programs/tickets/4711/move/", member=404, admin=404),
    "programs/tickets/<int:pk>/comment/": post("/programs/tickets/4711/comment/", member=404, admin=404),
    "programs/tickets/<int:pk>/watch/": post("/programs/tickets/4711/watch/", member=404, admin=404),
    "api/v1/benchmarks/<str:key>/take-back/": post(
        "/api/v1/benchmarks/pr.size/take-back/", visitor=401, member=415, admin=415
    ),
    "api/v1/roadmap/intents/": post("/api/v1/roadmap/intents/", visitor=401, member=415, admin=415),
    "api/v1/roadmap/example/": post("/api/v1/roadmap/example/", visitor=401, member=415, admin=415),
    "api/v1/calendar-feed/": post("/api/v1/calendar-feed/", visitor=401, member=415, admin=415),
    "api/v1/meetings/series/": post("/api/v1/meetings/series/", visitor=401, member=415, admin=415),
    "api/v1/experiments/<int:pk>/widen/": post("/api/v1/experiments/4711/widen/", visitor=401, member=404, admin=404),
    "api/v1/meetings/<int:pk>/move/": post("/api/v1/meetings/4711/move/", visitor=401, member=404, admin=404),
    "api/v1/meetings/<int:pk>/cancel/": post("/api/v1/meetings/4711/cancel/", visitor=401, member=404, admin=404),
    "api/v1/allocation-rules/": post("/api/v1/allocation-rules/", visitor=401, member=415, admin=415),
    "api/v1/experiments/": post("/api/v1/experiments/", visitor=401, member=415, admin=415),
    **{
        f"api/v1/capitalisation/{route}/": post(f"/api/v1/capitalisation/{route}/", visitor=401, member=403, admin=415)
        for route in ("initiatives", "periods")
    },
    **{
        f"api/v1/capitalisation/periods/<int:pk>/{act}/": post(
            f"/api/v1/capitalisation/periods/4711/{act}/", visitor=401, member=403, admin=404
        )
        for act in ("approve", "freeze")
    },
    "api/v1/alert-rules/": post("/api/v1/alert-rules/", visitor=401, member=415, admin=415),
    "api/v1/budgets/": post("/api/v1/budgets/", visitor=401, member=415, admin=415),
    "api/v1/qbr/": post("/api/v1/qbr/", visitor=401, member=415, admin=415),
    "api/v1/qbr/<int:pk>/arrange/": post("/api/v1/qbr/4711/arrange/", visitor=401, member=404, admin=404),
    "api/v1/qbr/<int:pk>/decisions/": post("/api/v1/qbr/4711/decisions/", visitor=401, member=404, admin=404),
    "api/v1/qbr/<int:pk>/freeze/": post("/api/v1/qbr/4711/freeze/", visitor=401, member=404, admin=404),
    "api/v1/qbr/<int:pk>/reopen/": post("/api/v1/qbr/4711/reopen/", visitor=401, member=404, admin=404),
    "api/v1/qbr/<int:pk>/sign/": post("/api/v1/qbr/4711/sign/", visitor=401, member=404, admin=404),
    "api/v1/objectives/": post("/api/v1/objectives/", visitor=401, member=415, admin=415),
    "api/v1/objectives/<int:pk>/drop/": post("/api/v1/objectives/4711/drop/", visitor=401, member=404, admin=404),
    "api/v1/objectives/<int:pk>/standing/": post(
        "/api/v1/objectives/4711/standing/", visitor=401, member=404, admin=404
    ),
    "api/v1/objectives/<int:pk>/check-ins/": post(
        "/api/v1/objectives/4711/check-ins/", visitor=401, member=404, admin=404
    ),
    "api/v1/objectives/<int:pk>/ending/": post("/api/v1/objectives/4711/ending/", visitor=401, member=404, admin=404),
    "api/v1/quarters/<str:start>/close/": post(
        "/api/v1/quarters/1999-01-01/close/", visitor=401, member=404, admin=404
    ),
    "api/v1/reviews/": post("/api/v1/reviews/", visitor=401, member=415, admin=415),
    "api/v1/reviews/<int:pk>/agenda/": post("/api/v1/reviews/4711/agenda/", visitor=401, member=404, admin=404),
    "api/v1/reviews/<int:pk>/points/": post("/api/v1/reviews/4711/points/", visitor=401, member=415, admin=415),
    "api/v1/reviews/<int:pk>/points/<int:point>/tickets/": post(
        "/api/v1/reviews/4711/points/1/tickets/", visitor=401, member=415, admin=415
    ),
    "api/v1/reviews/<int:pk>/sign/": post("/api/v1/reviews/4711/sign/", visitor=401, member=404, admin=404),
    "api/v1/tickets/<int:pk>/watch/": post("/api/v1/tickets/4711/watch/", visitor=401, member=404, admin=404),
    "api/v1/focus/begin/": post("/api/v1/focus/begin/", visitor=401, member=415, admin=415),
    "api/v1/tickets/import/": post("/api/v1/tickets/import/", visitor=401, member=403, admin=400),
    "api/v1/notices/unread/": post("/api/v1/notices/unread/", visitor=401, member=415, admin=415),
    "api/v1/objectives/<int:pk>/publish/": post("/api/v1/objectives/4711/publish/", visitor=401, member=404, admin=404),
    "api/v1/quarters/<str:start>/keep/": post("/api/v1/quarters/1999-01-01/keep/", visitor=401, member=404, admin=404),
    "api/v1/notices/read/": post("/api/v1/notices/read/", visitor=401, member=415, admin=415),
    "api/v1/philosophy/": post("/api/v1/philosophy/", visitor=401, member=415, admin=415),
    "api/v1/philosophy/acknowledge/": post("/api/v1/philosophy/acknowledge/", visitor=401, member=415, admin=415),
    "api/v1/tickets/": post("/api/v1/tickets/", visitor=401, member=415, admin=415),
    "api/v1/tickets/<int:pk>/mirror/": post("/api/v1/tickets/4711/mirror/", visitor=401, member=404, admin=404),
    "api/v1/tickets/<int:pk>/move/": post("/api/v1/tickets/4711/move/", visitor=401, member=404, admin=404),
    "api/v1/tickets/<int:pk>/comments/": post("/api/v1/tickets/4711/comments/", visitor=401, member=404, admin=404),
    "insights/dashboards/new/": post("/insights/dashboards/new/", visitor=302, member=400, admin=400),
    **{
        f"insights/dashboards/<int:pk>/{route}": post(
            f"/insights/dashboards/4711/{address}", visitor=302, member=404, admin=404
        )
        for route, address in {
            "cards/new/": "cards/new/",
            "cards/<slug:card>/": "cards/c1/",
            **{act: act for act in ("act/", "copy/", "home/", "publish/", "remove/", "share/")},
        }.items()
    },
    "insights/views/new/": post("/insights/views/new/?to=/insights/ai/", visitor=302, member=400, admin=400),
    "insights/views/<int:pk>/edit/": post("/insights/views/4711/edit/", visitor=302, member=404, admin=404),
    "insights/views/<int:pk>/remove/": post("/insights/views/4711/remove/", visitor=302, member=404, admin=404),
    "api/v1/views/": post("/api/v1/views/", visitor=401, member=415, admin=415),
    "api/v1/dashboards/": post("/api/v1/dashboards/", visitor=401, member=415, admin=415),
    "api/v1/dashboards/<int:pk>/copy/": post("/api/v1/dashboards/4711/copy/", visitor=401, member=404, admin=404),
    "api/v1/dashboards/<int:pk>/publish/": post("/api/v1/dashboards/4711/publish/", visitor=401, member=404, admin=404),
    "api/v1/annotations/": post("/api/v1/annotations/", visitor=401, member=415, admin=415),
    "api/v1/hand-kept/": post("/api/v1/hand-kept/", visitor=401, member=415, admin=415),
    "api/v1/hand-kept/<slug:slug>/values/": post(
        "/api/v1/hand-kept/nothing/values/", visitor=401, member=404, admin=404
    ),
    "api/v1/people/": post("/api/v1/people/", visitor=401, member=403, admin=415),
    "api/v1/units/": post("/api/v1/units/", visitor=401, member=403, admin=415),
    "api/v1/ownership/confirm/": post("/api/v1/ownership/confirm/", visitor=401, member=403, admin=415),
    "integrations/ownership/": admins_post("/integrations/ownership/", 404),
    "integrations/usage-files/": admins_post("/integrations/usage-files/", 422),
    "agent/": post("/agent/", member=200, admin=200),  # says that the account belongs to no person
    "collector/v1/reports": post("/collector/v1/reports", visitor=401, member=401, admin=401),
    r"^v1/(?P<signal>logs|metrics|traces)/?$": post("/v1/logs", visitor=401, member=401, admin=401),
    "ingest/v1/<slug:kind>/": post("/ingest/v1/deployments/", visitor=401, member=401, admin=401),
    "hooks/<slug:provider>/<int:connection_id>/": post("/hooks/github/4711/", visitor=404, member=404, admin=404),
}
# Programs post there with an ingest token or a signature, from no page that a browser shows.
WITHOUT_CSRF = (
    r"^v1/(?P<signal>logs|metrics|traces)/?$",
    "ingest/v1/<slug:kind>/",
    "collector/v1/reports",
    "hooks/<slug:provider>/<int:connection_id>/",
    "account/notifications/unsubscribe/<str:token>/",  # a signed link, which a mail program posts to by itself
)


def test_every_route_that_takes_posts_is_listed(admin: Client) -> None:
    """The tests that post to the listed routes show that they accept it."""
    assert set(POSTS) <= set(ROUTES)
    unlisted = {route: access.address for route, access in ROUTES.items() if route not in POSTS}
    assert not {route for route, address in unlisted.items() if admin.post(address).status_code != NOT_TAKEN}
    assert NOT_TAKEN not in {access.by("admin") for access in POSTS.values()}


@pytest.mark.parametrize("asking", ["visitor", "member", "admin"])
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


def test_admin_pages_are_for_admins(sign_in: Callable[[Persona], Client]) -> None:
    listed = sorted(f"/admin/{model._meta.app_label}/{model._meta.model_name}/" for model in admin.site._registry)
    assert len(listed) > 30
    clients = {"admin": sign_in(ADMIN), "member": sign_in(MEMBER), "visitor": Client()}
    wrong = {
        (who, address): status
        for who, client in clients.items()
        for address in listed
        if (status := client.get(address, follow=who == "admin").status_code) != (200 if who == "admin" else SIGN_IN)
    }
    assert not wrong


# What an agent did is for the pages, which keep the trust policy; the admin pages know no such policy.
NOT_IN_ADMIN = ("agentsession", "agentrequest", "agenttoolcall", "agentsessionday", "agenttoolday", "factchange")


def test_facts_about_people_are_not_browsable_in_admin() -> None:
    assert {model._meta.model_name for model in admin.site._registry} & set(NOT_IN_ADMIN) == set()
