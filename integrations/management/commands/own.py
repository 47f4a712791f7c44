"""`manage.py own`: the owning unit of a repository, service, project or board."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from core.commands import JsonCommand, day_argument
from integrations.delivery.ownership.find import find_owned, find_unit
from integrations.delivery.ownership.give import own
from integrations.delivery.ownership.proposals import confirm_proposed
from integrations.delivery.ownership.refusals import OwnershipRefusedError
from orgtree.models import OrgTree


class Command(JsonCommand):
    help = (
        "Make UNIT the owner of RESOURCE: a repository, service, project or board. What runs on it counts for the unit "
        "and for the units above it, on these days. An earlier owner in the unit's Org Tree loses these days."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "resource",
            nargs="?",
            metavar="RESOURCE",
            help="Its name, acme/shop; with its kind if the name is ambiguous: service:shop, project:SHOP.",
        )
        parser.add_argument("unit", nargs="?", metavar="UNIT", help="Slug of the unit, as `manage.py units` lists it.")
        parser.add_argument(
            "--from", dest="start", type=day_argument, metavar="DATE", help="First day; without it, all earlier days."
        )
        parser.add_argument(
            "--to",
            dest="end",
            type=day_argument,
            metavar="DATE",
            help="The first day after the ownership ends; without it, the ownership has no end.",
        )
        parser.add_argument(
            "--confirm-proposed",
            action="store_true",
            help="Confirm all proposed owners where none is set, instead of naming one.",
        )
        parser.add_argument("--tree", metavar="SLUG", help="Only in this Org Tree, instead of every tree in use.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["confirm_proposed"]:
            self._confirm_proposed(options)
        elif options["tree"]:
            raise CommandError("--tree needs --confirm-proposed: a unit is in one tree anyway.")
        elif not options["unit"]:
            raise CommandError("Name RESOURCE and UNIT, or --confirm-proposed.")
        else:
            self._own(options)

    def _own(self, options: dict[str, Any]) -> None:
        start, end = options["start"], options["end"]
        try:
            owned, unit = find_owned(options["resource"]), find_unit(options["unit"])
            changed = own(owned, unit, start=start, end=end)
        except OwnershipRefusedError as refusal:
            raise CommandError(str(refusal)) from None
        document = {
            "kind": owned.kind,
            "name": str(owned),
            "unit": unit.slug,
            "tree": unit.tree.slug,
            "from": start and start.isoformat(),
            "to": end and end.isoformat(),
            "changed": changed,
        }
        days = "".join(f" {word} {day}" for word, day in (("from", start), ("until", end)) if day)
        verb = "owns" if changed else "already owned"
        line = f"{unit} ({unit.slug}) {verb} {owned.get_kind_display().lower()} {owned}{days}"
        self.print_result(options, document, [line])

    def _confirm_proposed(self, options: dict[str, Any]) -> None:
        if any(options[name] for name in ("resource", "start", "end")):
            raise CommandError("--confirm-proposed takes no RESOURCE, UNIT or days: proposals bring their own.")
        trees = OrgTree.objects.filter(archived_at=None)
        if options["tree"]:
            trees = trees.filter(slug=options["tree"])
            if not trees:
                raise CommandError(f"No tree in use has the slug “{options['tree'][:80]}”.")
        confirmed = confirm_proposed(trees, by=None)
        lines = [f"Confirmed {confirmed.confirmed:,} proposed owners."]
        if confirmed.left:
            lines.append(f"Left {confirmed.left:,} for which only the top of a tree is proposed: name their owners.")
        self.print_result(options, {"confirmed": confirmed.confirmed, "left": confirmed.left}, lines)
