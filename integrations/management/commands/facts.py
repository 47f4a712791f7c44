"""Counts the stored facts."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from core.commands import JsonCommand
from integrations.facts.counts import count_facts
from integrations.management.chosen import chosen_connection


class Command(JsonCommand):
    help = "Count the stored facts by kind and state."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--connection", metavar="N", help="Only the facts of this connection, by number or name.")

    def handle(self, *args: Any, **options: Any) -> None:
        named = options["connection"]
        facts = count_facts(chosen_connection(named) if named is not None else None)
        self.print_result(options, facts, (f"{kind}  {_in_words(counts)}" for kind, counts in facts.items()))


def _in_words(counts: Any) -> str:
    if not isinstance(counts, dict):
        return str(counts)
    total, *others = counts.items()
    parts = {key: value for name, value in others for key, value in _parts(name, value)}
    words = ", ".join(f"{value} {key.replace('_', ' ')}" for key, value in parts.items() if value)
    return f"{total[1]} ({words})" if words else str(total[1])


def _parts(name: str, value: Any) -> list[tuple[str, int]]:
    return list(value.items()) if isinstance(value, dict) else [(name, value)]
