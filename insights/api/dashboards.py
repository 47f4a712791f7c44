"""/api/v1/dashboards/: dashboards as documents, with the permissions of their pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.model_serializers import AnswerSerializer, ReadSerializer
from core.api.operations import operation
from core.api.resources import Documents, ListCreate, ReadChange
from core.list_filters import ViewerFilters
from insights.api.program_view import ProgramView
from insights.dashboards import writing
from insights.dashboards.document import FORMAT, KINDS, MOST_CARDS, MOST_METRICS, WIDTHS, WINDOWS, exported
from insights.dashboards.sharing import SharedThing, may_change, share_with
from insights.dashboards.templates import TEMPLATES
from insights.models import Dashboard, SharedWith
from insights.models.dashboards import DashboardQuerySet
from insights.query.errors import QueryError
from orgtree.access.access import Access
from orgtree.access.who_sees import names_of


class CardSerializer(serializers.Serializer[object]):
    """A card.  Its kind determines its fields."""

    id = serializers.CharField(required=False, help_text="Given by Headway where it is left out.")
    kind = serializers.ChoiceField(choices=list(KINDS))
    metric = serializers.CharField(required=False, help_text="The metric of a tile, trend, breakdown or slowest card.")
    metrics = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        max_length=MOST_METRICS,
        help_text="The metrics of a comparison, units or split card.",
    )
    by = serializers.CharField(required=False, help_text="The split of a trend, breakdown or split card.")
    beside = serializers.ListField(
        child=serializers.CharField(), required=False, max_length=MOST_METRICS, help_text="Further lines of a trend."
    )
    text = serializers.CharField(required=False)
    title = serializers.CharField(required=False)
    width = serializers.ChoiceField(choices=list(WIDTHS), required=False, help_text="Columns of twelve.")
    unit = serializers.CharField(
        required=False, help_text="Slug, or organisation; left out: the unit of the page, at first the reader's own."
    )
    window = serializers.ChoiceField(
        choices=list(WINDOWS), required=False, help_text="Left out: the window of the page."
    )


class SharedSerializer(serializers.Serializer[Any]):
    owner = serializers.SerializerMethodField()
    may_change = serializers.SerializerMethodField()
    roles = serializers.SerializerMethodField()
    units = serializers.SerializerMethodField(help_text="Slugs.")

    def get_owner(self, thing: SharedThing) -> str | None:
        names: Mapping[int, str] = self.context["names"]
        return names.get(thing.owner_id or 0)

    def get_may_change(self, thing: SharedThing) -> bool:
        return may_change(self.context["access"], thing)

    @extend_schema_field(serializers.ListField(child=serializers.ChoiceField(choices=SharedWith.choices)))
    def get_roles(self, thing: SharedThing) -> list[str]:
        return sorted(share.role for share in thing.shares.all() if share.role)

    def get_units(self, thing: SharedThing) -> list[str]:
        return sorted(share.unit.slug for share in thing.shares.all() if share.unit)


def owner_names(things: Sequence[SharedThing]) -> Mapping[int, str]:
    """The value for the key `names` in the context of `SharedSerializer`."""
    return names_of([thing.owner for thing in things if thing.owner])


class DashboardSerializer(SharedSerializer, ReadSerializer[Dashboard]):
    """A dashboard.  `cards` holds the draft for those who may edit it, and the published cards for everybody else."""

    version = serializers.IntegerField(help_text="The number of publications; 0: a draft.")
    has_changes = serializers.SerializerMethodField(help_text="Whether the draft differs from what readers see.")
    cards = serializers.SerializerMethodField()

    class Meta:
        model = Dashboard
        fields = (
            *("id", "title", "purpose", "owner", "may_change", "version", "published_at", "changed_at"),
            *("has_changes", "roles", "units", "cards"),
        )
        extra_kwargs = {"purpose": {"help_text": ""}}

    def get_has_changes(self, dashboard: Dashboard) -> bool:
        return may_change(self.context["access"], dashboard) and dashboard.has_changes

    @extend_schema_field(CardSerializer(many=True))
    def get_cards(self, dashboard: Dashboard) -> Any:
        return dashboard.draft if may_change(self.context["access"], dashboard) else dashboard.published


class DashboardWriteSerializer(serializers.Serializer[object]):
    """The fields to write.  Omitted fields keep their value; `template` provides the cards of a new dashboard."""

    title = serializers.CharField(max_length=80, required=False)
    purpose = serializers.CharField(max_length=240, required=False)
    cards = CardSerializer(many=True, required=False, help_text=f"At most {MOST_CARDS}.")
    roles = serializers.ListField(child=serializers.ChoiceField(choices=SharedWith.choices), required=False)
    units = serializers.ListField(child=serializers.CharField(), required=False)
    template = serializers.ChoiceField(choices=list(TEMPLATES), required=False)


class DashboardFileSerializer(AnswerSerializer):
    """The file that the pages export and import."""

    headway_dashboard = serializers.IntegerField(help_text=f"Its format: {FORMAT}.")
    title = serializers.CharField()
    purpose = serializers.CharField()
    cards = CardSerializer(many=True)


class DashboardFilters(ViewerFilters):
    def visible(self, access: Access) -> QuerySet[Dashboard]:
        return _with_shares(access).own_first(access)


def _with_shares(access: Access) -> DashboardQuerySet:
    return Dashboard.objects.visible_to(access).select_related("owner").prefetch_related("shares__unit")


def visible_dashboard(pk: int, access: Access) -> Dashboard:
    """A dashboard.  Raises Http404 if it is unknown or hidden."""
    dashboard: Dashboard = get_object_or_404(_with_shares(access), pk=pk)
    return dashboard


@transaction.atomic
def _add(access: Access, given: Mapping[str, Any]) -> Dashboard:
    """Add a dashboard from cards, a template, or an exported file."""
    sent = sent_fields(given, DashboardWriteSerializer, "headway_dashboard")
    if sent.get("headway_dashboard", FORMAT) != FORMAT:
        raise QueryError("headway_dashboard", f"The format of a file is {FORMAT}.")
    template = sent.get("template")
    if template is not None and not (isinstance(template, str) and template in TEMPLATES):
        raise QueryError("template", f"There is no such template: use {', '.join(TEMPLATES)}.")
    started = TEMPLATES[template] if template else None
    made = writing.make_dashboard(
        access,
        title=sent.get("title", started.title if started else None),
        purpose=sent.get("purpose", started.purpose if started else ""),
        cards=sent.get("cards", list(started.cards) if started else []),
    )
    share_as_sent(access, made, sent)
    return made


@transaction.atomic
def _change(access: Access, dashboard: Dashboard, given: Mapping[str, Any]) -> None:
    sent = sent_fields(given, DashboardWriteSerializer)
    if "template" in sent:
        raise QueryError("template", "A template is for a new dashboard.")
    if "title" in sent or "purpose" in sent:
        title, purpose = (sent.get(name, getattr(dashboard, name)) for name in ("title", "purpose"))
        writing.describe(access, dashboard, title=title, purpose=purpose)
    if "cards" in sent:
        writing.set_cards(access, dashboard, sent["cards"])
    share_as_sent(access, dashboard, sent)


class Dashboards(ProgramView, ListCreate, ReadChange):
    operations = {
        "list": ("v1_dashboards_list", "The dashboards that the viewer may see, their own first."),
        "create": ("v1_dashboards_add", "Make a draft: from cards, from a template, or from an exported file."),
        "retrieve": ("v1_dashboard", "One dashboard."),
        "partial_update": (
            "v1_dashboard_change",
            "Change the words, the draft or the readers of a dashboard; omitted fields keep their value.",
        ),
        "destroy": ("v1_dashboard_remove", "Delete a dashboard; the history keeps it."),
    }
    plural = "dashboards"
    filters = DashboardFilters
    serializer = DashboardSerializer
    write_serializer = DashboardWriteSerializer
    changes = DashboardWriteSerializer
    has_versions = False
    find = staticmethod(visible_dashboard)
    add = staticmethod(_add)
    change = staticmethod(_change)
    remove = staticmethod(writing.remove_dashboard)

    def documents(self, records: Sequence[Dashboard]) -> Documents:
        context = {"access": self.access, "names": owner_names(records)}
        return [dict(document) for document in DashboardSerializer(records, many=True, context=context).data]

    @operation("v1_dashboard_publish", DashboardSerializer)
    def publish(self, request: Request, pk: int) -> Response:
        """Show the draft to its readers."""
        writing.publish_dashboard(self.access, self.find(pk, self.access))
        return self.answer(pk)

    @operation("v1_dashboard_copy", {status.HTTP_201_CREATED: DashboardSerializer})
    def copy(self, request: Request, pk: int) -> Response:
        """Copy a dashboard's cards to a new draft of your own."""
        copy = writing.copy_dashboard(self.access, self.find(pk, self.access))
        return self.answer(copy.pk, status.HTTP_201_CREATED)


