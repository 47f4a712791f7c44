"""Links facts of the report to their sources: the metric's page with its rows, the finding, or the record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from django.conf import settings
from django.urls import reverse

from core.page_links import url_with
from insights.catalogue.lead_time_stages import STAGES
from insights.catalogue.registry import find
from insights.query.query import Statistic, Window
from orgtree.models import Unit
from programs.report.services.document import (
    BEFORE,
    Fact,
    ReportDocument,
    SourceKind,
)

YEAR = timedelta(days=365)
ROUTES = {"tickets": "tickets", "experiments": "experiments", "findings": "findings", "teams": "compare"}


class Links:
    """The links of a document, if the reader may open them; a printed one has none."""

    def __init__(self, document: ReportDocument, unit: Unit | None, *, is_printed: bool = False) -> None:
        self._document, self._is_printed = document, is_printed
        self._unit = unit.slug if unit else None

    def of(self, fact: Fact) -> str:
        """The link to the first source that can be opened; empty if there is none."""
        return next(filter(None, map(self.of_source, fact.sources)), "") if not self._is_printed else ""

    def of_whole(self, fact: Fact) -> str:
        """The link with the host, for use outside the product."""
        link = self.of(fact)
        return f"{settings.BASE_URL}{link}" if link else ""

    def of_source(self, source: str) -> str:
        kind, _, rest = source.partition(":")
        makers: Mapping[str, Callable[[str], str]] = {
            SourceKind.METRIC: self._of_metric,
            SourceKind.STAGE: self._of_stage,
            SourceKind.WEEKS: self._of_weeks,
            SourceKind.FINDING: lambda rest: url_with(reverse("findings"), {"finding": rest.partition(":")[0]}),
            SourceKind.DELIVERY: self._of_delivery,
            SourceKind.EXPERIMENT: lambda rest: reverse("experiment", args=[rest]),
            SourceKind.RECORDS: lambda rest: url_with(reverse(ROUTES[rest]), {"unit": self._unit}),
        }
        return makers[kind](rest)

    def _of_metric(self, rest: str) -> str:
        key, _, when = rest.rpartition(":")
        days = self._document.before if when == BEFORE else self._document.quarter
        return self._metric(key, days.window)

    def _of_stage(self, stage: str) -> str:
        return self._metric(STAGES[stage][0], self._document.quarter.window, statistic=Statistic.TRIMMED_MEAN)

    def _of_weeks(self, key: str) -> str:
        window = self._document.quarter.window
        return self._metric(key, Window(window.start - YEAR, window.end), granularity="week")

    def _of_delivery(self, rest: str) -> str:
        kind, _, key = rest.partition(":")
        return url_with(reverse("initiative"), {"kind": kind, "of": key})

    def _metric(self, key: str, window: Window, **more: object) -> str:
        if find(key) is None:
            return ""
        about = {"unit": self._unit, "from": window.start, "to": window.end, **more}
        return url_with(reverse("metric_page", args=[key]), about)
