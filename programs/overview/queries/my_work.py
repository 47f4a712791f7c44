"""An account's tickets and objectives, and what its teams are late with."""

from __future__ import annotations

from datetime import date

from django.db.models import Q, QuerySet

from orgtree.models.visibility import Visibility
from programs.models import Quarter, Ticket
from programs.tickets.queries import of_managed_units


def own_tickets(visibility: Visibility) -> QuerySet[Ticket]:
    """Those that the viewer still has to do, by due date; none of an account that is no person."""
    if visibility.person_id is None:
        return Ticket.objects.none()
    own = Ticket.objects.within(visibility).standing().filter(owner=visibility.person_id)
    return own.select_related("unit", "owner", "effect").order_by("due_on", "pk")


def objectives_to_look_after(visibility: Visibility, quarter: Quarter) -> Q:
    """Published objectives of the quarter that the viewer owns, or leads for want of an owner."""
    of_quarter = Q(quarter=quarter, published_at__isnull=False, dropped_at=None)
    own = Q(pk__in=[]) if visibility.person_id is None else Q(owner=visibility.person_id)
    return of_quarter & (own | Q(owner=None, unit__in=visibility.managed_ids))


def overdue_in_teams(visibility: Visibility, today: date) -> int:
    """Overdue tickets of others in the units that the viewer manages, of whoever is in one wherever the ticket is, and
    those that have no owner: what the list of one's teams shows without one's own.
    """
    if not visibility.managed_ids:
        return 0
    late = Ticket.objects.within(visibility).overdue(today).filter(of_managed_units(visibility, today))
    others = late if visibility.person_id is None else late.exclude(owner=visibility.person_id)
    return others.count()
