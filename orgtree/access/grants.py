"""Grant and end roles.  orgtree/models/visibility.py defines what a role may see."""

from __future__ import annotations

from datetime import date, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import QuerySet
from django.utils import timezone

from core.write_errors import FieldError
from orgtree.models import Grant, Person, Role, Unit


def give(
    account: User,
    role: str,
    *,
    unit: Unit | None = None,
    first_day: date,
    last_day: date | None = None,
    reason: str = "",
    by: User,
) -> Grant:
    """Grant a role until `last_day` (inclusive; None: open-ended).

    Raises FieldError for dates out of order, a missing or superfluous unit, or an overlapping grant.
    """
    if role == Role.MANAGER and unit is None:
        raise FieldError("unit", "A manager needs a unit: choose which.")
    if role != Role.MANAGER and unit is not None:
        raise FieldError("unit", "Only managers have a unit. Leave it empty: this role covers the whole organisation.")
    if last_day is not None and last_day < first_day:
        raise FieldError("last_day", "It ends before it begins.")
    during = DateRange(first_day, None if last_day is None else last_day + timedelta(days=1))
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=account.pk)  # two admins at once
        if Grant.objects.filter(user=account, role=role, unit=unit, during__overlap=during).exists():
            raise FieldError("account", "This account already has that role on some of these days.")
        return Grant.objects.create(user=account, role=role, unit=unit, during=during, reason=reason, granted_by=by)


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
    """Units with a leader, in trees in use: their leaders are managers without a grant."""
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
