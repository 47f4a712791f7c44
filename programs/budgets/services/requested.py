"""Parameters of budgets and charge-back, as pages and API take them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from programs.budgets.services.charge_back import default_months, months_between
from programs.budgets.services.months import read_month, this_month


def requested_month(params: Mapping[str, str]) -> date:
    """`month`, by default this one.  Raises FieldError."""
    written = params.get("month", "")
    return read_month("month", written) if written else this_month()


def requested_months(params: Mapping[str, str]) -> Sequence[date]:
    """`from` and `to`, inclusive; by default the last month and this one.  Raises FieldError."""
    first, last = default_months()
    start, end = params.get("from", ""), params.get("to", "")
    last = read_month("to", end) if end else last
    first = read_month("from", start) if start else min(first, last)
    return months_between(first, last)
