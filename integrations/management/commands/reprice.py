"""`manage.py reprice`: reprice requests by the current price book."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from core.commands import JsonCommand, day_argument
from integrations.models import Repricing
from integrations.telemetry.prices.queue import enqueue_repricing
from integrations.telemetry.sessions.reprice import reprice_waiting_rows


class Command(JsonCommand):
    help = "Reprice requests by the current overrides and price list."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--model", metavar="MODEL", action="extend", nargs="+", default=[])
        parser.add_argument("--from", metavar="DATE", dest="start", type=day_argument, help="the first day")
        parser.add_argument("--to", metavar="DATE", dest="end", type=day_argument, help="the day after the last")
        parser.add_argument("--wait", action="store_true", help="reprice now instead of in the background")

    def handle(self, *args: Any, **options: Any) -> None:
        first, after = options["start"], options["end"]
        if first and after and first >= after:
            raise CommandError("--to must lie after --from.")
        row = enqueue_repricing(
            Repricing.Cause.REQUESTED,
            "Requested by a command",
            models=options["model"] or None,
            day_from=first,
            day_to=after,
        )
        if options["wait"]:
            reprice_waiting_rows()
            row.refresh_from_db()
        line = "The worker reprices them within a minute."
        if options["wait"]:
            line = (
                f"Repriced {row.requests:,} requests, of which {row.changed:,} changed: "
                f"${row.spend_before:,.2f} before, ${row.spend_after:,.2f} after."
            )
        self.print_result(options, document(row), [line])


def document(row: Repricing) -> dict[str, Any]:
    return {
        "state": row.state,
        "requests": row.requests,
        "changed": row.changed,
        "spend_before": float(row.spend_before),
        "spend_after": float(row.spend_after),
    }
