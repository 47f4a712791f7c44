"""Uploaded files of people; a file is applied exactly as previewed."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class PeopleImport(models.Model):
    """An uploaded file and the fingerprint of its preview.  After applying, only the counts are kept."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    file_name = models.CharField(max_length=200)
    content = models.BinaryField(help_text="The compressed file; empty once applied.")
    effective = models.DateField(null=True, blank=True)
    complete = models.BooleanField(default=False)
    fingerprint = models.CharField(max_length=64, help_text="Fingerprint of the changes shown in the preview.")
    counts = models.JSONField(default=dict)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    uploaded_at = models.DateTimeField(db_default=Now())
    applied_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-uploaded_at",)

    def __str__(self) -> str:
        return self.file_name
