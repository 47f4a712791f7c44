"""/api/v1/objectives/alignment/: each objective of a quarter below the one that it serves."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.paging import requested_slice
from orgtree.access.access import access_of
from programs.alignment.branches import branches
from programs.objectives.api.documents import ObjectiveSerializer, objective_documents
from programs.objectives.api.filters import LIST_PARAMETERS, requested_objectives
from programs.objectives.queries.objectives import in_order_of_units
from programs.requests.program_view import ERRORS, ProgramView


class AlignedObjectiveSerializer(ObjectiveSerializer):
    depth = serializers.IntegerField(help_text="0: it serves none of those that are listed.")

    class Meta(ObjectiveSerializer.Meta):
        fields = (*ObjectiveSerializer.Meta.fields, "depth")


class AlignmentSerializer(serializers.Serializer[object]):
    total = serializers.IntegerField()
    objectives = AlignedObjectiveSerializer(many=True, help_text="Each below the one that it serves.")


class AlignmentView(ProgramView):
    @extend_schema(
        operation_id="v1_objectives_alignment",
        parameters=LIST_PARAMETERS,
        responses={200: AlignmentSerializer, **ERRORS},
    )
    def get(self, request: Request) -> Response:
        """The objectives of a quarter that one may see, as a tree."""
        access = access_of(request.user)
        page = requested_slice(request)
        objectives = in_order_of_units(requested_objectives(request, "page", "size").qs)
        tree = branches(objectives.values_list("pk", "parent"))
        rows = objectives.in_bulk([branch.pk for branch in tree[page]])
        listed = [branch for branch in tree[page] if branch.pk in rows]
        documents = objective_documents([rows[branch.pk] for branch in listed], access)
        aligned = [{**document, "depth": branch.depth} for document, branch in zip(documents, listed, strict=True)]
        return Response({"total": len(tree), "objectives": aligned})
