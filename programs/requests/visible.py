"""The viewer of a request, and the records and units in its URL that the viewer may see."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from rest_framework.exceptions import PermissionDenied

from core.list_filters import CheckedFilter
from core.write_errors import MayNotWriteError
from insights.query.errors import UnknownUnitError
from orgtree.access.access import Access
from orgtree.models import Unit, UnitPlacement
from programs.models import Meeting, MeetingSeries, Objective, Qbr, Quarter, Review, RoadmapIntent, Ticket
from programs.models.visibility import concerns

NAMES_NOBODY = (
    "This token has no account and reads aggregates only, without people's names. Create one with `manage.py "
    "create_api_token NAME --user U`."
)


def check_is_of_account(access: Access) -> None:
    """Guards endpoints that name people.  Raises PermissionDenied for a token without an account."""
    if not access.is_of_account:
        raise PermissionDenied(NAMES_NOBODY)


def account_of(access: Access) -> User:
    """The writing account.  Raises MayNotWriteError for a token without an account."""
    if not isinstance(access.viewer, User):
        raise MayNotWriteError("Sign in with an account: a token without an account writes nothing here.")
    return access.viewer


def visible_ticket(pk: int, access: Access) -> Ticket:
    """A ticket with unit, owner, objective and effect.  Raises Http404 if it is unknown or hidden."""
    seen = Ticket.objects.within(access.visibility).select_related("unit", "owner", "objective", "effect")
    return get_object_or_404(seen, pk=pk)


def visible_objective(pk: int, access: Access) -> Objective:
    """An objective with quarter, unit, owner, measure and parents, and whether the viewer may see those.

    Raises Http404 if it is unknown or hidden.
    """
    seen = Objective.objects.within(access.visibility)
    with_links = seen.annotate(
        sees_parent=Exists(seen.filter(pk=OuterRef("parent"))),
        sees_carried_from=Exists(seen.filter(pk=OuterRef("carried_from"))),
    )
    related = ("quarter", "unit", "owner", "measure", "parent", "carried_from__quarter")
    return get_object_or_404(with_links.select_related(*related), pk=pk)


def visible_meeting(pk: int, access: Access) -> Meeting:
    """A meeting with its series and unit.  Raises Http404 if it is unknown or hidden."""
    return get_object_or_404(Meeting.objects.within(access.visibility).select_related("series__unit"), pk=pk)


def visible_series(pk: int, access: Access) -> MeetingSeries:
    """A series with its unit, if the viewer may change it.  Raises Http404 otherwise."""
    return get_object_or_404(MeetingSeries.objects.within(access.visibility).select_related("unit"), pk=pk)


def visible_review(pk: int, access: Access) -> Review:
    """A review with its unit and signer.  Raises Http404 if it is unknown or hidden."""
    return get_object_or_404(Review.objects.within(access.visibility).select_related("unit", "signed_by"), pk=pk)


def visible_qbr(pk: int, access: Access) -> Qbr:
    """A QBR with unit, document and signer.  Raises Http404 if it is unknown or hidden."""
    seen = Qbr.objects.within(access.visibility).select_related("unit", "document", "signed_by")
    return get_object_or_404(seen, pk=pk)


def visible_intent(pk: int, access: Access) -> RoadmapIntent:
    """An intent with unit, quarter and author.  Raises Http404 if it is unknown or hidden."""
    seen = RoadmapIntent.objects.within(access.visibility).select_related("unit", "quarter", "written_by")
    return get_object_or_404(seen, pk=pk)


def known_quarter(start: str) -> Quarter:
    """The quarter with that first day (ISO 8601), with its document.  Raises Http404."""
    try:
        first = date.fromisoformat(start)
    except ValueError:
        raise Http404("No quarter begins on that day.") from None
    return get_object_or_404(Quarter.objects.select_related("document"), start=first)


class UnitFilter(CheckedFilter):
    """A filter of `ViewerFilters`: records of a unit, by slug, and of all units below it today.

    If `selects` is given, that method of the filters selects them, by queryset and slug.
    """

    def __init__(self, *, field_name: str = "unit", selects: str = "", **kwargs: Any) -> None:
        super().__init__(field_name=field_name, **kwargs)
        self.selects = selects

    def check(self, value: str) -> None:
        """Rejects a unit that is unknown, or whose records do not concern the viewer.  Raises UnknownUnitError."""
        if not Unit.objects.filter(concerns(self.parent.access.visibility, "pk"), slug=value).exists():
            raise UnknownUnitError(value)

    def filter(self, qs: QuerySet[Any], value: str) -> QuerySet[Any]:
        if not value:
            return qs
        if self.selects:
            selected: QuerySet[Any] = getattr(self.parent, self.selects)(qs, value)
            return selected
        below = UnitPlacement.objects.filter(ancestor__slug=value, during__contains=self.parent.today)
        return qs.filter(**{f"{self.field_name}__in": below.values("unit")})
