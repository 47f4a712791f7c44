"""Grant and end roles.  orgtree/models/visibility.py defines what a role may see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.contrib.auth.models import User
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import QuerySet
from django.utils import timezone

from orgtree.models import Grant, Person, Role, Unit


class CannotGrantError(ValueError):
    """The role cannot be granted; `field` names the invalid field."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class NewGrant:
    """A role to grant; `last_day` is inclusive, None: open-ended."""

    user: User
    role: Role
    unit: Unit | None
    first_day: date
    last_day: date | None
    reason: str = ""


def give(new: NewGrant, *, by: User) -> Grant:
    """Raises CannotGrantError for dates out of order, a missing or superfluous unit, or an overlapping grant."""
    if new.role == Role.MANAGER and new.unit is None:
        raise CannotGrantError("unit", "A manager needs a unit: choose which.")
    if new.role != Role.MANAGER and new.unit is not None:
        raise CannotGrantError(
            "unit", "Only managers have a unit. Leave it empty: this role covers the whole organisation."
        )
    if new.last_day is not None and new.last_day < new.first_day:
        raise CannotGrantError("last_day", "It ends before it begins.")
    during = DateRange(new.first_day, None if new.last_day is None else date.fromordinal(new.last_day.toordinal() + 1))
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=new.user.pk)  # two admins at once
        same = Grant.objects.filter(user=new.user, role=new.role, unit=new.unit, during__overlap=during)
        if same.exists():
            raise CannotGrantError("user", "This account already has that role on some of these days.")
        return Grant.objects.create(
            user=new.user, role=new.role, unit=new.unit, during=during, reason=new.reason, granted_by=by
        )


def end(grant: Grant) -> None:
    """End the grant today; delete one that has not been in force for a day.  Idempotent."""
    today = timezone.localdate()
    with transaction.atomic():
        stored = Grant.objects.select_for_update().filter(pk=grant.pk).first()
        if stored is None or (stored.during.upper is not None and stored.during.upper <= today):
            return
        if stored.during.lower is not None and stored.during.lower >= today:
            stored.delete()
            return
        stored.during = DateRange(stored.during.lower, today)
        stored.save(update_fields=["during"])


def grants_in_force_or_to_come() -> QuerySet[Grant]:
    """Current and future grants, by account; with account, unit and grantor."""
    today = timezone.localdate()
    later = DateRange(today, None)
    return (
        Grant.objects.filter(during__overlap=later)
        .select_related("user", "unit__tree", "granted_by")
        .order_by("role", "user__username", "pk")
    )


def leaders_of(units: QuerySet[Unit]) -> QuerySet[Unit]:
    """Units with a leader, in trees in use: managers without a grant."""
    return (
        units.filter(leader__isnull=False, tree__archived_at=None)
        .select_related("leader", "tree")
        .order_by("tree_id", "name", "pk")
    )


def account_of(person: Person) -> User | None:
    """The account of a person, if any."""
    if person.user_id is not None:
        return User.objects.get(pk=person.user_id)
    return User.objects.filter(email__iexact=person.email).first() if person.email else None
