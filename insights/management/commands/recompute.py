"""`manage.py recompute`: rebuilds the columnar copy of the facts."""

from __future__ import annotations

import math
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from core.commands import JsonCommand
from insights.catalogue.registry import get
from insights.columns.refresh import refresh
from insights.columns.stale import mark_for_recompute
from insights.columns.tasks import refresh as refresh_columns
from insights.query.errors import QueryError
from insights.query.parameters import Parameters
from insights.query.query import Window


class Command(JsonCommand):
    help = "Build the columns anew: in the background, or with --wait here and now."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--metric", metavar="KEY", action="extend", nargs="+", default=[])
        parser.add_argument("--from", metavar="DATE", dest="start", default="")
        parser.add_argument("--to", metavar="DATE", dest="end", default="", help="the day after the last")
        parser.add_argument("--wait", action="store_true", help="build in this process and say how much it was")

    def handle(self, *args: object, **options: Any) -> None:
        try:
            only = [get(key) for key in options["metric"]]
            days = _days(options["start"], options["end"])
        except QueryError as problem:
            raise CommandError(f"{problem.field}: {problem.message}") from problem
        mark_for_recompute(only, days)
        if options["wait"]:
            partitions = refresh(math.inf)
            self.print_result(options, {"partitions": partitions}, [f"{partitions:,} partitions built."])
            return
        refresh_columns.delay()
        self.print_result(options, {"queued": True}, ["The background builds them anew."])


def _days(start: str, end: str) -> Window | None:
    """The requested days; None: all."""
    if not start and not end:
        return None
    window = Parameters(start=start or "2000-01-01", end=end).window()
    if window.days <= 0:
        raise QueryError("to", "The window is empty: `to` is the first day that no longer belongs to it.")
    return window
