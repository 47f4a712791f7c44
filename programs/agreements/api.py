"""/api/v1/working-agreements/, with the permissions of its pages."""

from __future__ import annotations

from datetime import time
from typing import Any

from rest_framework import serializers

from core.api.model_serializers import AnswerSerializer, Named, ReadSerializer
from core.api.resources import ListCreate, ReadChange, changes_of
from insights.api.program_view import ProgramView
from insights.query.windows import local_today
from integrations.delivery.agreements.agree import OwnTerms, Term, terms_in_force
from integrations.models import WorkingAgreement
from integrations.models.working_agreements import TERMS
from programs.agreements.queries import AgreementFilters, agreement_rows, visible_terms
from programs.agreements.writing import AgreementWriteSerializer, set_agreement


class AgreementSerializer(ReadSerializer[WorkingAgreement]):
    unit = Named("slug", help_text="Slug.")
    first_day = serializers.DateField(source="during.lower", allow_null=True, help_text="null: since the beginning.")
    end_day = serializers.DateField(source="during.upper", allow_null=True, help_text="Exclusive; null: until changed.")

    class Meta:
        model = WorkingAgreement
        fields = ("unit", "first_day", "end_day", *TERMS)


class AgreementsView(ProgramView, ListCreate):
    operations = {
        "list": ("v1_working_agreements", "Working agreements of units, by days."),
        "csv": ("v1_working_agreements_csv", "The agreements as a CSV file."),
    }
    plural = "agreements"
    filters = AgreementFilters
    serializer = AgreementSerializer
    file_rows = staticmethod(agreement_rows)


class TermSerializer(AnswerSerializer):
    name = serializers.CharField()
    value = serializers.JSONField(allow_null=True)
    inherited_from = serializers.CharField(allow_null=True, help_text="Slug of the unit above; null: own, or none.")

    def to_representation(self, term: Term) -> dict[str, Any]:
        agreed_by, unit = term.agreed_by, self.context["unit"]
        is_inherited = agreed_by is not None and agreed_by.unit_id != unit.pk
        value = f"{term.value:%H:%M}" if isinstance(term.value, time) else term.value
        return {
            **{"name": term.name, "value": value},
            "inherited_from": agreed_by.unit.slug if agreed_by and is_inherited else None,
        }


class OwnAgreementSerializer(ReadSerializer[WorkingAgreement]):
    class Meta:
        model = WorkingAgreement
        fields = TERMS


class UnitAgreementSerializer(AnswerSerializer):
    unit = Named("slug", help_text="Slug.")
    version = serializers.IntegerField(help_text="Send it with a change.")
    own = OwnAgreementSerializer(source="agreement", help_text="The unit’s own terms; null: inherited.")
    in_force = TermSerializer(many=True, source="*")

    def to_representation(self, terms: OwnTerms) -> dict[str, Any]:
        in_force = TermSerializer(terms_in_force(terms.unit, local_today()), many=True, context={"unit": terms.unit})
        return {
            **{"unit": terms.unit.slug, "version": terms.version},
            "own": OwnAgreementSerializer(terms.agreement).data,
            "in_force": in_force.data,
        }


class UnitAgreementView(ProgramView, ReadChange):
    """Changing the agreement sets the unit's own terms from `first_day` on."""

    operations = {
        "retrieve": ("v1_working_agreement", "The working agreement of a unit today: own terms, and those in force."),
        "partial_update": (
            "v1_working_agreement_change",
            "Change the terms that are named, from a day on; a term that is null is inherited.",
        ),
    }
    serializer = UnitAgreementSerializer
    changes = changes_of(AgreementWriteSerializer)
    find = staticmethod(visible_terms)
    change = staticmethod(set_agreement)
