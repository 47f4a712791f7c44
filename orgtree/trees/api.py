"""/api/v1/units/: read the units of all Org Trees; change those of hand-built trees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.bodies import Problems, ProblemsSerializer, read_body, refused
from core.api.parameters import EFFECTIVE, effective_day, only
from orgtree.access.permissions import MayWritePeople, TokenScopeAllows
from orgtree.models import OrgTree, Person, TokenScope, TreeKind, Unit
from orgtree.trees.units import TreeRefusedError, add_unit, move_unit, rename_unit, set_leader
from orgtree.trees.units_as_of import UnitAsOf, units_as_of


class UnitSerializer(serializers.Serializer[object]):
    """A unit as of today."""

    slug = serializers.CharField()
    name = serializers.CharField()
    tree = serializers.CharField(help_text="Slug of its Org Tree.")
    parent = serializers.CharField(  # type: ignore[assignment]  # a document field, like the next ones
        allow_null=True, help_text="Slug of the parent; null: a root."
    )
    manager = serializers.CharField(allow_null=True, help_text="E-mail address.")
    people = serializers.IntegerField(help_text="Number of members, descendants included.")


class UnitsSerializer(serializers.Serializer[object]):
    units = UnitSerializer(many=True)


class UnitAddSerializer(serializers.Serializer[object]):
    name = serializers.CharField(max_length=200)
    parent = serializers.SlugField(  # type: ignore[assignment]
        max_length=80, help_text="Slug of the parent, in a hand-built tree."
    )
    manager = serializers.EmailField(required=False, allow_null=True, help_text="E-mail address of a known person.")


class UnitChangeSerializer(serializers.Serializer[object]):
    """Changes to a unit; omitted fields keep their value."""

    name = serializers.CharField(max_length=200, required=False)
    parent = serializers.SlugField(  # type: ignore[assignment]
        max_length=80, required=False, help_text="The new parent."
    )
    manager = serializers.EmailField(required=False, allow_null=True)


class UnitErrorsSerializer(ProblemsSerializer):
    pass


WRITTEN = {200: UnitSerializer, 400: UnitErrorsSerializer}


class UnitsView(APIView):
    token_scope = TokenScope.PEOPLE
    permission_classes = (IsAuthenticated, TokenScopeAllows, MayWritePeople)

    @extend_schema(
        operation_id="v1_units_list",
        parameters=[OpenApiParameter("tree", str, description="Slug of a tree; without it all that are in use.")],
        responses={200: UnitsSerializer},
    )
    def get(self, request: Request) -> Response:
        """The units as of today, parents before children."""
        only(request, "tree")
        slug = request.query_params.get("tree", "")
        trees = OrgTree.objects.filter(slug=slug) if slug else OrgTree.objects.filter(archived_at=None)
        if slug and not trees.exists():
            raise NotFound
        return Response({"units": [unit.document for unit in _units_today(trees)]})

    @extend_schema(
        operation_id="v1_units_add",
        parameters=[EFFECTIVE],
        request=UnitAddSerializer,
        responses={201: UnitSerializer, 400: UnitErrorsSerializer},
    )
    def post(self, request: Request) -> Response:
        """Add a unit to a hand-built tree."""
        only(request, "effective")
        given, problems = read_body(UnitAddSerializer, request.data)
        parent, leader = _unit_named(given, problems), _leader_named(given, problems)
        if problems or parent is None:
            return refused(problems)
        try:
            with transaction.atomic():
                unit = add_unit(parent, given["name"], on=effective_day(request))
                if leader is not None:
                    set_leader(unit, leader)
        except TreeRefusedError as refusal:
            return refused({"parent": [str(refusal)]})
        return Response(_of(unit), status=201)


class UnitView(APIView):
    token_scope = TokenScope.PEOPLE
    permission_classes = (IsAuthenticated, TokenScopeAllows, MayWritePeople)

    @extend_schema(operation_id="v1_unit", responses={200: UnitSerializer})
    def get(self, request: Request, slug: str) -> Response:
        """One unit as of today."""
        only(request)
        return Response(_of(_unit(slug)))

    @extend_schema(
        operation_id="v1_unit_change", parameters=[EFFECTIVE], request=UnitChangeSerializer, responses=WRITTEN
    )
    def patch(self, request: Request, slug: str) -> Response:
        """Rename a unit, set its manager, or move it with its descendants; all changes or none."""
        only(request, "effective")
        unit = _unit(slug)
        given, problems = read_body(UnitChangeSerializer, request.data)
        parent, leader = _unit_named(given, problems), _leader_named(given, problems)
        if problems:
            return refused(problems)
        field = ""
        try:
            with transaction.atomic():
                if "name" in given:
                    field = "name"
                    rename_unit(unit, given["name"])
                if "manager" in given:
                    field = "manager"
                    set_leader(unit, leader)
                if parent is not None:
                    field = "parent"
                    move_unit(unit, parent, effective_day(request) or timezone.localdate())
        except TreeRefusedError as refusal:
            return refused({field: [str(refusal)]})
        return Response(_of(unit))


def _units_today(trees: QuerySet[OrgTree]) -> list[UnitAsOf]:
    return units_as_of(trees.order_by("created_at", "pk"), on=timezone.localdate())


def _of(unit: Unit) -> dict[str, Any]:
    for row in _units_today(OrgTree.objects.filter(pk=unit.tree_id)):
        if row.id == unit.pk:
            return row.document
    raise NotFound  # not in its tree today


def _unit(slug: str) -> Unit:
    unit = Unit.objects.filter(slug=slug).select_related("tree").first()
    if unit is None:
        raise NotFound
    return unit


def _unit_named(given: Mapping[str, Any], problems: Problems) -> Unit | None:
    if "parent" not in given:
        return None
    parent = Unit.objects.filter(slug=given["parent"]).select_related("tree").first()
    if parent is None or parent.tree.archived_at is not None:
        problems["parent"] = [f"There is no unit “{given['parent']}”. GET /api/v1/units/ lists them."]
    elif parent.tree.kind != TreeKind.HAND_BUILT:
        problems["parent"] = [f"{parent.tree.name} follows people automatically; only hand-built trees can be changed."]
    return parent


def _leader_named(given: Mapping[str, Any], problems: Problems) -> Person | None:
    address = given.get("manager")
    if not address:
        return None
    leader = Person.objects.filter(email__iexact=address).first()
    if leader is None:
        problems["manager"] = [f"There is nobody with the address {address}."]
    return leader
