"""Hints from the rules of metrics for a window's figures, and the rules in words.

A hint suggests a closer look; it is not a finding.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from core.page_links import address
from insights.catalogue.registry import declared_metrics, get
from insights.catalogue.rules import POINTS, Condition, Figures, Rule
from insights.ui import wording
from insights.ui.filters import Filters
from insights.ui.tiles import Link

PLACEHOLDER = re.compile(r"\{([a-z_.]+)}")
OBSERVATION = re.compile(r": |\. (?=[A-Z])")  # where a sentence goes on to its meaning


@dataclass(frozen=True)
class Hint:
    """An observation, its possible meaning, and the link that checks it."""

    text: str
    link: Link

    @property
    def brief(self) -> Hint:
        """The observation alone, without its meaning."""
        return replace(self, text=f"{OBSERVATION.split(self.text, maxsplit=1)[0].removesuffix('.')}.")


def metrics_of_rules(keys: Iterable[str]) -> tuple[str, ...]:
    """The keys of all metrics that the rules of these metrics look at."""
    looked_at = (looked for key in keys for rule in get(key).look_for for looked in rule.metrics)
    return tuple(dict.fromkeys(looked_at))


def hints_of(keys: Iterable[str], figures: Figures, filters: Filters) -> list[Hint]:
    """The hints of these metrics: for each, the first rule that holds."""
    held = (rule_that_holds(key, figures) for key in dict.fromkeys(keys))
    return [Hint(sentence(rule, figures), _link(rule, filters)) for rule in held if rule]


def rule_that_holds(key: str, figures: Figures) -> Rule | None:
    """The first of the metric's rules that holds."""
    return next((rule for rule in get(key).look_for if rule.holds(figures)), None)


def sentence(rule: Rule, figures: Figures) -> str:
    """The rule's sentence for these figures."""
    return PLACEHOLDER.sub(lambda found: _printed(found[1], rule, figures), rule.says)


def _link(rule: Rule, filters: Filters) -> Link:
    label, route, arguments, picks = rule.check
    return Link(label, filters.url(address(route, *arguments), **dict(picks)))


def _printed(name: str, rule: Rule, figures: Figures) -> str:
    if "." in name:
        figure = figures.now(name)
        return "" if figure is None or figure.value is None else str(wording.reading(figure.value, get(name).unit))
    if name in figures.printed:
        return figures.printed[name]
    condition = next(condition for condition in rule.when if condition.name == name)
    number = condition.number(figures) or 0.0
    if condition.unit == POINTS:
        return wording.difference(number, "percent")
    return wording.percent_of(number, 1) if number < 1 else f"{number:.0%}"


def condition_in_words(condition: Condition) -> str:
    """The condition in words, such as: Pickup time at least 4.0 h; at least 20 PRs; Spend up by at least 25% since the
    window before
    """
    moves = condition.name in ("rise", "points")
    words = condition.words.replace("{bounds}", " and ".join(_bounds(condition, "up by " if moves else "")))
    named = PLACEHOLDER.sub(lambda found: get(found[1]).name, words)
    return f"{named} since the window before" if moves else named


def _bounds(condition: Condition, direction: str) -> Iterator[str]:
    for words, bound in (
        (f"{direction}at least", condition.lowest),
        ("below", condition.under),
        (f"{direction}at most", condition.highest),
        ("up or down by at most", condition.most_either_way),
    ):
        if bound is not None:
            yield f"{words} {_bound(bound, condition.unit)}"


def _bound(bound: float, unit: str) -> str:
    match unit:
        case "":
            return f"{bound:,.0f}"
        case "fraction":
            return f"{bound:.0%}"
        case "points":
            return f"{bound:g} points"
        case _:
            return str(wording.reading(bound, get(unit).unit))


def rule_in_words(rule: Rule) -> str:
    """The rule as a sentence, If …, then …, with … in place of figures."""
    conditions = "; ".join(map(condition_in_words, rule.when))
    return f"If {conditions}: “{PLACEHOLDER.sub('…', rule.says)}”"


def table_of_rules() -> str:
    """The rules of all metrics as a Markdown table, for docs/reference/what-to-look-for.md."""
    lines = ["| metric | if | says | check |", "|---|---|---|---|"]
    for metric in declared_metrics():
        for rule in metric.look_for:
            conditions = "; ".join(map(condition_in_words, rule.when))
            lines.append(f"| {metric.name} | {conditions} | {PLACEHOLDER.sub('…', rule.says)} | {rule.check.label} |")
    return "\n".join(lines) + "\n"
