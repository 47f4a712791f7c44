"""`manage.py restore FILE`: a backup becomes this installation, which must be empty."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from config.backups import BackupError, restore
from config.launcher.errors import LaunchError
from core.commands import JsonCommand


class Command(JsonCommand):
    help = "Restore a backup into this installation, which must be empty, and bring it to this version."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path, help="What `manage.py backup` wrote.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            manifest = restore(options["file"])
        except (BackupError, LaunchError) as problem:
            raise CommandError(str(problem)) from None
        lines = [
            f"Restored the backup of {manifest.made_at}. Start Headway with `manage.py up`: pages read the database "
            "until the columns are built, and clones of repositories are fetched again.",
        ]
        if manifest.settings:
            lines.append(f"Set where it was made: {', '.join(manifest.settings)}.")
        self.print_result(options, {"made_at": manifest.made_at, "settings": manifest.settings}, lines)
