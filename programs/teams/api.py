"""Units that somebody leads, as documents list them to choose from."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from orgtree.models.visibility import Visibility
from programs.teams.fields import units_led


class LedUnitSerializer(serializers.Serializer[object]):
    unit = serializers.CharField(help_text="Slug.")
    name = serializers.CharField()
    tree = serializers.CharField()
    parent = serializers.CharField(  # type: ignore[assignment]  # DRF takes it from the class
        allow_null=True, help_text="Slug, if you lead that unit, too."
    )


def led_unit_documents(visibility: Visibility) -> list[dict[str, Any]]:
    return [
        {"unit": unit.slug, "name": unit.name, "tree": unit.tree_slug, "parent": unit.parent_slug}
        for unit in units_led(visibility)
    ]
