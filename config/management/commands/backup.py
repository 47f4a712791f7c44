"""`manage.py backup FILE`: the database and the secrets of this installation in one file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from config.backups import BackupError, back_up
from core.commands import JsonCommand


class Command(JsonCommand):
    help = "Write the database and the secrets of this installation into one file, while it runs or not."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path, help="The file to write; an existing one is replaced.")

    def handle(self, *args: Any, **options: Any) -> None:
        file: Path = options["file"].absolute()
        try:
            manifest = back_up(file)
        except BackupError as problem:
            raise CommandError(str(problem)) from None
        size = file.stat().st_size
        lines = [
            f"Wrote {file}, {size:,} bytes, readable by your account alone. It holds the secrets that protect "
            "credentials: keep it as safe as the installation.",
        ]
        if manifest.settings:
            lines.append(f"Not in it, set again where you restore it: {', '.join(manifest.settings)}.")
        self.print_result(options, {"file": str(file), "bytes": size, "settings": manifest.settings}, lines)
