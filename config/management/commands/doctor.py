"""`manage.py doctor [--json]`: diagnoses this installation."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from config.diagnosis import Finding, State, diagnose
from core.commands import JsonCommand

MARKS = {State.RIGHT: "ok     ", State.NOTE: "note   ", State.WRONG: "WRONG  "}


class Command(JsonCommand):
    help = "Say what is right and wrong with this installation; exit code 1 when something is wrong."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        findings = list(diagnose())
        self.print_result(options, [asdict(finding) for finding in findings], map(line, findings))
        if any(finding.state == State.WRONG for finding in findings):
            raise SystemExit(1)


def line(finding: Finding) -> str:
    return f"{MARKS[finding.state]}{finding.part:<12}{finding.sentence}"
