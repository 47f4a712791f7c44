"""Whatever a page of the program shows or does, a program can read or do as well: which route of the API it is.

A page that is missing here fails the test, so whoever adds one says how programs get at the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from django.core.management import call_command
from django.urls import get_resolver

from programs.api_urls import urlpatterns
from tests.test_access import POSTS, routes

API = "api/v1/"
# The page's route → the routes of the API that tell or do the same, or (in brackets) why there is none.
PAGES: Mapping[str, tuple[str, ...]] = {
    "programs/": ("overview/", "objectives/", "writing-for/"),
    "programs/parts/<slug:name>/": ("my-work/", "objectives/", "tickets/", "bottlenecks/", "overview/"),
    "programs/start/": ("start/", "focus/begin/"),
    "programs/start/suggestions/": ("start/suggestions/",),
    "programs/benchmarks/": ("benchmarks/", "benchmarks.csv", "focus/"),
    "programs/benchmarks/benchmarks.csv": ("benchmarks.csv",),
    "programs/benchmarks/<str:key>/": (
        *("benchmarks/<str:key>/", "benchmarks/<str:key>/units/", "metrics/<str:key>/series/", "metrics/<str:key>/"),
    ),
    "programs/benchmarks/<str:key>/edit/": ("benchmarks/<str:key>/", "writing-for/"),
    "programs/benchmarks/<str:key>/suggestions/": ("benchmarks/<str:key>/suggestions/",),
    "programs/benchmarks/<str:key>/take-back/": ("benchmarks/<str:key>/take-back/",),
    "programs/focus/": ("focus/", "focus/versions/", "benchmarks.csv", "metrics/<str:key>/series/"),
    "programs/focus/edit/": ("focus/", "metrics/"),
    "programs/focus/begin/": ("focus/begin/",),
    "programs/inbox/": ("notices/",),
    "programs/inbox/count/": ("notices/",),
    "programs/inbox/read/": ("notices/read/",),
    "programs/inbox/<int:pk>/": ("notices/", "notices/read/"),
    "programs/inbox/<int:pk>/read/": ("notices/read/", "notices/unread/"),
    "programs/meetings/": ("meetings/", "calendar-feed/", "writing-for/"),
    "programs/meetings/series/": ("meetings/series/",),
    "programs/meetings/series/new/": ("meetings/series/", "writing-for/"),
    "programs/meetings/series/<int:pk>/": ("meetings/series/<int:pk>/", "meetings/"),
    "programs/meetings/series/<int:pk>/edit/": ("meetings/series/<int:pk>/",),
    "programs/meetings/series/<int:pk>/end/": ("meetings/series/<int:pk>/",),
    "programs/meetings/<int:pk>/": ("meetings/<int:pk>/",),
    "programs/meetings/<int:pk>/meeting.ics": ("meetings/<int:pk>/",),
    "programs/meetings/<int:pk>/move/": ("meetings/<int:pk>/move/",),
    "programs/meetings/<int:pk>/cancel/": ("meetings/<int:pk>/cancel/",),
    "account/calendar-feed/": ("calendar-feed/",),
    "programs/objectives/": (
        *("objectives/", "objectives/alignment/", "objectives/missing/", "quarters/", "fiscal-calendar/"),
    ),
    "programs/objectives/objectives.csv": ("objectives.csv",),
    "programs/objectives/new/": (
        *("objectives/", "objectives/templates/", "objectives/templates/<slug:template>/", "writing-for/"),
        *("metrics/", "fiscal-calendar/", "findings/<int:pk>/work/"),
    ),
    "programs/objectives/baseline/": ("objectives/baseline/",),
    "programs/objectives/parents/": ("objectives/parents/",),
    "programs/objectives/<int:pk>/": (
        "objectives/<int:pk>/",
        "objectives/",
        "objectives/<int:pk>/check-ins/",
        "tickets/",
    ),
    "programs/objectives/<int:pk>/edit/": ("objectives/<int:pk>/",),
    "programs/objectives/<int:pk>/history/": ("objectives/<int:pk>/history/",),
    "programs/objectives/<int:pk>/check-in/": ("objectives/<int:pk>/check-ins/",),
    "programs/objectives/<int:pk>/publish/": ("objectives/<int:pk>/publish/",),
    "programs/objectives/<int:pk>/standing/": ("objectives/<int:pk>/standing/",),
    "programs/objectives/<int:pk>/ending/": ("objectives/<int:pk>/ending/",),
    "programs/objectives/<int:pk>/drop/": ("objectives/<int:pk>/drop/",),
    "programs/objectives/<int:pk>/key-results/<int:key_result>/chart/": (
        "objectives/<int:pk>/",
        "benchmarks/<str:key>/",
    ),
    "programs/objectives/<int:pk>/key-results/<int:key_result>/chart.csv": ("objectives/<int:pk>/",),
    "programs/qbr/": ("qbr/",),
    "programs/qbr/new/": ("qbr/", "writing-for/"),
    "programs/qbr/<int:pk>/": ("qbr/<int:pk>/",),
    "programs/qbr/<int:pk>/arrange/": ("qbr/<int:pk>/arrange/",),
    "programs/qbr/<int:pk>/compare/": ("qbr/<int:pk>/compare/",),
    "programs/qbr/<int:pk>/decisions/new/": ("qbr/<int:pk>/decisions/",),
    "programs/qbr/<int:pk>/decisions/<int:decision>/": ("qbr/<int:pk>/decisions/<int:decision>/",),
    "programs/qbr/<int:pk>/discard/": ("qbr/<int:pk>/",),
    "programs/qbr/<int:pk>/figures.csv": ("qbr/<int:pk>/figures.csv",),
    "programs/qbr/<int:pk>/freeze/": ("qbr/<int:pk>/freeze/",),
    "programs/qbr/<int:pk>/pdf/": ("qbr/<int:pk>/",),
    "programs/qbr/<int:pk>/present/": ("qbr/<int:pk>/",),
    "programs/qbr/<int:pk>/reopen/": ("qbr/<int:pk>/reopen/",),
    "programs/qbr/<int:pk>/sections/<slug:key>/": ("qbr/<int:pk>/sections/<str:key>/", "metrics/"),
    "programs/qbr/<int:pk>/sign/": ("qbr/<int:pk>/sign/",),
    "programs/quarters/": ("quarters/",),
    "programs/quarters/<slug:start>/": ("quarters/<str:start>/",),
    "programs/quarters/<slug:start>/close/": (
        *("quarters/<str:start>/closing/", "quarters/<str:start>/keep/", "quarters/<str:start>/close/"),
    ),
    "programs/philosophy/": ("philosophy/", "philosophy/versions/"),
    "programs/philosophy/edit/": ("philosophy/",),
    "programs/philosophy/acknowledge/": ("philosophy/acknowledge/",),
    "programs/philosophy/versions/<int:number>/": ("philosophy/versions/<int:number>/",),
    "programs/reviews/": ("reviews/",),
    "programs/reviews/prepare/": ("reviews/",),
    "programs/reviews/<int:pk>/": ("reviews/<int:pk>/",),
    "programs/reviews/<int:pk>/agenda/": ("reviews/<int:pk>/agenda/",),
    "programs/reviews/<int:pk>/save/": (
        *("reviews/<int:pk>/", "reviews/<int:pk>/points/", "reviews/<int:pk>/points/<int:point>/"),
        *("reviews/<int:pk>/points/<int:point>/tickets/", "reviews/<int:pk>/attendance/"),
    ),
    "programs/reviews/<int:pk>/sign/": ("reviews/<int:pk>/sign/",),
    "programs/roadmap/": ("roadmap/", "writing-for/"),
    "programs/roadmap/roadmap.csv": ("roadmap.csv",),
    "programs/roadmap/move/": ("objectives/<int:pk>/", "roadmap/intents/<int:pk>/"),
    "programs/roadmap/example/": ("roadmap/example/",),
    "programs/roadmap/objectives/<int:pk>/": ("objectives/<int:pk>/",),
    "programs/roadmap/intents/new/": ("roadmap/intents/", "objectives/templates/"),
    "programs/roadmap/intents/<int:pk>/": ("roadmap/intents/<int:pk>/",),
    "programs/roadmap/intents/<int:pk>/remove/": ("roadmap/intents/<int:pk>/",),
    "programs/roadmap/personas/": ("roadmap/personas/",),
    "programs/roadmap/personas/restore/": ("(personas are set up in admin, as templates are, and the API reads them)",),
    "programs/experiments/": ("experiments/",),
    "programs/experiments/experiments.csv": ("experiments.csv",),
    "programs/experiments/new/": ("experiments/", "writing-for/", "metrics/"),
    "programs/experiments/<int:pk>/": ("experiments/<int:pk>/",),
    "programs/experiments/<int:pk>/edit/": ("experiments/<int:pk>/",),
    "programs/experiments/<int:pk>/remove/": ("experiments/<int:pk>/",),
    "programs/experiments/<int:pk>/widen/": ("experiments/<int:pk>/widen/",),
    "programs/experiments/<int:pk>/figures.csv": ("experiments/<int:pk>/",),
    "programs/experiments/<int:pk>/chart/": ("experiments/<int:pk>/",),
    "programs/experiments/<int:pk>/chart.csv": ("experiments/<int:pk>/",),
    "programs/tickets/": ("tickets/",),
    "programs/tickets/tickets.csv": ("tickets.csv",),
    "programs/tickets/import/": ("tickets/import/",),
    "programs/tickets/new/": (
        *("tickets/", "tickets/templates/", "tickets/plans/", "writing-for/", "metrics/"),
        "findings/<int:pk>/work/",  # with a finding in the address
    ),
    "programs/tickets/<int:pk>/": (
        *("tickets/<int:pk>/", "tickets/<int:pk>/comments/", "tickets/<int:pk>/history/", "tickets/<int:pk>/watch/"),
    ),
    "programs/tickets/<int:pk>/edit/": ("tickets/<int:pk>/",),
    "programs/tickets/<int:pk>/mirror/": ("tickets/<int:pk>/mirror/",),
    "programs/tickets/<int:pk>/move/": ("tickets/<int:pk>/move/",),
    "programs/tickets/<int:pk>/comment/": ("tickets/<int:pk>/comments/",),
    "programs/tickets/<int:pk>/watch/": ("tickets/<int:pk>/watch/",),
    "programs/agreements/": ("working-agreements/",),
    "programs/agreements.csv": ("working-agreements.csv",),
    "programs/agreements/<str:pk>/": ("working-agreements/<str:pk>/",),
    "insights/allocation/rules/": ("allocation-rules/",),
    "insights/findings/<int:pk>/comment/": ("findings/<int:pk>/comments/",),
    "insights/allocation/rules.csv": ("allocation-rules.csv",),
    "insights/allocation/rules/new/": ("allocation-rules/", "writing-for/"),
    "insights/allocation/rules/<int:pk>/": ("allocation-rules/<int:pk>/",),
    "insights/allocation/rules/<int:pk>/remove/": ("allocation-rules/<int:pk>/",),
    "insights/allocation/targets/": ("allocation-targets/",),
    "insights/capitalisation/": ("capitalisation/initiatives/",),
    "insights/capitalisation/initiatives.csv": ("capitalisation/initiatives.csv",),
    "insights/capitalisation/new/": ("capitalisation/initiatives/",),
    "insights/capitalisation/initiatives/<int:pk>/": ("capitalisation/initiatives/<int:pk>/",),
    "insights/capitalisation/initiatives/<int:pk>/remove/": ("capitalisation/initiatives/<int:pk>/",),
    "insights/capitalisation/periods/": ("capitalisation/periods/",),
    "insights/capitalisation/periods/new/": ("capitalisation/periods/",),
    "insights/capitalisation/periods/<int:pk>/": ("capitalisation/periods/<int:pk>/",),
    "insights/capitalisation/periods/<int:pk>/period.csv": ("capitalisation/periods/<int:pk>/period.csv",),
    "insights/capitalisation/periods/<int:pk>/edit/": ("capitalisation/periods/<int:pk>/",),
    "insights/capitalisation/periods/<int:pk>/approve/": ("capitalisation/periods/<int:pk>/approve/",),
    "insights/capitalisation/periods/<int:pk>/freeze/": ("capitalisation/periods/<int:pk>/freeze/",),
    "insights/capitalisation/periods/<int:pk>/remove/": ("capitalisation/periods/<int:pk>/",),
    "insights/ai/budgets/": ("budgets/",),
    "insights/ai/budgets/new/": ("budgets/", "writing-for/"),
    "insights/ai/budgets/<int:pk>/": ("budgets/<int:pk>/",),
    "insights/ai/budgets/<int:pk>/remove/": ("budgets/<int:pk>/",),
    "insights/ai/charge-back/": ("charge-back.csv",),
    "insights/ai/charge-back.csv": ("charge-back.csv",),
    "programs/alerts/": ("alert-rules/",),
    "programs/alerts/alerts.csv": ("alert-rules.csv",),
    "programs/alerts/new/": ("alert-rules/", "metrics/"),
    "programs/alerts/<int:pk>/": ("alert-rules/<int:pk>/",),
    "programs/alerts/<int:pk>/remove/": ("alert-rules/<int:pk>/",),
    **dict.fromkeys(
        ("programs/digests/", "programs/digests/<int:pk>/", "programs/digests/preview/<slug:rhythm>/"),
        ("(a digest is written to a person; its figures are those of metrics/, and its notice is in notices/)",),
    ),
    "insights/report/": ("report/",),
    "insights/report/report.md": ("report/",),
    "insights/report/present/": ("report/",),
    "insights/report/pdf/": ("report/",),
    "insights/report/freeze/": ("report/freeze/",),
    "insights/report/rewrite/": (
        "(a reader accepts sentence by sentence what a model wrote; the API tells the built-in text)",
    ),
    "account/notifications/": ("notifications/",),
    "account/notifications/unsubscribe/<str:token>/": (
        "(the link of a letter is its own way in, without signing in; notifications/ does the same with a token)",
    ),
}


PROGRAM = (
    *("programs/", "account/", "insights/ai/budgets/", "insights/ai/charge-back"),
    *("insights/allocation/rules", "insights/allocation/targets/", "insights/capitalisation/", "insights/report/"),
    "insights/findings/<int:pk>/comment/",
)


def test_every_page_of_the_program_has_its_api() -> None:
    known = set(routes(get_resolver()))
    pages = {route for route in known if route.startswith(PROGRAM)}
    assert set(PAGES) == pages
    for page, fields in PAGES.items():
        assert fields, page
        for route in fields:
            assert (route.startswith("(") and len(route) > 20) or API + route in known, f"{page}: {route}"


def test_what_a_page_stores_a_program_can_store() -> None:
    storing = {
        str(urlpattern.pattern)
        for urlpattern in urlpatterns
        if (view := urlpattern.callback)
        and {"post", "put", "patch", "delete"} & {*getattr(view, "actions", dir(getattr(view, "view_class", None)))}
    }
    for page in PAGES.keys() & POSTS.keys():
        assert storing & set(PAGES[page]) or all(fields.startswith("(") for fields in PAGES[page]), page


def test_every_route_of_the_programs_api_belongs_to_a_page() -> None:
    used = {route for fields in PAGES.values() for route in fields}
    assert {str(urlpattern.pattern) for urlpattern in urlpatterns} <= used


def test_the_openapi_document_is_valid_and_says_all_of_it(tmp_path: Path) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", file=str(tmp_path / "schema.yml"))
