"""Tokens for reading the API."""

from __future__ import annotations

from django.conf import settings
from django.db import models


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
    hint = models.CharField(max_length=12, editable=False, help_text="The last characters, to recognise the token.")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="api_tokens",
        help_text="The user it acts for. Without a user it reads aggregates only.",
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
