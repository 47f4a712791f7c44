"""`manage.py units`: the units of the Org Trees as of today."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from core.commands import JsonCommand
from orgtree.models import OrgTree
from orgtree.trees.units_as_of import UnitAsOf, units_as_of


class Command(JsonCommand):
    help = (
        "List the units of the Org Trees as of today, each before the units below it. People are counted with "
        "everybody below. Archived trees only if --tree names them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tree", help="Slug of a tree; without it, all that are in use.")

    def handle(self, *args: Any, **options: Any) -> None:
        units = units_as_of(_trees(options["tree"]), on=timezone.localdate())
        lines = map(_line, units) if units else ["No units. Create an Org Tree at /orgtree/."]
        self.print_result(options, [unit.document for unit in units], lines)


def _line(unit: UnitAsOf) -> str:
    manager = f", {unit.manager_email}" if unit.manager_email else ""
    people = "1 person" if unit.people == 1 else f"{unit.people} people"
    return f"{'  ' * unit.depth}{unit.name} ({unit.slug}): {people}{manager}"


def _trees(slug: str | None) -> list[OrgTree]:
    if slug is None:
        return list(OrgTree.objects.filter(archived_at=None).order_by("created_at", "pk"))
    trees = list(OrgTree.objects.filter(slug=slug))
    if not trees:
        known = ", ".join(OrgTree.objects.order_by("slug").values_list("slug", flat=True)) or "none yet"
        raise CommandError(f"There is no tree “{slug}”. Trees: {known}.")
    return trees
