"""Gallery of all components in every state, with invented figures, as a reference for design and tests.

Staff only, linked from the admin index; reads no organisation data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, Literal

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from core.page_links import Picker
from insights.pages.rows import RowTable
from insights.ui.figure_table import Heading
from insights.ui.tiles import Change, ChartCard, Link, Tile

WEEKS = (
    "6 Jul", "13 Jul", "20 Jul", "27 Jul", "3 Aug", "10 Aug", "17 Aug",
    "24 Aug", "31 Aug", "7 Sep", "14 Sep", "21 Sep", "28 Sep",
)  # fmt: skip


@dataclass(frozen=True)
class Shown:
    """A tile in one state, with a caption and the CSS class that pins the state."""

    caption: str
    tile: Tile | None
    pinned: Literal["", "is-hover", "is-focus"] = ""


@dataclass(frozen=True)
class Outcome:
    key: str
    label: str
    amount: str
    percent: str
    start: float
    fraction: float


def for_staff(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Other users get 404."""

    @wraps(view)
    @login_required
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not (isinstance(request.user, User) and request.user.is_staff):
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


@require_safe
@for_staff
def component_states(request: HttpRequest) -> HttpResponse:
    return render(
        request,
        "components/states.html",
        {
            "shown_tiles": shown_tiles(),
            "shown_cards": shown_cards(),
            "changes": CHANGES,
            "agents": ("claude_code", "cursor", "copilot", "codex", "gemini", "none", "some_new_agent"),
            "bands": ((4, "Elite"), (3, "High"), (2, "Medium"), (1, "Low")),
            "options": (Picker("Week", "#", True), Picker("Month", "#", False), Picker("Quarter", "#", False)),
            "outcomes": OUTCOMES,
            "table": TABLE,
            "lines": LINES,
            "link": Link("Open the setup", "#"),
        },
    )


@require_safe
@for_staff
def panel_example(request: HttpRequest) -> HttpResponse:
    return render(request, "components/states_panel.html", {"table": TABLE})


@require_safe
@for_staff
def chart_example(request: HttpRequest, name: str) -> HttpResponse:
    if name == "broken":
        return JsonResponse({"detail": "The query took longer than 20 seconds."}, status=503)
    if name not in CHARTS:
        raise Http404
    return JsonResponse(CHARTS[name])


def shown_tiles() -> list[Shown]:
    panel = reverse("component_states_panel")
    rest = Tile(
        key="rest",
        label="PRs with AI assistance",
        value="46.8",
        unit="%",
        spark=(40, 39.4, 41.7, 42.9, 41.9, 42.6, 43.2, 43.9, 44.6, 48.3, 48.9, 46.6, 49.8),
        change=Change("up", "higher", "+7.9 pts", "vs. previous 90 days"),
        sample="1,934 of 4,132 PRs",
        how_url=panel,
        rows_url=panel,
    )
    nothing = replace(rest, value=None, state="no_data", reason="No agent sends session data for this unit yet.")
    hidden = replace(rest, value=None, state="hidden", reason="3 developers in this selection; 5 are needed.")
    failed = replace(rest, value=None, state="error", reason="This figure could not be computed.")
    return [
        Shown("Rest", rest),
        Shown("Hover or keyboard focus inside", rest, "is-hover"),
        Shown("Keyboard focus on the tile", rest, "is-focus"),
        Shown("Loading", None),
        Shown("No data", replace(nothing, reason_link=Link("Connect an agent", "#"))),
        Shown("Too small to show", replace(hidden, reason_link=Link("Widen the unit", "#"))),
        Shown("Error", replace(failed, reason_link=Link("Try again", "#"))),
        Shown("Stale", replace(rest, state="stale", reason="Data stops at 26 Sep")),
        Shown("To date, few data", replace(rest, to_date=True, sample="", note="Small sample: 3 of the 5 needed")),
    ]


