"""Visibility of sessions."""

from __future__ import annotations

from django.contrib.postgres.fields import DateRangeField
from django.db.models import Exists, F, Func, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce, TruncDate

from integrations.models import AgentSession
from orgtree.access.access import Access
from orgtree.models import IndividualPolicy, Placement


def visible_sessions(access: Access) -> QuerySet[AgentSession]:
    """The viewer's own sessions and, if the policy shows names, those of units whose individuals the viewer may see.

    A timeline shows to the second when somebody worked, so it cannot be shown under a pseudonym.  A session belongs to
    the units that its person was in on any of its days.
    """
    sessions = AgentSession.objects.filter(has_work=True)
    visibility, named = access.visibility, access.policy == IndividualPolicy.NAMED
    if named and visibility.individuals_in is None:
        return sessions
    visible = Q(pk__in=())
    if visibility.person_id is not None:
        visible |= Q(identity__person=visibility.person_id)
    if named and visibility.individuals_in:
        days = Func(
            Coalesce(F("started_on"), TruncDate("started_at")),
            TruncDate("ended_at"),
            Value("[]"),
            function="daterange",
            output_field=DateRangeField(),
        )
        sessions = sessions.alias(its_days=days)
        placed = Placement.objects.filter(
            person=OuterRef("identity__person"),
            ancestor__in=visibility.individuals_in,
            during__overlap=OuterRef("its_days"),
        )
        visible |= Q(Exists(placed))
    return sessions.filter(visible)
