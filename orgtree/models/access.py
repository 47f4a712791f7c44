"""Roles granted to accounts beside those that follow from Org Trees, API tokens, and invitations."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import DateRangeField
from django.db import models
from django.db.models.functions import Lower, Now

from orgtree.models.exclusion import not_empty
from orgtree.models.units import Unit
from orgtree.models.visibility import Role


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


class TokenScope(models.TextChoices):
    """The single purpose of a token."""

    READ = "read", "Read figures"
    PEOPLE = "people", "Write people and units"
    ANNOTATIONS = "annotations", "Write notes on charts"
    PROGRAM = "program", "Read and write objectives, benchmarks and tickets"


class ApiToken(models.Model):
    """Stores the SHA-256 of a token; the token itself is shown once, when it is created.

    It acts for its user; without one it reads aggregates only.
    """

    name = models.CharField(max_length=100)
    digest = models.BinaryField(max_length=32, unique=True, editable=False)
    hint = models.CharField(
        max_length=12, editable=False, help_text="The last characters of the token, by which you can recognise it."
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="api_tokens",
        help_text="The user that the token acts for. Without a user, it reads aggregates only.",
    )
    scope = models.CharField(max_length=20, choices=TokenScope.choices, default=TokenScope.READ)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty: never.")
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = "API token"

    def __str__(self) -> str:
        return f"{self.name} (…{self.hint})"


class Invitation(models.Model):
    """Stores the SHA-256 of the link's token; the link itself is shown once, when it is created or renewed.

    It is open until it is accepted, withdrawn or expired; an address has at most one open invitation.
    """

    email = models.EmailField(max_length=254, help_text="The account's e-mail address, in lower case.")
    digest = models.BinaryField(max_length=32, unique=True, editable=False)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", editable=False
    )
    invited_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, editable=False)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", editable=False
    )
    withdrawn_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                condition=models.Q(accepted_at=None, withdrawn_at=None),
                name="one_open_invitation_an_address",
            )
        ]

    def __str__(self) -> str:
        return self.email
