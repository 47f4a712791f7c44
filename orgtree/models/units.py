"""Org Trees: units, their dated places and memberships, and the flat relations derived from them."""

from __future__ import annotations

from typing import Self

from django.contrib.postgres.fields import DateRangeField
from django.db import models
from django.db.models.functions import Now

from orgtree.models.exclusion import OneAtATime, not_empty
from orgtree.models.people import Attribute, Person
from orgtree.models.visibility import Viewer, Visibility, visibility_of


class TreeKind(models.TextChoices):
    """The source of a tree."""

    MANAGERS = "managers", "By manager"
    ATTRIBUTES = "attributes", "By attributes"
    HAND_BUILT = "hand_built", "Hand-built"


class OrgTree(models.Model):
    """A hierarchy of people.  Trees by manager or attributes are derived from people automatically."""

    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=80, unique=True)
    kind = models.CharField(max_length=20, choices=TreeKind.choices, default=TreeKind.HAND_BUILT)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    archived_at = models.DateTimeField(null=True, blank=True, help_text="Archived trees keep their history.")

    def __str__(self) -> str:
        return self.name


class TreeLevel(models.Model):
    """A level of a tree by attributes; position 0 is directly below the root."""

    tree = models.ForeignKey(OrgTree, models.CASCADE, related_name="levels")
    position = models.PositiveSmallIntegerField()
    attribute = models.ForeignKey(Attribute, models.PROTECT, related_name="+")

    class Meta:
        ordering = ("tree", "position")
        constraints = [
            models.UniqueConstraint(fields=["tree", "position"], name="tree_level_once"),
            models.UniqueConstraint(fields=["tree", "attribute"], name="tree_level_attribute_once"),
        ]


class UnitQuerySet(models.QuerySet["Unit"]):
    def visible_to(self, viewer: Viewer) -> Self:
        """Units whose aggregates the account may see today; others are not disclosed."""
        return self.within(visibility_of(viewer))

    def within(self, visibility: Visibility) -> Self:
        """Units in a visibility that was read already."""
        return self.all() if visibility.unit_ids is None else self.filter(pk__in=visibility.unit_ids)


class Unit(models.Model):
    """A node of an Org Tree.  Its slug is unique over all trees and survives renames.

    `key` identifies the unit in a derived tree; empty for the root and in hand-built trees.
    """

    tree = models.ForeignKey(OrgTree, models.CASCADE, related_name="units")
    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=80, unique=True)
    key = models.CharField(max_length=1000, blank=True, editable=False)
    leader = models.ForeignKey(
        Person, models.SET_NULL, null=True, blank=True, related_name="units_led", help_text="The current manager."
    )
    own_name = models.BooleanField(
        "named by hand",
        default=False,
        help_text="Whether the unit keeps its name when its manager or attribute is renamed.",
    )

    objects = UnitQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["tree", "key"])]

    def __str__(self) -> str:
        return self.name


class UnitPlace(models.Model):
    """The unit's dated parent; none for a root.  A unit without a place is not in the tree."""

    unit = models.ForeignKey(Unit, models.CASCADE, related_name="places")
    parent = models.ForeignKey(Unit, models.CASCADE, null=True, blank=True, related_name="child_places")
    during = DateRangeField()

    class Meta:
        constraints = [
            OneAtATime(of=("unit_id",), name="unit_in_one_place_at_a_time"),
            models.CheckConstraint(condition=not_empty("during"), name="unit_place_has_days"),
            models.CheckConstraint(
                condition=models.Q(parent=None) | ~models.Q(unit=models.F("parent")), name="no_unit_below_itself"
            ),
        ]


class Membership(models.Model):
    """A person's dated membership: one unit per tree at a time, so that nobody counts twice."""

    tree = models.ForeignKey(OrgTree, models.CASCADE, related_name="memberships")
    person = models.ForeignKey(Person, models.CASCADE, related_name="memberships")
    unit = models.ForeignKey(Unit, models.CASCADE, related_name="memberships")
    during = DateRangeField()

    class Meta:
        constraints = [
            OneAtATime(of=("tree_id", "person_id"), name="member_of_one_unit_at_a_time"),
            models.CheckConstraint(condition=not_empty("during"), name="membership_has_days"),
        ]


class Placement(models.Model):
    """Person p counts for unit u during a range of local days: one row per unit on the path to the root.

    Published to the metric engine, which joins only this; rebuilt from memberships, places of units and employment for
    the people whom a change affects (orgtree/trees/placements.py).

    No foreign keys: every row derives from rows that have them, and checking four more took half of an import's time.
    Deleting through models deletes placements too.
    """

    tree = models.ForeignKey(OrgTree, models.CASCADE, db_constraint=False, db_index=False)
    person = models.ForeignKey(Person, models.CASCADE, db_constraint=False, db_index=False)
    unit = models.ForeignKey(
        Unit,
        models.CASCADE,
        db_constraint=False,
        db_index=False,
        related_name="+",
        help_text="The unit the person is a member of.",
    )
    ancestor = models.ForeignKey(
        Unit,
        models.CASCADE,
        db_constraint=False,
        db_index=False,
        related_name="+",
        help_text="That unit or a unit above it.",
    )
    during = DateRangeField()

    class Meta:
        indexes = [
            models.Index(fields=["ancestor", "person"], include=["during"], name="placement_by_ancestor"),
            models.Index(fields=["person"]),
            # Each person once per day and tree, as pages count.
            models.Index(
                fields=["tree", "unit"],
                include=["person", "during"],
                condition=models.Q(unit=models.F("ancestor")),
                name="placement_of_members",
            ),
        ]


class UnitPeople(models.Model):
    """The people who have been in a unit: their number, and a digest.

    The digest is equal for units of the same people on the same days.  Units without people have no row.  Rebuilt with
    the placements.
    """

    unit = models.OneToOneField(
        Unit, models.CASCADE, primary_key=True, db_constraint=False, related_name="people_digest"
    )
    digest = models.CharField(max_length=64, db_index=True)
    people = models.PositiveIntegerField(default=0, db_default=0)


class UnitPlacement(models.Model):
    """Unit u is unit a or a descendant of it during a range of local days: one row per unit on the path to the root.

    Objects owned by a unit count for its ancestors.  Published to the metric engine like `Placement` and rebuilt with
    it.
    """

    tree = models.ForeignKey(OrgTree, models.CASCADE, db_constraint=False, db_index=False, related_name="+")
    unit = models.ForeignKey(Unit, models.CASCADE, db_constraint=False, db_index=False, related_name="+")
    ancestor = models.ForeignKey(Unit, models.CASCADE, db_constraint=False, db_index=False, related_name="+")
    during = DateRangeField()

    class Meta:
        indexes = [
            models.Index(fields=["unit"], name="unit_placement_by_unit"),
            models.Index(fields=["ancestor"], name="unit_placement_by_ancestor"),
        ]
