"""`manage.py reprice`: price requests anew by the price book of now."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from integrations.models import Repricing
from integrations.telemetry.prices.queue import enqueue_repricing
from integrations.telemetry.sessions.reprice import reprice_waiting_rows


class Command(BaseCommand):
    help = "Price requests anew, by the overrides and the price list of now."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--model", metavar="MODEL", action="extend", nargs="+", default=[])
        parser.add_argument("--from", metavar="DATE", dest="start", default="", help="the first day")
        parser.add_argument("--to", metavar="DATE", dest="end", default="", help="the day after the last")
        parser.add_argument("--wait", action="store_true", help="do it at once")
        parser.add_argument("--json", action="store_true", help="one JSON document and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        first, after = _day(options["start"]), _day(options["end"])
        if first and after and first >= after:
            raise CommandError("--to must lie after --from.")
        row = enqueue_repricing(
            Repricing.Cause.REQUESTED,
            "Asked for by a command",
            models=options["model"] or None,
            day_from=first,
            day_to=after,
        )
        if options["wait"]:
            reprice_waiting_rows()
            row.refresh_from_db()
        if options["json"]:
            self.stdout.write(json.dumps(document(row)))
        elif options["wait"]:
            self.stdout.write(
                f"Looked at {row.requests:,} requests, {row.changed:,} of them changed: "
                f"${row.spend_before:,.2f} before, ${row.spend_after:,.2f} after."
            )
        else:
            self.stdout.write("The worker does it within a minute.")


def document(row: Repricing) -> dict[str, Any]:
    return {
        "state": row.state,
        "requests": row.requests,
        "changed": row.changed,
        "spend_before": float(row.spend_before),
        "spend_after": float(row.spend_after),
    }


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CommandError(f"“{text}” is no day. Write it as 2026-01-31.") from None
