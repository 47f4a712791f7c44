"""/api/v1/roadmap/: the team roadmap and the intents of units; objectives are moved by changing them."""

from __future__ import annotations

from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.bodies import body, changed_version
from core.api.errors import ErrorsSerializer
from core.api.model_serializers import AnswerSerializer, BodySerializer, ReadSerializer, Text
from core.api.operations import CSV_ANSWERS, CsvNegotiation, answer_change, operation
from core.api.parameters import page_parameters, requested_slice
from core.api.resources import ListCreate, ReadChange, changes_of
from core.csv_export import csv_response
from core.write_errors import FieldError
from insights.api.program_view import ProgramView
from insights.query import windows
from orgtree.access.access import Access
from programs.models import Objective, ObjectiveStatus, Quarter, RoadmapIntent
from programs.quarters.api import CalendarQuarterSerializer
from programs.quarters.fiscal_quarters import QuarterField, quarter_of, quarters_from
from programs.requests.fields import day, parameter
from programs.requests.visible import visible_intent
from programs.roadmaps.queries.team_roadmap import (
    QUARTERS_SHOWN,
    TeamRoadmap,
    first_days,
    roadmap_rows,
    team_roadmap,
)
from programs.roadmaps.services.fields import THINGS, WRITTEN, IntentWriteSerializer
from programs.roadmaps.services.intents import add_intent, change_intent, fill_from_example, remove_intent
from programs.teams.fields import LedUnitField

ROADMAP_PARAMETERS = [
    OpenApiParameter("quarter", str, description="A day in the first of four quarters, 2026-08-01; by default today."),
    OpenApiParameter("unit", str, description="Slug: its row and those of all below it."),
]
LIST_PARAMETERS = [*ROADMAP_PARAMETERS, *page_parameters("Rows")]


class IntentSerializer(ReadSerializer[RoadmapIntent]):
    """A planned improvement of a unit for a quarter, before it becomes an objective."""

    unit = LedUnitField(THINGS, help_text="Slug; null: the whole organisation.")
    quarter = QuarterField(help_text="Its first day.")

    class Meta:
        model = RoadmapIntent
        fields = ("id", *WRITTEN, "version", "written_at")
        blank_is_null = ("template",)


class IntentConflictSerializer(ErrorsSerializer):
    """Somebody changed the intent in the meantime; nothing was stored."""

    stored = IntentSerializer(allow_null=True, help_text="Null: it was written as an objective, or removed.")


class PlannedObjectiveSerializer(ReadSerializer[Objective]):
    standing = serializers.ChoiceField(choices=ObjectiveStatus.choices, source="shown")
    is_draft = serializers.BooleanField()

    class Meta:
        model = Objective
        fields = ("id", "title", "standing", "is_mandatory", "is_draft", "template", "version")
        blank_is_null = ("template",)


class RoadmapCellSerializer(AnswerSerializer):
    quarter = serializers.DateField(source="quarter.start", help_text="Its first day.")
    objectives = PlannedObjectiveSerializer(many=True)
    intents = IntentSerializer(many=True)
    gap = serializers.BooleanField(
        source="is_gap", help_text="The team has no mandatory objective; told to whoever leads it."
    )


class RoadmapRowSerializer(AnswerSerializer):
    unit = serializers.CharField(allow_null=True, source="unit.slug", help_text="Slug; null: the whole organisation.")
    name = serializers.CharField(allow_null=True, source="unit.name")
    is_team = serializers.BooleanField()
    cells = RoadmapCellSerializer(many=True)


class RoadmapQuarterSerializer(CalendarQuarterSerializer):
    closed = serializers.BooleanField(source="is_closed")


class RoadmapSerializer(serializers.Serializer[object]):
    tree = serializers.CharField(allow_null=True, help_text="The name of the Org Tree whose units are the teams.")
    quarters = RoadmapQuarterSerializer(many=True)
    gaps = serializers.IntegerField(help_text="The gaps of all pages.")
    total = serializers.IntegerField(help_text="Rows of all pages.")
    rows = RoadmapRowSerializer(many=True)


