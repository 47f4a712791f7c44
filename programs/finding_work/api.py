"""/api/v1/findings/{id}/work/: the tickets and objectives that address a finding."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.bodies import body
from core.api.model_serializers import BodySerializer
from core.api.operations import operation
from core.write_errors import FieldError
from insights.api.program_view import ProgramView
from insights.findings.deciding import find_finding
from insights.models.findings import FindingState
from orgtree.access.access import Access
from programs.finding_work.work import start_work, work_on
from programs.models import Ticket
from programs.requests.visible import visible_objective, visible_ticket

LARGEST_ID = 2**63 - 1


class WorkSerializer(serializers.Serializer[object]):
    """A ticket or an objective that addresses the finding."""

    kind = serializers.ChoiceField(choices=("ticket", "objective"))
    id = serializers.IntegerField()
    title = serializers.CharField()


class FindingWorkSerializer(serializers.Serializer[object]):
    state = serializers.ChoiceField(choices=FindingState.choices, help_text="State of the finding.")
    work = WorkSerializer(many=True)


class FindingWorkWriteSerializer(BodySerializer):
    ticket = serializers.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)
    objective = serializers.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)


class FindingWorkView(ProgramView):
    @operation("v1_finding_work", FindingWorkSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """List the tickets and objectives that address a finding."""
        return Response(_document(pk, self.access))

    @operation("v1_finding_work_start", FindingWorkSerializer, request=FindingWorkWriteSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Link a ticket or an objective that addresses a finding; the finding is in work from then on."""
        finding, given = find_finding(pk, self.access), body(request, FindingWorkWriteSerializer)
        if len(given) != 1:
            raise FieldError("ticket", "Name either a ticket or an objective, by its id.")
        [(name, number)] = given.items()
        find = visible_ticket if name == "ticket" else visible_objective
        start_work(self.access, finding, find(number, self.access))
        return Response(_document(pk, self.access))


def _document(pk: int, access: Access) -> dict[str, Any]:
    finding = find_finding(pk, access)
    return {
        "state": finding.state,
        "work": [
            {"kind": "ticket" if isinstance(one, Ticket) else "objective", "id": one.pk, "title": one.title}
            for one in work_on(finding, access)
        ],
    }
