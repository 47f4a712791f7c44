"""The delivery page: its facets, how it reads its figures, and the samples behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from django.urls import reverse

from insights.catalogue.declarations import PerPersonAndPeriod, Ratio
from insights.catalogue.registry import get
from insights.engine.connected import OWNS_NOTHING
from insights.pages.answers import Answers, InsightsPage, OfferedFacet, Tab, facts_of
from insights.query.query import Dimension, MetricValue
from insights.ui import tiles, wording

DELIVERY_PAGE = InsightsPage(
    "delivery",
    tabs={
        "": Tab("Overview"),
        "lead-time": Tab("Lead time", holds="lead-time slowest"),
        "efficiency": Tab("Efficiency", holds="efficiency"),
        "quality": Tab("Quality", holds="quality"),
        "hygiene": Tab("Hygiene", holds="hygiene"),
    },
    facets=(
        OfferedFacet(Dimension.REPOSITORY, "pr.throughput", "PR", part="repositories"),
        OfferedFacet(Dimension.SERVICE, "dora.deployment_frequency", "deployment", part="services", amount=facts_of),
        OfferedFacet(Dimension.WORK_TYPE, "pr.throughput", "PR", part="work_types"),
        OfferedFacet(Dimension.SIZE_CLASS, "pr.throughput", "PR", part="sizes"),
        OfferedFacet(Dimension.AGENT, "pr.throughput", "PR", part="agents"),
    ),
)

# The noun of one fact, by the first part of the metric's key.
FACTS: Mapping[str, tuple[str, str]] = {
    "dora": ("deployment", "deployments"),
    "delivery": ("PR", "PRs"),
    "pr": ("PR", "PRs"),
    "review": ("review", "reviews"),
    "incident": ("incident", "incidents"),
    "issue": ("item", "items"),
    "flow": ("item", "items"),
    "wip": ("item", "items"),
    "work": ("item", "items"),
    "bug": ("item", "items"),
    "backlog": ("item", "items"),
    "ci": ("run", "runs"),
    "commit": ("commit", "commits"),
    "code": ("line", "lines"),
    "branch": ("branch", "branches"),
}
OF_KEYS: Mapping[str, tuple[str, str]] = {
    "dora.deployment_days": ("day", "days"),
    "dora.lead_time": ("change", "changes"),
    "dora.recovery_time": ("failure", "failures"),
    "incident.count_per_deployment": ("deployment", "deployments"),
}


def tile(page_answers: Answers, key: str, *, label: str | None = None, band: tiles.Band | None = None) -> tiles.Tile:
    """The tile of a metric with its sample: 90 of 1,116, or 412 PRs · 12 left out."""
    made = page_answers.tile(key, label=label, sample=_sample(page_answers.figure(key), key, noun=False), band=band)
    if made.reason == OWNS_NOTHING:
        return replace(made, reason_link=tiles.Link("Open ownership", reverse("ownership")))
    return made


def line(page_answers: Answers, key: str, *, band: tiles.Band | None = None) -> tiles.Tile:
    """The same for a table row, which has room for the noun: 90 of 1,116 deployments."""
    return page_answers.tile(key, sample=_sample(page_answers.figure(key), key, noun=True), band=band)


def _sample(figure: MetricValue, key: str, *, noun: bool) -> str:
    """The sample of the figure, and the number of facts left out for lack of the measured value."""
    metric, (one, many) = get(key), OF_KEYS.get(key) or FACTS[key.partition(".")[0]]
    if isinstance(metric, PerPersonAndPeriod):
        words = wording.count(figure.people, "developer")
    elif isinstance(metric, Ratio) and metric.unit == "percent" and figure.numerator is not None:
        above, below = figure.numerator, figure.denominator or 0
        words = f"{_amount(above)} {'for' if above > below else 'of'} {_amount(below)}"
        words = f"{words} {many}" if noun and below == figure.sample_size else words
    else:
        words = wording.count(figure.sample_size, one, many)
    return f"{words} · {figure.left_out:,} left out" if figure.left_out else words


def _amount(value: float) -> str:
    return f"{value:,.0f}" if value < 100_000 else wording.compact(value)
