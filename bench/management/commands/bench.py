"""Measures this machine against the product's goals."""

from __future__ import annotations

import io
import json
import secrets
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import BaseCommand, CommandError, call_command
from django.test import Client

from bench.collector import collector
from bench.columns import columns, pages_during_refresh, pages_while_stale
from bench.delay import event_to_tile
from bench.delivery_facts import DeliverySize
from bench.facts import Size
from bench.figures import Measured, machine, machine_as_text, summary
from bench.filling import fill_once, generate_all_once
from bench.filters import filters
from bench.findings import findings, night_of_units
from bench.git_import import git_import
from bench.ingest import GOAL_ROWS, ROUNDS, small_requests, throughput
from bench.instance import BenchInstanceError, bench_instance
from bench.linking import relink
from bench.memory import idle_memory, web_memory
from bench.pages import addresses_of_both, pages, tabs
from bench.people_import import people_import
from bench.program import program_pages
from bench.program_rows import TICKETS
from bench.provider_sync import provider_sync
from bench.reminders import TICKETS as OVERDUE_TICKETS
from bench.reminders import plan_reminders
from bench.trees import trees

NAMES = (
    "memory",
    "delay",
    "throughput",
    "git-import",
    "collector",
    "provider-sync",
    "people-import",
    "reminders",
    "small-requests",
    "columns",
    "pages",
    "tabs",
    "filters",
    "refresh",
    "stale",
    "trees",
    "program",
    "web-memory",
    "findings-night",
    "relink",
    "findings",
)  # in this order: from the columns on the database is full
FULL = Size(people=10_000, units=1_000, weeks=104, sessions_per_week=2, commits_per_week=1)
QUICK = Size(people=500, units=50, weeks=26, sessions_per_week=2, commits_per_week=1)
QUICK_WEEKS = 2  # weeks of delivery, which has most rows


class Command(BaseCommand):
    help = "Measure speed and memory in an installation of its own, beside the goals and a limit of the same run."
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("names", nargs="*", metavar="NAME", help=f"what to measure: {', '.join(NAMES)} (all)")
        parser.add_argument("--quick", action="store_true", help="little data and few rounds: does it run at all?")
        parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
        parser.add_argument("--people", type=int, help=f"people of the organisation ({FULL.people})")
        parser.add_argument("--units", type=int, help=f"units of their hand-built tree ({FULL.units})")
        parser.add_argument("--weeks", type=int, help=f"weeks of facts and moves ({FULL.weeks})")
        parser.add_argument("--delivery-weeks", type=int, help="weeks of delivery (as many as of facts)")
        parser.add_argument(
            "--planning-only",
            action="store_true",
            help="fill what planning, allocation and capacity read: no telemetry, runs nor deployments",
        )
        parser.add_argument(
            "--sessions-per-week", type=int, help=f"sessions of each of them ({FULL.sessions_per_week})"
        )
        parser.add_argument(
            "--partition-rows", type=int, help=f"rows in the partition before the small requests ({GOAL_ROWS:,})"
        )
        parser.add_argument("--commits", type=int, help="commits of the repository for git-import (20,000)")
        parser.add_argument("--pull-requests", type=int, help="pull requests for provider-sync (50,000)")
        parser.add_argument(
            "--data-dir", type=Path, metavar="DIR", help="measure the installation in this folder, and leave it there"
        )
        parser.add_argument("--measure-here", action="store_true", help="fill and measure this very installation")

    def handle(self, *args: Any, **options: Any) -> None:
        names = options["names"] or list(NAMES)
        if unknown := sorted(set(names) - set(NAMES)):
            raise CommandError(f"Unknown: {', '.join(unknown)}. Choose from {', '.join(NAMES)}.")
        if not options["measure_here"]:
            _measure_in_own_instance(_words(names, options), options["data_dir"])
            return
        measurements = self._measurements(options)
        chosen = [measurements[name] for name in NAMES if name in names]
        if options["json"]:
            document = {
                "machine": machine(),
                "figures": [result.as_json() for measure in chosen for result in measure()],
            }
            self.stdout.write(json.dumps(document, ensure_ascii=False, indent=1))
            return
        self.stdout.write(machine_as_text(machine()) + "\n")
        figures: list[Measured] = []
        for measure in chosen:
            measured = measure()
            for figure in measured:
                self.stdout.write(figure.as_text())
            self.stdout.flush()
            figures += measured
        self.stdout.write("\n" + summary(figures))

    def _measurements(self, options: Mapping[str, Any]) -> Mapping[str, Callable[[], list[Measured]]]:
        quick = options["quick"]
        size = _size(QUICK if quick else FULL, options)
        delivery = DeliverySize(
            size.people,
            size.units,
            options["delivery_weeks"] or (QUICK_WEEKS if quick else size.weeks),
            planning_only=options["planning_only"],
        )
        conditions = f"{size.organisation if delivery.planning_only else size}, {delivery}"

        def filled(measure: Callable[[], list[Measured]]) -> Callable[[], list[Measured]]:
            def fill_and_measure() -> list[Measured]:
                fill_once(size, delivery)
                return measure()

            return fill_and_measure

        def of_columns() -> list[Measured]:
            generate_all_once(size, delivery)
            return columns(conditions)

        rounds = 3 if quick else 10
        rows = options["partition_rows"] or (20_000 if quick else GOAL_ROWS)
        return {
            "memory": idle_memory,
            "delay": lambda: event_to_tile(_token(), _session_cookie(), samples=3 if quick else 20),
            "throughput": lambda: throughput(_token(), requests=4 if quick else 50, rounds=3 if quick else ROUNDS),
            "git-import": lambda: git_import(commits=options["commits"] or (2_000 if quick else 20_000)),
            "collector": lambda: collector(histories=2 if quick else 20, rounds=5 if quick else 50),
            "provider-sync": lambda: provider_sync(pulls=options["pull_requests"] or (3_000 if quick else 50_000)),
            "people-import": lambda: people_import(size.organisation),
            "reminders": lambda: plan_reminders(size.organisation, tickets=500 if quick else OVERDUE_TICKETS),
            "small-requests": lambda: small_requests(_token(), requests=200 if quick else 8000, partition_rows=rows),
            "columns": of_columns,
            "pages": filled(lambda: pages(_session_cookie(), units=size.units, rounds=rounds, conditions=conditions)),
            "tabs": filled(lambda: tabs(_session_cookie(), units=size.units, conditions=conditions)),
            "filters": filled(lambda: filters(_session_cookie(), rounds=rounds, conditions=conditions)),
            "refresh": filled(
                lambda: [pages_during_refresh(_session_cookie(), addresses_of_both(size.units), rounds=rounds)]
            ),
            "stale": filled(
                lambda: [
                    pages_while_stale(
                        _session_cookie(),
                        _token(),
                        addresses_of_both(size.units),
                        rounds=rounds,
                        seconds=6 if quick else 60,
                    )
                ]
            ),
            "trees": lambda: trees(_session_cookie(), size=size, rounds=rounds),
            "program": lambda: program_pages(
                _session_cookie(),
                size=size.organisation,
                tickets=500 if quick else TICKETS,
                rounds=rounds,
            ),
            "web-memory": filled(lambda: web_memory(_session_cookie())),
            "findings-night": filled(lambda: night_of_units(size.units, conditions)),
            "relink": lambda: relink(delivery),
            "findings": lambda: findings(organisations=12 if quick else 200, quiet=2 if quick else 20),
        }


