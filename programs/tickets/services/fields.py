"""What is written of a ticket, whoever writes it: the form, the API, a file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from rest_framework import serializers

from core.api.model_serializers import WriteSerializer, validated
from core.write_errors import FieldError
from insights.query import windows
from orgtree.access.access import Access
from programs.models import Objective, Ticket
from programs.requests.model_fields import MetricField, VisibleField
from programs.teams.fields import LedUnitField, OwnerField
from programs.tickets.services.pull_request_names import pull_requests_named, pull_requests_numbered

FIRST_DAY = date(2000, 1, 1)  # earlier days are slips of the finger, as in the filters of pages
LAST_DAY = date(2100, 1, 1)
LONGEST_RESOLUTION = 20_000  # characters; what is longer belongs into a document
SPECIAL = ("unit", "owner", "metric", "objective", "pull_requests")  # named otherwise than the model has them
WRITTEN = (  # in the order of the form
    *("title", "nature", "kind", "resolution", "unit", "owner", "starts_on", "due_on", "metric", "objective"),
    *("effort", "pull_requests"),
)


class PullRequestsField(serializers.ListField):
    """Headway's numbers or names; those that are linked and not the writer's to see stay."""

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
    """New: title, kind and due_on are needed.  Changed: what is not named stays, and version is needed."""

    unit = LedUnitField("Tickets")
    owner = OwnerField()
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
            "starts_on": {"required": False, "help_text": "Without it today."},
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
    """Checked, as the model takes them; of a ticket that is changed those that are named.

    Raises FieldError, MayNotWriteError.
    """
    return validated(TicketWriteSerializer(ticket, data=given, partial=ticket is not None, context={"access": access}))
