"""`manage.py units`."""

from __future__ import annotations

import io
import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from orgtree.models import Person, TreeKind, Unit
from orgtree.trees.trees import archive_tree, create_tree
from orgtree.trees.units import add_unit, move_person, remove_unit, set_leader

pytestmark = pytest.mark.django_db


def test_units_are_listed_with_everybody_below() -> None:
    tree = create_tree("Engineering", TreeKind.HAND_BUILT)
    root = Unit.objects.get(slug="engineering")
    search = add_unit(root, "Search")
    gone = add_unit(root, "Gone")
    remove_unit(gone, timezone.localdate() - timedelta(days=1))
    ada = Person.objects.create(full_name="Ada", email="ada@example.com")
    grace = Person.objects.create(full_name="Grace", email="grace@example.com")
    move_person(ada, root)
    move_person(grace, search)
    set_leader(root, ada)
    expected = [
        {
            "slug": "engineering",
            "name": "Engineering",
            "tree": "engineering",
            "parent": None,
            "manager": "ada@example.com",
            "people": 2,
        },
        {
            "slug": "search",
            "name": "Search",
            "tree": "engineering",
            "parent": "engineering",
            "manager": None,
            "people": 1,
        },
    ]
    assert json.loads(units("--json")) == expected
    archive_tree(tree)
    assert json.loads(units("--json")) == []
    assert json.loads(units("--json", "--tree", "engineering")) == expected
    assert "  Search (search): 1 person" in units("--tree", "engineering")


def test_an_unknown_tree_is_named_with_those_there_are() -> None:
    create_tree("Engineering", TreeKind.HAND_BUILT)
    with pytest.raises(CommandError, match=r"no tree “sites”\. Trees: engineering"):
        units("--tree", "sites")


def units(*options: str) -> str:
    output = io.StringIO()
    call_command("units", *options, stdout=output)
    return output.getvalue()
