"""The connection in a command's --connection option."""

from __future__ import annotations

from django.core.management.base import CommandError
from django.db.models import Q

from integrations.models import Connection


def chosen_connection(named: str) -> Connection:
    """The connection with this number or name.  Raises CommandError with the existing ones."""
    condition = Q(name=named) | Q(pk=int(named)) if named.isdecimal() else Q(name=named)
    connection = Connection.objects.filter(condition).first()
    if connection is None:
        known = ", ".join(f"{pk} {name}" for pk, name in Connection.objects.order_by("pk").values_list("pk", "name"))
        raise CommandError(f"There is no connection {named!r}. There is: {known or 'none yet'}.")
    return connection
