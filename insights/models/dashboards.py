"""Dashboards: pages of cards that people arrange, share and keep.  docs/dashboards.md"""

from __future__ import annotations

from typing import Any, Self

import pghistory
from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.db.models import Case, Exists, OuterRef, Q, When
from django.db.models.functions import Now
from django.utils import timezone

from orgtree.access.access import Access
from orgtree.models import Role, Unit, UnitPlacement

LONGEST_TITLE, LONGEST_PURPOSE = 80, 240


class SharedWith(models.TextChoices):
    """The readers of a shared dashboard by role; managers are those by grant, and the leaders of units."""

    EVERYBODY = "everybody", "Everybody"
    EXECUTIVES = "executives", "Executives"
    MANAGERS = "managers", "Managers"
    AUDITORS = "auditors", "Auditors"


def roles_of(access: Access) -> list[SharedWith]:
    """The roles of an account by which dashboards are shared with it."""
    held = [SharedWith.EVERYBODY]
    if Role.EXECUTIVE in access.roles:
        held.append(SharedWith.EXECUTIVES)
    if Role.MANAGER in access.roles or access.visibility.managed_ids:
        held.append(SharedWith.MANAGERS)
    if Role.AUDITOR in access.roles:
        held.append(SharedWith.AUDITORS)
    return held


class DashboardQuerySet(models.QuerySet["Dashboard"]):
    def visible_to(self, access: Access) -> Self:
        """One's own, and published ones that are shared with one's role or unit; for admins all."""
        viewer = access.viewer
        if not isinstance(viewer, User) or not viewer.is_active:
            return self.none()
        if viewer.is_superuser:
            return self
        shared = DashboardShare.objects.filter(_with_units_of(access) | Q(role__in=roles_of(access)))
        return self.filter(Q(owner=viewer) | Q(version__gt=0) & Exists(shared.filter(dashboard=OuterRef("pk"))))

    def own_first(self, access: Access) -> Self:
        """One's own before those of others, by title."""
        owner = access.viewer.pk if isinstance(access.viewer, User) else None
        return self.order_by(Case(When(owner=owner, then=0), default=1), "title", "pk")

    def writable_by(self, access: Access) -> Self:
        """One's own; for admins all."""
        viewer = access.viewer
        if not isinstance(viewer, User) or not viewer.is_active:
            return self.none()
        return self if viewer.is_superuser else self.filter(owner=viewer)


def _with_units_of(access: Access) -> Q:
    """Shared with a unit that the account is in, also below it, or leads."""
    own = [*access.visibility.slugs.values()]
    above = UnitPlacement.objects.filter(unit__in=own, during__contains=timezone.localdate())
    return Q(unit__in=own) | Q(unit__in=above.values("ancestor"))


@pghistory.track(
    pghistory.InsertEvent("added"),
    pghistory.UpdateEvent("changed"),
    pghistory.DeleteEvent("removed"),
    exclude=["owner", "past", "future"],  # which change by themselves, or hold what the history has already
    append_only=True,
)
class Dashboard(models.Model):
    """A page of cards: what its readers see (`published`), and what its owner arranges (`draft`).

    Both are lists of cards as insights/dashboards/document.py describes them.  `version` counts the publications; 0:
    nothing is published.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    title = models.CharField(max_length=LONGEST_TITLE)
    purpose = models.CharField(
        max_length=LONGEST_PURPOSE, blank=True, default="", help_text="What it answers, and for whom."
    )
    draft: models.JSONField[Any, Any] = models.JSONField(default=list, editable=False)
    published: models.JSONField[Any, Any] = models.JSONField(default=list, editable=False)
    version = models.PositiveIntegerField(default=0, editable=False)
    published_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    changed_at = models.DateTimeField(db_default=Now(), editable=False)
    # Drafts to go back to, and those to return to then, the nearest last.
    past: models.JSONField[Any, Any] = models.JSONField(default=list, editable=False)
    future: models.JSONField[Any, Any] = models.JSONField(default=list, editable=False)

    objects = DashboardQuerySet.as_manager()

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(title=""), name="dashboard_has_a_title")]
        indexes = [models.Index(fields=["owner"], name="dashboard_by_owner")]

    def __str__(self) -> str:
        return self.title

    @property
    def is_published(self) -> bool:
        return self.version > 0

    @property
    def has_changes(self) -> bool:
        """Whether the draft differs from what readers see."""
        return not self.is_published or bool(self.draft != self.published)


@pghistory.track(pghistory.InsertEvent("added"), pghistory.DeleteEvent("removed"), append_only=True, obj_field=None)
class DashboardShare(models.Model):
    """A role or a unit with which a dashboard is shared."""

    dashboard = models.ForeignKey(Dashboard, models.CASCADE, related_name="shares")
    role = models.CharField(max_length=20, choices=SharedWith.choices, blank=True, default="")
    unit = models.ForeignKey(Unit, models.CASCADE, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(role="", unit__isnull=False) | ~Q(role="") & Q(unit=None), name="share_of_a_role_or_a_unit"
            ),
            models.UniqueConstraint(
                fields=["dashboard", "role", "unit"], nulls_distinct=False, name="dashboard_is_shared_once"
            ),
        ]

    def __str__(self) -> str:
        return self.get_role_display() if self.role else str(self.unit)


class HomeDashboard(models.Model):
    """The dashboard that an account sees in place of the home page."""

    account = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    dashboard = models.ForeignKey(Dashboard, models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return f"{self.dashboard} as home"
