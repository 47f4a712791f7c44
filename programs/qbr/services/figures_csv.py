"""The figures of a business review as rows of a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from core.csv_export import Cell
from programs.closing.services.restated import Restated
from programs.qbr.services.reading import QbrDocument

HEADS = (
    *("section", "metric", "name", "unit_of_measure", "statistic", "version", "value", "sample_size", "people"),
    *("before", "before_sample_size", "threshold", "target", "restated", "reason"),
)


def figure_rows(document: QbrDocument, restated: Mapping[str, Restated]) -> Iterator[Sequence[Cell]]:
    """Heads first; values as they are stored, empty where there is none."""
    yield HEADS
    for section in document.sections:
        for figure in section.figures:
            today = restated.get(figure.key)
            yield (
                section.key,
                figure.key,
                figure.name,
                figure.unit,
                figure.statistic,
                figure.version,
                figure.now.value,
                figure.now.sample_size,
                figure.now.people,
                figure.before.value,
                figure.before.sample_size,
                figure.threshold,
                figure.target,
                today.figure.value if today and today.figure else None,
                figure.now.reason,
            )
