"""Things that people own and share with roles and units: dashboards and saved views."""

from __future__ import annotations

from typing import ClassVar, Self, TypeVar, cast

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.db.models import Case, ManyToOneRel, Q, When
from django.db.models.functions import Now
from django.utils import timezone

from orgtree.access.access import Access
from orgtree.models import Role, Unit, UnitPlacement

LONGEST_TITLE = 80
A_ROLE_OR_A_UNIT = Q(role="", unit__isnull=False) | ~Q(role="") & Q(unit=None)


class SharedWith(models.TextChoices):
    """The roles with which things are shared; managers are those by grant, and the leaders of units."""

    EVERYBODY = "everybody", "Everybody"
    EXECUTIVES = "executives", "Executives"
    MANAGERS = "managers", "Managers"
    AUDITORS = "auditors", "Auditors"


def roles_of(access: Access) -> list[SharedWith]:
    """The roles of an account by which something is shared with it."""
    held = [SharedWith.EVERYBODY]
    if Role.EXECUTIVE in access.roles:
        held.append(SharedWith.EXECUTIVES)
    if Role.MANAGER in access.roles or access.visibility.managed_ids:
        held.append(SharedWith.MANAGERS)
    if Role.AUDITOR in access.roles:
        held.append(SharedWith.AUDITORS)
    return held


Kind = TypeVar("Kind", bound="Shared")


class SharedQuerySet(models.QuerySet[Kind]):
    shown_to_others: ClassVar[Q] = Q()  # a condition on those that are shared

    def visible_to(self, access: Access) -> Self:
        """The viewer's own, and those of others that are shared with their role or unit; for admins, all."""
        viewer = access.viewer
        if not isinstance(viewer, User) or not viewer.is_active:
            return self.none()
        if viewer.is_superuser:
            return self
        shares = cast(ManyToOneRel, self.model._meta.get_field("shares"))
        shared = shares.related_model._default_manager.filter(_with_units_of(access) | Q(role__in=roles_of(access)))
        return self.filter(Q(owner=viewer) | self.shown_to_others & Q(pk__in=shared.values(shares.field.name)))

    def own_first(self, access: Access) -> Self:
        """The viewer's own before those of others, by title."""
        owner = access.viewer.pk if isinstance(access.viewer, User) else None
        return self.order_by(Case(When(owner=owner, then=0), default=1), "title", "pk")

    def writable_by(self, access: Access) -> Self:
        """The viewer's own; for admins, all."""
        viewer = access.viewer
        if not isinstance(viewer, User) or not viewer.is_active:
            return self.none()
        return self if viewer.is_superuser else self.filter(owner=viewer)


def _with_units_of(access: Access) -> Q:
    """Shared with a unit that the account belongs to, directly or below it, or that it leads."""
    own = [*access.visibility.slugs.values()]
    above = UnitPlacement.objects.filter(unit__in=own, during__contains=timezone.localdate())
    return Q(unit__in=own) | Q(unit__in=above.values("ancestor"))


class Shared(models.Model):
    """A thing with an owner and a title; `shares` are the roles and units that it is shared with."""

    may_not_change: ClassVar[str]  # the message that refuses others

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    title = models.CharField(max_length=LONGEST_TITLE)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    changed_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.title


class Share(models.Model):
    """A role or a unit with which a thing is shared."""

    role = models.CharField(max_length=20, choices=SharedWith.choices, blank=True, default="")
    unit = models.ForeignKey(Unit, models.CASCADE, null=True, blank=True, related_name="+")

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.get_role_display() if self.role else str(self.unit)
