"""Columns of the list of people."""

from __future__ import annotations

from core.columns import columns_of
from orgtree.models import Person
from orgtree.people_import.columns import attribute_name

ATTRIBUTES = ("role", "team", "department", "site")  # slugs
COLUMNS = columns_of(
    Person,
    *("full_name", "email", *ATTRIBUTES, "manager"),
    labels={
        "full_name": "Name",
        "email": "E-mail",
        "manager": "Manager",
        **{slug: attribute_name(slug) for slug in ATTRIBUTES},
    },
)
