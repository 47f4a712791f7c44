"""Saved views: pages with a unit, a window and filters, under a name.  docs/dashboards.md#saved-views"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from insights.models.sharing import A_ROLE_OR_A_UNIT, Share, Shared, SharedQuerySet

LONGEST_ADDRESS = 2_000


class SavedViewQuerySet(SharedQuerySet["SavedView"]):
    pass


class SavedView(Shared):
    """The address of a page with its parameters, as insights/dashboards/saved_views.py checks it."""

    may_not_change = "Only the owner and admins can change a saved view."
    address = models.CharField(max_length=LONGEST_ADDRESS)

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(title=""), name="saved_view_has_a_title")]
        indexes = [models.Index(fields=["owner"], name="saved_view_by_owner")]


class SavedViewShare(Share):
    """A role or a unit with which a view is shared."""

    view = models.ForeignKey(SavedView, models.CASCADE, related_name="shares")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=A_ROLE_OR_A_UNIT, name="view_share_of_a_role_or_a_unit"),
            models.UniqueConstraint(
                fields=["view", "role", "unit"], nulls_distinct=False, name="saved_view_is_shared_once"
            ),
        ]
