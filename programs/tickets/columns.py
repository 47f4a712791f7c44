"""Columns of lists of tickets: of the CSV file, which the import reads, and of the page's table."""

from __future__ import annotations

from core.columns import Columns, columns_of
from programs.models import Ticket

COLUMNS = columns_of(
    Ticket,
    *("number", "nature", "title", "resolution", "kind", "unit", "owner", "starts_on", "due_on", "completed_on"),
    *("state", "dropped_why", "metric", "objective", "pull_requests", "effort", "effect"),
    labels={"number": "Number", "dropped_why": "Why it was dropped", "unit": "Unit", "effect": "Before → after"},
    sorts={
        "due": "due_on",
        "title": "title",
        "owner": "owner__full_name",
        "completed": "completed_on",
        "unit": "unit__name",
    },
)
FILE = Columns(column for column in COLUMNS if column.name != "effect")
TABLE = COLUMNS.named("title", "resolution", "owner", "due_on", "completed_on", "effect", "unit", "effort")
PAGE = COLUMNS.named("starts_on", "effort")  # of a ticket's own page: what is shown as it is, between owner and due day
