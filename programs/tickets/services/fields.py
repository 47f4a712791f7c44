"""Editable fields of a ticket, shared by the form, the API and CSV files; and pull requests by name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from django.db.models import QuerySet
from rest_framework import serializers

from core.api.model_serializers import WriteSerializer, validated
from core.write_errors import FieldError
from insights.query import windows
from integrations.delivery.records.visible import visible_pull_requests
from integrations.models import PullRequest
from orgtree.access.access import Access
from programs.models import Objective, Ticket
from programs.requests.model_fields import MetricField, VisibleField
from programs.teams.fields import LedUnitField, OwnerField

FIRST_DAY = date(2000, 1, 1)  # earlier days are typing mistakes, as in the filters of pages
LAST_DAY = date(2100, 1, 1)
LONGEST_RESOLUTION = 20_000  # characters; anything longer belongs in a document
SPECIAL = ("unit", "owner", "metric", "objective", "pull_requests")  # named differently from the model's fields
WRITTEN = (  # in the order of the form
    *("title", "nature", "kind", "resolution", "unit", "owner", "starts_on", "due_on", "metric", "objective"),
    *("effort", "pull_requests"),
)
MOST_NAMED = 50
NO_OWNER = "A ticket needs an owner: the e-mail address of who answers for it."
TOO_MANY = f"At most {MOST_NAMED} pull requests."
NUMBERED = re.compile(r"(?P<repository>\S.*?)\s*[#!](?P<number>\d{1,9})")
OWN_PAGE = re.compile(r".*/insights/pull-requests/(?P<pk>\d{1,18})/?")


class PullRequestsField(serializers.ListField):
    """Pull requests by Headway's number or by name; linked ones that the writer may not see stay."""

    child = serializers.JSONField()

    def to_internal_value(self, data: Any) -> list[int]:
        access, ticket = self.context["access"], self.parent.instance
        if not isinstance(data, list | tuple):
            self.fail("not_a_list", input_type=type(data).__name__)
        names = [item for item in data if isinstance(item, str)]
        numbers = [
            item if isinstance(item, int) and not isinstance(item, bool) and abs(item) < 2**31 else 0
            for item in data
            if not isinstance(item, str)
        ]
        return pull_requests_numbered([*numbers, *pull_requests_named("\n".join(names), access)], access, ticket)


class TicketWriteSerializer(WriteSerializer[Ticket]):
    """Create: title, kind, owner and due_on are required.  Update: version is required; omitted fields keep their
    value.
    """

    unit = LedUnitField("Tickets")
    owner = OwnerField(missing=NO_OWNER, help_text="E-mail address. Older tickets may have none.")
    metric = MetricField()
    objective = VisibleField("objective", queryset=Objective.objects)
    pull_requests = PullRequestsField(
        required=False, help_text="Headway's numbers, or names such as repository#number, or addresses."
    )

    class Meta:
        model = Ticket
        fields: tuple[str, ...] = WRITTEN
        blank_is_null: tuple[str, ...] = ("metric", "effort")
        extra_kwargs = {
            "title": {"error_messages": dict.fromkeys(("blank", "required"), "Enter the opportunity or challenge.")},
            "resolution": {"max_length": LONGEST_RESOLUTION},
            "starts_on": {"required": False, "help_text": "Default: today."},
            "due_on": {"error_messages": {"required": "A ticket needs a due date."}},
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        due_on = attrs.get("due_on") or self.instance.due_on  # type: ignore[union-attr]  # one record, if not a new one
        if self.instance is None:
            attrs.setdefault("starts_on", min(windows.local_today(), due_on))
        starts_on = attrs.get("starts_on") or self.instance.starts_on  # type: ignore[union-attr]  # as above
        for name, day in (("starts_on", starts_on), ("due_on", due_on)):
            if not FIRST_DAY <= day < LAST_DAY:
                raise FieldError(name, f"{day} is not between {FIRST_DAY.year} and {LAST_DAY.year}.")
        if due_on < starts_on:
            raise FieldError("due_on", f"It starts on {starts_on}: it cannot be due before that.")
        return attrs


def ticket_fields(access: Access, given: Mapping[str, Any], ticket: Ticket | None = None) -> dict[str, Any]:
    """The checked fields in the model's terms; for a stored ticket only those that were given.

    Raises FieldError, MayNotWriteError.
    """
    return validated(TicketWriteSerializer(ticket, data=given, partial=ticket is not None, context={"access": access}))


def pull_requests_named(text: str, access: Access) -> tuple[int, ...]:
    """Headway's numbers of the named pull requests, one name per line, that the viewer may see.  Raises FieldError."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > MOST_NAMED:
        raise FieldError("pull_requests", TOO_MANY)
    visible = visible_pull_requests(access)
    return tuple(dict.fromkeys(_named(line, visible) for line in lines))


def names_of_pull_requests(ticket: Ticket, access: Access) -> str:
    """The names of visible pull requests, one per line."""
    visible = visible_pull_requests(access).filter(pk__in=ticket.pull_requests.values("pk"))
    return "\n".join(map(name_of_pull_request, visible.select_related("repository").order_by("pk")))


def pull_requests_numbered(numbers: Sequence[int], access: Access, known: Ticket | None = None) -> list[int]:
    """The ids among `numbers` that the viewer may see; hidden ones of the `known` ticket stay.  Raises FieldError."""
    if len(numbers) > MOST_NAMED:
        raise FieldError("pull_requests", TOO_MANY)
    linked = set(known.pull_requests.values_list("pk", flat=True)) if known else set()
    visible = set(visible_pull_requests(access).filter(pk__in={*numbers, *linked}).values_list("pk", flat=True))
    if missing := [number for number in numbers if number not in visible | linked]:
        raise FieldError("pull_requests", f"Pull request {missing[0]} is not known, or you may not see it.")
    return list(dict.fromkeys((*numbers, *sorted(linked - visible))))


def name_of_pull_request(pull_request: PullRequest) -> str:
    """The name of the pull request as people write it."""
    return f"{pull_request.repository.name}#{pull_request.number}"


def _named(line: str, visible: QuerySet[PullRequest]) -> int:
    if "\x00" in line:
        raise FieldError("pull_requests", "A NUL character cannot be read.")
    ids = list(_named_by(line, visible).values_list("pk", flat=True)[:2])
    if len(ids) == 1:
        return ids[0]
    if ids:
        raise FieldError("pull_requests", f"“{line[:80]}” names several: give its address.")
    raise FieldError("pull_requests", f"There is no pull request “{line[:80]}”, or you may not see it.")


def _named_by(line: str, visible: QuerySet[PullRequest]) -> QuerySet[PullRequest]:
    if own := OWN_PAGE.fullmatch(urlsplit(line).path if "://" in line else line):
        return visible.filter(pk=int(own["pk"]))
    if "://" in line:
        address = line.partition("#")[0].partition("?")[0].rstrip("/")
        return visible.filter(url__in=(address, f"{address}/"))
    if numbered := NUMBERED.fullmatch(line):
        return visible.filter(repository__name__iexact=numbered["repository"], number=int(numbered["number"]))
    raise FieldError("pull_requests", f"“{line[:80]}”: write repository#number, or an address.")
