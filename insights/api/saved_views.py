"""/api/v1/views/: saved views, with the permissions of their pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import reverse
from rest_framework import serializers

from core.api.model_serializers import ReadSerializer
from core.api.resources import Documents, ListCreate, ReadChange
from core.list_filters import ViewerFilters
from insights.api.dashboards import SharedSerializer, owner_names, sent_fields, share_as_sent
from insights.api.program_view import ProgramView
from insights.dashboards.saved_views import filters_of_view, page_name, remove_view, save_view, update_view
from insights.models import SavedView, SharedWith
from insights.models.saved_views import SavedViewQuerySet
from orgtree.access.access import Access


class SavedViewSerializer(SharedSerializer, ReadSerializer[SavedView]):
    page = serializers.SerializerMethodField(help_text="The page in words, such as AI: Spend.")
    url = serializers.SerializerMethodField(help_text="Leads to the page, for readers who may see it.")
    address = serializers.SerializerMethodField(
        help_text="The page with its parameters; null where its unit is not visible to the reader, or a filter is gone."
    )

    class Meta:
        model = SavedView
        fields = ("id", "title", "owner", "may_change", "page", "url", "address", "changed_at", "roles", "units")

    def get_page(self, view: SavedView) -> str:
        return page_name(view)

    def get_url(self, view: SavedView) -> str:
        return reverse("saved_view", args=[view.pk])

    def get_address(self, view: SavedView) -> str | None:
        return None if filters_of_view(self.context["access"], view) is None else view.address


class SavedViewWriteSerializer(serializers.Serializer[object]):
    """The fields to write.  Omitted fields keep their value; a new view requires title and address."""

    title = serializers.CharField(max_length=80, required=False)
    address = serializers.CharField(
        max_length=2000, required=False, help_text="/insights/ai/spend/?unit=payments&range=26w"
    )
    roles = serializers.ListField(child=serializers.ChoiceField(choices=SharedWith.choices), required=False)
    units = serializers.ListField(child=serializers.CharField(), required=False)


class SavedViewFilters(ViewerFilters):
    def visible(self, access: Access) -> QuerySet[SavedView]:
        return _with_shares(access).own_first(access)


def _with_shares(access: Access) -> SavedViewQuerySet:
    return SavedView.objects.visible_to(access).select_related("owner").prefetch_related("shares__unit")


def visible_view(pk: int, access: Access) -> SavedView:
    """A saved view.  Raises Http404 if it is unknown or hidden."""
    view: SavedView = get_object_or_404(_with_shares(access), pk=pk)
    return view


@transaction.atomic
def _add(access: Access, given: Mapping[str, Any]) -> SavedView:
    sent = sent_fields(given, SavedViewWriteSerializer)
    made = save_view(access, title=sent.get("title"), address=sent.get("address", ""))
    share_as_sent(access, made, sent)
    return made


@transaction.atomic
def _change(access: Access, view: SavedView, given: Mapping[str, Any]) -> None:
    sent = sent_fields(given, SavedViewWriteSerializer)
    if "title" in sent or "address" in sent:
        update_view(access, view, title=sent.get("title", view.title), address=sent.get("address"))
    share_as_sent(access, view, sent)


class SavedViews(ProgramView, ListCreate, ReadChange):
    operations = {
        "list": ("v1_views_list", "The saved views that the viewer may see, their own first."),
        "create": ("v1_views_add", "Save a page with its unit, window and filters."),
        "retrieve": ("v1_view", "One saved view."),
        "partial_update": (
            "v1_view_change",
            "Rename it, let it show something else, or share it; omitted fields keep their value.",
        ),
        "destroy": ("v1_view_remove", "Delete a saved view."),
    }
    plural = "views"
    filters = SavedViewFilters
    serializer = SavedViewSerializer
    write_serializer = SavedViewWriteSerializer
    changes = SavedViewWriteSerializer
    has_versions = False
    find = staticmethod(visible_view)
    add = staticmethod(_add)
    change = staticmethod(_change)
    remove = staticmethod(remove_view)

    def documents(self, records: Sequence[SavedView]) -> Documents:
        context = {"access": self.access, "names": owner_names(records)}
        return [dict(document) for document in SavedViewSerializer(records, many=True, context=context).data]