def shown_cards() -> list[tuple[str, ChartCard]]:
    def card(key: str, title: str, kind: Literal["line", "area", "stacked_bar", "donut"], **fields: Any) -> ChartCard:
        fields = {"data_url": reverse("component_states_chart", args=[key]), "span": 4, **fields}
        panel = reverse("component_states_panel")
        return ChartCard(key=key, title=title, info="Invented figures", kind=kind, csv_url="#", how_url=panel, **fields)

    pickers = (Picker("Agents", "#", True), Picker("Models", "#", False))
    reset = Link("Clear work type", "#")
    return [
        ("Error, chart card", card("broken", "Cycle time", "line")),
        (
            "No data, chart card",
            card(
                "none",
                "Cycle time",
                "line",
                state="no_data",
                reason="Work type is set to Fix and no fixes were merged in this window.",
                reason_link=reset,
            ),
        ),
        (
            "Stale data",
            card(
                "agents",
                "Active users by agent",
                "line",
                state="stale",
                reason="Copilot data stops at 26 Sep. The last week is incomplete.",
            ),
        ),
        ("Area, one series", card("trend", "Weekly active users", "area")),
        ("Donut of people", card("adoption", "Developers using AI", "donut")),
        ("Donut with pickers", card("breakdown", "Spend breakdown", "donut", pickers=pickers)),
        ("Stacked bars, to date", card("spend", "Weekly spend by agent", "stacked_bar", span=8, pickers=pickers)),
        ("Comparison", card("compared", "Cycle time", "line", span=6)),
        ("Nothing to draw", card("empty", "Error rate", "line")),
        ("Outcomes", card("outcomes", "Spend by outcome", "stacked_bar", span=6, caveat="Pending settles in 72 h.")),
        ("Durations", card("durations", "Session duration", "line", span=6)),
    ]


CHANGES = (
    Change("up", "better", "+7.9 pts", ""),
    Change("down", "better", "−5.2 h", ""),
    Change("up", "worse", "+1.2 pts", ""),
    Change("down", "worse", "−1.9 pts", ""),
    Change("flat", "steady", "no change", ""),
    Change("up", "higher", "+4.7 pts", ""),
)

OUTCOMES = (
    Outcome("committed", "Committed", "$30,854", "64%", 0, 0.64),
    Outcome("wasted", "Wasted", "$9,642", "20%", 0.64, 0.2),
    Outcome("pending", "Pending", "$6,000", "12%", 0.84, 0.12),
    Outcome("unknown", "Unknown", "$1,714", "4%", 0.96, 0.04),
)

LINES = """{
  "env": {
    "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
    "OTEL_LOGS_EXPORTER": "otlp"
  }
}"""

TABLE = RowTable(
    caption="Lines by team and week, invented",
    headings=[
        Heading(label, "", "", number=label not in ("Week", "Team"), stick=label == "Week")
        for label in ("Week", "Team", "Lines", "From AI", "Share")
    ],
    rows=(
        ("7 Sep", "Payments", "3,020", "1,158", "38.3%"),
        ("14 Sep", "Platform", "2,655", "926", "34.9%"),
        ("21 Sep", "Checkout", "2,204", "671", "30.4%"),
        ("31 Aug", "Search", "2,140", "728", "34.0%"),
        ("7 Sep", "Mobile", "1,870", "431", "23.0%"),
        ("28 Sep", "Data", "1,318", "", ""),
    ),
    shown="6 of 6",
)


def _series(label: str, key: str, role: str, *values: float | None) -> dict[str, Any]:
    return {"label": label, "key": key, "role": role, "data": list(values)}


def _figures(kind: str, unit: str, *datasets: dict[str, Any], **fields: Any) -> dict[str, Any]:
    labels = list(WEEKS) if len(datasets[0]["data"]) == len(WEEKS) else ["Whole window"]
    return {
        "kind": kind,
        "unit": unit,
        "labels": labels,
        "datasets": list(datasets),
        "bucket": "week",
        "incomplete": [],
        "marks": [],
        "benchmarks": [],
        **fields,
    }


