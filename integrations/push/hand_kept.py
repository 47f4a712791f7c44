"""Pushed values of hand-kept metrics: the kind `metrics`.

A record has no id of its own: metric, unit and day identify it, and a second one for the same day replaces the first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from django.db import transaction

from core.api.model_serializers import Amount, Day
from core.write_errors import FieldError
from integrations.hand_kept.values import Entry, checked_entry, remove_values, store_entries
from integrations.models import HandKeptMetric, HandKeptValue, IngestToken
from integrations.models.hand_kept import KEY_PREFIX
from integrations.push.own_records import REFUSED, claim, others
from integrations.push.serializers import StrictSerializer, Text, Title, in_words
from integrations.telemetry.otlp.ingest_tokens import Sender
from orgtree.models import Unit

METRICS = "metrics"  # the segment of the address


class MetricRecord(StrictSerializer):
    key = Text()
    unit = Text(required=False)
    date = Day()
    value = Amount()
    note = Title(required=False)


def store_values(records: Sequence[Any], sender: Sender) -> list[dict[str, Any]]:
    """Store the valid records, in one transaction and in order; return the results of all, in order."""
    serializers = [MetricRecord(data=record) for record in records]
    valid = [serializer.validated_data for serializer in serializers if serializer.is_valid()]
    metrics = _metrics({values["key"] for values in valid})
    slugs = {values["unit"] for values in valid} - {""}
    units = {unit.slug: unit for unit in Unit.objects.filter(slug__in=slugs)}
    results: list[dict[str, Any]] = []
    entries: list[Entry] = []
    stored: list[dict[str, Any]] = []
    for serializer in serializers:
        result: dict[str, Any] = {"id": None, "status": "rejected", "error": None}
        results.append(result)
        if serializer.errors:
            result["error"] = in_words(serializer.errors)
            continue
        values = serializer.validated_data
        result["id"] = _id_of(values["key"], values["unit"], values["date"])
        try:
            entries.append(_entry(values, metrics, units))
        except FieldError as problem:
            result["error"] = f"{problem.field}: {problem.message}"
        else:
            stored.append(result)
    if entries:
        with transaction.atomic():
            ids = [result["id"] for result in stored]
            refused = claim(sender, METRICS, ids, _stored_ids(entries, ids))
            for result in stored:
                if result["id"] in refused:
                    result["error"] = f"key: {REFUSED}"
            entries = [entry for entry, id_ in zip(entries, ids, strict=True) if id_ not in refused]
            stored = [result for result in stored if result["id"] not in refused]
            outcomes = store_entries(entries, by=None, via=_via(sender))
        for result, outcome in zip(stored, outcomes, strict=True):
            result["status"] = outcome.value
    return results


def forget_value(record_id: str, sender: Sender) -> bool:
    """Remove the value with that id; return whether there was one.  Raises PermissionError if it is not the token's."""
    key, *unit, text = record_id.split("/") if record_id.count("/") in (1, 2) and "\0" not in record_id else ("", "")
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return False
    metric = _metrics([key]).get(key)
    if metric is None:
        return False
    of_unit = {"unit__slug": unit[0]} if unit else {"unit": None}
    values = list(HandKeptValue.objects.filter(metric=metric, day=day, **of_unit).select_related("metric"))
    known = _id_of(metric.key, unit[0] if unit else "", day)
    if others(sender, METRICS, [known], [known] if values else []):
        raise PermissionError(REFUSED)
    remove_values(values, by=None)
    return bool(values)


def _stored_ids(entries: Sequence[Entry], ids: Sequence[str]) -> set[str]:
    """The ids whose value exists, pushed or entered."""
    values = HandKeptValue.objects.filter(
        metric__in={entry.metric for entry in entries}, day__in={entry.day for entry in entries}
    )
    stored = set(values.values_list("metric", "unit", "day"))
    return {
        id_
        for entry, id_ in zip(entries, ids, strict=True)
        if (entry.metric.pk, entry.unit.pk if entry.unit else None, entry.day) in stored
    }


def _entry(values: Mapping[str, Any], metrics: Mapping[str, HandKeptMetric], units: Mapping[str, Unit]) -> Entry:
    """The entry of a record.  Raises FieldError, whose field is that of the record."""
    metric, unit = metrics.get(values["key"]), units.get(values["unit"])
    if metric is None:
        raise FieldError("key", f"There is no hand-kept metric {values['key'][:60]}. Define it in Headway first.")
    if values["unit"] and unit is None:
        raise FieldError("unit", f"There is no unit {values['unit'][:80]}.")
    return checked_entry(metric, unit, values["date"], values["value"], values["note"])


def _metrics(keys: Iterable[str]) -> Mapping[str, HandKeptMetric]:
    """The metrics by key."""
    slugs = [key.removeprefix(KEY_PREFIX) for key in keys if key.startswith(KEY_PREFIX)]
    return {metric.key: metric for metric in HandKeptMetric.objects.filter(slug__in=slugs)}


def _id_of(key: str, unit: str, day: date) -> str:
    return "/".join(filter(None, (key, unit, day.isoformat())))


def _via(sender: Sender) -> str:
    name = IngestToken.objects.filter(pk=sender.token_id).values_list("name", flat=True).first() or ""
    return f"Push API, token {name}"[:120]
