"""/api/v1/work-types/: the accuracy of predicted work types, and their corrections."""

from __future__ import annotations

from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.bodies import sent_object
from core.api.operations import operation
from insights.api.program_view import ProgramView
from integrations.delivery.records.visible import visible_work_items
from integrations.delivery.work_types.learning import is_installed
from integrations.delivery.work_types.predicting import classes_of, correct, newest_version
from integrations.enums import WorkType


class ClassAccuracySerializer(serializers.Serializer[object]):
    """The accuracy for one work type, on labels held out from training."""

    work_type = serializers.ChoiceField(choices=[*WorkType])
    labels = serializers.IntegerField()
    predicted = serializers.IntegerField(help_text="Held-out items that were surely predicted to be of it.")
    right = serializers.IntegerField(help_text="Correct predictions among them.")
    is_used = serializers.BooleanField()


class WorkTypesSerializer(serializers.Serializer[object]):
    is_on = serializers.BooleanField(help_text="Whether an admin switched prediction on.")
    is_installed = serializers.BooleanField(help_text="Whether scikit-learn is there.")
    version = serializers.IntegerField(allow_null=True)
    labels = serializers.IntegerField()
    right = serializers.FloatField(allow_null=True, help_text="Share of held-out labels that are named right.")
    classes = ClassAccuracySerializer(many=True)


class WorkTypeCorrectionSerializer(serializers.Serializer[object]):
    work_type = serializers.ChoiceField(choices=[*WorkType])


class CorrectedSerializer(serializers.Serializer[object]):
    id = serializers.IntegerField()
    key = serializers.CharField()
    work_type = serializers.ChoiceField(choices=[*WorkType])


class WorkTypesView(ProgramView):
    @operation("v1_work_types", WorkTypesSerializer)
    def get(self, request: Request) -> Response:
        """Return the accuracy of predicted work types."""
        version = newest_version()
        classes = classes_of(version) if version else []
        return Response(
            {
                "is_on": self.access.organisation.predicts_work_types,
                "is_installed": is_installed(),
                "version": version.pk if version else None,
                "labels": version.labels if version else 0,
                "right": version.right if version else None,
                "classes": ClassAccuracySerializer(classes, many=True).data,
            }
        )


class WorkTypeView(ProgramView):
    @operation("v1_work_type_correct", CorrectedSerializer, request=WorkTypeCorrectionSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Set the work type of an unlabelled work item; the model learns from it."""
        item = get_object_or_404(visible_work_items(self.access), pk=pk)
        correct(self.access, item, str(sent_object(request).get("work_type", "")))
        item.refresh_from_db()
        return Response({"id": item.pk, "key": item.key, "work_type": item.work_type})
