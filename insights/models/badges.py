"""Badges: single values that may be shown outside, to anyone who has the address."""

from __future__ import annotations

import secrets
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from orgtree.models import Unit
from orgtree.models.visibility import Visibility


def new_badge_key() -> str:
    """An unguessable key of 22 characters."""
    return secrets.token_urlsafe(16)


class BadgeQuerySet(models.QuerySet["Badge"]):
    def standing(self) -> Self:
        """Badges that are not revoked."""
        return self.filter(revoked_at=None)

    def within(self, visibility: Visibility) -> Self:
        """Badges of units whose values may be seen; those of the whole organisation only with access to all of it."""
        if visibility.unit_ids is None:
            return self.all() if visibility.whole else self.exclude(unit=None)
        return self.filter(unit__in=visibility.unit_ids)


class Badge(models.Model):
    """A metric of a unit (null: the whole organisation) over the last weeks, published at a secret address."""

    key = models.CharField(max_length=40, unique=True, default=new_badge_key, editable=False)
    metric = models.CharField(max_length=80)
    unit = models.ForeignKey(Unit, models.CASCADE, null=True, blank=True, related_name="+")
    weeks = models.PositiveSmallIntegerField(help_text="The last weeks that it tells of, today included.")
    statistic = models.CharField(max_length=8, blank=True, help_text="Of durations; empty: the metric's own.")
    label = models.CharField(max_length=60, blank=True, help_text="In place of the metric's name.")
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    made_at = models.DateTimeField(db_default=Now(), editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, help_text="Since when its address answers 404.")

    objects = BadgeQuerySet.as_manager()

    class Meta:
        ordering = ("-made_at", "-pk")

    def __str__(self) -> str:
        return f"{self.metric} of {self.unit or 'the whole organisation'}"
