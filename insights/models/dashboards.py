"""Dashboards: pages of cards that people arrange, share and keep.  docs/dashboards.md"""

from __future__ import annotations

from typing import Any

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import Q

from insights.models.sharing import A_ROLE_OR_A_UNIT, Share, Shared, SharedQuerySet

LONGEST_PURPOSE = 240


class DashboardQuerySet(SharedQuerySet["Dashboard"]):
    shown_to_others = Q(version__gt=0)


@pghistory.track(
    pghistory.InsertEvent("added"),
    pghistory.UpdateEvent("changed"),
    pghistory.DeleteEvent("removed"),
    exclude=["owner", "past", "future"],  # they change by themselves, or hold what the history has already
    append_only=True,
)
class Dashboard(Shared):
    """A page of cards: what its readers see (`published`), and what its owner arranges (`draft`).

    Both are lists of cards as insights/dashboards/document.py describes them.  `version` counts the publications; 0:
    nothing is published.
    """

    may_not_change = "Only the owner and admins can change a dashboard. Copy it to have one of your own."
    purpose = models.CharField(
        max_length=LONGEST_PURPOSE, blank=True, default="", help_text="What it answers, and for whom."
    )
    draft: models.JSONField[Any, Any] = models.JSONField(default=list, editable=False)
    published: models.JSONField[Any, Any] = models.JSONField(default=list, editable=False)
    version = models.PositiveIntegerField(default=0, editable=False)
    published_at = models.DateTimeField(null=True, editable=False)
    # Drafts to undo to, and those to redo, the nearest last.
    past: models.JSONField[Any, Any] = models.JSONField(default=list, editable=False)
    future: models.JSONField[Any, Any] = models.JSONField(default=list, editable=False)

    objects = DashboardQuerySet.as_manager()

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(title=""), name="dashboard_has_a_title")]
        indexes = [models.Index(fields=["owner"], name="dashboard_by_owner")]

    @property
    def is_published(self) -> bool:
        return self.version > 0

    @property
    def has_changes(self) -> bool:
        """Whether the draft differs from what readers see."""
        return not self.is_published or bool(self.draft != self.published)


@pghistory.track(pghistory.InsertEvent("added"), pghistory.DeleteEvent("removed"), append_only=True, obj_field=None)
class DashboardShare(Share):
    """A role or a unit with which a dashboard is shared."""

    dashboard = models.ForeignKey(Dashboard, models.CASCADE, related_name="shares")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=A_ROLE_OR_A_UNIT, name="share_of_a_role_or_a_unit"),
            models.UniqueConstraint(
                fields=["dashboard", "role", "unit"], nulls_distinct=False, name="dashboard_is_shared_once"
            ),
        ]


class HomeDashboard(models.Model):
    """The dashboard that an account sees instead of the home page."""

    account = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    dashboard = models.ForeignKey(Dashboard, models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return f"{self.dashboard} as home"
