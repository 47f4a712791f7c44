"""Sections are data, and metrics word their own figures."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import date

import pytest

from insights.catalogue.registry import declared_metrics, find, get
from insights.pages.ai.page import AI
from insights.pages.answers import Tab
from insights.pages.delivery.page import DELIVERY
from insights.pages.tabs import TabbedPage
from insights.query.query import Dimension, MetricValue, Window
from insights.ui.cards import Section, Trend
from insights.ui.samples import OPTIONAL, PLACEHOLDER, named_beside, notes_of, sample_of

SECTIONS = (*AI.sections, *DELIVERY.sections)
PARTS = {"numerator", "denominator", "facts", "people"}


def figure(value: float, numerator: float, denominator: float, *, facts: int, people: int = 3) -> MetricValue:
    return MetricValue(
        Window(date(2026, 9, 6), date(2026, 11, 29)), {}, value, numerator, denominator, facts, people, None
    )


def beside(**values: float) -> dict[str, MetricValue]:
    return {f"ai.{name}": figure(value, value, 1, facts=1) for name, value in values.items()}


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.key)
def test_a_section_is_plain_data(section: Section) -> None:
    assert json.loads(json.dumps(asdict(section)))["title"] == section.title


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.key)
def test_a_section_names_declared_metrics(section: Section) -> None:
    for metric in section.figures:
        for key in [metric] if isinstance(metric, str) else metric.metrics.values():
            assert find(key), key


def test_cards_of_one_name_show_the_same_figures() -> None:
    """A chart of the other tab would be drawn in the card."""
    spend, by_agent = Trend("spend", "ai.spend"), Trend("spend", "ai.spend", by=Dimension.AGENT)

    def page(*cards: Trend) -> TabbedPage:
        tabs = {str(number): Tab("", [Section("spend", "Spend", "", (card,))]) for number, card in enumerate(cards)}
        return TabbedPage(replace(AI.page, tabs=tabs), AI.template)

    assert page(spend, replace(spend, title="Spend over time", span=12)).charts
    with pytest.raises(ValueError, match="named spend"):
        page(spend, by_agent)


def test_templates_name_parts_of_the_figure_and_declared_metrics() -> None:
    for metric in declared_metrics():
        for template in (metric.sample, *metric.notes):
            names = {name for _, name, _ in PLACEHOLDER.findall(template)}
            assert names <= PARTS | set(named_beside(metric)), metric.key
            assert not set("{}[]") & set(PLACEHOLDER.sub("", OPTIONAL.sub("", template))), metric.key
        assert all(find(key) for key in named_beside(metric)), metric.key


@pytest.mark.parametrize(
    ("key", "shown", "words"),
    [
        ("ai.error_rate", figure(18.2, 20, 110, facts=9), "20 of 110 tool calls"),
        ("ai.error_rate", figure(100, 1, 1, facts=1), "1 of 1 tool call"),
        ("ai.cache_hit_rate", figure(84, 1, 1_790_000_000, facts=9), "of 1.79B prompt tokens"),
        ("ai.enabled_repositories", figure(50, 1, 2, facts=2), "1 of 2 repositories"),
        ("ai.enabled_repositories", figure(100, 1, 1, facts=1), "1 of 1 repository"),
        ("ai.active_developers", figure(3, 3, 48, facts=9), "of 48 enrolled developers"),
        ("ai.active_developers", figure(0, 0, 0, facts=0), ""),
        ("ai.adoption_of_licensed", figure(25, 12, 48, facts=12), "12 of 48 developers with a seat used it"),
        ("ai.adoption_of_licensed", figure(0, 0, 1, facts=0), "0 of 1 developer with a seat used it"),
        ("ai.adoption_of_licensed", figure(0, 0, 0, facts=0), ""),
        ("ai.session_duration", figure(1080, 1, 1, facts=4013), "4,013 sessions"),
        ("flow.efficiency", figure(89.8, 293_000_000, 326_000_000, facts=443), "443 items"),
        ("ci.wait_per_pull_request", figure(480, 480, 752, facts=752), "752 PRs"),
        ("pr.cycle_time", figure(1080, 1080, 412, facts=412), "412 PRs"),
        ("dora.change_failure_rate", figure(8, 90, 1116, facts=1116), "90 of 1,116 deployments"),
        ("branch.stale_count", figure(2, 2, 2, facts=2), "2 branches"),
        ("review.given_per_developer", figure(2, 9, 3, facts=9, people=1), "1 developer"),
    ],
)
def test_a_metric_words_its_sample(key: str, shown: MetricValue, words: str) -> None:
    assert sample_of(get(key), shown, lambda _key: None) == words


def test_what_is_left_out_is_counted_with_the_sample() -> None:
    shown = replace(figure(1080, 1080, 412, facts=412), left_out=12)
    assert sample_of(get("pr.cycle_time"), shown, lambda _key: None) == "412 PRs · 12 excluded"


def test_a_sample_says_the_value_of_another_metric_where_it_is_known() -> None:
    metric, shown = get("ai.session_duration"), figure(1080, 1, 1, facts=1)
    assert sample_of(metric, shown, beside(session_span=1260).get) == "1 session · open for 21 min"


@pytest.mark.parametrize(
    ("key", "other", "value", "notes"),
    [
        ("ai.sessions", "requests_without_session", 1, ["excludes 1 request without a session id"]),
        ("ai.sessions", "requests_without_session", 1200, ["excludes 1,200 requests without a session id"]),
        ("ai.sessions", "requests_without_session", 0, []),
        ("ai.spend", "unpriced_tokens", 12_300, ["excludes 12.3k tokens without a price"]),
        ("ai.tokens", "tokens_in_both_channels", 88.7, ["11.3% in one of events and metrics alone"]),
        ("ai.tokens", "tokens_in_both_channels", 0, ["100.0% in one of events and metrics alone"]),
        ("ai.tokens", "tokens_in_both_channels", 100, []),
    ],
)
def test_a_note_is_there_where_something_is_left_out(key: str, other: str, value: float, notes: list[str]) -> None:
    shown = figure(10, 10, 10, facts=10)
    assert notes_of(get(key), shown, beside(**{other: value}).get) == notes
    assert notes_of(get(key), shown, lambda _key: None) == []
