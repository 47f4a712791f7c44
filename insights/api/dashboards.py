"""/api/v1/dashboards/: dashboards as documents, with the permissions of their pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.model_serializers import AnswerSerializer
from core.api.paging import page_parameters, requested_slice
from core.api.parameters import only
from insights.api.views import ERRORS
from insights.dashboards import writing
from insights.dashboards.document import FORMAT, KINDS, MOST_CARDS, MOST_METRICS, WIDTHS, WINDOWS, exported
from insights.dashboards.sharing import SharedThing, may_change, share_with
from insights.dashboards.templates import TEMPLATES
from insights.models import Dashboard, SharedWith
from insights.query.errors import QueryError
from orgtree.access.access import Access, access_of
from orgtree.access.who_sees import names_of
from orgtree.models import TokenScope

FIELDS = ("title", "purpose", "cards", "roles", "units")


class CardSerializer(serializers.Serializer[object]):
    """A card.  Which fields it has depends on its kind."""

    id = serializers.CharField(required=False, help_text="Given by Headway where it is left out.")
    kind = serializers.ChoiceField(choices=list(KINDS))
    metric = serializers.CharField(required=False, help_text="The metric of a tile, trend, breakdown or slowest card.")
    metrics = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        max_length=MOST_METRICS,
        help_text="The metrics of a comparison or units card.",
    )
    by = serializers.CharField(required=False, help_text="The split of a trend or breakdown.")
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


class DashboardSerializer(AnswerSerializer):
    """A dashboard; `cards` are the draft's for those who may change it, else those that are published."""

    id = serializers.IntegerField()
    title = serializers.CharField()
    purpose = serializers.CharField()
    owner = serializers.CharField(allow_null=True)
    may_change = serializers.BooleanField()
    version = serializers.IntegerField(help_text="The number of publications; 0: a draft.")
    published_at = serializers.DateTimeField(allow_null=True)
    changed_at = serializers.DateTimeField()
    has_changes = serializers.BooleanField(help_text="Whether the draft differs from what readers see.")
    roles = serializers.ListField(child=serializers.ChoiceField(choices=SharedWith.choices))
    units = serializers.ListField(child=serializers.CharField(), help_text="Slugs.")
    cards = CardSerializer(many=True)


class DashboardsSerializer(AnswerSerializer):
    total = serializers.IntegerField()
    dashboards = DashboardSerializer(many=True)


class DashboardWriteSerializer(serializers.Serializer[object]):
    """Omitted fields keep their value; `template` is for a new one, in place of its cards."""

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


class DashboardAPIView(APIView):
    """Reading needs a token with the scope `read` or `program`, writing one with `program`; sessions may do both."""

    @property
    def token_scopes(self) -> tuple[TokenScope, ...]:
        reads = self.request.method in SAFE_METHODS
        return (TokenScope.READ, TokenScope.PROGRAM) if reads else (TokenScope.PROGRAM,)


class DashboardsView(DashboardAPIView):
    @extend_schema(
        operation_id="v1_dashboards_list",
        parameters=[*page_parameters("Dashboards")],
        responses={200: DashboardsSerializer, **ERRORS},
    )
    def get(self, request: Request) -> Response:
        """The dashboards that the viewer may see, their own first."""
        only(request, "page", "size")
        access = access_of(request.user)
        visible = Dashboard.objects.visible_to(access)
        page = list(_with_shares(visible.own_first(access))[requested_slice(request)])
        return Response({"total": visible.count(), "dashboards": _documents(page, access)})

    @extend_schema(
        operation_id="v1_dashboards_add",
        request=DashboardWriteSerializer,
        responses={201: DashboardSerializer, **ERRORS},
    )
    def post(self, request: Request) -> Response:
        """Make a draft: from cards, from a template, or from an exported file."""
        access, given = access_of(request.user), sent_fields(request, *FIELDS, "template", "headway_dashboard")
        if given.get("headway_dashboard", FORMAT) != FORMAT:
            raise QueryError("headway_dashboard", f"The format of a file is {FORMAT}.")
        template = given.get("template")
        if template is not None and not (isinstance(template, str) and template in TEMPLATES):
            raise QueryError("template", f"There is no such template: use {', '.join(TEMPLATES)}.")
        started = TEMPLATES[template] if template else None
        with transaction.atomic():
            made = writing.make_dashboard(
                access,
                title=given.get("title", started.title if started else None),
                purpose=given.get("purpose", started.purpose if started else ""),
                cards=given.get("cards", list(started.cards) if started else []),
            )
            share_as_sent(access, made, given)
        return Response(_document(made.pk, access), status=status.HTTP_201_CREATED)


