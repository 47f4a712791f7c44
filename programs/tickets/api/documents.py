"""Tickets and comments as JSON: what is sent, and what is answered."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.contrib.auth.models import User
from rest_framework import serializers

from insights.api.schema import ErrorsSerializer
from insights.query import windows
from integrations.delivery.records.visible import visible_pull_requests
from orgtree.access.access import Access
from orgtree.access.who_sees import names_of
from programs.alignment.offers import visible_among
from programs.models import BottleneckKind, Nature, Ticket, TicketComment, TicketPullRequest, TicketState
from programs.tickets.services.effects import visible_effect, why_no_effect


class EffectSerializer(serializers.Serializer[object]):
    """The metric in the 28 days before the ticket began and after it was done; the interval is of after less before."""

    before = serializers.FloatField(allow_null=True)
    after = serializers.FloatField(allow_null=True)
    change_low = serializers.FloatField(allow_null=True)
    change_high = serializers.FloatField(allow_null=True)


class TicketSerializer(serializers.Serializer[object]):
    id = serializers.IntegerField()
    title = serializers.CharField(help_text="Opportunity or challenge.")
    nature = serializers.ChoiceField(choices=Nature.choices)
    kind = serializers.ChoiceField(choices=BottleneckKind.choices)
    resolution = serializers.CharField(help_text="Markdown.")
    unit = serializers.CharField(allow_null=True, help_text="Slug; null: the whole organisation.")
    owner = serializers.CharField(allow_null=True, help_text="E-mail address.")
    starts_on = serializers.DateField()
    due_on = serializers.DateField()
    completed_on = serializers.DateField(allow_null=True)
    state = serializers.ChoiceField(choices=TicketState.choices)
    dropped_why = serializers.CharField(allow_null=True)
    metric = serializers.CharField(allow_null=True, help_text="Key of the metric that it is to move.")
    objective = serializers.IntegerField(allow_null=True, help_text="Whose plan it is part of, if you may see it.")
    pull_requests = serializers.ListField(child=serializers.IntegerField(), help_text="Those that you may see.")
    effect = EffectSerializer(allow_null=True, help_text="Null: not measured, or not yours to see.")
    effect_reason = serializers.CharField(allow_null=True, help_text="Why it has none.")
    version = serializers.IntegerField(help_text="Name it when you change the ticket.")
    written_at = serializers.DateTimeField()


class TicketsSerializer(serializers.Serializer[object]):
    total = serializers.IntegerField()
    tickets = TicketSerializer(many=True)


class TicketWriteSerializer(serializers.Serializer[object]):
    """New: title, kind and due_on are needed.  Changed: what is not named stays, and version is needed."""

    title = serializers.CharField(max_length=200, required=False)
    kind = serializers.ChoiceField(choices=BottleneckKind.choices, required=False)
    due_on = serializers.DateField(required=False)
    nature = serializers.ChoiceField(choices=Nature.choices, required=False)
    resolution = serializers.CharField(required=False)
    unit = serializers.CharField(required=False, allow_null=True)
    owner = serializers.CharField(required=False, allow_null=True)
    starts_on = serializers.DateField(required=False, help_text="Without it today.")
    metric = serializers.CharField(required=False, allow_null=True)
    objective = serializers.IntegerField(required=False, allow_null=True)
    pull_requests = serializers.ListField(
        child=serializers.JSONField(),
        required=False,
        help_text="Headway's numbers, or names such as repository#number, or addresses.",
    )
    version = serializers.IntegerField(required=False)


class TicketConflictSerializer(ErrorsSerializer):
    """Somebody changed the ticket in the meantime; nothing was stored."""

    stored = TicketSerializer()


class MoveSerializer(serializers.Serializer[object]):
    state = serializers.ChoiceField(choices=TicketState.choices)
    completed_on = serializers.DateField(required=False, help_text="Of what is done; without it today.")
    dropped_why = serializers.CharField(required=False, help_text="Needed for what is dropped.")


class WatchSerializer(serializers.Serializer[object]):
    watch = serializers.BooleanField()


class WatchingSerializer(WatchSerializer):
    watchers = serializers.IntegerField(help_text="How many accounts watch it.")


class CommentSerializer(serializers.Serializer[object]):
    id = serializers.IntegerField()
    text = serializers.CharField(help_text="Markdown.")
    by = serializers.CharField(allow_null=True, help_text="Null: an account that is gone.")
    at = serializers.DateTimeField()


class CommentsSerializer(serializers.Serializer[object]):
    comments = CommentSerializer(many=True)


class CommentWriteSerializer(serializers.Serializer[object]):
    text = serializers.CharField()


def ticket_documents(tickets: Sequence[Ticket], access: Access) -> list[dict[str, Any]]:
    """Of tickets with unit, owner and effect; two queries, for their pull requests and objectives."""
    linked = _pull_requests(tickets, access)
    seen = visible_among([ticket.objective_id for ticket in tickets], access.visibility)
    return [_ticket(ticket, access, linked[ticket.pk], seen) for ticket in tickets]


def _pull_requests(tickets: Sequence[Ticket], access: Access) -> Mapping[int, list[int]]:
    """By ticket, those that the viewer may see."""
    numbers: dict[int, list[int]] = {record.pk: [] for record in tickets}
    links = TicketPullRequest.objects.filter(ticket__in=list(numbers), pullrequest__in=visible_pull_requests(access))
    for ticket, pull_request in links.order_by("pullrequest").values_list("ticket", "pullrequest"):
        numbers[ticket].append(pull_request)
    return numbers


def _ticket(ticket: Ticket, access: Access, pull_requests: Sequence[int], seen: Collection[int]) -> dict[str, Any]:
    """`seen` are those objectives that the reader may see."""
    effect = visible_effect(ticket, access)
    return {
        "id": ticket.pk,
        "title": ticket.title,
        "nature": ticket.nature,
        "kind": ticket.kind,
        "resolution": ticket.resolution,
        "unit": ticket.unit.slug if ticket.unit else None,
        "owner": access.address_of(ticket.owner),
        "starts_on": ticket.starts_on.isoformat(),
        "due_on": ticket.due_on.isoformat(),
        "completed_on": ticket.completed_on.isoformat() if ticket.completed_on else None,
        "state": ticket.state,
        "dropped_why": ticket.dropped_why or None,
        "metric": ticket.metric or None,
        "objective": ticket.objective_id if ticket.objective_id in seen else None,
        "pull_requests": pull_requests,
        "effect": effect and {name: getattr(effect, name) for name in ("before", "after", "change_low", "change_high")},
        "effect_reason": None if effect else why_no_effect(ticket, windows.local_today()),
        "version": ticket.version,
        "written_at": ticket.written_at,
    }


def comment_documents(comments: Sequence[TicketComment]) -> list[dict[str, Any]]:
    """The first word first; names as everybody may see them."""
    names = names_of(list(User.objects.filter(pk__in={comment.by_id for comment in comments if comment.by_id})))
    return [
        {"id": comment.pk, "text": comment.text, "by": names.get(comment.by_id or 0), "at": comment.at}
        for comment in comments
    ]


def watching_document(ticket: Ticket, access: Access) -> dict[str, Any]:
    watchers = set(ticket.watchers.values_list("pk", flat=True))
    return {"watch": getattr(access.viewer, "pk", None) in watchers, "watchers": len(watchers)}
