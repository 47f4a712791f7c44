"""JSON of the units that the viewer leads, for choosing one."""

from __future__ import annotations

from rest_framework import serializers

from core.api.model_serializers import AnswerSerializer


class LedUnitSerializer(AnswerSerializer):
    unit = serializers.CharField(source="slug", help_text="Slug.")
    name = serializers.CharField()
    tree = serializers.CharField(source="tree_slug")
    parent = serializers.CharField(  # type: ignore[assignment]  # DRF takes it from the class
        allow_null=True, source="parent_slug", help_text="Slug, if you lead that unit, too."
    )
