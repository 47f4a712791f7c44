"""`manage.py demo`: fills the running installation with a fictitious organisation."""

from __future__ import annotations

import json
from datetime import UTC
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from demo.load.begin import AnotherDemoError, RealDataError, begin_demo, year_of
from demo.load.personas import SignIn, open_demo_accounts
from demo.load.play import NoProgressError, Played, play_demo
from demo.load.tools import ToolsAwayError
from demo.plan.people import ORGANISATION_NAME
from demo.plan.pushing import PushRefusedError
from demo.plan.sending import ReceiverAwayError, ReceiverRefusedError
from demo.plan.stories import Flavour
from programs.models import DemoRun


class Command(BaseCommand):
    help = (
        "Fill the running installation with a fictitious organisation: 58 people, a year of agent sessions, sent "
        "through the receiver, their repositories, and simulated tools (GitHub, Jira, Jenkins and PagerDuty, or those "
        "of a flavour) that are synced. Run it again at any time; it changes nothing then."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seed", type=int, default=1, help="another number makes another year (default: 1)")
        parser.add_argument(
            "--flavour",
            choices=[flavour.value for flavour in Flavour],
            help="stories: with planted problems to find; quiet: without any; small-stories and small-quiet: the same "
            "in twelve weeks of few people; the others: the stories, read from the tools that they name (default: that "
            "of the demo that is there, else stories)",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON document; progress goes to stderr")

    def handle(self, *args: Any, **options: Any) -> None:
        out = self.stderr if options["json"] else self.stdout

        def report(sentence: str) -> None:
            out.write(sentence, self.style.NOTICE if options["json"] else None)
            out.flush()

        try:
            flavour = options["flavour"] or DemoRun.objects.values_list("flavour", flat=True).first()
            run = begin_demo(seed=options["seed"], flavour=Flavour(flavour or "stories"), now=timezone.now())
            sign_ins = open_demo_accounts()
            played = play_demo(run, base_url=settings.BASE_URL, report=report)
        except (
            AnotherDemoError,
            RealDataError,
            ReceiverRefusedError,
            ReceiverAwayError,
            ToolsAwayError,
            PushRefusedError,
            NoProgressError,
        ) as problem:
            raise CommandError(str(problem)) from problem
        if options["json"]:
            self.stdout.write(json.dumps(_document(run, played, sign_ins), indent=1))
        else:
            self._summarise(run, played, sign_ins)

    def _summarise(self, run: DemoRun, played: Played, sign_ins: list[SignIn]) -> None:
        people = len(year_of(run).people)
        if played.sent.requests:
            self.stdout.write(
                f"The demo is complete: {ORGANISATION_NAME}, {people} people, {played.sent.sessions:,} sessions, "
                f"{played.sent.records:,} records in {played.sending_seconds + played.waiting_seconds:.0f} s."
            )
        else:
            self.stdout.write(
                f"The demo has been complete since {played.completed_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC; "
                "nothing had to be sent."
            )
        self.stdout.write(f"  Page           {settings.BASE_URL}/insights/ai/")
        if settings.LOG_FORMAT == "json":  # what is printed ends in a log, where secrets don't belong
            self.stdout.write("  Sign-ins       manage.py demo --json")
            return
        for sign_in in sign_ins:
            self.stdout.write(f"  {sign_in.role:<14} {sign_in.email:<30} password  {sign_in.password}")


def _document(run: DemoRun, played: Played, sign_ins: list[SignIn]) -> dict[str, object]:
    return {
        "organisation": ORGANISATION_NAME,
        "seed": run.seed,
        "flavour": run.flavour,
        "anchor": run.anchor.astimezone(UTC).isoformat(),
        "completed_at": played.completed_at.astimezone(UTC).isoformat(),
        "people": len(year_of(run).people),
        "sent": {
            "requests": played.sent.requests,
            "sessions": played.sent.sessions,
            "records": played.sent.records,
            "rejected": played.sent.rejected,
            "sending_seconds": round(played.sending_seconds, 1),
            "waiting_seconds": round(played.waiting_seconds, 1),
        },
        "sign_ins": [
            {"role": sign_in.role, "email": sign_in.email, "password": sign_in.password} for sign_in in sign_ins
        ],
    }
