"""Readable, unique slugs for units and trees."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.text import slugify

from core.locks import Lock
from orgtree.models import OrgTree, Unit

SLUGS = Lock("slugs")
LONGEST = 80
ROOM_FOR_A_NUMBER = 6


def free_slugs(model: type[OrgTree] | type[Unit], names: Sequence[str]) -> list[str]:
    """An unused slug for each name: platform, then platform-2.

    Takes a lock until the caller's transaction ends, so that nobody else can choose slugs meanwhile.
    """
    if not names:
        return []
    # slugify drops non-Latin scripts entirely; such units become unit, unit-2, …
    bases = [slugify(name)[: LONGEST - ROOM_FOR_A_NUMBER].strip("-_") or "unit" for name in names]
    SLUGS.hold()
    used = set(model.objects.values_list("slug", flat=True))
    numbers: dict[str, int] = {}
    slugs = []
    for base in bases:
        number = numbers.get(base, 1)
        while (slug := base if number == 1 else f"{base}-{number}") in used:
            number += 1
        numbers[base] = number + 1
        used.add(slug)
        slugs.append(slug)
    return slugs
