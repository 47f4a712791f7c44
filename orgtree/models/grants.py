"""Roles granted to accounts, in addition to those that follow from Org Trees."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import DateRangeField
from django.db import models
from django.db.models.functions import Now

from orgtree.models.exclusion import not_empty
from orgtree.models.roles import Role
from orgtree.models.units import Unit


class Grant(models.Model):
    """A dated role of an account.  Leaders of units are managers without a grant."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="grants")
    role = models.CharField(max_length=20, choices=Role.choices)
    unit = models.ForeignKey(
        Unit, models.CASCADE, null=True, blank=True, related_name="grants", help_text="For managers only."
    )
    during = DateRangeField()
    reason = models.CharField(max_length=200, blank=True)
    granted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    granted_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=not_empty("during"), name="grant_has_days"),
            models.CheckConstraint(
                condition=models.Q(role="manager", unit__isnull=False)
                | (~models.Q(role="manager") & models.Q(unit=None)),
                name="managers_have_a_unit",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} as {self.get_role_display()}"
