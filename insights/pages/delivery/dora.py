"""The bands of the five DORA metrics, and the DORA score."""

from __future__ import annotations

from typing import Any

from insights.benchmarks.quick_check import LATEST, peers_named
from insights.benchmarks.sets import chosen_set
from insights.catalogue.registry import get
from insights.engine.connected import NO_SOURCE_EVER
from insights.formulas.dora_score import BEST, SCORED, dora_score
from insights.pages.answers import Answers, compared
from insights.pages.delivery.tabs import DELIVERY_PAGE, DEPLOYMENT_DAYS, FIVE
from insights.pages.presenter import Shown, TemplateCard, shown_card
from insights.ui import tiles, wording
from insights.ui.bands import band, band_of_days, set_in_words
from insights.ui.cards import Card, Later, Section
from insights.ui.filters import STATISTIC

QUERIES = compared(*FIVE)
STEADY_POINTS = 0.05  # of 10: less is invisible at one decimal


def band_of(answers: Answers, key: str) -> tiles.Band | None:
    """The band of one of the five metrics in the organisation's set, or of deployment days."""
    if key == DEPLOYMENT_DAYS:
        return band_of_days(key, answers.figure(key))
    if key not in FIVE or answers.page.tab:
        return None
    published = chosen_set(answers.filters.access.organisation.benchmark_set)
    return band(published, key, answers.figure(key), answers.answer(key).query.statistic)


def lede_of(answers: Answers, section: Section) -> str:
    """The section's lede, with the name of the organisation's set."""
    return section.lede.format(published=chosen_set(answers.filters.access.organisation.benchmark_set).name)


def needs_card(answers: Answers, card: Card) -> Shown | None:
    """The card of missing inputs, if one of the five metrics lacks a source that was never connected."""
    lacks = any(answers.figure(key).reason in NO_SOURCE_EVER.values() for key in FIVE)
    return shown_card(card, answers) if lacks and isinstance(card, Later) else None


def score_card(answers: Answers, card: Card) -> TemplateCard:
    published = chosen_set(answers.filters.access.organisation.benchmark_set)
    score = {**_score(answers), "about_bands": set_in_words(published, list(FIVE))}
    return TemplateCard("dora-score", "insights/delivery/_score.html", score, 4)


def _score(answers: Answers) -> dict[str, Any]:
    """The scores of this and the previous window; none if a metric is missing."""
    figures = _by_their_own_statistic(answers)
    now = dora_score({key: figures.figure(key).value for key in SCORED})
    before = dora_score({key: figures.figure_before(key).value for key in SCORED})
    missing = [get(key).label.lower() for key in FIVE if figures.figure(key).value is None]
    hidden = any(figures.figure(key).withheld for key in FIVE)
    if now is None:
        why = "hidden or missing" if hidden else "missing"
        return {
            "missing": f"No score: {wording.listed(missing)} {'is' if len(missing) == 1 else 'are'} {why}.",
        }
    window = tiles.earlier(answers.filters.window, answers.filters.previous)
    moved = now.change_since(before) if before else {}
    peers = peers_named(answers.filters.access.organisation.peers)
    return {
        "value": f"{now.value:.1f}",
        "change": _change(now.value - before.value, window) if before else None,
        "parts": [
            {
                "label": get(part.key).label,
                "worth": f"{part.worth:.0f}" if part.worth == int(part.worth) else f"{part.worth:.1f}",
                "fraction": part.worth / BEST,
                # computed from the points shown, so that the score never moves while all its parts are unchanged
                "change": _change(moved[part.key] * len(SCORED), "") if part.key in moved else None,
            }
            for part in (next(c for c in now.contributions if c.key == key) for key in FIVE)
        ],
        "missing": "" if before else "No comparison: a metric has no value in the previous period.",
        "peers": f"{peers.name}: {peers.score:.1f} in DORA's Quick Check {LATEST} (CC BY 4.0).",
    }


def _by_their_own_statistic(answers: Answers) -> Answers:
    """The answers with medians, which the score uses regardless of the picked statistic."""
    if answers.filters.statistic is None:
        return answers
    return DELIVERY_PAGE.read(answers.filters.with_pick(STATISTIC, STATISTIC.default), QUERIES)


def _change(points: float, window: str) -> tiles.Change:
    is_up = points > 0
    judgement: tiles.Judgement = "steady" if abs(points) < STEADY_POINTS else "better" if is_up else "worse"
    return tiles.change_of(judgement, f"{abs(points):.1f}", is_up=is_up, comparison=window)
