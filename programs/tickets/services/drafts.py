"""Validates drafts of tickets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db.models import BooleanField, ExpressionWrapper, Q

from insights.catalogue.registry import metrics
from insights.query import windows
from integrations.models import PullRequest
from orgtree.models import Employment, Person, Unit, UnitPlace
from orgtree.models.visibility import Visibility
from programs.models import BottleneckKind, Nature, Objective, Ticket
from programs.models.objectives import LONGEST_TITLE

FIRST_DAY = date(2000, 1, 1)  # earlier days are slips of the finger, as in the filters of pages
LAST_DAY = date(2100, 1, 1)
LONGEST_RESOLUTION = 20_000  # characters; what is longer belongs into a document


class TicketError(Exception):
    """What a ticket cannot say; `field` is that of the draft, empty for the ticket as a whole."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field, self.message = field, message


class MayNotWriteTicketError(Exception):
    """The viewer may not write for the unit; the message says who may."""


@dataclass(frozen=True)
class TicketDraft:
    """A ticket as a form, the API or a file gives it.  `unit` is a slug (empty: the whole organisation), `owner` an
    e-mail address, `pull_requests` are Headway's numbers of them.
    """

    title: str
    kind: str
    due_on: date
    nature: str = "challenge"
    resolution: str = ""
    unit: str = ""
    owner: str = ""
    starts_on: date | None = None
    metric: str = ""
    objective: int | None = None
    pull_requests: tuple[int, ...] | None = None  # None: as they are


@dataclass(frozen=True)
class CheckedDraft:
    """A validated draft."""

    fields: dict[str, object]
    pull_requests: tuple[PullRequest, ...] | None


def check_draft(draft: TicketDraft, visibility: Visibility, *, known: Ticket | None = None) -> CheckedDraft:
    """Raises TicketError, MayNotWriteTicketError.

    What a `known` ticket says stays sayable: a unit that is in no tree any more, an owner who has left, an objective
    that the viewer may not see, a pull request that was deleted.
    """
    starts_on = draft.starts_on or min(windows.local_today(), draft.due_on)
    _check_words(draft)
    _check_days(starts_on, draft.due_on)
    unit_stays = known is not None and draft.unit == (known.unit.slug if known.unit else "")
    objective_stays = known is not None and draft.objective == known.objective_id
    return CheckedDraft(
        fields={
            "title": draft.title.strip(),
            "nature": draft.nature,
            "kind": draft.kind,
            "resolution": draft.resolution.strip(),
            "unit": known.unit if known and unit_stays else unit_of(draft.unit, visibility),
            "owner": _owner(draft.owner, known.owner if known else None),
            "starts_on": starts_on,
            "due_on": draft.due_on,
            "metric": _metric(draft.metric),
            "objective": known.objective if known and objective_stays else _objective(draft.objective, visibility),
        },
        pull_requests=None if draft.pull_requests is None else _pull_requests(draft.pull_requests, known),
    )


def _check_words(draft: TicketDraft) -> None:
    for field, text in (("title", draft.title), ("resolution", draft.resolution)):
        if "\x00" in text:
            raise TicketError(field, "A NUL character cannot be stored.")
    if not draft.title.strip():
        raise TicketError("title", "Say what the opportunity or challenge is.")
    if len(draft.title.strip()) > LONGEST_TITLE:
        raise TicketError("title", f"At most {LONGEST_TITLE} characters; the resolution has room for more.")
    if len(draft.resolution) > LONGEST_RESOLUTION:
        raise TicketError("resolution", f"At most {LONGEST_RESOLUTION:,} characters.")
    if draft.nature not in Nature.values:
        raise TicketError("nature", f"One of: {', '.join(Nature.values)}.")
    if draft.kind not in BottleneckKind.values:
        raise TicketError("kind", f"One of: {', '.join(BottleneckKind.values)}.")


def _check_days(starts_on: date, due_on: date) -> None:
    for field, day in (("starts_on", starts_on), ("due_on", due_on)):
        if not FIRST_DAY <= day < LAST_DAY:
            raise TicketError(field, f"{day} is not between {FIRST_DAY.year} and {LAST_DAY.year}.")
    if due_on < starts_on:
        raise TicketError("due_on", f"It starts on {starts_on}: it cannot be due before that.")


def unit_of(slug: str, visibility: Visibility) -> Unit | None:
    """The unit of that slug, which the viewer leads; None for the whole organisation.

    Raises TicketError for a unit that is not there or stands in no tree today, MayNotWriteTicketError.
    """
    if not slug:
        if not visibility.leads_whole:
            raise MayNotWriteTicketError("Tickets of the whole organisation are written by executives and admins.")
        return None
    unit = Unit.objects.within(visibility).filter(slug=slug).first() if "\x00" not in slug else None
    if unit is None:
        raise TicketError("unit", f"There is no unit “{slug}”, or you may not see it.")
    if not visibility.leads(unit.pk):
        raise MayNotWriteTicketError(f"Tickets of {unit.name} are written by its managers, executives and admins.")
    if not UnitPlace.objects.filter(unit=unit, during__contains=windows.local_today()).exists():
        raise TicketError("unit", f"{unit.name} is no longer in any Org Tree: choose a current unit.")
    return unit


def _owner(address: str, known: Person | None) -> Person | None:
    address = address.strip()
    if not address:  # an owner without an address can't be named, and stays until somebody else is
        return known if known is not None and not known.email else None
    if known is not None and (known.email or "").lower() == address.lower():
        return known
    person = None if "\x00" in address else Person.objects.filter(email__iexact=address).first()
    if person is None:
        raise TicketError("owner", f"Nobody with the address {address} is known. People lists everybody.")
    if has_left(person):
        raise TicketError("owner", f"{person.full_name} has left: choose somebody who is here.")
    return person


def has_left(person: Person, today: date | None = None) -> bool:
    """Whether the last employment that is known of ended; somebody of whom none is known is here."""
    day = today or windows.local_today()
    is_here = Employment.objects.filter(person=person).annotate(
        is_here=ExpressionWrapper(Q(during__contains=day), output_field=BooleanField())
    )
    known = list(is_here.values_list("is_here", flat=True))
    return bool(known) and not any(known)


def _metric(key: str) -> str:
    if key and key not in {metric.key for metric in metrics()}:
        raise TicketError("metric", f"There is no metric {key}.")
    return key


def _objective(pk: int | None, visibility: Visibility) -> Objective | None:
    if pk is None:
        return None
    objective = Objective.objects.within(visibility).filter(pk=pk).first()
    if objective is None:
        raise TicketError("objective", "There is no such objective, or you may not see it.")
    return objective


def _pull_requests(numbers: tuple[int, ...], known: Ticket | None) -> tuple[PullRequest, ...]:
    linked = known.pull_requests.values("pk") if known else ()
    pull_requests = tuple(PullRequest.objects.filter(Q(deleted_at=None) | Q(pk__in=linked), pk__in=numbers))
    if len(pull_requests) != len(set(numbers)):
        raise TicketError("pull_requests", "One of these pull requests is not known.")
    return pull_requests
