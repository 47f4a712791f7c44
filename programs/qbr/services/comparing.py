"""Compares the figures of a business review with those of an earlier one and with today's; and writes them as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from core.csv_export import Cell
from insights.catalogue.registry import find
from orgtree.access.access import Access
from orgtree.models import Unit
from programs.closing.services.figures import Figure
from programs.closing.services.restated import RecordedValue, Restated, restated_values
from programs.key_results.services.reading import metric_query
from programs.qbr.services.document import QbrDocument

HEADS = (
    *("section", "metric", "name", "unit_of_measure", "statistic", "version", "value", "sample_size", "people"),
    *("before", "before_sample_size", "threshold", "target", "restated", "reason"),
)


@dataclass(frozen=True)
class ComparedFigure:
    """The same metric in two reviews; None if one of them does not have it."""

    section: str
    figure: Figure  # by its current name, else by its former one
    now: Figure | None
    earlier: Figure | None

    @property
    def is_of_another_formula(self) -> bool:
        return bool(self.now and self.earlier and self.now.version != self.earlier.version)


def compare_figures(now: QbrDocument, earlier: QbrDocument) -> Sequence[ComparedFigure]:
    """Compares figures in the current order of sections, then those only in the earlier document; each metric once."""
    compared: dict[str, ComparedFigure] = {}
    for document in (now, earlier):
        for section in document.sections:
            for figure in document.figures_of(section):
                compared.setdefault(
                    figure.metric,
                    ComparedFigure(
                        section.name, figure, now.figures.get(figure.metric), earlier.figures.get(figure.metric)
                    ),
                )
    return list(compared.values())


def restated_figures(document: QbrDocument, access: Access) -> Mapping[str, Restated]:
    """Maps metrics to restated figures; empty for drafts, removed units, and figures hidden from the viewer."""
    if document.frozen_at is None:
        return {}
    slug = None
    if document.unit is not None:
        slug = Unit.objects.filter(pk=document.unit.id).values_list("slug", flat=True).first()
        if slug is None or not access.visibility.can_see(document.unit.id):
            return {}
    elif not access.visibility.whole:
        return {}
    shown = {figure.metric: figure for section in document.sections for figure in document.figures_of(section)}
    recorded = {
        key: RecordedValue(
            metric_query(key, figure.statistic, slug, document.period.window),
            metric.version,
            figure.now.value,
            figure.now.people,
        )
        for key, figure in shown.items()
        if not figure.now.hidden and (metric := find(key)) and figure.statistic in ("", *metric.statistics)
    }
    restated = zip(recorded, restated_values(list(recorded.values()), access), strict=True)
    return {key: value for key, value in restated if value is not None}


def figure_rows(document: QbrDocument, restated: Mapping[str, Restated]) -> Iterator[Sequence[Cell]]:
    """The rows of the CSV file, header first; values as stored, empty if there is none."""
    yield HEADS
    for section in document.sections:
        for figure in document.figures_of(section):
            today = restated.get(figure.metric)
            yield (
                section.key,
                figure.metric,
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
