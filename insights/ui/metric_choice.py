"""A form field of admin that selects a metric by name and stores its key."""

from __future__ import annotations

from django import forms

from insights.catalogue.registry import metrics


def metric_field(*, empty: str = "None", help_text: str = "", current: str = "") -> forms.ChoiceField:
    """A choice of every metric, and of `current` even if it no longer exists."""
    known = {metric.key: f"{metric.name} ({metric.key})" for metric in metrics()}
    if current:
        known.setdefault(current, f"{current}, no longer a metric")
    return forms.ChoiceField(choices=[("", empty), *known.items()], required=False, help_text=help_text)
