"""The log of experiments of a unit and all units below it, and the experiments that a finding suggested."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from core.csv_export import Cell
from core.page_links import url_with
from insights.models import Finding
from insights.query.windows import local_today
from insights.ui.offers import OfferedSection
from orgtree.access.access import Access
from programs.experiments.pages.labels import ExperimentLine, experiment_lines
from programs.experiments.queries import RELATED, ExperimentFilters, experiment_rows
from programs.models import Experiment, Ticket
from programs.requests.list_pages import UnitList
from programs.tickets.pages.page import TicketCard


class Experiments(UnitList):
    plural = "experiments"
    filters = ExperimentFilters
    template_name = "programs/experiments/list.html"
    card = "programs/experiments/_table.html"
    has_file = True

    def rows(self, records: Iterable[Experiment]) -> list[ExperimentLine]:
        return experiment_lines(records, self.access, self.today)

    def file_rows(self, records: QuerySet[Experiment]) -> Iterable[Sequence[Cell]]:
        return experiment_rows(records, self.access)

    def context(self) -> dict[str, Any]:
        return {
            **super().context(),
            "may_write": self.access.visibility.leads_any,
            "new_url": url_with(reverse("experiment_new"), {"unit": self.unit}),
            "pilot_url": url_with(reverse("experiment_new"), {"unit": self.unit, "pilot": "1"}),
        }


def experiments_of_finding(finding: Finding, access: Access) -> OfferedSection | None:
    """The experiments that the finding suggested, and a button for another; None if there is neither."""
    context = _beside("finding", finding, access)
    return OfferedSection("programs/experiments/_of_finding.html", context) if any(context.values()) else None


def experiments_of_ticket(ticket: Ticket, access: Access) -> TicketCard | None:
    """The experiments of the ticket, and a button for another; None if there is neither."""
    context = _beside("ticket", ticket, access)
    return TicketCard("programs/experiments/_of_ticket.html", context) if any(context.values()) else None


def _beside(name: str, record: Finding | Ticket, access: Access) -> dict[str, Any]:
    seen = Experiment.objects.within(access.visibility).filter(**{name: record.pk}).select_related(*RELATED)
    may_write = access.visibility.leads(record.unit_id)
    return {
        "lines": experiment_lines(seen, access, local_today()),
        "new_url": url_with(reverse("experiment_new"), {name: record.pk}) if may_write else "",
    }
