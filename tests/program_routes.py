"""Routes of the program and of its API; see tests/every_route.py."""

from __future__ import annotations

from tests.route_access import SIGN_IN, Access, api, api_rows, no_such, signed_in_only

PROGRAM_ROUTES: dict[str, Access] = {
    "programs/alerts/": signed_in_only("/programs/alerts/"),
    "programs/alerts/alerts.csv": signed_in_only("/programs/alerts/alerts.csv"),
    "programs/alerts/new/": signed_in_only("/programs/alerts/new/"),
    "programs/alerts/<int:pk>/": no_such("/programs/alerts/4711/"),
    "programs/alerts/<int:pk>/remove/": Access("/programs/alerts/4711/remove/", SIGN_IN, 405, 405),
    "programs/digests/": signed_in_only("/programs/digests/"),
    "programs/digests/<int:pk>/": no_such("/programs/digests/4711/"),
    "programs/digests/preview/<slug:rhythm>/": signed_in_only("/programs/digests/preview/weekly/"),
    "insights/ai/budgets/": signed_in_only("/insights/ai/budgets/"),
    "insights/ai/budgets/new/": Access("/insights/ai/budgets/new/", visitor=SIGN_IN, member=403, admin=200),
    "insights/ai/budgets/<int:pk>/": no_such("/insights/ai/budgets/4711/"),
    "insights/ai/budgets/<int:pk>/remove/": Access("/insights/ai/budgets/4711/remove/", SIGN_IN, 405, 405),
    "insights/ai/charge-back/": signed_in_only("/insights/ai/charge-back/"),
    # Here people have no attributes.
    "insights/ai/charge-back.csv": Access("/insights/ai/charge-back.csv", visitor=SIGN_IN, member=400, admin=400),
    "insights/findings/<int:pk>/comment/": Access("/insights/findings/4711/comment/", SIGN_IN, member=405, admin=405),
    "api/v1/findings/<int:pk>/comments/": Access(
        "/api/v1/findings/4711/comments/", visitor=401, member=404, admin=404, token=404, token_of_nobody=403
    ),
    "api/v1/findings/<int:pk>/work/": Access(
        "/api/v1/findings/4711/work/", visitor=401, member=404, admin=404, token=404, token_of_nobody=404
    ),
    "programs/agreements/": signed_in_only("/programs/agreements/"),
    "programs/agreements.csv": signed_in_only("/programs/agreements.csv"),
    "programs/agreements/<str:pk>/": no_such("/programs/agreements/no-such-unit/"),
    "api/v1/working-agreements.csv": api("/api/v1/working-agreements.csv"),
    "api/v1/working-agreements/": api("/api/v1/working-agreements/"),
    "api/v1/working-agreements/<str:pk>/": Access(
        "/api/v1/working-agreements/no-such-unit/", visitor=401, member=404, admin=404, token=404
    ),
    "insights/allocation/rules/": signed_in_only("/insights/allocation/rules/"),
    "insights/allocation/rules.csv": signed_in_only("/insights/allocation/rules.csv"),
    "insights/allocation/rules/new/": Access("/insights/allocation/rules/new/", visitor=SIGN_IN, member=403, admin=200),
    "insights/allocation/rules/<int:pk>/": no_such("/insights/allocation/rules/4711/"),
    "insights/allocation/rules/<int:pk>/remove/": Access("/insights/allocation/rules/4711/remove/", SIGN_IN, 405, 405),
    "insights/allocation/targets/": Access("/insights/allocation/targets/", visitor=SIGN_IN, member=403, admin=200),
    **{
        f"insights/capitalisation/{route}": Access(f"/insights/capitalisation/{route}", SIGN_IN, member=403, admin=200)
        for route in ("", "initiatives.csv", "new/", "periods/", "periods/new/")
    },
    "insights/capitalisation/initiatives/<int:pk>/": Access(
        "/insights/capitalisation/initiatives/4711/", SIGN_IN, member=403, admin=404
    ),
    "insights/capitalisation/initiatives/<int:pk>/remove/": Access(
        "/insights/capitalisation/initiatives/4711/remove/", SIGN_IN, 405, 405
    ),
    **{
        f"insights/capitalisation/periods/<int:pk>/{act}": Access(
            f"/insights/capitalisation/periods/4711/{act}", SIGN_IN, member=403, admin=404
        )
        for act in ("", "period.csv", "edit/", "approve/", "freeze/")
    },
    "insights/capitalisation/periods/<int:pk>/remove/": Access(
        "/insights/capitalisation/periods/4711/remove/", SIGN_IN, 405, 405
    ),
    **{
        f"api/v1/capitalisation/{route}": Access(
            f"/api/v1/capitalisation/{route}", visitor=401, member=403, admin=200, token=403
        )
        for route in ("initiatives.csv", "initiatives/", "periods/")
    },
    **{
        f"api/v1/capitalisation/{route}": Access(
            f"/api/v1/capitalisation/{route.replace('<int:pk>', '4711')}", visitor=401, member=403, admin=404, token=403
        )
        for route in ("initiatives/<int:pk>/", "periods/<int:pk>/", "periods/<int:pk>/period.csv")
    },
    **{
        f"api/v1/capitalisation/periods/<int:pk>/{act}/": Access(
            f"/api/v1/capitalisation/periods/4711/{act}/", visitor=401, member=403, admin=405, token=403
        )
        for act in ("approve", "freeze")
    },
    **{
        f"insights/report/{route}": signed_in_only(f"/insights/report/{route}")
        for route in ("", "report.md", "present/")
    },
    "insights/report/freeze/": Access("/insights/report/freeze/", SIGN_IN, member=403, admin=200),
    "insights/report/rewrite/": Access("/insights/report/rewrite/", SIGN_IN, member=403, admin=403),
    "insights/report/pdf/": Access("/insights/report/pdf/?quarter=never", SIGN_IN, member=400, admin=400),
    "api/v1/report/": api("/api/v1/report/"),
    "api/v1/report/freeze/": Access("/api/v1/report/freeze/", visitor=401, member=405, admin=405, token=405),
    "api/v1/allocation-rules.csv": api("/api/v1/allocation-rules.csv"),
    "api/v1/allocation-rules/": api("/api/v1/allocation-rules/"),
    "api/v1/allocation-rules/<int:pk>/": Access(
        "/api/v1/allocation-rules/4711/", visitor=401, member=404, admin=404, token=404
    ),
    "api/v1/allocation-targets/": api("/api/v1/allocation-targets/"),
    "api/v1/alert-rules/": api("/api/v1/alert-rules/"),
    "api/v1/alert-rules.csv": api("/api/v1/alert-rules.csv"),
    "api/v1/alert-rules/<int:pk>/": Access("/api/v1/alert-rules/4711/", visitor=401, member=404, admin=404, token=404),
    "api/v1/budgets/": api("/api/v1/budgets/"),
    "api/v1/budgets/<int:pk>/": Access("/api/v1/budgets/4711/", visitor=401, member=404, admin=404, token=404),
    "api/v1/charge-back.csv": Access("/api/v1/charge-back.csv", visitor=401, member=400, admin=400, token=400),
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
    "programs/qbr/<int:pk>/decisions/new/": no_such("/programs/qbr/4711/decisions/new/"),
    "programs/qbr/<int:pk>/decisions/<int:decision>/": no_such("/programs/qbr/4711/decisions/1/"),
    "programs/qbr/<int:pk>/discard/": Access("/programs/qbr/4711/discard/", SIGN_IN, member=405, admin=405),
    "programs/qbr/<int:pk>/figures.csv": no_such("/programs/qbr/4711/figures.csv"),
    "programs/qbr/<int:pk>/freeze/": no_such("/programs/qbr/4711/freeze/"),
    "programs/qbr/<int:pk>/pdf/": no_such("/programs/qbr/4711/pdf/"),
    "programs/qbr/<int:pk>/present/": no_such("/programs/qbr/4711/present/"),
    "programs/qbr/<int:pk>/reopen/": no_such("/programs/qbr/4711/reopen/"),
    "programs/qbr/<int:pk>/sections/<slug:key>/": no_such("/programs/qbr/4711/sections/dora/"),
    "programs/qbr/<int:pk>/sign/": no_such("/programs/qbr/4711/sign/"),
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
    "programs/objectives/parents/": Access("/programs/objectives/parents/", SIGN_IN, member=403, admin=200),
    "programs/reviews/": signed_in_only("/programs/reviews/"),
    "programs/reviews/prepare/": Access("/programs/reviews/prepare/", SIGN_IN, member=405, admin=405),
    "programs/reviews/<int:pk>/": no_such("/programs/reviews/4711/"),
    "programs/reviews/<int:pk>/agenda/": Access("/programs/reviews/4711/agenda/", SIGN_IN, member=405, admin=405),
    "programs/reviews/<int:pk>/save/": Access("/programs/reviews/4711/save/", SIGN_IN, member=405, admin=405),
    "programs/reviews/<int:pk>/sign/": no_such("/programs/reviews/4711/sign/"),
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
    "programs/experiments/": signed_in_only("/programs/experiments/"),
    "programs/experiments/experiments.csv": signed_in_only("/programs/experiments/experiments.csv"),
    "programs/experiments/new/": Access("/programs/experiments/new/", visitor=SIGN_IN, member=403, admin=200),
    "programs/experiments/<int:pk>/": no_such("/programs/experiments/4711/"),
    "programs/experiments/<int:pk>/edit/": no_such("/programs/experiments/4711/edit/"),
    "programs/experiments/<int:pk>/remove/": Access(
        "/programs/experiments/4711/remove/", SIGN_IN, member=405, admin=405
    ),
    "programs/experiments/<int:pk>/widen/": Access("/programs/experiments/4711/widen/", SIGN_IN, member=405, admin=405),
    "programs/experiments/<int:pk>/figures.csv": no_such("/programs/experiments/4711/figures.csv"),
    "programs/experiments/<int:pk>/chart/": no_such("/programs/experiments/4711/chart/"),
    "programs/experiments/<int:pk>/chart.csv": no_such("/programs/experiments/4711/chart.csv"),
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
    "api/v1/experiments.csv": api("/api/v1/experiments.csv"),
    "api/v1/experiments/": api("/api/v1/experiments/"),
    "api/v1/experiments/<int:pk>/widen/": Access("/api/v1/experiments/4711/widen/", 401, 405, 405, token=405),
    "api/v1/experiments/<int:pk>/": Access("/api/v1/experiments/4711/", 401, member=404, admin=404, token=404),
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
    "api/v1/qbr/<int:pk>/decisions/": Access("/api/v1/qbr/4711/decisions/", 401, member=405, admin=405, token=405),
    "api/v1/qbr/<int:pk>/decisions/<int:decision>/": Access(
        "/api/v1/qbr/4711/decisions/1/", 401, member=405, admin=405, token=405
    ),
    "api/v1/qbr/<int:pk>/figures.csv": Access("/api/v1/qbr/4711/figures.csv", 401, member=404, admin=404, token=404),
    "api/v1/qbr/<int:pk>/freeze/": Access("/api/v1/qbr/4711/freeze/", 401, member=405, admin=405, token=405),
    "api/v1/qbr/<int:pk>/reopen/": Access("/api/v1/qbr/4711/reopen/", 401, member=405, admin=405, token=405),
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
}
