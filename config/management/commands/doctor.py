"""`manage.py doctor [--json]`: diagnoses this installation."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.diagnosis import Finding, State, diagnose

MARKS = {State.RIGHT: "ok     ", State.NOTE: "note   ", State.WRONG: "WRONG  "}


class Command(BaseCommand):
    help = "Say what is right and wrong with this installation; exit code 1 when something is wrong."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = list(diagnose())
        if options["json"]:
            self.stdout.write(json.dumps([asdict(finding) for finding in findings], indent=2))
        else:
            self.stdout.writelines(line(finding) for finding in findings)
        if any(finding.state == State.WRONG for finding in findings):
            raise SystemExit(1)


def line(finding: Finding) -> str:
    return f"{MARKS[finding.state]}{finding.part:<12}{finding.sentence}\n"
