"""The page `/insights/ai/`: its filters and its sections."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from insights import windows, wording
from insights.filters import Filters, read_filters
from insights.metrics.query import Dimension
from insights.scope_access import access_in
from insights.views import pulse
from insights.views.ai import adoption, impact, leaderboard, lines, spend, usage
from insights.views.ai.answers import AI_PAGE, read
from insights.views.ai.unmatched import unmatched_sentence
from insights.views.answers import ReadByPage, Wanted, note_what_is_read
from insights.views.bad_filter import explains_bad_filters
from insights.views.connect import connect_first_agent
from insights.views.filter_bar import filter_bar
from insights.views.scope_bar import look_around, scope_words
from insights.views.units import AI_COLUMNS, unassigned_of_everybody, units_choice, units_of_everybody, units_part
from integrations.services.told_of import told_of

CHOICES = (
    *impact.CHOICES,
    adoption.OUT_OF,
    adoption.CODE_OF,
    adoption.CODE,
    spend.COST,
    spend.TREND,
    spend.BREAKDOWN,
    units_choice(AI_COLUMNS),
    leaderboard.RANKED_BY,
)


def read_by_its_parts(filters: Filters) -> tuple[Wanted, ...]:
    """What the page and its charts read; more of the same facts in one statement costs less than another one.

    Nothing for the home page, which reads some of it and knows none of its choices.
    """
    if adoption.OUT_OF.parameter not in filters.picked:
        return ()
    return (
        *_wanted(filters, has_seats=False),
        *(lines.wanted_by_charts(filters) if lines.of_work(filters) is filters else ()),
        Wanted("ai.active_share"),
        Wanted("ai.active_share_by_agent", Dimension.AGENT),
        Wanted("ai.lines_committed", Dimension(filters.picked[adoption.CODE.parameter])),
        Wanted("ai.spend", Dimension(filters.picked[spend.TREND.parameter])),
        Wanted("ai.spend", Dimension(filters.picked[spend.BREAKDOWN.parameter]), whole=True),
        Wanted("ai.tokens", Dimension.TOKEN_KIND),
        spend.BY_OUTCOME,
        *usage.FAILING_TOOLS_WANTED,
        *(offered.wanted for offered in AI_PAGE.facets),
    )


note_what_is_read(
    AI_PAGE,
    ReadByPage(
        read_by_its_parts,
        units_of_everybody(AI_COLUMNS),
        unassigned_of_everybody(AI_COLUMNS),
    ),
)


@login_required
@require_GET
@explains_bad_filters
def ai_page(request: HttpRequest) -> HttpResponseBase:
    mark = pulse.mark()
    filters = page_filters(request)
    around = look_around(request, filters)
    told = told_of()
    answers = read(filters, _wanted(filters, has_seats=told.seats), around=around)
    if answers.figure("ai.sessions").value is None and not (told.repositories or told.sessions):
        return connect_first_agent(request)
    context = {
        "pulse": mark,
        "filters": filters,
        "bar": filter_bar(answers, around),
        "whose": scope_words(filters, around),
        "units": units_part(request, filters, around, url=reverse("ai_units"), csv_url=reverse("ai_units_csv")),
        "unmatched": unmatched_sentence(filters, answers),
        "active_developers": wording.count(int(answers.figure("ai.active_developers").value or 0), "active developer"),
        "sections": [
            adoption.section(answers),
            impact.section(answers, has_repositories=told.repositories),
            spend.section(answers, has_seats=told.seats),
            usage.section(answers),
        ],
        "board": leaderboard.leaderboard_card(filters),
    }
    return render(request, "insights/ai.html", context)


def _wanted(filters: Filters, *, has_seats: bool) -> tuple[Wanted, ...]:
    return (
        *adoption.wanted(filters),
        *impact.wanted(filters),
        *spend.wanted(has_seats=has_seats),
        *usage.WANTED,
        *AI_PAGE.menus,
    )


def page_filters(request: HttpRequest) -> Filters:
    return read_filters(request.GET, today=windows.local_today(), access=access_in(request), choices=CHOICES)
