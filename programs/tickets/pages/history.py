"""The history of a ticket, for pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.edit_conflicts import Difference
from insights.catalogue.registry import find
from insights.pages.annotations.labels import GONE
from insights.ui.wording import moment
from programs.history.events import PULL_REQUESTS, WATCHERS, Changed, Value
from programs.history.labels import HistoryLine, author_words, value_words
from programs.tickets.services.history import FIELDS, TicketChange

LINK_FIELDS = {PULL_REQUESTS: "Pull request", WATCHERS: "Watching"}


def history_lines(
    changes: Sequence[TicketChange], names: Mapping[int, str], pull_requests: Mapping[int, str]
) -> list[HistoryLine]:
    """In their order; `names` are those of accounts, `pull_requests` those that the viewer may see."""
    return [
        HistoryLine(
            author_words(ticket_change.by, names),
            moment(ticket_change.at),
            ["Created"] if ticket_change.is_first else [],
            [_difference(change, names, pull_requests) for change in ticket_change.changes],
        )
        for ticket_change in changes
    ]


def _difference(change: Changed, names: Mapping[int, str], pull_requests: Mapping[int, str]) -> Difference:
    column = FIELDS.get(change.field)

    def words(value: Value) -> str:
        if change.field == WATCHERS and isinstance(value, int):
            return names.get(value, GONE)
        if change.field == PULL_REQUESTS and isinstance(value, int):
            return pull_requests[value]
        if change.field == "metric" and isinstance(value, str) and value:
            metric = find(value)
            return metric.name if metric else value
        return value_words(change.field, value, column.choices if column and column.choices else {})

    label = column.label if column else LINK_FIELDS[change.field]
    return Difference(label, words(change.before), words(change.after))