class DashboardExportView(ProgramView):
    @operation("v1_dashboard_export", DashboardFileSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Return a dashboard as a file that can be imported elsewhere."""
        dashboard = visible_dashboard(pk, self.access)
        cards = dashboard.draft if may_change(self.access, dashboard) else dashboard.published
        return Response(exported(dashboard.title, dashboard.purpose, cards))


def share_as_sent(access: Access, thing: SharedThing, given: Mapping[str, Any]) -> None:
    """Share it with the `roles` and `units` that were sent; a field that was not sent is left unchanged."""
    if "roles" not in given and "units" not in given:
        return
    kept: Mapping[str, Callable[[], Sequence[str]]] = {
        "roles": lambda: [share.role for share in thing.shares.all() if share.role],
        "units": lambda: [share.unit.slug for share in thing.shares.all() if share.unit],
    }
    wanted = {name: _texts(name, given[name]) if name in given else stored() for name, stored in kept.items()}
    share_with(access, thing, roles=wanted["roles"], units=wanted["units"])


def sent_fields(given: Mapping[str, Any], fields: type[serializers.Serializer[Any]], *more: str) -> Mapping[str, Any]:
    """The fields as sent, unvalidated because the services check them.  Raises QueryError for unknown fields."""
    known = (*fields().fields, *more)
    for name in given:
        if name not in known:
            raise QueryError(str(name)[:40], f"There is no such field. Use {', '.join(known)}.")
    return given


def _texts(name: str, value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise QueryError(name, "It must be a list of texts.")
    return value
