"""People confirmed by a source other than telemetry, who count towards the minimum group size."""

from __future__ import annotations

from collections.abc import Collection


def confirm(emails: Collection[str]) -> None:
    """As an import that lists them would."""
    from orgtree.models import Person

    Person.objects.filter(email__in=emails).update(found_in_data=False)
