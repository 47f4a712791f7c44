"""Bands of lines, as of a short while ago where reading them took long."""

from __future__ import annotations

from dataclasses import astuple

from insights.formulas.bands import Reach
from insights.metrics.bands import Bands, read_bands
from insights.metrics.kept_answers import kept, question_of
from insights.metrics.query import MetricQuery

FORMAT = 1  # another one where they would be computed in another way


def bands(query: MetricQuery, line: str) -> Bands:
    """As `read_bands`."""

    def computed() -> dict[str, list[tuple[float, ...] | None]]:
        found = read_bands(query, line)
        return {name: [astuple(each) if each else None for each in reaches] for name, reaches in found.items()}

    answer, _ = kept(question_of(query, "bands", FORMAT, line), computed)
    return {name: [Reach(*each) if each else None for each in reaches] for name, reaches in answer.items()}