class DashboardView(DashboardAPIView):
    @extend_schema(operation_id="v1_dashboard", responses={200: DashboardSerializer, **ERRORS})
    def get(self, request: Request, pk: int) -> Response:
        """One dashboard."""
        return Response(_document(pk, access_of(request.user)))

    @extend_schema(
        operation_id="v1_dashboard_change",
        request=DashboardWriteSerializer,
        responses={200: DashboardSerializer, **ERRORS},
    )
    def patch(self, request: Request, pk: int) -> Response:
        """Change the words, the draft or the readers of a dashboard; omitted fields keep their value."""
        access, given = access_of(request.user), sent_fields(request, *FIELDS)
        dashboard = _visible(pk, access)
        with transaction.atomic():
            if "title" in given or "purpose" in given:
                title, purpose = (given.get(name, getattr(dashboard, name)) for name in ("title", "purpose"))
                writing.describe(access, dashboard, title=title, purpose=purpose)
            if "cards" in given:
                writing.set_cards(access, dashboard, given["cards"])
            share_as_sent(access, dashboard, given)
        return Response(_document(pk, access))

    @extend_schema(operation_id="v1_dashboard_remove", responses={204: None, **ERRORS})
    def delete(self, request: Request, pk: int) -> Response:
        """Delete a dashboard; the history keeps it."""
        access = access_of(request.user)
        writing.remove_dashboard(access, _visible(pk, access))
        return Response(status=status.HTTP_204_NO_CONTENT)


class DashboardPublishView(DashboardAPIView):
    @extend_schema(operation_id="v1_dashboard_publish", request=None, responses={200: DashboardSerializer, **ERRORS})
    def post(self, request: Request, pk: int) -> Response:
        """Show the draft to its readers."""
        access = access_of(request.user)
        writing.publish_dashboard(access, _visible(pk, access))
        return Response(_document(pk, access))


class DashboardCopyView(DashboardAPIView):
    @extend_schema(operation_id="v1_dashboard_copy", request=None, responses={201: DashboardSerializer, **ERRORS})
    def post(self, request: Request, pk: int) -> Response:
        """A draft of one's own with the same cards."""
        access = access_of(request.user)
        copy = writing.copy_dashboard(access, _visible(pk, access))
        return Response(_document(copy.pk, access), status=status.HTTP_201_CREATED)


class DashboardExportView(DashboardAPIView):
    @extend_schema(operation_id="v1_dashboard_export", responses={200: DashboardFileSerializer, **ERRORS})
    def get(self, request: Request, pk: int) -> Response:
        """The file of a dashboard, which can be imported elsewhere."""
        access = access_of(request.user)
        document = _document(pk, access)
        return Response(exported(document["title"], document["purpose"], document["cards"]))


def _visible(pk: int, access: Access) -> Dashboard:
    dashboard: Dashboard | None = _with_shares(Dashboard.objects.visible_to(access)).filter(pk=pk).first()
    if dashboard is None:
        raise NotFound
    return dashboard


def _with_shares(dashboards: Any) -> Any:
    return dashboards.select_related("owner").prefetch_related("shares__unit")


def share_as_sent(access: Access, thing: SharedThing, given: Mapping[str, Any]) -> None:
    """Share it with the sent `roles` and `units`; those that were not sent stay."""
    if "roles" not in given and "units" not in given:
        return
    kept: Mapping[str, Callable[[], Sequence[str]]] = {
        "roles": lambda: [share.role for share in thing.shares.all() if share.role],
        "units": lambda: [share.unit.slug for share in thing.shares.all() if share.unit],
    }
    wanted = {name: _texts(name, given[name]) if name in given else stored() for name, stored in kept.items()}
    share_with(access, thing, roles=wanted["roles"], units=wanted["units"])


def _document(pk: int, access: Access) -> dict[str, Any]:
    return _documents([_visible(pk, access)], access)[0]


def _documents(dashboards: Sequence[Dashboard], access: Access) -> list[dict[str, Any]]:
    names = names_of([dashboard.owner for dashboard in dashboards if dashboard.owner])

    def document(dashboard: Dashboard) -> dict[str, Any]:
        changes, shares = may_change(access, dashboard), list(dashboard.shares.all())
        return {
            **{name: getattr(dashboard, name) for name in ("title", "purpose", "version", "published_at")},
            "id": dashboard.pk,
            "owner": names.get(dashboard.owner_id or 0),
            "may_change": changes,
            "changed_at": dashboard.changed_at,
            "has_changes": changes and dashboard.has_changes,
            "roles": sorted(share.role for share in shares if share.role),
            "units": sorted(share.unit.slug for share in shares if share.unit),
            "cards": dashboard.draft if changes else dashboard.published,
        }

    return [document(dashboard) for dashboard in dashboards]


def sent_fields(request: Request, *names: str) -> Mapping[str, Any]:
    """The fields of the request.  Raises QueryError for unknown ones."""
    if not isinstance(request.data, Mapping):
        raise QueryError("title", "Send one object with the fields to write.")
    for name in request.data:
        if name not in names:
            raise QueryError(str(name)[:40], f"There is no such field. Fields: {', '.join(names)}.")
    return request.data


def _texts(name: str, value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise QueryError(name, "It must be a list of texts.")
    return value
