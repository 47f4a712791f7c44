"""`manage.py up`: lists the command in `help`; manage.py itself runs it, because the supervisor needs no Django."""

from __future__ import annotations

import os
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    help = "Run web, worker, beat and the embedded database in the foreground until Ctrl-C."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--demo", action="store_true", help="fill the installation with a made-up organisation")

    def handle(self, *args: Any, demo: bool, **options: Any) -> None:
        from config import environment

        manage = os.fspath(environment.PROJECT_DIR / "manage.py")
        os.execv(sys.executable, [sys.executable, manage, "up", *(["--demo"] if demo else [])])  # noqa: S606  # the same process, without Django
