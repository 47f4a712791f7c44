"""An account's tickets and objectives, and what its teams are late with."""

from __future__ import annotations

from datetime import date

from django.db.models import Q, QuerySet

from orgtree.models.sight import Sight
from programs.models import Quarter, Ticket
from programs.tickets.queries import TicketFilter, filtered


def own_tickets(sight: Sight) -> QuerySet[Ticket]:
    """Those that the viewer still has to do, by due date; none of an account that is no person."""
    if sight.person_id is None:
        return Ticket.objects.none()
    own = Ticket.objects.within(sight).standing().filter(owner=sight.person_id)
    return own.select_related("unit", "owner", "effect").order_by("due_on", "pk")


def objectives_to_look_after(sight: Sight, quarter: Quarter) -> Q:
    """Published objectives of the quarter that the viewer owns, or leads for want of an owner."""
    of_quarter = Q(quarter=quarter, published_at__isnull=False, dropped_at=None)
    own = Q(pk__in=[]) if sight.person_id is None else Q(owner=sight.person_id)
    return of_quarter & (own | Q(owner=None, unit__in=sight.managed_ids))


def overdue_in_teams(sight: Sight, today: date) -> int:
    """Overdue tickets of others in the units that the viewer manages, of whoever is in one wherever the ticket is, and
    those that have no owner: what the list of one's teams shows without one's own.
    """
    if not sight.managed_ids:
        return 0
    late = filtered(TicketFilter(state="overdue", of_led_units=True), sight, today=today)
    others = late if sight.person_id is None else late.exclude(owner=sight.person_id)
    return others.count()
