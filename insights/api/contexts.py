"""/api/v1/context/ and /api/v1/comparable-units/, with the permissions of their pages."""

from __future__ import annotations

from datetime import date

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.bodies import sent_object
from core.api.operations import operation
from core.write_errors import FieldError
from insights.api.program_view import ProgramView
from insights.findings.comparable import FIELDS as RULE_FIELDS
from insights.findings.comparable import change_rule, in_words
from insights.findings.contexts import FIELDS, Place, context_of, history_of, named_place, say
from insights.models import ComparableRule
from insights.models.contexts import Stage
from insights.query.parameters import read_day
from insights.query.windows import local_today


class ContextValuesSerializer(serializers.Serializer[object]):
    stage = serializers.ChoiceField(choices=["", *Stage.values])
    language = serializers.CharField()
    long_reviews = serializers.BooleanField(allow_null=True, help_text="Whether long reviews are expected.")
    weights = serializers.DictField(child=serializers.FloatField(), help_text="A number for each work type.")
    conventions = serializers.CharField(help_text="Path or address of the coding conventions.")


class ContextVersionSerializer(ContextValuesSerializer):
    since = serializers.DateField()


class ContextSerializer(serializers.Serializer[object]):
    in_force = ContextValuesSerializer(help_text="Today, with what is inherited.")
    own = ContextVersionSerializer(many=True, help_text="Values set for the place itself, the latest first.")


class ContextWriteSerializer(serializers.Serializer[object]):
    """The context to set.  Omitted fields are left unset."""

    since = serializers.DateField(required=False, help_text="Default: today.")
    stage = serializers.ChoiceField(choices=["", *Stage.values], required=False)
    language = serializers.CharField(required=False)
    long_reviews = serializers.BooleanField(allow_null=True, required=False)
    weights = serializers.DictField(child=serializers.FloatField(), required=False)
    conventions = serializers.CharField(required=False)


class ComparableRuleSerializer(serializers.ModelSerializer[ComparableRule]):
    words = serializers.SerializerMethodField(help_text="The rule in words.")

    class Meta:
        model = ComparableRule
        fields = (*RULE_FIELDS, "words")

    def get_words(self, rule: ComparableRule) -> str:
        return in_words(rule)


class ComparableRuleWriteSerializer(serializers.ModelSerializer[ComparableRule]):
    """The rule to set.  Omitted fields keep their value."""

    class Meta:
        model = ComparableRule
        fields = RULE_FIELDS


PARAMETERS = [
    OpenApiParameter("unit", str, description="Slug; default: the whole organisation."),
    OpenApiParameter("repository", str, description="Name, in place of a unit."),
]


class ContextView(ProgramView):
    @operation("v1_context", ContextSerializer, parameters=PARAMETERS)
    def get(self, request: Request) -> Response:
        """The context of a unit or repository."""
        return self._answer(self._place(request))

    @operation("v1_context_set", ContextSerializer, request=ContextWriteSerializer, parameters=PARAMETERS)
    def put(self, request: Request) -> Response:
        """Set the context of a unit or repository from a given day on."""
        place, given = self._place(request), dict(sent_object(request))
        since: date = read_day("since", str(given.pop("since"))) if "since" in given else local_today()
        for name in given:
            if name not in FIELDS:
                raise FieldError(str(name)[:40], f"A context has no such field. Fields: since, {', '.join(FIELDS)}.")
        say(self.access, place, given, since=since)
        return self._answer(place)

    def _place(self, request: Request) -> Place:
        params = request.query_params
        return named_place(self.access, unit=params.get("unit", ""), repository=params.get("repository", ""))

    def _answer(self, place: Place) -> Response:
        rows = [
            {"since": row.since.isoformat(), **{name: getattr(row, name) for name in FIELDS}}
            for row in history_of(place)
        ]
        return Response({"in_force": context_of(place, local_today()).values(), "own": rows})


class ComparableUnitsView(ProgramView):
    @operation("v1_comparable_units", ComparableRuleSerializer)
    def get(self, request: Request) -> Response:
        """The rule by which findings choose comparable teams."""
        return Response(ComparableRuleSerializer(ComparableRule.current()).data)

    @operation("v1_comparable_units_change", ComparableRuleSerializer, request=ComparableRuleWriteSerializer)
    def patch(self, request: Request) -> Response:
        """Change the fields that are sent; admins only."""
        return Response(ComparableRuleSerializer(change_rule(self.access, sent_object(request))).data)
