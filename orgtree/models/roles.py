"""The roles that can be granted."""

from __future__ import annotations

from django.db import models


class Role(models.TextChoices):
    """Roles: docs/access.md.  Admins are Django's superusers; members need no grant."""

    EXECUTIVE = "executive", "Executive"
    MANAGER = "manager", "Manager"
    AUDITOR = "auditor", "Auditor"
