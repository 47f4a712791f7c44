"""Every route of the application, with an example URL and the status of a GET by role."""

from __future__ import annotations

from tests.program_routes import PROGRAM_ROUTES
from tests.route_access import (
    ASKING,
    NOT_TAKEN,
    ROLES,
    SIGN_IN,
    TOKENS,
    Access,
    admins_only,
    api,
    api_rows,
    everybody,
    no_such,
    signed_in_only,
)

__all__ = ["ASKING", "NOT_TAKEN", "ROLES", "ROUTES", "SIGN_IN", "TOKENS", "Access"]

ROUTES: dict[str, Access] = {
    **PROGRAM_ROUTES,
    "healthz": everybody("/healthz"),
    "readyz": everybody("/readyz"),
    "accounts/login/": Access("/accounts/login/", visitor=200, member=302, admin=302),
    "accounts/logout/": signed_in_only("/accounts/logout/"),
    "accounts/inactive/": everybody("/accounts/inactive/"),
    "accounts/password/change/": signed_in_only("/accounts/password/change/"),
    "accounts/password/set/": everybody("/accounts/password/set/", SIGN_IN),
    "": signed_in_only("/"),
    "mcp": Access("/mcp", visitor=401, member=NOT_TAKEN, admin=NOT_TAKEN, token=NOT_TAKEN),
    "search/": signed_in_only("/search/"),
    "docs/": signed_in_only("/docs/"),
    "docs/<path:name>/": signed_in_only("/docs/access/"),
    "home/health/": admins_only("/home/health/"),
    "insights/ai/": signed_in_only("/insights/ai/"),
    "insights/pulse/": Access("/insights/pulse/", visitor=SIGN_IN, member=204, admin=204),
    "insights/ai/parts/<slug:name>/": signed_in_only("/insights/ai/parts/failing_tools/"),
    "insights/ai/charts/<slug:name>/": signed_in_only("/insights/ai/charts/adoption/"),
    "insights/ai/charts/<slug:name>.csv": signed_in_only("/insights/ai/charts/adoption.csv"),
    "insights/ai/units/": signed_in_only("/insights/ai/units/"),
    "insights/ai/units/unassigned/": signed_in_only("/insights/ai/units/unassigned/"),
    "insights/ai/units.csv": signed_in_only("/insights/ai/units.csv"),
    "insights/ai/<slug:tab>/": signed_in_only("/insights/ai/impact/"),
    "insights/delivery/": signed_in_only("/insights/delivery/"),
    "insights/delivery/parts/<slug:name>/": signed_in_only("/insights/delivery/parts/slowest/"),
    "insights/delivery/charts/<slug:name>/": signed_in_only("/insights/delivery/charts/stages/"),
    "insights/delivery/charts/<slug:name>.csv": signed_in_only("/insights/delivery/charts/stages.csv"),
    "insights/delivery/units/": signed_in_only("/insights/delivery/units/"),
    "insights/delivery/units/unassigned/": signed_in_only("/insights/delivery/units/unassigned/"),
    "insights/delivery/units.csv": signed_in_only("/insights/delivery/units.csv"),
    "insights/delivery/<slug:tab>/": signed_in_only("/insights/delivery/lead-time/"),
    "insights/findings/": signed_in_only("/insights/findings/"),
    "insights/context/work-types/": signed_in_only("/insights/context/work-types/"),
    "insights/context/work-types/<int:pk>/": Access(
        "/insights/context/work-types/4711/", SIGN_IN, member=405, admin=405
    ),
    "api/v1/work-types/": api("/api/v1/work-types/"),
    "api/v1/work-types/<int:pk>/": Access(
        "/api/v1/work-types/4711/", visitor=401, member=405, admin=405, token=405, token_of_nobody=405
    ),
    "insights/findings.csv": signed_in_only("/insights/findings.csv"),
    "insights/findings/waits.csv": signed_in_only("/insights/findings/waits.csv"),
    "insights/findings/waits/": signed_in_only("/insights/findings/waits/"),
    "insights/findings/thresholds/": signed_in_only("/insights/findings/thresholds/"),
    "insights/findings/thresholds/undo/": Access("/insights/findings/thresholds/undo/", SIGN_IN, member=405, admin=405),
    "api/v1/findings/thresholds/": api("/api/v1/findings/thresholds/"),
    "insights/findings/<int:pk>/": Access("/insights/findings/4711/", SIGN_IN, member=405, admin=405),
    "insights/planning/": signed_in_only("/insights/planning/"),
    "insights/planning/parts/<slug:name>/": signed_in_only("/insights/planning/parts/ageing/"),
    "insights/planning/charts/<slug:name>/": signed_in_only("/insights/planning/charts/wip/"),
    "insights/planning/charts/<slug:name>.csv": signed_in_only("/insights/planning/charts/wip.csv"),
    "insights/planning/sprints/<int:pk>.csv": no_such("/insights/planning/sprints/4711.csv"),
    "insights/planning/sprints/<int:pk>/days/": no_such("/insights/planning/sprints/4711/days/"),
    "insights/planning/sprints/<int:pk>/days.csv": no_such("/insights/planning/sprints/4711/days.csv"),
    "insights/planning/initiative/": no_such("/insights/planning/initiative/"),
    "insights/planning/initiative.csv": no_such("/insights/planning/initiative.csv"),
    "insights/planning/<slug:tab>/": signed_in_only("/insights/planning/flow/"),
    "insights/allocation/": signed_in_only("/insights/allocation/"),
    "insights/allocation/parts/<slug:name>/": signed_in_only("/insights/allocation/parts/allocation_by_unit/"),
    "insights/allocation/charts/<slug:name>/": signed_in_only("/insights/allocation/charts/over_time/"),
    "insights/allocation/charts/<slug:name>.csv": signed_in_only("/insights/allocation/charts/against_target.csv"),
    "insights/allocation/<slug:tab>/": signed_in_only("/insights/allocation/teams/"),
    "insights/capacity/": signed_in_only("/insights/capacity/"),
    "insights/capacity/parts/<slug:name>/": signed_in_only("/insights/capacity/parts/capacity_by_unit/"),
    "insights/capacity/charts/<slug:name>/": signed_in_only("/insights/capacity/charts/focus/"),
    "insights/capacity/charts/<slug:name>.csv": signed_in_only("/insights/capacity/charts/focus.csv"),
    "insights/dashboards/": signed_in_only("/insights/dashboards/"),
    "insights/dashboards/new/": signed_in_only("/insights/dashboards/new/"),
    **{
        f"insights/dashboards/<int:pk>/{rest}": no_such(f"/insights/dashboards/4711/{example}")
        for rest, example in {
            "": "",
            "parts/<slug:name>/": "parts/c1/",
            "charts/<slug:name>/": "charts/c1/",
            "charts/<slug:name>.csv": "charts/c1.csv",
            "edit/": "edit/",
            "preview/": "preview/",
            "edit/parts/<slug:name>/": "edit/parts/c1/",
            "edit/charts/<slug:name>/": "edit/charts/c1/",
            "edit/charts/<slug:name>.csv": "edit/charts/c1.csv",
            "cards/new/": "cards/new/",
            "cards/<slug:card>/": "cards/c1/",
            "share/": "share/",
            "export/": "export/",
        }.items()
    },
    **{
        f"insights/dashboards/<int:pk>/{act}/": Access(
            f"/insights/dashboards/4711/{act}/", SIGN_IN, member=405, admin=405
        )
        for act in ("act", "publish", "copy", "home", "remove")
    },
    "insights/views/": signed_in_only("/insights/views/"),
    "insights/views/menu/": signed_in_only("/insights/views/menu/"),
    "insights/views/new/": signed_in_only("/insights/views/new/?to=/insights/ai/"),
    "insights/views/<int:pk>/": no_such("/insights/views/4711/"),
    "insights/views/<int:pk>/edit/": no_such("/insights/views/4711/edit/"),
    "insights/views/<int:pk>/remove/": Access("/insights/views/4711/remove/", SIGN_IN, member=405, admin=405),
    "insights/compare/": signed_in_only("/insights/compare/"),
    "insights/compare.csv": signed_in_only("/insights/compare.csv"),
    "insights/compare/parts/<slug:name>/": signed_in_only("/insights/compare/parts/work_types/"),
    "insights/compare/units/": signed_in_only("/insights/compare/units/"),
    "insights/units/": signed_in_only("/insights/units/?to=/insights/ai/"),
    "insights/attributes/": signed_in_only("/insights/attributes/?to=/insights/ai/"),
    "insights/ai/leaderboard/": signed_in_only("/insights/ai/leaderboard/"),
    "insights/ai/leaderboard/parts/<slug:name>/": signed_in_only("/insights/ai/leaderboard/parts/models/"),
    "insights/ai/leaderboard.csv": no_such("/insights/ai/leaderboard.csv"),  # while the leaderboard is off
    "insights/ai/sessions/": signed_in_only("/insights/ai/sessions/"),
    "insights/ai/sessions/parts/<slug:name>/": signed_in_only("/insights/ai/sessions/parts/models/"),
    "insights/ai/sessions.csv": signed_in_only("/insights/ai/sessions.csv"),
    "insights/ai/sessions/<int:pk>/": no_such("/insights/ai/sessions/4711/"),
    "insights/ai/prices/": signed_in_only("/insights/ai/prices/"),
    "insights/ai/reconciliation/": signed_in_only("/insights/ai/reconciliation/"),
    "insights/ai/reconciliation/parts/<slug:name>/": signed_in_only("/insights/ai/reconciliation/parts/bill_by_unit/"),
    "insights/ai/reconciliation/charts/<slug:name>/": signed_in_only("/insights/ai/reconciliation/charts/causes/"),
    "insights/ai/reconciliation/charts/<slug:name>.csv": signed_in_only(
        "/insights/ai/reconciliation/charts/causes.csv"
    ),
    "insights/ai/prices.csv": signed_in_only("/insights/ai/prices.csv"),
    "insights/ai/costs/": signed_in_only("/insights/ai/costs/"),
    "insights/ai/costs.csv": signed_in_only("/insights/ai/costs.csv"),
    "insights/ai/repositories/": signed_in_only("/insights/ai/repositories/"),
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
    "insights/metrics/<str:key>/how/": signed_in_only("/insights/metrics/ai.spend/how/"),
    "insights/metrics/<str:key>/rows/": signed_in_only("/insights/metrics/ai.spend/rows/"),
    "insights/metrics/<str:key>/rows/first/": signed_in_only("/insights/metrics/ai.spend/rows/first/"),
    "insights/metrics/<str:key>/rows.csv": signed_in_only("/insights/metrics/ai.spend/rows.csv"),
    "insights/metrics/": signed_in_only("/insights/metrics/"),
    "insights/metrics/values/": signed_in_only("/insights/metrics/values/?of=ai.spend"),
    "insights/metrics.csv": signed_in_only("/insights/metrics.csv"),
    "insights/metrics/<str:key>/": signed_in_only("/insights/metrics/ai.spend/"),
    "insights/metrics/<str:key>/parts/<slug:name>/": signed_in_only("/insights/metrics/ai.spend/parts/agent/"),
    "insights/metrics/<str:key>/charts/<slug:name>/": signed_in_only("/insights/metrics/ai.spend/charts/trend/"),
    "insights/metrics/<str:key>/charts/<slug:name>.csv": signed_in_only("/insights/metrics/ai.spend/charts/trend.csv"),
    "api/v1/metrics/": api("/api/v1/metrics/"),
    "api/v1/catalogue/": api("/api/v1/catalogue/"),
    "api/v1/metrics/<str:key>/figure/": api("/api/v1/metrics/ai.spend/figure/"),
    "api/v1/metrics/<str:key>/": api("/api/v1/metrics/ai.spend/"),
    "api/v1/commits/<slug:sha>/agent-trace/": Access(
        "/api/v1/commits/0123456789abcdef/agent-trace/", visitor=401, member=404, admin=404, token=404
    ),
    "api/v1/dora/": api("/api/v1/dora/"),
    "api/v1/findings/": api("/api/v1/findings/"),
    "api/v1/findings.csv": api("/api/v1/findings.csv"),
    "api/v1/review-waits/": api("/api/v1/review-waits/"),
    "api/v1/review-waits.csv": api("/api/v1/review-waits.csv"),
    "api/v1/findings/<int:pk>/": Access(
        "/api/v1/findings/4711/", visitor=401, member=404, admin=404, token=404, token_of_nobody=404
    ),
    "api/v1/findings/<int:pk>/history/": Access(
        "/api/v1/findings/4711/history/", visitor=401, member=404, admin=404, token=404, token_of_nobody=403
    ),
    "api/v1/findings/<int:pk>/decide/": Access(
        "/api/v1/findings/4711/decide/", visitor=401, member=405, admin=405, token=405, token_of_nobody=405
    ),
    "api/v1/forecasts/": api_rows("/api/v1/forecasts/"),
    "api/v1/forecasts/one/": Access(
        "/api/v1/forecasts/one/", visitor=401, member=404, admin=404, token=404, token_of_nobody=403
    ),
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
    "insights/context/": signed_in_only("/insights/context/"),
    "insights/context/comparable/": signed_in_only("/insights/context/comparable/"),
    "api/v1/context/": api("/api/v1/context/"),
    "api/v1/comparable-units/": api("/api/v1/comparable-units/"),
    "insights/annotations/": signed_in_only("/insights/annotations/"),
    "insights/annotations/new/": Access("/insights/annotations/new/", visitor=SIGN_IN, member=403, admin=200),
    "insights/annotations/<int:pk>/": no_such("/insights/annotations/4711/"),
    "insights/annotations/<int:pk>/remove/": Access(
        "/insights/annotations/4711/remove/", SIGN_IN, member=405, admin=405
    ),
    "account/calendar-feed/": signed_in_only("/account/calendar-feed/"),
    "calendar/<str:token>.ics": everybody("/calendar/guessed.ics", 404),
    "account/notifications/": signed_in_only("/account/notifications/"),
    "account/notifications/unsubscribe/<str:token>/": everybody("/account/notifications/unsubscribe/guessed/", 404),
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
    "api/v1/dashboards/": api("/api/v1/dashboards/"),
    **{
        f"api/v1/dashboards/<int:pk>/{rest}": Access(
            f"/api/v1/dashboards/4711/{rest}", visitor=401, member=status, admin=status, token=token
        )
        for rest, status, token in (("", 404, 404), ("export/", 404, 404), ("copy/", 405, 405), ("publish/", 405, 405))
    },
    "api/v1/views/": api("/api/v1/views/"),
    "api/v1/views/<int:pk>/": Access("/api/v1/views/4711/", visitor=401, member=404, admin=404, token=404),
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
    "agent/": signed_in_only("/agent/"),
    "agent/fleet/": admins_only("/agent/fleet/"),
    "agent/headway-agent.pyz": everybody("/agent/headway-agent.pyz"),
    "agent/headway-agent.pyz.sha256": everybody("/agent/headway-agent.pyz.sha256"),
    "agent/headway-agent.deb": everybody("/agent/headway-agent.deb"),
    "agent/headway-agent.deb.sha256": everybody("/agent/headway-agent.deb.sha256"),
    "agent/headway-agent.zip": everybody("/agent/headway-agent.zip"),
    "agent/headway-agent.zip.sha256": everybody("/agent/headway-agent.zip.sha256"),
    "collector/v1/reports": everybody("/collector/v1/reports", NOT_TAKEN),
    "integrations/usage-files/": admins_only("/integrations/usage-files/"),
    "integrations/live/": signed_in_only("/integrations/live/"),
    "setup/": admins_only("/setup/"),
    "setup/leave/": Access("/setup/leave/", SIGN_IN, member=404, admin=405),
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
    "orgtree/access/history/": signed_in_only("/orgtree/access/history/"),
    "orgtree/access/log/": admins_only("/orgtree/access/log/"),
    "orgtree/access/rules/": Access("/orgtree/access/rules/", SIGN_IN, member=404, admin=405),
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
