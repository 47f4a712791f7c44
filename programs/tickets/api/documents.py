"""Request and response JSON of tickets and comments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.model_serializers import BodySerializer, Choice, Day, ReadSerializer, Text, YesOrNo
from insights.catalogue.registry import find
from insights.query import windows
from integrations.delivery.records.visible import visible_pull_requests
from orgtree.access.access import Access
from programs.alignment.offers import visible_among
from programs.models import Ticket, TicketEffect, TicketPullRequest, TicketState
from programs.teams.fields import LedUnitField, OwnerField
from programs.tickets.services.effects import EffectState, state_of, visible_effect, why_no_effect
from programs.tickets.services.fields import WRITTEN, TicketWriteSerializer


class EffectSerializer(ReadSerializer[TicketEffect]):
    """The metric in the twelve whole weeks before the ticket began and in those after it was done.

    The interval is that of the difference, after minus before, at 95 %.
    """

    state = serializers.SerializerMethodField()

    class Meta:
        model = TicketEffect
        fields = ("before", "after", "change_low", "change_high", "weeks_after", "state")

    @extend_schema_field(serializers.ChoiceField(choices=EffectState.choices))
    def get_state(self, effect: TicketEffect) -> str:
        metric = find(effect.ticket.metric)
        return state_of(metric.better if metric else "", effect.change_low, effect.change_high).value


class TicketSerializer(ReadSerializer[Ticket]):
    unit = LedUnitField("Tickets", help_text="Slug; null: the whole organisation.")
    owner = OwnerField(help_text="E-mail address.")
    objective = serializers.SerializerMethodField(
        help_text="The objective whose plan includes the ticket, if visible to you."
    )
    pull_requests = serializers.SerializerMethodField(help_text="Linked pull requests that you may see.")
    effect = serializers.SerializerMethodField(help_text="Null: not measured, or not yours to see.")
    effect_reason = serializers.SerializerMethodField(help_text="Why it has none.")

    class Meta:
        model = Ticket
        fields = (
            *("id", *WRITTEN, "completed_on", "state", "dropped_why", "effect", "effect_reason"),
            *("version", "written_at"),
        )
        blank_is_null = (*TicketWriteSerializer.Meta.blank_is_null, "dropped_why")
        extra_kwargs = {
            "title": {"help_text": "Opportunity or challenge."},
            "resolution": {"help_text": "Markdown."},
            "metric": {"help_text": "Key of the metric that it is to move."},
            "version": {"help_text": "Name it when you change the ticket."},
        }

    def get_objective(self, ticket: Ticket) -> int | None:
        return ticket.objective_id if ticket.objective_id in self.context["seen"] else None

    def get_pull_requests(self, ticket: Ticket) -> list[int]:
        linked: list[int] = self.context["linked"][ticket.pk]
        return linked

    @extend_schema_field(EffectSerializer(allow_null=True))
    def get_effect(self, ticket: Ticket) -> dict[str, Any] | None:
        effect = visible_effect(ticket, self.context["access"])
        return dict(EffectSerializer(effect).data) if effect else None

    def get_effect_reason(self, ticket: Ticket) -> str | None:
        has_effect = visible_effect(ticket, self.context["access"])
        return None if has_effect else why_no_effect(ticket, windows.local_today())


class MoveSerializer(BodySerializer):
    state = Choice(choices=TicketState.choices)
    completed_on = Day(required=False, help_text="Completion date of a done ticket; default: today.")
    dropped_why = Text(allow_blank=True, required=False, help_text="Needed for what is dropped.")


class WatchSerializer(BodySerializer):
    watch = YesOrNo()


class WatchingSerializer(WatchSerializer):
    watchers = serializers.IntegerField(help_text="Number of accounts that watch it.")


def ticket_documents(tickets: Sequence[Ticket], access: Access) -> list[dict[str, Any]]:
    """Serialises tickets read with unit, owner and effect; two queries read their pull requests and objectives."""
    linked = _pull_requests(tickets, access)
    seen = visible_among([ticket.objective_id for ticket in tickets], access.visibility)
    context = {"access": access, "linked": linked, "seen": seen}
    return [dict(document) for document in TicketSerializer(tickets, many=True, context=context).data]


def _pull_requests(tickets: Sequence[Ticket], access: Access) -> Mapping[int, list[int]]:
    """Maps tickets to the pull requests visible to the viewer."""
    numbers: dict[int, list[int]] = {record.pk: [] for record in tickets}
    links = TicketPullRequest.objects.filter(ticket__in=list(numbers), pullrequest__in=visible_pull_requests(access))
    for ticket, pull_request in links.order_by("pullrequest").values_list("ticket", "pullrequest"):
        numbers[ticket].append(pull_request)
    return numbers


def watching_document(ticket: Ticket, access: Access) -> dict[str, Any]:
    watchers = set(ticket.watchers.values_list("pk", flat=True))
    return {"watch": getattr(access.viewer, "pk", None) in watchers, "watchers": len(watchers)}
