"""Tokens that may send data, and nothing else."""

from __future__ import annotations

from django.db import models


class IngestToken(models.Model):
    """Only the SHA-256 of a token is kept; the token itself is shown once, when it is made."""

    name = models.CharField(max_length=100)
    digest = models.BinaryField(max_length=32, unique=True, editable=False)
    hint = models.CharField(max_length=12, editable=False, help_text="The last characters, to recognise it by.")
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, editable=False)

    def __str__(self) -> str:
        return f"{self.name} (…{self.hint})"
