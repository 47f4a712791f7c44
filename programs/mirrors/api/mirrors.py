"""/api/v1/tickets/<id>/mirror/: the issue that an action ticket is mirrored to."""

from __future__ import annotations

from typing import ClassVar

from django.shortcuts import get_object_or_404
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.bodies import body
from core.api.model_serializers import BodySerializer, ReadSerializer, WholeNumber
from core.api.operations import operation
from insights.api.program_view import ProgramView
from programs.mirrors.services.mirroring import Side, end_mirror, resolve_difference, retry_mirror, start_mirror
from programs.models import TicketMirror
from programs.requests.visible import visible_ticket


class MirrorSerializer(ReadSerializer[TicketMirror]):
    """`remote_state` and `remote_due_on` are the issue's, if they are known.

    `problem` and `remedy` describe the last failure.
    """

    resource = serializers.CharField(source="resource.name")

    class Meta:
        model = TicketMirror
        fields = ("resource", "key", "url", "status", "remote_state", "remote_due_on", "problem", "remedy")
        blank_is_null: ClassVar = ("key", "url", "remote_state", "problem", "remedy")


class MirrorStartSerializer(BodySerializer):
    resource = WholeNumber(help_text="Id of a repository whose connection lets tickets be mirrored.")


class MirrorChangeSerializer(BodySerializer):
    action = serializers.ChoiceField(
        choices=["retry", *Side], help_text="Send it again, or say whose state is taken where both changed."
    )


class TicketMirrorView(ProgramView):
    @operation("v1_ticket_mirror", MirrorSerializer, parameters=())
    def get(self, request: Request, pk: int) -> Response:
        """Get the mirror; 404 without one."""
        return _answer(visible_ticket(pk, self.access).pk)

    @operation("v1_ticket_mirror_start", MirrorSerializer, request=MirrorStartSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Mirror the ticket to an issue of a repository."""
        ticket = visible_ticket(pk, self.access)
        given = body(request, MirrorStartSerializer)
        start_mirror(self.access, ticket, given["resource"])
        return _answer(pk)

    @operation("v1_ticket_mirror_change", MirrorSerializer, request=MirrorChangeSerializer)
    def patch(self, request: Request, pk: int) -> Response:
        """Try again after a failure, or resolve a difference."""
        ticket = visible_ticket(pk, self.access)
        action = body(request, MirrorChangeSerializer)["action"]
        if action == "retry":
            retry_mirror(self.access, ticket)
        else:
            resolve_difference(self.access, ticket, Side(action))
        return _answer(pk)

    @operation("v1_ticket_mirror_end", {204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """End the mirror; the issue stays as it is."""
        end_mirror(self.access, visible_ticket(pk, self.access))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _answer(ticket: int) -> Response:
    mirror = get_object_or_404(TicketMirror.objects.select_related("resource"), ticket=ticket)
    return Response(MirrorSerializer(mirror).data)
