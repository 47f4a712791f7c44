"""Org Trees and the flat relation that says who stood where, when."""

from __future__ import annotations

from django.contrib.postgres.fields import DateRangeField
from django.db import models

from orgtree.models.people import Person


class OrgTree(models.Model):
    """One hierarchy over people."""

    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=80, unique=True)

    def __str__(self) -> str:
        return self.name


class Unit(models.Model):
    """A node of an Org Tree.  Its slug is unique over all trees and survives renames."""

    tree = models.ForeignKey(OrgTree, models.CASCADE, related_name="units")
    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=80, unique=True)

    def __str__(self) -> str:
        return self.name


class Placement(models.Model):
    """Person p counts for unit u during a range of local days: one row per unit on the path to the root.

    Published to the metric engine, which joins only this; rebuilt for the people whom a change touches.
    """

    tree = models.ForeignKey(OrgTree, models.CASCADE)
    person = models.ForeignKey(Person, models.CASCADE)
    unit = models.ForeignKey(Unit, models.CASCADE, related_name="+", help_text="The unit the person is a member of.")
    ancestor = models.ForeignKey(Unit, models.CASCADE, related_name="+", help_text="That unit, or one above it.")
    during = DateRangeField()

    class Meta:
        indexes = [models.Index(fields=["ancestor", "person"]), models.Index(fields=["person"])]
