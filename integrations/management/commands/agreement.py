"""`manage.py agreement`: a unit's working agreement."""

from __future__ import annotations

from datetime import time
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from core.commands import JsonCommand, day_argument
from integrations.delivery.agreements.agree import agree
from integrations.delivery.ownership.find import find_unit
from integrations.delivery.ownership.refusals import OwnershipRefusedError
from integrations.models.working_agreements import LONGEST_GRACE, LONGEST_REVIEW, TERMS

MOST_OF = {
    **{"most_lines": (1_000_000, "lines"), "review_hours": (LONGEST_REVIEW, "hours")},
    **{"link_window_hours": (32_767, "hours"), "rollout_gap_minutes": (32_767, "minutes")},
    "sprint_grace_days": (LONGEST_GRACE, "working days"),
}
YES_OR_NO = {
    "trunk": "trunk is yes if the unit works without pull requests, else no.",
    "marks_pull_requests": "marks_pull_requests is yes if pull requests that break the agreement get a label, else no.",
    "reminds_team": "reminds_team is yes if the team is notified of pull requests that break the agreement, else no.",
    "needs_work_item": "needs_work_item is yes if a pull request has to name its work item, else no.",
}


class Command(JsonCommand):
    help = (
        "Set what UNIT agrees on from a day on: what is a large pull request, when it is reviewed, what is a hotfix, "
        "whether it works without pull requests, when a sprint is committed, and so on. It holds for what the unit "
        "owns, and for units below it that set nothing themselves."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("unit", metavar="UNIT", help="Slug of the unit, as `manage.py units` lists it.")
        parser.add_argument(
            "words",
            metavar="KEY=VALUE",
            nargs="+",
            help=f"One of {', '.join(TERMS)}, with comma-separated values; none: no value of its own.",
        )
        parser.add_argument(
            "--from", dest="start", type=day_argument, metavar="DATE", help="First day; without it, all earlier days."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            unit = find_unit(options["unit"])
            agreement = agree(unit, dict(map(_word, options["words"])), start=options["start"])
        except OwnershipRefusedError as refusal:
            raise CommandError(str(refusal)) from None
        except ValidationError as refusal:
            raise CommandError(" ".join(refusal.messages)) from None
        agreed = {name: getattr(agreement, name) for name in TERMS}
        start = options["start"]
        listed = "; ".join(f"{name}: {_written(value)}" for name, value in agreed.items() if value is not None)
        self.print_result(
            options,
            {
                "unit": unit.slug,
                "from": start and start.isoformat(),
                **{name: _as_json(agreed[name]) for name in agreed},
            },
            [f"{unit} ({unit.slug}) agreed on {listed or 'nothing'}"],
        )


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value}" if isinstance(value, int | str | time) else ", ".join(map(str, value))


def _as_json(value: Any) -> Any:
    return f"{value:%H:%M}" if isinstance(value, time) else value


def _word(written: str) -> tuple[str, list[Any] | bool | int | str | time | None]:
    name, equals, value = written.partition("=")
    if not equals or name not in TERMS:
        raise CommandError(f"“{written[:60]}” is not valid. Write KEY=VALUE with a key of {', '.join(TERMS)}.")
    values = [item.strip() for item in value.split(",") if item.strip()]
    if name == "size_thresholds":
        if not all(item.isdecimal() and len(item) < 9 for item in values):
            raise CommandError("size_thresholds are numbers of lines, such as 50,200,400.")
        return name, [int(item) for item in values] or None
    if name in MOST_OF:
        most, noun = MOST_OF[name]
        if not (len(values) <= 1 and all(item.isdecimal() and int(item[:9]) <= most for item in values)):
            raise CommandError(f"{name} is a number of {noun}, at most {most}.")
        return name, int(values[0]) if values else None
    if name in ("work_starts_at", "work_ends_at"):
        try:
            return name, time.fromisoformat(values[0].zfill(5)) if values else None
        except ValueError:
            raise CommandError(f"{name} is a time of day, such as 08:30.") from None
    if name in YES_OR_NO:
        if values not in ([], ["yes"], ["no"]):
            raise CommandError(YES_OR_NO[name])
        return name, values == ["yes"] if values else None
    if name == "time_zone":
        return name, value.strip() or None
    return name, values or None
