"""Labels of notes on charts: unit, days, and the charts that show them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.urls import reverse

from core.page_links import address, url_with
from insights.annotations.writing import may_annotate
from insights.catalogue.registry import metrics
from insights.models import Annotation
from insights.query.query import Window
from insights.ui import wording
from insights.ui.filters import Filters
from insights.ui.scope_bar import unit_name
from orgtree.access.who_sees import names_of

ABBREVIATIONS = frozenset({"ai", "ci", "dora", "pr", "wip"})  # families with an acronym as a name
EVERY_CHART = "Every chart"


def note_lines(annotations: Sequence[Annotation]) -> list[dict[str, Any]]:
    """Lines of annotations with their units and authors; two queries, regardless of their number."""
    names = names_of([annotation.written_by for annotation in annotations if annotation.written_by])
    return [
        {
            "text": annotation.text,
            "url": reverse("annotation", args=[annotation.pk]),
            "days": wording.days(Window(annotation.start, annotation.end)),
            "unit_name": place_name(annotation),
            "excuses": annotation.excuses,
            "about": about_words(annotation.about),
            "written": ", ".join(
                (
                    names[annotation.written_by_id],
                    wording.moment(annotation.changed_at or annotation.written_at),
                )
            ),
        }
        for annotation in annotations
    ]


def place_name(annotation: Annotation) -> str:
    """The unit or repository that the note is about."""
    return f"{annotation.repository} (repository)" if annotation.repository else unit_name(annotation.unit)


def about_words(about: str) -> str:
    """The charts that show a note: those of a metric, of a family, or all."""
    if not about:
        return EVERY_CHART
    name = next((metric.name for metric in metrics() if metric.key == about), "")
    return name or f"Every chart of {family_words(about)} metrics"


def family_words(family: str) -> str:
    return family.upper() if family in ABBREVIATIONS else family.replace("_", " ")


def note_url(filters: Filters, key: str) -> str:
    """The URL of the form for a note on a metric's chart; empty if the viewer may not, or without a unit."""
    scope = filters.scope
    if scope.person_id is not None or scope.unassigned is not None or not may_annotate(filters.access, scope.unit):
        return ""
    return url_with(address("annotation_new"), {"about": key, "unit": scope.unit})
