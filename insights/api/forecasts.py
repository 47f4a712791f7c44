"""/api/v1/forecasts/: when epics, versions, labels and projects will be finished, and what a change would do."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from insights.api.views import ERRORS, check_parameters
from insights.forecasts.forecasting import Dates
from insights.forecasts.initiative_work import agents_figures
from insights.forecasts.listing import forecast_document, forecast_with_key, listed_forecasts
from insights.forecasts.questions import PARAMETERS as OF_QUESTION
from insights.forecasts.questions import read_question, reply
from insights.forecasts.records import movements
from insights.formulas.forecast_calibration import Calibration
from insights.privacy.scope_access import check_scope
from insights.query import windows
from insights.query.errors import QueryError
from insights.query.query import Query, Scope
from integrations.delivery.records.initiatives import WEEKS_OF_TEAM, InitiativeKind, work_of_units
from orgtree.access.access import Access, access_of
from orgtree.trees.people_filter import PeopleFilter

SCOPE = frozenset({"unit", "kind", "items"})
ITEMS = ("all", "own")


class DatesSerializer(serializers.Serializer[object]):
    date_50 = serializers.DateField(allow_null=True)
    date_85 = serializers.DateField(allow_null=True)
    date_95 = serializers.DateField(allow_null=True)


class InitiativeForecastSerializer(DatesSerializer):
    kind = serializers.CharField(help_text="epic, version, label or project.")
    key = serializers.CharField(help_text="Value of `of` in /api/v1/forecasts/one/.")
    name = serializers.CharField()
    reference = serializers.CharField(help_text="Key of the epic, name of the version's project; or empty.")
    items_done = serializers.IntegerField()
    items = serializers.IntegerField(help_text="Done or to do.")
    added_since_start = serializers.IntegerField(help_text="Less those dropped.")
    finished_per_week = serializers.FloatField(help_text="Pace of the history that is replayed.")
    by_pace_of_team = serializers.BooleanField(
        help_text="It has too few finished items: forecast by its part of its team's pace, without growth of scope."
    )
    planned = serializers.DateField(allow_null=True)
    odds_of_planned = serializers.FloatField(allow_null=True, help_text="0–1.")
    working_days_late = serializers.IntegerField(
        allow_null=True, help_text="Working days from the planned day to the 85 % date; null where that is not later."
    )
    at_risk_since = serializers.DateField(allow_null=True)
    items_added_since_at_risk = serializers.IntegerField(
        allow_null=True, help_text="Items that moved it: added since it was last on time."
    )
    weekly_change_since_at_risk = serializers.FloatField(
        allow_null=True, help_text="Items a week that are finished more, or fewer, since then."
    )
    reason = serializers.CharField(help_text="The reason for missing dates; else empty.")


class CalibrationSerializer(serializers.Serializer[object]):
    held = serializers.IntegerField(help_text="The 85 % dates that held, among those that can be checked.")
    of = serializers.IntegerField()
    verdict = serializers.CharField(help_text="calibrated, too_early, too_late or unknown.")


class TeamCalibrationSerializer(CalibrationSerializer):
    unit = serializers.CharField(help_text="Slug of the team.")


class ForecastsSerializer(serializers.Serializer[object]):
    time_zone = serializers.CharField()
    unit = serializers.CharField(allow_null=True)
    calibration = CalibrationSerializer()
    calibration_by_team = TeamCalibrationSerializer(
        many=True, help_text="Teams of the unit whose initiatives have dates that can be checked."
    )
    forecasts = InitiativeForecastSerializer(many=True)


class HowManySerializer(serializers.Serializer[object]):
    by = serializers.DateField()
    items_50 = serializers.IntegerField()
    items_85 = serializers.IntegerField()
    items_95 = serializers.IntegerField()


class WhenSerializer(DatesSerializer):
    items = serializers.IntegerField()


class ChangedSerializer(DatesSerializer):
    odds_of_planned = serializers.FloatField(allow_null=True)


class RepliesSerializer(serializers.Serializer[object]):
    changed = ChangedSerializer(help_text="The dates with these changes; without any, the forecast itself.")
    when = WhenSerializer(help_text="The dates of so many more finished items.")
    how_many = HowManySerializer(help_text="The number of items that are finished by a day.")


class UnitWorkSerializer(serializers.Serializer[object]):
    unit = serializers.CharField(help_text="Slug of the team; empty: nobody yet, or in no team.")
    items_done = serializers.IntegerField(source="done", help_text="Items done while their owner was in the team.")
    in_progress = serializers.IntegerField()
    to_do = serializers.IntegerField()
    finished_per_week = serializers.FloatField(source="weekly", help_text="Mean of the last 12 weeks.")


class OneInitiativeForecastSerializer(InitiativeForecastSerializer):
    in_progress = serializers.IntegerField()
    units = UnitWorkSerializer(many=True)
    ai_share = serializers.FloatField(
        allow_null=True,
        help_text="Share of agents in the lines of its pull requests, 0–1; null: none, or of too few people.",
    )
    spend = serializers.FloatField(
        allow_null=True, help_text="Spend of agents, in dollars; null: none, or of too few people."
    )
    replies = RepliesSerializer(allow_null=True, help_text="Null with too little history.")


_KIND = OpenApiParameter(
    "kind", str, enum=[kind.value for kind in InitiativeKind], description="The kind of initiative; default: epic."
)
_ITEMS = OpenApiParameter("items", str, enum=list(ITEMS), description="All items, or those of the unit and of nobody.")
_UNIT = OpenApiParameter("unit", str, description="Slug of a unit whose people worked on them.")
_QUESTION = (
    OpenApiParameter("people", int, description="People more or fewer."),
    OpenApiParameter("scope", int, description="Items added or cut."),
    OpenApiParameter("wip", int, description="WIP limit."),
    OpenApiParameter("count", int, description="Items of the question when; default: what is left."),
    OpenApiParameter("by", str, description="Day of the question how many; default: in four weeks."),
)


class ForecastsView(APIView):
    @extend_schema(
        operation_id="v1_forecasts_list",
        parameters=[_UNIT, _KIND, _ITEMS],
        responses={200: ForecastsSerializer, **ERRORS},
    )
    def get(self, request: Request) -> Response:
        """List the open epics (versions, labels, projects) that the unit works on, those at risk first."""
        access = _access(request, SCOPE)
        scope, kind, own_only = _scope(request, access)
        people, today = PeopleFilter(scope.unit, scope.unassigned), windows.local_today()
        listed = listed_forecasts(kind, access, people=people, own_only=own_only, today=today)
        documents = [forecast_document(made, listed.moved.get(made.initiative.key)) for made in listed.forecasts]
        return Response(
            {
                "time_zone": settings.TIME_ZONE,
                "unit": scope.unit_word,
                "calibration": _calibration(listed.calibration),
                "calibration_by_team": [{"unit": one.unit, **_calibration(one.calibration)} for one in listed.by_team],
                "forecasts": InitiativeForecastSerializer(documents, many=True).data,
            }
        )


class ForecastView(APIView):
    @extend_schema(
        parameters=[
            OpenApiParameter("of", str, required=True, description="Key of the initiative."),
            *(_UNIT, _KIND, _ITEMS, *_QUESTION),
        ],
        responses={200: OneInitiativeForecastSerializer, **ERRORS},
    )
    def get(self, request: Request) -> Response:
        """One forecast, with the answers to *what if*, *when* and *how many*."""
        access = _access(request, SCOPE | OF_QUESTION | {"of"})
        scope, kind, own_only = _scope(request, access)
        people, today = PeopleFilter(scope.unit, scope.unassigned), windows.local_today()
        key = request.query_params.get("of", "")
        found = forecast_with_key(kind, key, access, people=people, own_only=own_only, today=today)
        if found is None:
            raise Http404
        made, _ = found
        question = read_question(request.query_params.dict(), made)
        planned = {key: made.planned_on} if made.is_at_risk and made.planned_on else {}
        document = forecast_document(made, movements(kind, planned, until=today).get(key))
        window = windows.trailing(WEEKS_OF_TEAM)
        figures = agents_figures(made.initiative, lambda of: Query(of, window, scope=scope), access)
        values = {figure.key: figure.value for figure in figures}
        document |= {
            "in_progress": made.initiative.in_progress,
            "units": work_of_units(made.initiative),
            "ai_share": values.get("ai.committed_code_share"),
            "spend": values.get("ai.spend"),
        }
        replies = reply(made, question)
        document["replies"] = replies and {
            "changed": {**_dates(replies.changed), "odds_of_planned": replies.odds_of_planned},
            "when": {**_dates(replies.when), "items": question.items},
            "how_many": {
                "by": question.by,
                **dict(zip(("items_50", "items_85", "items_95"), replies.many, strict=True)),
            },
        }
        return Response(OneInitiativeForecastSerializer(document).data)


def _access(request: Request, allowed: frozenset[str]) -> Access:
    """The caller's access.  Raises PermissionDenied for a token without an account, QueryError for a parameter."""
    if not isinstance(request.user, User):
        raise PermissionDenied(
            "This token has no account and reads aggregates only; forecasts name work items. Create one with "
            "`manage.py create_api_token NAME --user U`."
        )
    check_parameters(request, allowed)
    return access_of(request.user)


def _scope(request: Request, access: Access) -> tuple[Scope, InitiativeKind, bool]:
    given = request.query_params
    scope = Scope.of_unit(given.get("unit", ""))
    check_scope(scope, access)
    kind, items = given.get("kind") or InitiativeKind.EPIC, given.get("items") or ITEMS[0]
    if kind not in list(InitiativeKind):
        raise QueryError("kind", f"It can be {', '.join(InitiativeKind)}.")
    if items not in ITEMS:
        raise QueryError("items", f"It can be {', '.join(ITEMS)}.")
    return scope, InitiativeKind(kind), items == "own"


def _dates(dates: Dates) -> dict[str, Any]:
    return {"date_50": dates.even, "date_85": dates.likely, "date_95": dates.safe}


def _calibration(calibration: Calibration) -> dict[str, Any]:
    return {"held": calibration.held, "of": calibration.of, "verdict": calibration.verdict.value}
