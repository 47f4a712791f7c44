"""API documents of people as of a day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from orgtree.models import Employment, Identity, IdentityKind, Person, PersonAttribute, Reporting
from orgtree.people_import.columns import KNOWN_ATTRIBUTES


def person_documents(people: Sequence[Person], *, on: date) -> list[dict[str, Any]]:
    """One document per person, in order, with four queries in total."""
    ids = [person.pk for person in people]
    values = _by_person(
        PersonAttribute.objects.filter(person__in=ids, during__contains=on).values_list(
            "person_id", "attribute__slug", "value"
        )
    )
    managers = dict(
        Reporting.objects.filter(person__in=ids, during__contains=on).values_list("person_id", "manager__email")
    )
    employments = dict(Employment.objects.filter(person__in=ids).order_by("during").values_list("person_id", "during"))
    names: dict[int, list[str]] = {}
    for identity in Identity.objects.filter(person__in=ids).order_by("kind", "provider", "value"):
        if identity.person_id is not None and identity.kind in (IdentityKind.EMAIL, IdentityKind.LOGIN):
            written = f"{identity.provider}:{identity.value}" if identity.provider else identity.value
            names.setdefault(identity.person_id, []).append(written)
    documents = []
    for person in people:
        attributes = values.get(person.pk, {})
        during = employments.get(person.pk)
        documents.append(
            {
                "id": str(person.public_id),
                "full_name": person.full_name,
                "email": person.email,
                "manager_email": managers.get(person.pk),
                **{slug: attributes.pop(slug, None) for slug in KNOWN_ATTRIBUTES},
                "identities": [name for name in names.get(person.pk, ()) if name != (person.email or "").lower()],
                "start": during.lower if during else None,
                "end": during.upper if during else None,
                "attributes": attributes,
            }
        )
    return documents


def _by_person(rows: Iterable[tuple[int, str, str]]) -> dict[int, dict[str, str]]:
    values: dict[int, dict[str, str]] = {}
    for person_id, slug, value in rows:
        values.setdefault(person_id, {})[slug] = value
    return values
