"""`manage.py shell`, as Django has it; code that is handed to it prints nothing but what it says itself."""

from __future__ import annotations

from typing import Any

from django.core.management.commands import shell


class Command(shell.Command):
    def get_namespace(self, **options: Any) -> dict[str, Any]:
        """Programs read the output of `-c`: Django's count of imported models would stand before their JSON."""
        if options.get("command"):
            options["verbosity"] = 0
        namespace: dict[str, Any] = super().get_namespace(**options)
        return namespace