class ExampleWriteSerializer(BodySerializer):
    units = serializers.ListField(
        child=Text(allow_null=True, allow_blank=True),
        allow_empty=False,
        help_text="Slugs of empty rows.",
        error_messages=dict.fromkeys(
            ("not_a_list", "empty"), "It must be a list of slugs; null is the whole organisation."
        ),
    )


class IntentsSerializer(serializers.Serializer[object]):
    intents = IntentSerializer(many=True)


class RoadmapView(ProgramView):
    @operation("v1_roadmap", RoadmapSerializer, parameters=LIST_PARAMETERS)
    def get(self, request: Request) -> Response:
        """Get four quarters of the whole organisation and of each team: objectives, intents and gaps."""
        page = requested_slice(request)
        planned = _roadmap(request, self.access)
        return Response(
            {
                "tree": planned.tree.name if planned.tree else None,
                "quarters": RoadmapQuarterSerializer(planned.quarters, many=True).data,
                "gaps": len(planned.gaps),
                "total": len(planned.rows),
                "rows": RoadmapRowSerializer(planned.rows[page], many=True).data,
            }
        )


class RoadmapCsvView(ProgramView):
    content_negotiation_class = CsvNegotiation

    @operation("v1_roadmap_csv", CSV_ANSWERS, parameters=ROADMAP_PARAMETERS, errors={})
    def get(self, request: Request) -> HttpResponseBase:
        """Four quarters of the team roadmap as a CSV file, with a row for each objective, intent and gap."""
        return csv_response("roadmap", roadmap_rows(_roadmap(request, self.access)))


class Intents(ProgramView, ListCreate, ReadChange):
    operations = {
        "create": ("v1_roadmap_intents_add", "Say what a unit intends to improve in a quarter."),
        "retrieve": ("v1_roadmap_intent", "One intent."),
        "destroy": ("v1_roadmap_intent_remove", "Take it off the roadmap."),
    }
    serializer = IntentSerializer
    write_serializer = IntentWriteSerializer
    find = staticmethod(visible_intent)
    add = staticmethod(add_intent)
    remove = staticmethod(remove_intent)

    @operation(
        "v1_roadmap_intent_change",
        {200: IntentSerializer, 409: IntentConflictSerializer},
        request=changes_of(IntentWriteSerializer),
    )
    def partial_update(self, request: Request, pk: int) -> Response:
        """Change or move the intent; `version` is the version that the change is based on."""
        intent = self.find(pk, self.access)
        given, version = changed_version(request)
        return answer_change(
            lambda: change_intent(self.access, intent, given, of_version=version),
            lambda changed: IntentSerializer(changed).data if changed else None,
        )


class RoadmapExampleView(ProgramView):
    @operation("v1_roadmap_example", {201: IntentsSerializer}, request=ExampleWriteSerializer)
    def post(self, request: Request) -> Response:
        """Fill empty rows with the method's example, starting with the current quarter."""
        units = list(dict.fromkeys(unit or None for unit in body(request, ExampleWriteSerializer)["units"]))
        known = list(Quarter.objects.all())
        ahead = [one for one in quarters_from(known, windows.local_today(), QUARTERS_SHOWN) if not one.is_closed]
        planned = team_roadmap(ahead, self.access)
        empty = {row.unit.slug if row.unit else None for row in planned.rows if row.is_empty}
        filled = next((unit for unit in units if unit not in empty), "")
        if filled != "":
            raise FieldError("units", f"{filled or 'The whole organisation'} has no empty row that you may see.")
        added = fill_from_example(self.access, units, first=ahead[0])
        return Response({"intents": IntentSerializer(added, many=True).data}, status=status.HTTP_201_CREATED)


def _roadmap(request: Request, access: Access) -> TeamRoadmap:
    """The roadmap that the request names.  Raises FieldError for a quarter that no roadmap can begin with."""
    known, today = list(Quarter.objects.all()), windows.local_today()
    first = day("quarter", parameter(request, "quarter")) or today
    earliest, latest = first_days(known, today)
    if not earliest <= first < quarter_of(latest).end:
        raise FieldError("quarter", f"The roadmap must start between {earliest} and {latest}.")
    return team_roadmap(quarters_from(known, first, QUARTERS_SHOWN), access, unit=parameter(request, "unit") or None)
