"""Learns work types from the organisation's own labels every night, and predicts those of items without one."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass

from celery import shared_task
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from core import sql
from core.write_errors import FieldError, MayNotWriteError
from integrations.delivery.mappings.effective import ValueMappings, value_mappings_of
from integrations.delivery.set_mapping import apply_work_types
from integrations.delivery.work_items.work_type_and_status import recompute_work_type_and_status
from integrations.delivery.work_types.learning import (
    LEAST_LABELS,
    Accuracy,
    ClassAccuracy,
    Prediction,
    accuracy,
    is_installed,
    trained,
)
from integrations.enums import Kind, WorkType
from integrations.models import Connection, PredictedWorkType, WorkItem, WorkTypeModel
from integrations.outbox.write_lock import lock_for_write
from orgtree.access.access import Access
from orgtree.models import Organisation

MOST_ITEMS = 20_000  # labels that are learned from, and items that are predicted: the latest
_ITEMS = """
    SELECT item.id, item.connection_id, item.title, item.native_type, item.labels, predicted.corrected_to
    FROM integrations_workitem item
    LEFT JOIN integrations_predictedworktype predicted ON predicted.work_item_id = item.id
    WHERE item.deleted_at IS NULL AND item.title <> ''
    ORDER BY item.id DESC
"""


@dataclass(frozen=True)
class Items:
    """Titles by item: with their label, and those without one."""

    labelled: Mapping[int, tuple[str, str]]
    unlabelled: Mapping[int, str]
    connections: Mapping[int, int]

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(repr(sorted(self.labelled.items())).encode()).hexdigest()


@shared_task(name="integrations.delivery.work_types.predicting.predict_work_types", ignore_result=True)  # type: ignore[untyped-decorator]
def predict_work_types() -> None:
    """Measure the model; if an admin switched it on, predict and apply, else withdraw earlier predictions."""
    is_on = Organisation.current().predicts_work_types
    if not is_installed() or not is_on:
        store_predictions({}, None)
    if not is_installed():
        return
    items = read_items()
    titles, work_types = [title for title, _ in items.labelled.values()], [of for _, of in items.labelled.values()]
    if len(titles) < LEAST_LABELS or len(set(work_types)) < 2:
        store_predictions({}, None)
        return
    version = _version(items, titles, work_types)
    if not is_on:
        return
    used = {one.work_type for one in classes_of(version) if one.is_used}
    predict = trained(titles, work_types)
    found = dict(zip(items.unlabelled, predict([*items.unlabelled.values()]), strict=True))
    store_predictions({pk: one for pk, one in found.items() if one.is_sure and one.work_type in used}, version)


def read_items() -> Items:
    """The latest items: those labelled by rules (the item's type, else its labels) or by somebody, and the others."""
    labelled: dict[int, tuple[str, str]] = {}
    unlabelled: dict[int, str] = {}
    connections: dict[int, int] = {}
    meanings: dict[int, ValueMappings] = {}
    for pk, connection, title, native_type, labels, corrected_to in sql.rows(_ITEMS):
        if connection not in meanings:
            meanings[connection] = value_mappings_of(connection)
        by_rule = meanings[connection].of_item(native_type, labels)
        work_type = str(by_rule or corrected_to or "")
        if work_type and len(labelled) < MOST_ITEMS:
            labelled[pk] = (title, work_type)
        elif not work_type and len(unlabelled) < MOST_ITEMS:
            unlabelled[pk] = title
        connections[pk] = connection
    return Items(labelled, unlabelled, connections)


def _version(items: Items, titles: Sequence[str], work_types: Sequence[str]) -> WorkTypeModel:
    """The stored version of the model for these labels; measured and stored if there is none."""
    last = newest_version()
    if last is not None and last.fingerprint == items.fingerprint:
        return last
    measured: Accuracy = accuracy(titles, work_types)
    return WorkTypeModel.objects.create(
        fingerprint=items.fingerprint,
        labels=len(titles),
        right=measured.right,
        classes=[asdict(one) for one in measured.classes],
    )


def newest_version() -> WorkTypeModel | None:
    return WorkTypeModel.objects.order_by("-pk").first()


def classes_of(version: WorkTypeModel) -> list[ClassAccuracy]:
    return [ClassAccuracy(**one) for one in version.classes]


@transaction.atomic
def store_predictions(found: Mapping[int, Prediction], version: WorkTypeModel | None) -> None:
    """Store these predictions in place of those of earlier nights; corrections stay."""
    before = PredictedWorkType.objects.filter(corrected_to=None)
    known = dict(before.values_list("pk", "work_type"))
    before.exclude(pk__in=found).delete()
    PredictedWorkType.objects.bulk_create(
        [
            PredictedWorkType(work_item_id=pk, work_type=one.work_type, probability=one.probability, model=version)
            for pk, one in found.items()
        ],
        update_conflicts=True,
        unique_fields=["work_item"],
        update_fields=["work_type", "probability", "model"],
        batch_size=1_000,
    )
    now = {pk: one.work_type for pk, one in found.items()}
    _apply({pk for pk in {*known, *now} if known.get(pk) != now.get(pk)})


def correct(access: Access, item: WorkItem, work_type: str) -> PredictedWorkType:
    """Give an item without a label this work type; the model learns from it.  Raises FieldError, MayNotWriteError."""
    if not may_correct(access):
        raise MayNotWriteError("Those who lead a unit, executives and admins correct work types.")
    if work_type not in list(WorkType):
        raise FieldError("work_type", f"Choose one of {', '.join(WorkType)}.")
    if value_mappings_of(item.connection_id).of_item(item.native_type, item.labels):
        raise FieldError(
            "work_type",
            f"{item.key} has a work type in its tracker, by its type or labels. Change it there, or ask an admin to"
            " change the value mappings of the connection: both come before a correction.",
        )
    with transaction.atomic():
        stored, _ = PredictedWorkType.objects.update_or_create(
            work_item=item,
            defaults={
                "corrected_to": work_type,
                "corrected_by": access.viewer if isinstance(access.viewer, User) else None,
                "corrected_on": timezone.localdate(),
            },
        )
        _apply([item.pk])
    return stored


def may_correct(access: Access) -> bool:
    return isinstance(access.viewer, User) and (access.visibility.leads_any or access.visibility.leads_whole)


def _apply(items: Collection[int]) -> None:
    """Recompute the work types of these items, and the figures that follow from them."""
    by_connection: dict[int, set[int]] = defaultdict(set)
    for pk, of in WorkItem.objects.filter(pk__in=items).values_list("pk", "connection"):
        by_connection[of].add(pk)
    for connection in Connection.objects.filter(pk__in=by_connection):
        lock_for_write(connection, frozenset({Kind.PULL_REQUEST, Kind.WORK_ITEM}))
        changed = recompute_work_type_and_status(value_mappings_of(connection), by_connection[connection.pk])
        apply_work_types(changed)
