"""Change a plan's price from a day on; earlier days keep the old price."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.db.backends.postgresql.psycopg_any import DateRange

from integrations.models import SeatAssignment, SeatPlan
from integrations.telemetry.seats.changed_days import EARLIEST, announce_plan, announcing_seats


def change_price(plan: SeatPlan, price: Decimal, *, since: date) -> SeatPlan:
    """Change the price from `since`, which is before the plan's end; return the plan with the new price.

    It is a new plan that follows this one, with its seats and assignments; on the plan's first day, the change corrects
    this plan instead.
    """
    with announcing_seats([plan.pk]):
        if since <= (plan.during.lower or EARLIEST):
            plan.monthly_price = price
            plan.save()
            return plan
        rest = DateRange(since, plan.during.upper)
        plan.during = DateRange(plan.during.lower, since)
        plan.save()
        following = SeatPlan.objects.create(
            agent=plan.agent, name=plan.name, monthly_price=price, seats=plan.seats, during=rest
        )
        _move_assignments(plan, following, since)
        announce_plan(following.pk)
    return following


def _move_assignments(plan: SeatPlan, following: SeatPlan, since: date) -> None:
    """Split assignments that span the change between both plans; move later ones to the following plan."""
    held = SeatAssignment.objects.filter(plan=plan, during__overlap=DateRange(since, None))
    held.filter(during__startswith__gte=since).update(plan=following)
    ended = list(held)
    SeatAssignment.objects.bulk_create(
        SeatAssignment(
            plan=following, identity_id=assignment.identity_id, during=DateRange(since, assignment.during.upper)
        )
        for assignment in ended
    )
    for assignment in ended:
        assignment.during = DateRange(assignment.during.lower, since)
    SeatAssignment.objects.bulk_update(ended, ["during"], batch_size=1000)
