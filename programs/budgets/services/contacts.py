"""The contacts of a budget: its owner, and the accounts that its alerts go to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.contrib.auth.models import User

from insights.query import windows
from orgtree.access.who_sees import names_of
from programs.budgets.queries.notices import contact_accounts
from programs.models import Budget


def contacts_of(budgets: Sequence[Budget]) -> Mapping[int, list[str]]:
    """Names by the budget's id, the owner first, each once.  Budgets come with their owners.

    An owner without an account is named, but gets no alert.
    """
    accounts = contact_accounts([budget.pk for budget in budgets], windows.local_today())
    names = names_of(list(User.objects.filter(pk__in={account for found in accounts.values() for account in found})))
    return {
        budget.pk: list(
            dict.fromkeys(
                [
                    *([budget.owner.full_name] if budget.owner else []),
                    *sorted(names[account] for account in accounts.get(budget.pk, [])),
                ]
            )
        )
        for budget in budgets
    }
