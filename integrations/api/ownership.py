"""/api/v1/ownership/: which unit owns what, assigned by name, and proposals confirmed in bulk."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.bodies import ProblemsSerializer, paging_fields, read_body, refused
from core.api.errors import BadRequest
from core.api.parameters import DEFAULT_SIZE, LARGEST_SIZE, LAST_PAGE, only, whole_number
from integrations.delivery.ownership.find import find_owned, find_unit
from integrations.delivery.ownership.give import own, remove_owner
from integrations.delivery.ownership.listing import Filters, ListedThing, listed_things
from integrations.delivery.ownership.proposals import Proposal, confirm, proposals
from integrations.delivery.ownership.refusals import OwnershipRefusedError
from integrations.models import OwnedKind
from orgtree.access.permissions import MayWritePeople, TokenScopeAllows
from orgtree.models import OrgTree, TokenScope, Unit

PARAMETERS = ("tree", "kind", "unit", "q", "without_owner", "page", "size")


class ProposalSerializer(serializers.Serializer[object]):
    unit = serializers.CharField(help_text="Slug of the unit.")
    reason = serializers.CharField()


class OwnedThingSerializer(serializers.Serializer[object]):
    """An owned thing as of today in one Org Tree."""

    kind = serializers.ChoiceField(choices=OwnedKind.choices)
    name = serializers.CharField()
    tree = serializers.CharField(help_text="Slug of the Org Tree.")
    owner = serializers.CharField(allow_null=True, help_text="Slug of the unit; null: nobody.")
    since = serializers.DateField(allow_null=True, help_text="First day; null: no beginning.")
    until = serializers.DateField(allow_null=True, help_text="First day after it; null: until further notice.")
    follows = serializers.CharField(
        allow_null=True, help_text="Name of the repository whose owner it inherits if it has none itself."
    )
    proposal = ProposalSerializer(allow_null=True, help_text="Proposed owner of a thing without one.")


class OwnershipListSerializer(serializers.Serializer[object]):
    total = serializers.IntegerField()
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    ownership = OwnedThingSerializer(many=True)


class OwnSerializer(serializers.Serializer[object]):
    """Assign the thing to the named unit on these days; null: remove the owner in the named tree."""

    resource = serializers.CharField(max_length=300, help_text="A name, or kind:name where several have it.")
    unit = serializers.CharField(max_length=80, allow_null=True, help_text="Slug of the unit.")
    tree = serializers.CharField(max_length=80, required=False, help_text="Slug of the tree; only without a unit.")

    def get_fields(self) -> dict[str, Any]:
        """Adds the field `from`, which is a keyword in Python."""
        return {
            **super().get_fields(),
            "from": serializers.DateField(required=False, allow_null=True, help_text="First day; null: no beginning."),
            "to": serializers.DateField(
                required=False, allow_null=True, help_text="First day after it; null: until further notice."
            ),
        }


class GivenSerializer(serializers.Serializer[object]):
    kind = serializers.ChoiceField(choices=OwnedKind.choices)
    name = serializers.CharField()
    unit = serializers.CharField(allow_null=True)
    tree = serializers.CharField()
    changed = serializers.BooleanField()


class ConfirmSerializer(serializers.Serializer[object]):
    """The proposals to confirm: those of a tree, of some things, or all; without names, none for the top of a tree."""

    tree = serializers.CharField(max_length=80, required=False)
    resources = serializers.ListField(child=serializers.CharField(max_length=300), required=False, max_length=1000)


class ConfirmedSerializer(serializers.Serializer[object]):
    confirmed = serializers.IntegerField()


class OwnershipErrorsSerializer(ProblemsSerializer):
    pass


class OwnershipView(APIView):
    token_scope = TokenScope.PEOPLE
    permission_classes = (IsAuthenticated, TokenScopeAllows, MayWritePeople)

    @extend_schema(
        operation_id="v1_ownership_list",
        parameters=[
            OpenApiParameter("tree", str, description="Slug of a tree; without it the oldest in use."),
            OpenApiParameter("kind", str, enum=OwnedKind.values),
            OpenApiParameter("unit", str, description="Slug: what it owns, and those below it."),
            OpenApiParameter("q", str, description="Text in a name."),
            OpenApiParameter("without_owner", bool, description="List only things without an owner today."),
            OpenApiParameter("page", int, description="From 1."),
            OpenApiParameter("size", int, description="Things a page, at most 1,000 (100)."),
        ],
        responses={200: OwnershipListSerializer},
    )
    def get(self, request: Request) -> Response:
        """Owned things with their owners of today: those without an owner first, then by name."""
        only(request, *PARAMETERS)
        page = whole_number(request, "page", 1, LAST_PAGE)
        size = whole_number(request, "size", DEFAULT_SIZE, LARGEST_SIZE)
        tree = _tree(_parameter(request, "tree"))
        if tree is None:
            return Response({"total": 0, "next": None, "previous": None, "ownership": []})
        listing = listed_things(tree, _filters(request), on=timezone.localdate(), limit=size, offset=(page - 1) * size)
        proposed = {
            proposal.owned_id: proposal
            for proposal in proposals([tree], owned_ids=[thing.id for thing in listing.things if thing.unit_id is None])
        }
        return Response(
            {
                **paging_fields(request, page, size, listing.total),
                "ownership": [_document(thing, tree, proposed.get(thing.id)) for thing in listing.things],
            }
        )

    @extend_schema(
        operation_id="v1_ownership_put",
        request=OwnSerializer,
        responses={200: GivenSerializer, 400: OwnershipErrorsSerializer},
    )
    def put(self, request: Request) -> Response:
        """Assign something to a unit on these days, replacing the previous owner."""
        only(request)
        given, problems = read_body(OwnSerializer, request.data)
        if problems:
            return refused(problems)
        field = "resource"
        start, end, by = given.get("from"), given.get("to"), _user(request)
        try:
            owned = find_owned(given["resource"])
            if given["unit"] is None:
                tree = OrgTree.objects.filter(slug=given.get("tree", "")).first()
                if tree is None:
                    return refused({"tree": ["Say in which tree nobody owns it, by its slug."]})
                unit, changed = None, remove_owner(owned, tree, start=start, end=end, by=by)
            else:
                field = "unit"
                unit = find_unit(given["unit"])
                tree, changed = unit.tree, own(owned, unit, start=start, end=end, by=by)
        except OwnershipRefusedError as refusal:
            return refused({field: [str(refusal)]})
        document = {"kind": owned.kind, "name": str(owned), "unit": unit and unit.slug, "tree": tree.slug}
        return Response({**document, "changed": changed})


class ConfirmView(APIView):
    token_scope = TokenScope.PEOPLE
    permission_classes = (IsAuthenticated, TokenScopeAllows, MayWritePeople)

    @extend_schema(
        operation_id="v1_ownership_confirm",
        request=ConfirmSerializer,
        responses={200: ConfirmedSerializer, 400: OwnershipErrorsSerializer},
    )
    def post(self, request: Request) -> Response:
        """Assign things without an owner as proposed."""
        only(request)
        given, problems = read_body(ConfirmSerializer, request.data)
        if problems:
            return refused(problems)
        slug = given.get("tree")
        trees = OrgTree.objects.filter(archived_at=None)
        if slug is not None and not trees.filter(slug=slug).exists():
            return refused({"tree": [f"There is no tree “{slug}” in use."]})
        named = given.get("resources")
        try:
            things = None if named is None else [find_owned(name) for name in named]
        except OwnershipRefusedError as refusal:
            return refused({"resources": [str(refusal)]})
        proposed = proposals(
            trees if slug is None else trees.filter(slug=slug),
            owned_ids=None if things is None else [thing.pk for thing in things],
        )
        chosen = [
            (proposal.owned_id, proposal.unit.pk) for proposal in proposed if things is not None or not proposal.is_root
        ]
        return Response({"confirmed": confirm(chosen, by=_user(request))})


def _document(thing: ListedThing, tree: OrgTree, proposal: Proposal | None) -> dict[str, Any]:
    return {
        "kind": thing.kind,
        "name": thing.name,
        "tree": tree.slug,
        "owner": thing.unit_slug,
        "since": thing.since,
        "until": thing.until,
        "follows": thing.follows or None,
        "proposal": proposal and {"unit": proposal.unit.slug, "reason": proposal.reason},
    }


def _tree(slug: str) -> OrgTree | None:
    """The named tree, else the oldest in use; None if there is none."""
    if not slug:
        return OrgTree.objects.filter(archived_at=None).order_by("created_at", "pk").first()
    tree = OrgTree.objects.filter(slug=slug).first()
    if tree is None:
        raise NotFound
    return tree


def _filters(request: Request) -> Filters:
    kind, slug, without = (_parameter(request, name) for name in ("kind", "unit", "without_owner"))
    if kind and kind not in OwnedKind.values:
        raise BadRequest(f"kind: “{kind[:20]}” is none. Use {', '.join(OwnedKind.values)}.")
    if without not in ("", "true", "false"):
        raise BadRequest("without_owner: use true or false.")
    unit = Unit.objects.filter(slug=slug).first() if slug else None
    if slug and unit is None:
        raise NotFound
    return Filters(
        OwnedKind(kind) if kind else None,
        _parameter(request, "q"),
        None if unit is None else unit.pk,
        without_owner=without == "true",
    )


def _parameter(request: Request, name: str) -> str:
    return request.query_params.get(name, "").strip()


def _user(request: Request) -> User | None:
    return request.user if isinstance(request.user, User) else None