CHARTS: dict[str, dict[str, Any]] = {
    "agents": _figures(
        "line",
        "percent",
        _series("Claude Code", "claude_code", "agent", 31, 32, 33, 33, 35, 37, 39, 39, 43, 44, 46, 47, 46),
        _series("Cursor", "cursor", "agent", 12, 11.5, 13, 15, 16, 18, 20, 21, 23, 25, 26, 28, 27),
        _series("Copilot", "copilot", "agent", 36, 35, 34, 33, 32.5, 31, 31, 29, 28, 27, 24, 24, 24.5),
        _series("Codex", "codex", "agent", 6, 6.2, 7, 7.5, 8, 10, 10, 11.5, 12, 13, 15, 14.5, 15),
        _series("Gemini", "gemini", "agent", 5, 4.8, 5, 5.2, 5.3, 5.4, 5.4, 5.7, 5.7, 6, 6.4, 6.3, 6.2),
    ),
    "trend": _figures(
        "area",
        "percent",
        _series("Active", "all", "single", 63, 62, 65, 65, 66, 68, 69, 71, 74, 75, 76, 77, 77),
        marks=[{"index": 4, "text": "Pilot"}, {"index": 9, "text": "Seat cap lifted"}],
        benchmarks=[{"value": 72, "label": "Target 72%"}],
        incomplete=[{"index": 12, "words": "week to date"}],
    ),
    "adoption": _figures(
        "donut", "count", _series("Active", "active", "single", 148), _series("Not yet", "not_active", "single", 38)
    ),
    "breakdown": _figures(
        "donut",
        "currency",
        _series("Claude Code", "claude_code", "agent", 22200),
        _series("Cursor", "cursor", "agent", 10100),
        _series("Copilot", "copilot", "agent", 6700),
        _series("Codex", "codex", "agent", 5800),
        _series("Gemini", "gemini", "agent", 3400),
    ),
    "spend": _figures(
        "stacked_bar",
        "currency",
        _series(
            "Claude Code",
            "claude_code",
            "agent",
            1220,
            1230,
            1310,
            1290,
            1480,
            1620,
            1680,
            1790,
            1850,
            1950,
            2050,
            2110,
            1300,
        ),
        _series("Cursor", "cursor", "agent", 640, 640, 650, 700, 720, 750, 740, 760, 860, 900, 960, 940, 590),
        _series("Copilot", "copilot", "agent", 480, 500, 470, 480, 520, 500, 540, 510, 540, 560, 550, 540, 340),
        _series("Codex", "codex", "agent", 330, 340, 360, 350, 380, 400, 420, 430, 450, 470, 490, 480, 300),
        _series("Gemini", "gemini", "agent", 190, 180, 190, 200, 210, 200, 220, 230, 230, 240, 250, 250, 150),
        incomplete=[{"index": 12, "words": "week to date"}],
        benchmarks=[{"value": 4000, "label": "Weekly budget $4.0k"}],
    ),
    "outcomes": _figures(
        "stacked_bar",
        "currency",
        _series(
            "Committed", "committed", "outcome", 900, 950, 980, 990, 1050, 1100, 1120, 1150, 1200, 1250, 1280, 900, 0
        ),
        _series("Wasted", "wasted", "outcome", 300, 310, 290, 320, 340, 330, 350, 330, 320, 300, 310, 200, 0),
        _series("Pending", "pending", "outcome", 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 500, 900),
        _series("Unknown", "unknown", "outcome", 200, 190, 210, 200, 220, 230, 220, 240, 230, 250, 240, 260, 180),
    ),
    "durations": _figures(
        "line",
        "seconds",
        _series(
            "Mean", "mean", "sequence", 1900, 1850, 1980, 2100, None, None, 2250, 2200, 2300, 2350, 2300, 2400, 2380
        ),
        _series(
            "Median", "median", "sequence", 1400, 1380, 1410, 1500, None, None, 1580, 1600, 1620, 1600, 1650, 1700, 1690
        ),
        incomplete=[{"index": 12, "words": "week to date"}],
    ),
    "compared": _figures(
        "line",
        "seconds",
        _series(
            "Claude Code",
            "claude_code",
            "agent",
            *[hours * 3600 for hours in (9, 25, 26, 24, 25, 22, 24, 23, 24, 22, 21, 20, 12)],
        ),
        _series(
            "Gemini",
            "gemini",
            "agent",
            *[hours * 3600 for hours in (9, 30, 28, 260, 31, 30, 29, 28, 30, 29, 27, 26, 14)],
        ),
        {
            **_series(
                "Any agent",
                "any",
                "agent",
                *[hours * 3600 for hours in (9, 26, 26, 25, 25, 23, 24, 23, 24, 22, 21, 20, 12)],
            ),
            "picked": True,
        },
        _series(
            "Non-AI", "none", "agent", *[hours * 3600 for hours in (11, 31, 32, 30, 33, 31, 32, 33, 34, 32, 33, 32, 18)]
        ),
        incomplete=[{"index": 0, "words": "incomplete week"}, {"index": 12, "words": "week to date"}],
    ),
    "empty": _figures("line", "percent", _series("Failed", "all", "single", *[None] * len(WEEKS))),
}
