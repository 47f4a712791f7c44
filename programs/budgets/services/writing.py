"""Adds, changes and removes budgets: managers for their units, executives and admins for all.

The history (django-pghistory) records each change with its account.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Q

from core.authorship import changes_by
from core.edit_conflicts import take_fields
from core.locks import Lock
from core.write_errors import FieldError, MayNotWriteError
from orgtree.access.access import Access
from programs.budgets.queries.months import written
from programs.budgets.services.fields import budget_fields
from programs.models import Budget
from programs.requests.visible import account_of

WRITING = Lock("writing of budgets")  # so that no two of one unit and agent share a month


def add_budget(access: Access, given: Mapping[str, Any]) -> Budget:
    """Adds a budget; `given` has the fields of the API.  Raises FieldError, MayNotWriteError."""
    account = account_of(access)
    with changes_by(account):
        WRITING.hold()
        budget = Budget(**budget_fields(access, given), written_by=account)
        _check_alone(budget)
        budget.save()
    return budget


def change_budget(access: Access, budget: Budget, given: Mapping[str, Any], *, of_version: int) -> Budget:
    """Changes the budget; values equal to the stored ones are no change.

    Raises FieldError, MayNotWriteError, and ConflictError if the budget has changed since `of_version`.
    """
    _check_may_write(access, budget)
    with changes_by(account_of(access)):
        WRITING.hold()
        stored = Budget.objects.select_for_update(of=("self",)).get(pk=budget.pk)
        fields = budget_fields(access, given, stored)
        if take_fields(stored, fields, of_version, "Somebody changed this budget in the meantime."):
            _check_alone(stored)
            stored.save()
    return stored


def remove_budget(access: Access, budget: Budget) -> None:
    """Deletes a budget that was entered by mistake, with its alerts and their notices.  Others end with their last
    month.
    """
    _check_may_write(access, budget)
    with changes_by(account_of(access)):
        Budget.objects.filter(pk=budget.pk).delete()


def _check_alone(budget: Budget) -> None:
    """Rejects a budget that overlaps another one of the same unit and agent.  Raises FieldError."""
    others = Budget.objects.filter(unit=budget.unit, agent=budget.agent).exclude(pk=budget.pk)
    others = others.filter(Q(last_month=None) | Q(last_month__gte=budget.first_month))
    if budget.last_month is not None:
        others = others.filter(first_month__lte=budget.last_month)
    other = others.first()
    if other is not None:
        until = f"to {written(other.last_month)}" if other.last_month else "on"
        raise FieldError(
            "first_month",
            f"There is one of the same unit and agent from {written(other.first_month)} {until}: change that one, or "
            "let it end first.",
        )


def _check_may_write(access: Access, budget: Budget) -> None:
    if not access.visibility.leads(budget.unit_id):
        whose = f"{budget.unit.name} is changed by its managers," if budget.unit else "the whole organisation by"
        raise MayNotWriteError(f"The budget of {whose} executives and admins.")
