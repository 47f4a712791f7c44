"""What models were used for, day by day, of everybody: kept for days that are over, and read from facts for the others.

A day that is kept is forgotten in the transaction that takes a change of it out of the outbox (integrations/facts/
changes.py), and kept anew after that.  One process does both, so that nothing is kept that a change, taken before, had
made wrong.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date, timedelta

from django.db import connection, transaction
from django.utils import timezone

from integrations.facts.changes import Change
from integrations.models import FactFamily, KeptUsage, KeptUsageDay
from integrations.services.model_use import UsedRow, rows_in_use

Days = tuple[date, date]  # the first, and the first that no longer belongs to them

OVER_AFTER = timedelta(days=2)  # facts of today and yesterday go on coming: to follow them would cost more than a look
OLDEST = timedelta(days=5 * 366)  # no page looks farther back
DAYS_AT_ONCE = 31  # in one transaction
MOST_STRETCHES = 12  # of days that are not kept, each read by itself; of more all days are read


def forget_usage_of(changes: Sequence[Change]) -> None:
    """In the transaction that takes these changes: what is kept of their days is not true any more."""
    days = [(each.day_from, each.day_to) for each in changes if each.family is FactFamily.AI]
    if not days:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM integrations_keptusageday kept
            USING (SELECT unnest(range_agg(daterange(starts, ends))) AS days
                   FROM unnest(%s::date[], %s::date[]) AS c (starts, ends)) AS changed
            WHERE kept.day <@ changed.days
            """,
            [[start for start, _ in days], [end for _, end in days]],
        )


def forget_all_usage() -> None:
    """Before everything is computed anew."""
    KeptUsageDay.objects.all().delete()


def keep_usage_days() -> int:
    """Keep the days that are over and not kept; how many were."""
    kept = 0
    over = _over()
    for start, after in list(_stretches_without(_kept_days(over), over)):
        for offset in range(0, (after - start).days, DAYS_AT_ONCE):
            first = start + timedelta(days=offset)
            end = min(first + timedelta(days=DAYS_AT_ONCE), after)
            _keep((first, end))
            kept += (end - first).days
    return kept


def usage_of_everybody(
    first: date, after: date, *, agents: Collection[str] = (), models: Collection[str] = ()
) -> list[UsedRow]:
    """As `rows_in_use` of everybody."""
    known = _kept_days((first, after))
    missing = list(_stretches_without(known, (first, after)))
    if len(missing) > MOST_STRETCHES:
        return rows_in_use(first, after, agents=agents, models=models)
    kept = KeptUsage.objects.filter(day__in=known)  # they are there, even if the day is forgotten meanwhile
    kept = kept.filter(agent__in=agents) if agents else kept
    kept = kept.filter(model__in=models) if models else kept
    rows = [UsedRow(*row) for row in kept.values_list(*UsedRow._fields)]
    for stretch in missing:
        rows += rows_in_use(*stretch, agents=agents, models=models)
    return rows


def _over() -> Days:
    """The days that are over, since the first of which there is a session; none where there is none."""
    after = timezone.localdate() + timedelta(days=1) - OVER_AFTER
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(day) FROM integrations_agentsessionday WHERE day >= %s", [after - OLDEST])
        first = cursor.fetchone()[0]
    return min(first or after, after), after


def _kept_days(days: Days) -> set[date]:
    found = KeptUsageDay.objects.filter(day__gte=days[0], day__lt=days[1])
    return set(found.values_list("day", flat=True))


def _stretches_without(known: Collection[date], days: Days) -> Iterator[Days]:
    """The stretches of these days that are not among the known ones, in order."""
    start: date | None = None
    for offset in range((days[1] - days[0]).days):
        day = days[0] + timedelta(days=offset)
        if day in known and start is not None:
            yield start, day
            start = None
        elif day not in known and start is None:
            start = day
    if start is not None:
        yield start, days[1]


def _keep(days: Days) -> None:
    with transaction.atomic():
        now = timezone.now()
        KeptUsage.objects.filter(day__gte=days[0], day__lt=days[1]).delete()
        KeptUsage.objects.bulk_create((KeptUsage(**row._asdict()) for row in rows_in_use(*days)), batch_size=1000)
        each = (days[0] + timedelta(days=offset) for offset in range((days[1] - days[0]).days))
        KeptUsageDay.objects.bulk_create(
            (KeptUsageDay(day=day, computed_at=now) for day in each), ignore_conflicts=True
        )