def _words(names: Sequence[str], options: Mapping[str, Any]) -> list[str]:
    """The command line that requests the same measurements, in the installation where it is run."""
    numbers = {
        "--people": options["people"],
        "--units": options["units"],
        "--weeks": options["weeks"],
        "--delivery-weeks": options["delivery_weeks"],
        "--sessions-per-week": options["sessions_per_week"],
        "--partition-rows": options["partition_rows"],
        "--commits": options["commits"],
        "--pull-requests": options["pull_requests"],
    }
    words = [word for name, number in numbers.items() if number for word in (name, str(number))]
    switches = {"--quick": options["quick"], "--json": options["json"], "--planning-only": options["planning_only"]}
    return [*names, *words, *(name for name, on in switches.items() if on), "--measure-here"]


def _size(usual: Size, options: Mapping[str, Any]) -> Size:
    """The usual size, with overrides from the command line."""
    chosen_sizes = {name: options[name] for name in ("people", "units", "weeks", "sessions_per_week") if options[name]}
    return replace(usual, **chosen_sizes)


def _measure_in_own_instance(words: Sequence[str], reusable: Path | None) -> None:
    """Run this command again in the environment of an installation made for it."""
    try:
        with bench_instance(reusable) as environment:
            command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "bench", *words]
            code = subprocess.run(command, env=dict(environment), check=False).returncode
    except BenchInstanceError as problem:
        raise CommandError(str(problem)) from problem
    if code:
        raise CommandError("The bench did not come to its end.", returncode=code)


def _token() -> str:
    output = io.StringIO()
    call_command("create_ingest_token", f"bench {secrets.token_hex(4)}", stdout=output)
    return output.getvalue().split()[-1]


def _session_cookie() -> str:
    """The session of a newly made admin, valid at the server because both read the same database."""
    user, _ = User.objects.get_or_create(
        username="bench@example.com", defaults={"email": "bench@example.com", "is_staff": True, "is_superuser": True}
    )
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client.cookies[settings.SESSION_COOKIE_NAME].value
