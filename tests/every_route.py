"""Every route of the application, with an example URL and the status of a GET by role."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.personas import ADMIN, AUDITOR, EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, Persona

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
            chosen = self.token_of_nobody if asking == "token_of_nobody" else None
            return next(client for client in (chosen, self.token, self.visitor) if client is not None)
        return {"visitor": self.visitor, "admin": self.admin}.get(asking, self.member)


def signed_in_only(address: str) -> Access:
    return Access(address, visitor=SIGN_IN, member=200, admin=200)


def admins_only(address: str) -> Access:
    """404 for members, who must not learn that the page exists."""
    return Access(address, visitor=SIGN_IN, member=404, admin=200)


def no_such(address: str) -> Access:
    """What the address names is not there; tests of its own say who may see it."""
    return Access(address, visitor=SIGN_IN, member=404, admin=404)


def everybody(address: str, status: int = 200) -> Access:
    return Access(address, visitor=status, member=status, admin=status)


def api(address: str) -> Access:
    """401 for programs without a token; no redirect to a sign-in page."""
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
    "home/health/": admins_only("/home/health/"),
    "insights/ai/": signed_in_only("/insights/ai/"),
    "insights/pulse/": Access("/insights/pulse/", visitor=SIGN_IN, member=204, admin=204),
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
    "insights/ai/adoption/rows/": signed_in_only("/insights/ai/adoption/rows/?of=merged"),
    "insights/ai/adoption/rows.csv": signed_in_only("/insights/ai/adoption/rows.csv?of=use&list=days"),
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
    "insights/hand-kept/": signed_in_only("/insights/hand-kept/"),
    "insights/hand-kept/new/": Access("/insights/hand-kept/new/", visitor=SIGN_IN, member=403, admin=200),
    "insights/hand-kept/import/": Access("/insights/hand-kept/import/", visitor=SIGN_IN, member=403, admin=200),
    "insights/hand-kept/<slug:slug>/": no_such("/insights/hand-kept/nothing/"),
    "insights/hand-kept/<slug:slug>/edit/": no_such("/insights/hand-kept/nothing/edit/"),
    "insights/hand-kept/<slug:slug>/history/": no_such("/insights/hand-kept/nothing/history/"),
    "insights/hand-kept/<slug:slug>/values.csv": no_such("/insights/hand-kept/nothing/values.csv"),
    "insights/hand-kept/<slug:slug>/values/<int:pk>/remove/": Access(
        "/insights/hand-kept/nothing/values/4711/remove/", SIGN_IN, member=405, admin=405
    ),
    "insights/annotations/": signed_in_only("/insights/annotations/"),
    "insights/annotations/new/": Access("/insights/annotations/new/", visitor=SIGN_IN, member=403, admin=200),
    "insights/annotations/<int:pk>/": no_such("/insights/annotations/4711/"),
    "insights/annotations/<int:pk>/remove/": Access(
        "/insights/annotations/4711/remove/", SIGN_IN, member=405, admin=405
    ),
    "programs/": signed_in_only("/programs/"),
    "programs/parts/<slug:name>/": signed_in_only("/programs/parts/bottlenecks/"),
    "programs/start/": Access("/programs/start/", visitor=SIGN_IN, member=403, admin=200),
    "programs/start/suggestions/": Access("/programs/start/suggestions/", visitor=SIGN_IN, member=403, admin=200),
    "programs/benchmarks/": signed_in_only("/programs/benchmarks/"),
    "programs/benchmarks/benchmarks.csv": signed_in_only("/programs/benchmarks/benchmarks.csv"),
    "programs/benchmarks/<str:key>/": signed_in_only("/programs/benchmarks/pr.size/"),
    "programs/benchmarks/<str:key>/edit/": Access(
        "/programs/benchmarks/pr.size/edit/", visitor=SIGN_IN, member=403, admin=200
    ),
    "programs/benchmarks/<str:key>/suggestions/": Access(
        "/programs/benchmarks/pr.size/suggestions/", visitor=SIGN_IN, member=403, admin=200
    ),
    "programs/benchmarks/<str:key>/take-back/": Access(
        "/programs/benchmarks/pr.size/take-back/", SIGN_IN, member=405, admin=405
    ),
    "programs/focus/": signed_in_only("/programs/focus/"),
    "programs/focus/edit/": Access("/programs/focus/edit/", visitor=SIGN_IN, member=403, admin=200),
    "programs/focus/begin/": Access("/programs/focus/begin/", SIGN_IN, member=405, admin=405),
    "programs/meetings/": signed_in_only("/programs/meetings/"),
    "programs/meetings/series/": signed_in_only("/programs/meetings/series/"),
    "programs/meetings/series/new/": Access("/programs/meetings/series/new/", visitor=SIGN_IN, member=403, admin=200),
    "programs/meetings/series/<int:pk>/": no_such("/programs/meetings/series/4711/"),
    "programs/meetings/series/<int:pk>/edit/": no_such("/programs/meetings/series/4711/edit/"),
    "programs/meetings/series/<int:pk>/end/": Access("/programs/meetings/series/4711/end/", SIGN_IN, 405, 405),
    "programs/meetings/<int:pk>/": no_such("/programs/meetings/4711/"),
    "programs/meetings/<int:pk>/meeting.ics": no_such("/programs/meetings/4711/meeting.ics"),
    "programs/meetings/<int:pk>/move/": Access("/programs/meetings/4711/move/", SIGN_IN, 405, 405),
    "programs/meetings/<int:pk>/cancel/": Access("/programs/meetings/4711/cancel/", SIGN_IN, 405, 405),
    "account/calendar-feed/": signed_in_only("/account/calendar-feed/"),
    "calendar/<str:token>.ics": everybody("/calendar/guessed.ics", 404),
    "programs/objectives/": signed_in_only("/programs/objectives/"),
    "programs/objectives/objectives.csv": signed_in_only("/programs/objectives/objectives.csv"),
    "programs/objectives/new/": Access("/programs/objectives/new/", visitor=SIGN_IN, member=403, admin=200),
    "programs/objectives/baseline/": Access("/programs/objectives/baseline/", visitor=SIGN_IN, member=403, admin=200),
    "programs/objectives/<int:pk>/": no_such("/programs/objectives/4711/"),
    "programs/objectives/<int:pk>/edit/": no_such("/programs/objectives/4711/edit/"),
    "programs/objectives/<int:pk>/history/": no_such("/programs/objectives/4711/history/"),
    "programs/objectives/<int:pk>/check-in/": Access("/programs/objectives/4711/check-in/", SIGN_IN, 405, 405),
    "programs/objectives/<int:pk>/publish/": Access("/programs/objectives/4711/publish/", SIGN_IN, 405, 405),
    "programs/objectives/<int:pk>/standing/": Access("/programs/objectives/4711/standing/", SIGN_IN, 405, 405),
    "programs/objectives/<int:pk>/ending/": Access("/programs/objectives/4711/ending/", SIGN_IN, 405, 405),
    "programs/objectives/<int:pk>/drop/": Access("/programs/objectives/4711/drop/", SIGN_IN, 405, 405),
    "programs/objectives/<int:pk>/key-results/<int:key_result>/chart/": no_such(
        "/programs/objectives/4711/key-results/4711/chart/"
    ),
    "programs/objectives/<int:pk>/key-results/<int:key_result>/chart.csv": no_such(
        "/programs/objectives/4711/key-results/4711/chart.csv"
    ),
    "programs/qbr/": signed_in_only("/programs/qbr/"),
    "programs/qbr/new/": Access("/programs/qbr/new/", visitor=SIGN_IN, member=403, admin=200),
    "programs/qbr/<int:pk>/": no_such("/programs/qbr/4711/"),
    "programs/qbr/<int:pk>/arrange/": no_such("/programs/qbr/4711/arrange/"),
    "programs/qbr/<int:pk>/compare/": no_such("/programs/qbr/4711/compare/"),
    "programs/qbr/<int:pk>/discard/": Access("/programs/qbr/4711/discard/", SIGN_IN, member=405, admin=405),
    "programs/qbr/<int:pk>/figures.csv": no_such("/programs/qbr/4711/figures.csv"),
    "programs/qbr/<int:pk>/freeze/": Access("/programs/qbr/4711/freeze/", SIGN_IN, member=405, admin=405),
    "programs/qbr/<int:pk>/pdf/": no_such("/programs/qbr/4711/pdf/"),
    "programs/qbr/<int:pk>/present/": no_such("/programs/qbr/4711/present/"),
    "programs/qbr/<int:pk>/sections/<slug:key>/": no_such("/programs/qbr/4711/sections/dora/"),
    "programs/qbr/<int:pk>/sign/": Access("/programs/qbr/4711/sign/", SIGN_IN, member=405, admin=405),
    "programs/quarters/": Access("/programs/quarters/", visitor=SIGN_IN, member=302, admin=302),
    "programs/quarters/<slug:start>/": no_such("/programs/quarters/1999-01-01/"),
    "programs/quarters/<slug:start>/close/": no_such("/programs/quarters/1999-01-01/close/"),
    "programs/philosophy/": signed_in_only("/programs/philosophy/"),
    "programs/philosophy/edit/": Access("/programs/philosophy/edit/", visitor=SIGN_IN, member=403, admin=200),
    "programs/philosophy/acknowledge/": Access("/programs/philosophy/acknowledge/", SIGN_IN, member=405, admin=405),
    "programs/philosophy/versions/<int:number>/": no_such("/programs/philosophy/versions/4711/"),
    "programs/inbox/": signed_in_only("/programs/inbox/"),
    "programs/inbox/count/": signed_in_only("/programs/inbox/count/"),
    "programs/inbox/read/": Access("/programs/inbox/read/", SIGN_IN, member=405, admin=405),
    "programs/inbox/<int:pk>/": no_such("/programs/inbox/4711/"),
    "programs/inbox/<int:pk>/read/": Access("/programs/inbox/4711/read/", SIGN_IN, member=405, admin=405),
    "account/notifications/": signed_in_only("/account/notifications/"),
    "account/notifications/unsubscribe/<str:token>/": everybody("/account/notifications/unsubscribe/guessed/", 404),
    "programs/objectives/parents/": Access("/programs/objectives/parents/", SIGN_IN, member=403, admin=200),
    "programs/reviews/": signed_in_only("/programs/reviews/"),
    "programs/reviews/prepare/": Access("/programs/reviews/prepare/", SIGN_IN, member=405, admin=405),
    "programs/reviews/<int:pk>/": no_such("/programs/reviews/4711/"),
    "programs/reviews/<int:pk>/agenda/": Access("/programs/reviews/4711/agenda/", SIGN_IN, member=405, admin=405),
    "programs/reviews/<int:pk>/attendance/": Access(
        "/programs/reviews/4711/attendance/", SIGN_IN, member=405, admin=405
    ),
    "programs/reviews/<int:pk>/points/": Access("/programs/reviews/4711/points/", SIGN_IN, member=405, admin=405),
    "programs/reviews/<int:pk>/points/<int:point>/": Access(
        "/programs/reviews/4711/points/1/", SIGN_IN, member=405, admin=405
    ),
    "programs/reviews/<int:pk>/points/<int:point>/ticket/": Access(
        "/programs/reviews/4711/points/1/ticket/", SIGN_IN, member=405, admin=405
    ),
    "programs/reviews/<int:pk>/sign/": Access("/programs/reviews/4711/sign/", SIGN_IN, member=405, admin=405),
    "programs/reviews/<int:pk>/summary/": Access("/programs/reviews/4711/summary/", SIGN_IN, member=405, admin=405),
    "programs/roadmap/": signed_in_only("/programs/roadmap/"),
    "programs/roadmap/roadmap.csv": signed_in_only("/programs/roadmap/roadmap.csv"),
    "programs/roadmap/move/": no_such("/programs/roadmap/move/?card=intent-4711"),
    "programs/roadmap/example/": Access("/programs/roadmap/example/", visitor=SIGN_IN, member=403, admin=200),
    "programs/roadmap/objectives/<int:pk>/": no_such("/programs/roadmap/objectives/4711/"),
    "programs/roadmap/intents/new/": Access("/programs/roadmap/intents/new/", visitor=SIGN_IN, member=403, admin=200),
    "programs/roadmap/intents/<int:pk>/": no_such("/programs/roadmap/intents/4711/"),
    "programs/roadmap/intents/<int:pk>/remove/": Access(
        "/programs/roadmap/intents/4711/remove/", SIGN_IN, member=405, admin=405
    ),
    "programs/roadmap/personas/": signed_in_only("/programs/roadmap/personas/"),
    "programs/roadmap/personas/restore/": Access("/programs/roadmap/personas/restore/", SIGN_IN, 405, 405),
    "programs/tickets/": signed_in_only("/programs/tickets/"),
    "programs/tickets/tickets.csv": signed_in_only("/programs/tickets/tickets.csv"),
    "programs/tickets/new/": Access("/programs/tickets/new/", visitor=SIGN_IN, member=403, admin=200),
    "programs/tickets/import/": Access("/programs/tickets/import/", visitor=SIGN_IN, member=403, admin=200),
    "programs/tickets/<int:pk>/": no_such("/programs/tickets/4711/"),
    "programs/tickets/<int:pk>/edit/": no_such("/programs/tickets/4711/edit/"),
    "programs/tickets/<int:pk>/mirror/": Access("/programs/tickets/4711/mirror/", SIGN_IN, member=405, admin=405),
    "programs/tickets/<int:pk>/move/": Access("/programs/tickets/4711/move/", SIGN_IN, member=405, admin=405),
    "programs/tickets/<int:pk>/comment/": Access("/programs/tickets/4711/comment/", SIGN_IN, member=405, admin=405),
    "programs/tickets/<int:pk>/watch/": Access("/programs/tickets/4711/watch/", SIGN_IN, member=405, admin=405),
    "api/v1/benchmarks/": api("/api/v1/benchmarks/"),
    "api/v1/benchmarks/<str:key>/": api("/api/v1/benchmarks/pr.size/"),
    "api/v1/benchmarks/<str:key>/take-back/": Access(
        "/api/v1/benchmarks/pr.size/take-back/", 401, member=405, admin=405, token=405
    ),
    "api/v1/benchmarks/<str:key>/suggestions/": Access(
        "/api/v1/benchmarks/pr.size/suggestions/", 401, member=403, admin=200, token=403
    ),
    "api/v1/focus/": api("/api/v1/focus/"),
    "api/v1/focus/begin/": Access("/api/v1/focus/begin/", 401, member=405, admin=405, token=405),
    "api/v1/focus/versions/": api("/api/v1/focus/versions/"),
    "api/v1/overview/": api("/api/v1/overview/"),
    "api/v1/bottlenecks/": api("/api/v1/bottlenecks/"),
    "api/v1/calendar-feed/": Access(
        "/api/v1/calendar-feed/", 401, member=404, admin=404, token=404, token_of_nobody=403
    ),
    "api/v1/meetings/": api("/api/v1/meetings/"),
    "api/v1/meetings/series/": api_rows("/api/v1/meetings/series/"),
    "api/v1/meetings/series/<int:pk>/": Access(
        "/api/v1/meetings/series/4711/", 401, member=404, admin=404, token=404, token_of_nobody=403
    ),
    "api/v1/meetings/<int:pk>/": Access("/api/v1/meetings/4711/", 401, member=404, admin=404, token=404),
    "api/v1/meetings/<int:pk>/move/": Access("/api/v1/meetings/4711/move/", 401, member=405, admin=405, token=405),
    "api/v1/meetings/<int:pk>/cancel/": Access("/api/v1/meetings/4711/cancel/", 401, member=405, admin=405, token=405),
    "api/v1/my-work/": api("/api/v1/my-work/"),
    "api/v1/start/": Access("/api/v1/start/", 401, member=403, admin=200, token=403),
    "api/v1/start/suggestions/": Access("/api/v1/start/suggestions/", 401, member=403, admin=200, token=403),
    "api/v1/notifications/": api_rows("/api/v1/notifications/"),
    "api/v1/roadmap.csv": api("/api/v1/roadmap.csv"),
    "api/v1/roadmap/": api("/api/v1/roadmap/"),
    "api/v1/roadmap/example/": Access("/api/v1/roadmap/example/", 401, member=405, admin=405, token=405),
    "api/v1/roadmap/intents/": Access("/api/v1/roadmap/intents/", 401, member=405, admin=405, token=405),
    "api/v1/roadmap/intents/<int:pk>/": Access("/api/v1/roadmap/intents/4711/", 401, 404, 404, token=404),
    "api/v1/roadmap/personas/": api("/api/v1/roadmap/personas/"),
    "api/v1/tickets.csv": api("/api/v1/tickets.csv"),
    "api/v1/objectives.csv": api("/api/v1/objectives.csv"),
    "api/v1/benchmarks.csv": api("/api/v1/benchmarks.csv"),
    "api/v1/tickets/import/": Access("/api/v1/tickets/import/", 401, member=405, admin=405, token=405),
    "api/v1/notices/unread/": Access("/api/v1/notices/unread/", 401, member=405, admin=405, token=405),
    "api/v1/benchmarks/<str:key>/units/": api("/api/v1/benchmarks/pr.size/units/"),
    "api/v1/fiscal-calendar/": api("/api/v1/fiscal-calendar/"),
    "api/v1/writing-for/": api("/api/v1/writing-for/"),
    "api/v1/objectives/alignment/": api("/api/v1/objectives/alignment/"),
    "api/v1/objectives/baseline/": Access("/api/v1/objectives/baseline/", 401, member=403, admin=400, token=403),
    "api/v1/objectives/parents/": Access("/api/v1/objectives/parents/", 401, member=403, admin=200, token=403),
    "api/v1/objectives/templates/<slug:template>/": Access(
        "/api/v1/objectives/templates/guessed/", 401, member=403, admin=404, token=403
    ),
    "api/v1/objectives/<int:pk>/publish/": Access(
        "/api/v1/objectives/4711/publish/", 401, member=405, admin=405, token=405
    ),
    "api/v1/philosophy/versions/": api("/api/v1/philosophy/versions/"),
    "api/v1/philosophy/versions/<int:number>/": Access(
        "/api/v1/philosophy/versions/4711/", 401, member=404, admin=404, token=404
    ),
    "api/v1/quarters/<str:start>/closing/": Access(
        "/api/v1/quarters/1999-01-01/closing/", 401, member=404, admin=404, token=404
    ),
    "api/v1/quarters/<str:start>/keep/": Access(
        "/api/v1/quarters/1999-01-01/keep/", 401, member=405, admin=405, token=405
    ),
    "api/v1/tickets/plans/": Access("/api/v1/tickets/plans/", 401, member=403, admin=200, token=403),
    "api/v1/notices/": api("/api/v1/notices/"),
    "api/v1/notices/read/": Access("/api/v1/notices/read/", 401, member=405, admin=405, token=405),
    "api/v1/qbr/": api("/api/v1/qbr/"),
    "api/v1/qbr/<int:pk>/": Access("/api/v1/qbr/4711/", 401, member=404, admin=404, token=404),
    "api/v1/qbr/<int:pk>/arrange/": Access("/api/v1/qbr/4711/arrange/", 401, member=405, admin=405, token=405),
    "api/v1/qbr/<int:pk>/compare/": Access("/api/v1/qbr/4711/compare/", 401, member=404, admin=404, token=404),
    "api/v1/qbr/<int:pk>/figures.csv": Access("/api/v1/qbr/4711/figures.csv", 401, member=404, admin=404, token=404),
    "api/v1/qbr/<int:pk>/freeze/": Access("/api/v1/qbr/4711/freeze/", 401, member=405, admin=405, token=405),
    "api/v1/qbr/<int:pk>/sections/<str:key>/": Access(
        "/api/v1/qbr/4711/sections/dora/", 401, member=405, admin=405, token=405
    ),
    "api/v1/qbr/<int:pk>/sign/": Access("/api/v1/qbr/4711/sign/", 401, member=405, admin=405, token=405),
    "api/v1/objectives/": api("/api/v1/objectives/"),
    "api/v1/objectives/<int:pk>/": Access("/api/v1/objectives/4711/", 401, member=404, admin=404, token=404),
    "api/v1/objectives/<int:pk>/drop/": Access("/api/v1/objectives/4711/drop/", 401, member=405, admin=405, token=405),
    "api/v1/objectives/<int:pk>/standing/": Access(
        "/api/v1/objectives/4711/standing/", 401, member=405, admin=405, token=405
    ),
    "api/v1/objectives/<int:pk>/check-ins/": Access(
        "/api/v1/objectives/4711/check-ins/", 401, member=404, admin=404, token=404, token_of_nobody=403
    ),
    "api/v1/objectives/<int:pk>/ending/": Access(
        "/api/v1/objectives/4711/ending/", 401, member=405, admin=405, token=405
    ),
    "api/v1/objectives/<int:pk>/history/": Access(
        "/api/v1/objectives/4711/history/", 401, member=404, admin=404, token=404, token_of_nobody=403
    ),
    "api/v1/objectives/templates/": api("/api/v1/objectives/templates/"),
    "api/v1/tickets/templates/": api("/api/v1/tickets/templates/"),
    "api/v1/objectives/missing/": api("/api/v1/objectives/missing/"),
    "api/v1/quarters/": api("/api/v1/quarters/"),
    "api/v1/quarters/<str:start>/": Access("/api/v1/quarters/1999-01-01/", 401, member=404, admin=404, token=404),
    "api/v1/quarters/<str:start>/close/": Access(
        "/api/v1/quarters/1999-01-01/close/", 401, member=405, admin=405, token=405
    ),
    "api/v1/philosophy/": api("/api/v1/philosophy/"),
    "api/v1/philosophy/acknowledge/": Access("/api/v1/philosophy/acknowledge/", 401, member=405, admin=405, token=405),
    "api/v1/reviews/": api("/api/v1/reviews/"),
    "api/v1/reviews/<int:pk>/": Access("/api/v1/reviews/4711/", 401, member=404, admin=404, token=404),
    "api/v1/reviews/<int:pk>/agenda/": Access("/api/v1/reviews/4711/agenda/", 401, member=405, admin=405, token=405),
    "api/v1/reviews/<int:pk>/attendance/": Access(
        "/api/v1/reviews/4711/attendance/", 401, member=405, admin=405, token=405
    ),
    "api/v1/reviews/<int:pk>/points/": Access("/api/v1/reviews/4711/points/", 401, member=405, admin=405, token=405),
    "api/v1/reviews/<int:pk>/points/<int:point>/": Access(
        "/api/v1/reviews/4711/points/1/", 401, member=405, admin=405, token=405
    ),
    "api/v1/reviews/<int:pk>/points/<int:point>/tickets/": Access(
        "/api/v1/reviews/4711/points/1/tickets/", 401, member=405, admin=405, token=405
    ),
    "api/v1/reviews/<int:pk>/sign/": Access("/api/v1/reviews/4711/sign/", 401, member=405, admin=405, token=405),
    "api/v1/tickets/": api("/api/v1/tickets/"),
    "api/v1/tickets/<int:pk>/": Access("/api/v1/tickets/4711/", 401, member=404, admin=404, token=404),
    "api/v1/tickets/<int:pk>/mirror/": Access("/api/v1/tickets/4711/mirror/", 401, member=404, admin=404, token=404),
    "api/v1/tickets/<int:pk>/move/": Access("/api/v1/tickets/4711/move/", 401, member=405, admin=405, token=405),
    "api/v1/tickets/<int:pk>/watch/": Access("/api/v1/tickets/4711/watch/", 401, member=404, admin=404, token=404),
    "api/v1/tickets/<int:pk>/comments/": Access(
        "/api/v1/tickets/4711/comments/", 401, member=404, admin=404, token=404, token_of_nobody=403
    ),
    "api/v1/tickets/<int:pk>/history/": Access(
        "/api/v1/tickets/4711/history/", 401, member=404, admin=404, token=404, token_of_nobody=403
    ),
    "api/v1/hand-kept/": api("/api/v1/hand-kept/"),
    "api/v1/hand-kept/<slug:slug>/": Access("/api/v1/hand-kept/nothing/", 401, member=404, admin=404, token=404),
    "api/v1/hand-kept/<slug:slug>/values/": Access(
        "/api/v1/hand-kept/nothing/values/", 401, member=404, admin=404, token=404
    ),
    "api/v1/hand-kept/<slug:slug>/values/<int:pk>/": Access(
        "/api/v1/hand-kept/nothing/values/4711/", 401, member=405, admin=405, token=405
    ),
    "api/v1/hand-kept/<slug:slug>/history/": Access(
        "/api/v1/hand-kept/nothing/history/", 401, member=404, admin=404, token=404
    ),
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
