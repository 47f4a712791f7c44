"""Repositories by spend, as the engine answers: for the page and for the section of the AI page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import reverse

from core.csv_export import Cell
from insights.pages.answers import Answers, PageQuery
from insights.pages.drill import NAMELESS
from insights.query.query import Dimension
from insights.ui import tiles, wording
from insights.ui.filters import Filters

SPEND, ABANDONED = "ai.spend", "ai.spend_abandoned"
BY_REPOSITORY = tuple(PageQuery(key, Dimension.REPOSITORY, whole=True) for key in (SPEND, ABANDONED))
UNKNOWN_REPOSITORY = "Unknown repository"


@dataclass(frozen=True)
class RepositoryLine:
    """`fraction` is the share of all that are shown, for its bar; `abandoned` is None where it is withheld."""

    name: str  # empty where it is unknown
    url: str
    spend: float
    share: str
    fraction: float
    abandoned: float | None
    sessions: int

    @property
    def label(self) -> str:
        return self.name or UNKNOWN_REPOSITORY

    @property
    def spend_in_words(self) -> str:
        return wording.money(self.spend)

    @property
    def abandoned_in_words(self) -> str:
        return "hidden" if self.abandoned is None else wording.money(self.abandoned)


def repository_lines(answers: Answers, filters: Filters) -> list[RepositoryLine]:
    """The greatest first; `filters` are those of their links."""
    known = answers.split(SPEND, Dimension.REPOSITORY)
    abandoned = tiles.by_segment(answers.answer(ABANDONED, Dimension.REPOSITORY), Dimension.REPOSITORY)
    whole = sum(figure.value or 0.0 for figure in known.values())
    lines = []
    for name, figure in known.items():
        spend, given_up = figure.value or 0.0, abandoned.get(name)
        is_known = name not in ("", NAMELESS)
        lines.append(
            RepositoryLine(
                name=name if is_known else "",
                url=filters.url(reverse("ai_costs"), repository=name) if is_known else "",
                spend=spend,
                share=wording.percent_of(spend, whole),
                fraction=spend / whole if whole else 0.0,
                abandoned=None if given_up and given_up.withheld else (given_up and given_up.value) or 0.0,
                sessions=figure.sample_size,
            )
        )
    return lines


def hidden_repositories(answers: Answers) -> str:
    """How many are left out, as a sentence; empty where none is."""
    hidden = answers.left_out(SPEND, Dimension.REPOSITORY)
    if not hidden:
        return ""
    return f"{wording.count(hidden, 'repository', 'repositories')} hidden because of few people."


def csv_lines(lines: list[RepositoryLine]) -> Iterator[list[Cell]]:
    yield ["Repository", "Spend (USD)", "Abandoned (USD)", "Sessions"]
    for line in lines:
        yield [line.label, line.spend, line.abandoned, line.sessions]
