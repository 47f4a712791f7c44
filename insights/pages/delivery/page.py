"""The page `/insights/delivery/`: its declaration, its view and its parts.

Without JavaScript, links open its parts as pages.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from insights.catalogue.registry import get
from insights.pages.answers import Answers
from insights.pages.delivery import dora, lead_time
from insights.pages.delivery.tabs import DELIVERY_PAGE, FIVE
from insights.pages.integrations.needs import need_lines
from insights.pages.presenter import Additions, OwnCard, Verdict, movement
from insights.pages.tabs import OpenTab, TabbedPage
from insights.pages.units import DELIVERY_COLUMNS
from insights.ui import wording
from insights.ui.filters import STATISTIC, Filters
from integrations.delivery.completeness import completeness


def _more(_request: HttpRequest, opened: OpenTab) -> dict[str, Any]:
    answers = opened.answers
    return {
        "statistics": answers.pickers(STATISTIC),
        "compare_url": replace(answers.filters, choices=(STATISTIC,)).url(reverse("compare")),
    }


def _verdict(answers: Answers) -> Verdict | None:
    """A sentence on the movement of the figures, the bottleneck, and the metrics that miss their thresholds; None
    without any.
    """
    moved, held = movement(answers, FIVE), lead_time.callout(answers)
    missed = [
        metric.label.lower()
        for metric in map(get, FIVE)
        if (agreed := answers.tile(metric.key).agreed) is not None and agreed.reached == "neither"
    ]
    rest = [f"{held.headline}."] if held else []
    if missed:
        rest.append(f"Off target: {wording.listed(missed)}.")
    lead, *rest = [sentence for sentence in (moved, *rest) if sentence] or [""]
    return Verdict(lead, " ".join(rest)) if lead else None


def _needs(filters: Filters) -> dict[str, Any]:
    """The missing inputs of DORA, regardless of the filters."""
    for_admin = bool(getattr(filters.access.viewer, "is_staff", False))
    return {"title": "Missing DORA inputs", "needs": need_lines(completeness(), timezone.now(), for_admin=for_admin)}


DELIVERY = TabbedPage(
    DELIVERY_PAGE,
    "insights/delivery/delivery.html",
    DELIVERY_COLUMNS,
    own=Additions(
        cards={
            "stages_now": OwnCard(
                lead_time.stages_card, lambda _filters: lead_time.QUERIES, table=lead_time.stages_table
            ),
            "stages": OwnCard(lead_time.over_time_card, chart=lead_time.stages_over_time),
            "dora_score": OwnCard(dora.score_card),
            "dora_needs": OwnCard(dora.needs_card, part=_needs),
        },
        band_of=dora.band_of,
        lede_of=dora.lede_of,
    ),
    own_choices=(STATISTIC,),
    verdict=_verdict,
    more=_more,
)
