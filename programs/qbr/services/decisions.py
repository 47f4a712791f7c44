"""Decisions of a business review: editable until it is signed; then each is a ticket, and the next review opens with
them.

Anybody who may write the review writes them, even between freezing and signing, when its meeting decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.models import User
from rest_framework import serializers

from core.api.model_serializers import WriteSerializer, validated
from core.authorship import changes_by
from core.edit_conflicts import take_fields
from core.write_errors import FieldError, MayNotWriteError
from orgtree.access.access import Access
from programs.models import BottleneckKind, Qbr, QbrDecision, QbrState
from programs.qbr.services.sections import LONGEST_COMMENTARY
from programs.qbr.services.writing import ONLY_LEADERS, may_write
from programs.requests.visible import account_of
from programs.teams.fields import OwnerField
from programs.tickets.services.fields import FIRST_DAY, LAST_DAY
from programs.tickets.services.writing import add_ticket

IS_SIGNED = "This review is signed off: its decisions are tickets now."
CONFLICT = "Somebody changed this decision in the meantime."


class DecisionWriteSerializer(WriteSerializer[QbrDecision]):
    owner = OwnerField(missing="A decision needs an owner, who answers for its ticket.")

    class Meta:
        model = QbrDecision
        fields: tuple[str, ...] = ("title", "reason", "owner", "due_on")
        extra_kwargs = {
            "title": {"error_messages": dict.fromkeys(("blank", "required"), "Enter what is decided.")},
            "reason": {"max_length": LONGEST_COMMENTARY},
            "due_on": {"error_messages": {"required": "A decision needs a due date."}},
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "due_on" in attrs and not FIRST_DAY <= attrs["due_on"] < LAST_DAY:
            raise serializers.ValidationError({"due_on": f"It is not between {FIRST_DAY.year} and {LAST_DAY.year}."})
        return attrs


def add_decision(access: Access, qbr: Qbr, given: Mapping[str, Any]) -> QbrDecision:
    """Adds a decision; `given` has the fields of the API.  Raises FieldError, MayNotWriteError."""
    with _deciding(access, qbr) as (stored, account):
        fields = validated(DecisionWriteSerializer(data=given, context={"access": access}))
        return QbrDecision.objects.create(qbr=stored, edited_by=account, **fields)


def change_decision(access: Access, decision: QbrDecision, given: Mapping[str, Any], *, of_version: int) -> QbrDecision:
    """Changes a decision; omitted fields stay.  Raises FieldError, MayNotWriteError, ConflictError."""
    with _deciding(access, decision.qbr) as (_, account):
        stored = QbrDecision.objects.select_for_update().get(pk=decision.pk)
        fields = validated(DecisionWriteSerializer(stored, data=given, partial=True, context={"access": access}))
        if take_fields(stored, fields, of_version, CONFLICT):
            stored.edited_by = account
            stored.save()
    return stored


def remove_decision(access: Access, decision: QbrDecision) -> None:
    """Deletes a decision.  Raises MayNotWriteError, and FieldError once the review is signed."""
    with _deciding(access, decision.qbr):
        decision.delete()


def make_tickets(access: Access, qbr: Qbr) -> None:
    """Creates a ticket for each decision that has none, in the transaction that signs the review.  Raises
    FieldError.
    """
    for decision in qbr.decisions.filter(ticket=None).select_related("owner"):
        if decision.owner is None:
            raise FieldError("decisions", f"“{decision.title}” has no owner: name one before you sign.")
        decision.ticket = add_ticket(
            access,
            {
                "title": decision.title,
                "kind": BottleneckKind.PROCESS,
                "resolution": decision.reason,
                "unit": qbr.unit.slug if qbr.unit else "",
                "owner": decision.owner.email or "",
                "due_on": decision.due_on,
            },
        )
        decision.save(update_fields=["ticket"])


@contextmanager
def _deciding(access: Access, qbr: Qbr) -> Iterator[tuple[Qbr, User]]:
    account = account_of(access)
    if not may_write(access, qbr):
        raise MayNotWriteError(ONLY_LEADERS)
    with changes_by(account):
        stored = Qbr.objects.select_for_update().get(pk=qbr.pk)
        if stored.state == QbrState.SIGNED:
            raise FieldError("state", IS_SIGNED)
        yield stored, account
