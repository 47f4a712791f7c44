"""The day of a change on the charts of its metric, so that readers of the line see where a change was found."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from django.urls import reverse

from core.page_links import url_with
from insights.findings.detectors import BY_KEY, CHANGE, MOVE
from insights.models import Finding
from insights.query.query import Query, Window
from insights.ui.charts import ChartData, Mark
from orgtree.access.access import Access

FOUND, AFTER_MOVE = "Change found", "Change found with a reorganisation"


def with_findings(chart: ChartData, access: Access) -> ChartData:
    """The chart with the open changes of its metric and unit; charts of people, or of a part of the facts, have
    none.
    """
    query = chart.query
    if query is None or not chart.days or not _is_of_all_facts(query):
        return chart
    found = Finding.objects.within(access.visibility).open().filter(metric=query.key, repository="")
    own = found.filter(unit__slug=query.scope.unit) if query.scope.unit else found.filter(unit=None)
    marks = [
        Mark.on(
            chart.days,
            FOUND if BY_KEY[one.detector].kind == CHANGE else AFTER_MOVE,
            Window(one.since, one.since + timedelta(days=1)),
            url_with(reverse("findings"), {"finding": one.pk}),
        )
        for one in own.filter(since__gte=query.window.start, since__lt=query.window.end).order_by("since")
        if one.detector in BY_KEY and BY_KEY[one.detector].kind in {CHANGE, MOVE}
    ]
    return replace(chart, marks=[*chart.marks, *marks]) if marks else chart


def _is_of_all_facts(query: Query) -> bool:
    scope = query.scope
    return scope.person_id is None and scope.unassigned is None and not scope.where and not query.facets
