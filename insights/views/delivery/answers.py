"""What the delivery page reads, where its addresses are, and how many facts stand behind a figure, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from insights import tiles, wording
from insights.filters import Filters
from insights.metrics.declarations import Ratio
from insights.metrics.query import Dimension, Figure
from insights.metrics.registry import get, metrics
from insights.views import answers
from insights.views.answers import Answers, FacetOffered, InsightsPage, Wanted
from orgtree.queries.surroundings import Surroundings

DELIVERY_PAGE = InsightsPage(
    "delivery",
    facets=(
        FacetOffered(Dimension.REPOSITORY, "pr.throughput", "PR", part="repositories"),
        FacetOffered(Dimension.WORK_TYPE, "pr.throughput", "PR", part="work_types"),
        FacetOffered(Dimension.AGENT, "pr.throughput", "PR", part="agents"),
    ),
)

# What one fact behind a figure is called, by the first word of the metric's key.
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
    "dora.lead_time": ("PR", "PRs"),
    "dora.recovery_time": ("failure", "failures"),
}


def read(filters: Filters, wanted: Iterable[Wanted], *, around: Surroundings | None = None) -> Answers:
    asked = list(wanted)
    known = {each.key for each in metrics()}
    found = answers.read(DELIVERY_PAGE, filters, [each for each in asked if each.key in known], around=around)
    some = next(iter(found.now.values()))
    none = replace(some, total=[replace(some.total[0], value=None, numerator=None, denominator=None, sample_size=0)])
    missing = [each for each in asked if each.key not in known]
    return replace(
        found,
        now={**found.now, **dict.fromkeys(missing, none)},
        earlier={**found.earlier, **dict.fromkeys(missing, none)},
    )


def declared(keys: Sequence[str]) -> tuple[str, ...]:
    known = {each.key for each in metrics()}
    return tuple(key for key in keys if key in known)


def compared(keys: Sequence[str]) -> tuple[Wanted, ...]:
    """Each of the metrics, with the window before."""
    return tuple(Wanted(key, compared=True) for key in keys)


def tile(found: Answers, key: str, *, label: str | None = None, band: tiles.Band | None = None) -> tiles.Tile:
    """The tile of a metric with what stands behind it: 90 of 1,116 deployments, 412 PRs · 12 left out."""
    return found.tile(key, label=label, sample=sample(found, key), band=band)


def sample(found: Answers, key: str) -> str:
    figure = found.figure(key)
    one, many = facts_named(key)
    if isinstance(get(key), Ratio) and figure.numerator is not None and get(key).unit == "percent":
        words = f"{_amount(figure.numerator)} of {_amount(figure.denominator or 0)}"
        words = f"{words} {many}" if _counts_facts(figure) else words
    else:
        words = wording.count(figure.sample_size, one, many)
    return f"{words} · {figure.left_out:,} left out" if figure.left_out else words


def facts_named(key: str) -> tuple[str, str]:
    """What one fact behind the metric is called, and several of them."""
    return OF_KEYS.get(key) or FACTS.get(key.partition(".")[0], ("fact", "facts"))


def _amount(value: float) -> str:
    return f"{value:,.0f}" if value < 100_000 else wording.compact(value)


def _counts_facts(figure: Figure) -> bool:
    """Whether what stands below the line is the facts themselves, not hours or lines of them."""
    return figure.denominator == figure.sample_size
