"""Slugs of units and trees: readable, and never given twice."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection
from django.utils.text import slugify

from orgtree.models import OrgTree, Unit

LONGEST = 80
ROOM_FOR_A_NUMBER = 6


def free_slugs(model: type[OrgTree] | type[Unit], names: Sequence[str]) -> list[str]:
    """One slug for each name, none of them in use: platform, then platform-2.

    In the caller's transaction: until its end nobody else can choose slugs.
    """
    if not names:
        return []
    # Of a name in another script no letter is left; such units are numbered like any others.
    bases = [slugify(name)[: LONGEST - ROOM_FOR_A_NUMBER].strip("-_") or "unit" for name in names]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('orgtree slugs'))")
    taken = set(model.objects.values_list("slug", flat=True))
    numbers: dict[str, int] = {}
    found = []
    for base in bases:
        number = numbers.get(base, 1)
        while (slug := base if number == 1 else f"{base}-{number}") in taken:
            number += 1
        numbers[base] = number + 1
        taken.add(slug)
        found.append(slug)
    return found
