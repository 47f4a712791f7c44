"""/api/v1/views/: saved views, with the permissions of their pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.model_serializers import AnswerSerializer
from core.api.paging import page_parameters, requested_slice
from core.api.parameters import only
from core.write_errors import FieldError
from insights.api.dashboards import DashboardAPIView, sent_fields, share_as_sent
from insights.api.views import ERRORS
from insights.dashboards.saved_views import filters_of_view, page_name, remove_view, save_view, update_view
from insights.dashboards.sharing import may_change
from insights.models import SavedView, SharedWith
from orgtree.access.access import Access, access_of
from orgtree.access.who_sees import names_of

FIELDS = ("title", "address", "roles", "units")


class SavedViewSerializer(AnswerSerializer):
    id = serializers.IntegerField()
    title = serializers.CharField()
    owner = serializers.CharField(allow_null=True)
    may_change = serializers.BooleanField()
    page = serializers.CharField(help_text="The page in words, such as AI: Spend.")
    url = serializers.CharField(help_text="Leads to the page, for readers who may see it.")
    address = serializers.CharField(
        allow_null=True, help_text="The page with its parameters; null where its unit is not visible to the reader."
    )
    changed_at = serializers.DateTimeField()
    roles = serializers.ListField(child=serializers.ChoiceField(choices=SharedWith.choices))
    units = serializers.ListField(child=serializers.CharField(), help_text="Slugs.")


class SavedViewsSerializer(AnswerSerializer):
    total = serializers.IntegerField()
    views = SavedViewSerializer(many=True)


class SavedViewWriteSerializer(serializers.Serializer[object]):
    """Omitted fields keep their value; a new view needs title and address."""

    title = serializers.CharField(max_length=80, required=False)
    address = serializers.CharField(
        max_length=2000, required=False, help_text="/insights/ai/spend/?unit=payments&range=26w"
    )
    roles = serializers.ListField(child=serializers.ChoiceField(choices=SharedWith.choices), required=False)
    units = serializers.ListField(child=serializers.CharField(), required=False)


class SavedViewsView(DashboardAPIView):
    @extend_schema(
        operation_id="v1_views_list",
        parameters=[*page_parameters("Saved views")],
        responses={200: SavedViewsSerializer, **ERRORS},
    )
    def get(self, request: Request) -> Response:
        """The saved views that the viewer may see, their own first."""
        only(request, "page", "size")
        access = access_of(request.user)
        visible = SavedView.objects.visible_to(access)
        page = list(_with_shares(visible.own_first(access))[requested_slice(request)])
        return Response({"total": visible.count(), "views": _documents(page, access)})

    @extend_schema(
        operation_id="v1_views_add", request=SavedViewWriteSerializer, responses={201: SavedViewSerializer, **ERRORS}
    )
    def post(self, request: Request) -> Response:
        """Save a page with its unit, window and filters."""
        access, given = access_of(request.user), sent_fields(request, *FIELDS)
        with transaction.atomic():
            made = save_view(access, title=given.get("title"), address=given.get("address", ""))
            share_as_sent(access, made, given)
        return Response(_document(made.pk, access), status=status.HTTP_201_CREATED)


class SavedViewView(DashboardAPIView):
    @extend_schema(operation_id="v1_view", responses={200: SavedViewSerializer, **ERRORS})
    def get(self, request: Request, pk: int) -> Response:
        """One saved view."""
        return Response(_document(pk, access_of(request.user)))

    @extend_schema(
        operation_id="v1_view_change", request=SavedViewWriteSerializer, responses={200: SavedViewSerializer, **ERRORS}
    )
    def patch(self, request: Request, pk: int) -> Response:
        """Rename it, let it show something else, or share it; omitted fields keep their value."""
        access, given = access_of(request.user), sent_fields(request, *FIELDS)
        view = _visible(pk, access)
        with transaction.atomic():
            if "title" in given or "address" in given:
                update_view(access, view, title=given.get("title", view.title), address=given.get("address"))
            share_as_sent(access, view, given)
        return Response(_document(pk, access))

    @extend_schema(operation_id="v1_view_remove", responses={204: None, **ERRORS})
    def delete(self, request: Request, pk: int) -> Response:
        """Delete a saved view."""
        access = access_of(request.user)
        remove_view(access, _visible(pk, access))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _visible(pk: int, access: Access) -> SavedView:
    view: SavedView | None = _with_shares(SavedView.objects.visible_to(access)).filter(pk=pk).first()
    if view is None:
        raise NotFound
    return view


def _with_shares(views: Any) -> Any:
    return views.select_related("owner").prefetch_related("shares__unit")


def _document(pk: int, access: Access) -> dict[str, Any]:
    return _documents([_visible(pk, access)], access)[0]


def _documents(views: Sequence[SavedView], access: Access) -> list[dict[str, Any]]:
    names = names_of([view.owner for view in views if view.owner])
    return [
        {
            **{"id": view.pk, "title": view.title, "page": page_name(view), "changed_at": view.changed_at},
            "owner": names.get(view.owner_id or 0),
            "may_change": may_change(access, view),
            "url": reverse("saved_view", args=[view.pk]),
            "address": view.address if _is_readable(access, view) else None,
            "roles": sorted(share.role for share in view.shares.all() if share.role),
            "units": sorted(share.unit.slug for share in view.shares.all() if share.unit),
        }
        for view in views
    ]


def _is_readable(access: Access, view: SavedView) -> bool:
    try:
        return filters_of_view(access, view) is not None
    except FieldError:
        return True  # its page says what no longer holds
