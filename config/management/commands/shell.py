"""`manage.py shell`, as in Django, except that code passed to it prints only its own output."""

from __future__ import annotations

from typing import Any

from django.core.management.commands import shell


class Command(shell.Command):
    def get_namespace(self, **options: Any) -> dict[str, Any]:
        """The shell's namespace, without Django's count of imported models: it would precede the JSON of programs that
        read `-c`.
        """
        if options.get("command"):
            options["verbosity"] = 0
        namespace: dict[str, Any] = super().get_namespace(**options)
        return namespace
