"""`manage.py units`: the units of the Org Trees as of today."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from orgtree.models import OrgTree
from orgtree.trees.units_as_of import units_as_of


class Command(BaseCommand):
    help = (
        "Lists the units of the Org Trees as they stand today, each before those below it. People are counted with "
        "everybody below. Archived trees only where --tree names them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tree", help="Slug of a tree; without it, all that are in use.")
        parser.add_argument("--json", action="store_true", help="As a JSON list instead of a table.")

    def handle(self, *args: Any, **options: Any) -> None:
        units = units_as_of(_trees(options["tree"]), on=timezone.localdate())
        if options["json"]:
            self.stdout.write(json.dumps([unit.document for unit in units], ensure_ascii=False, indent=1))
            return
        if not units:
            self.stdout.write("No units. Create an Org Tree at /orgtree/.")
        for unit in units:
            manager = f", {unit.manager_email}" if unit.manager_email else ""
            people = "1 person" if unit.people == 1 else f"{unit.people} people"
            self.stdout.write(f"{'  ' * unit.depth}{unit.name} ({unit.slug}): {people}{manager}")


def _trees(slug: str | None) -> list[OrgTree]:
    if slug is None:
        return list(OrgTree.objects.filter(archived_at=None).order_by("created_at", "pk"))
    trees = list(OrgTree.objects.filter(slug=slug))
    if not trees:
        known = ", ".join(OrgTree.objects.order_by("slug").values_list("slug", flat=True)) or "none yet"
        raise CommandError(f"There is no tree “{slug}”. Trees: {known}.")
    return trees
