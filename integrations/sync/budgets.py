"""A provider's request budgets: kept in memory during a slice, and in rows between slices and workers."""

from __future__ import annotations

import threading
from copy import copy
from datetime import datetime

from django.utils import timezone

from integrations.connectors.errors import TransientError
from integrations.connectors.rate_limits import ReportedQuota
from integrations.models import Connection, Quota

RESERVE = 0.1  # share of a budget reserved for interactive requests: Test connection, the picker of resources
SLOW_BELOW = 0.3  # share of a budget left below which the rest is spread over the time until it is renewed
LONGEST_PAUSE = 5.0  # seconds between two requests; a lease is renewed more rarely than that


class BudgetBook:
    """The budgets of one connection.

    Used by the thread that sends requests, saved by the one that stores.  `reserve` is 0 for interactive requests.
    """

    def __init__(self, connection: Connection, *, reserve: float = RESERVE) -> None:
        self._connection_id = connection.pk
        self._reserve = reserve
        self._lock = threading.Lock()
        self._changed: set[str] = set()
        self._budgets = {quota.budget: quota for quota in Quota.objects.filter(connection=connection)}

    def _of(self, budget: str) -> Quota:
        name = budget[:60]
        return self._budgets.setdefault(name, Quota(connection_id=self._connection_id, budget=name))

    def seconds_before(self, budget: str) -> float:
        """The seconds to wait before the next request.

        Raises TransientError if the budget is used up.
        """
        now = timezone.now()
        with self._lock:
            known = self._of(budget)
            if known.blocked_until is not None and known.blocked_until > now:
                raise TransientError("The provider asked to wait.", retry_at=known.blocked_until)
            if known.limit is None or known.remaining is None or known.resets_at is None or known.resets_at <= now:
                return 0.0
            spare = known.remaining - known.limit * self._reserve
            if spare < 1:
                what = f"{known.limit - known.remaining:,} of the {known.limit:,} requests that are granted are used up"
                raise TransientError(f"{what}; it continues when they are renewed.", retry_at=known.resets_at)
            if known.remaining >= known.limit * SLOW_BELOW:
                return 0.0
            return min((known.resets_at - now).total_seconds() / spare, LONGEST_PAUSE)

    def note(self, budget: str, quota: ReportedQuota) -> None:
        with self._lock:
            known = self._of(budget)
            known.limit, known.remaining, known.resets_at = quota.limit, quota.remaining, quota.resets_at
            self._changed.add(known.budget)

    def block(self, budget: str, until: datetime) -> None:
        with self._lock:
            known = self._of(budget)
            known.blocked_until = until
            self._changed.add(known.budget)

    def save(self) -> None:
        """Publish the budgets to the other workers, and to the page that shows them."""
        with self._lock:
            changed = [copy(self._budgets[name]) for name in sorted(self._changed)]
            self._changed.clear()
        Quota.objects.bulk_create(
            changed,
            update_conflicts=True,
            unique_fields=["connection", "budget"],
            update_fields=["limit", "remaining", "resets_at", "blocked_until"],
        )
