"""Webhook deliveries become facts the same way as synced records; they may arrive in any order, and twice."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.utils import timezone

from core.queue import run_one_by_one
from integrations.connectors.base import RawRecord, Settings
from integrations.connectors.drafts import AnyDraft
from integrations.connectors.errors import SchemaError
from integrations.connectors.json_text import read_delivery
from integrations.connectors.registered import connectors
from integrations.intake.store_drafts import store_drafts
from integrations.models import QuarantinedPayload, WebhookDelivery
from integrations.sync.enqueue import enqueue_stream
from integrations.sync.pages import MOST_FIELDS, left_out_of
from integrations.sync.quarantine import OF_WEBHOOK
from integrations.sync.resources import of_picked

logger = logging.getLogger(__name__)

KEPT_FOR = timedelta(days=30)  # without bodies: to recognise repeated deliveries, and to show that they arrive
MOST_TRIES = 5
MOST_AT_ONCE = 500
LONGEST_ID, LONGEST_SOURCE, LONGEST_PATH = 200, 60, 300  # the columns of quarantine
State = WebhookDelivery.State


def process_waiting() -> int:
    """Process the oldest deliveries, each in its own transaction; return how many.

    One that fails is left to the next sweep: its cause, such as others' locks, may be gone by then.
    """
    waiting = WebhookDelivery.objects.filter(state=State.WAITING).select_related("connection").order_by("pk")
    return run_one_by_one(waiting, _process, failed=_fail, most=MOST_AT_ONCE)


def forget_old_deliveries() -> int:
    """Delete deliveries that were kept only to recognise repeated ones; return how many."""
    old = WebhookDelivery.objects.filter(received_at__lt=timezone.now() - KEPT_FOR).exclude(state=State.WAITING)
    return old.delete()[0]


def _fail(delivery: WebhookDelivery, problem: Exception) -> None:
    """Record an internal failure: the delivery stays for some sweeps."""
    logger.error("Delivery %s could not be taken", delivery.pk, exc_info=problem)
    delivery.tries += 1
    if delivery.tries < MOST_TRIES:
        delivery.save(update_fields=["tries"])
        return
    _quarantine(delivery, SchemaError("(delivery)", "Headway failed to process it; the log has details"))
    _finish(delivery, State.QUARANTINED)


def _finish(delivery: WebhookDelivery, state: State) -> None:
    delivery.state, delivery.body, delivery.done_at = state, None, timezone.now()
    delivery.save(update_fields=["state", "tries", "body", "done_at", "fields_left_out"])


def _process(delivery: WebhookDelivery) -> None:
    connector = connectors()[delivery.connection.provider](Settings({}, {}))
    try:
        payload = read_delivery(bytes(delivery.body or b""))
        records = connector.deliveries(delivery.event, payload)
    except SchemaError as problem:
        _quarantine(delivery, problem)
        _finish(delivery, State.QUARANTINED)
        return
    news = connector.news(delivery.event, payload)
    will_be_read = news is not None and enqueue_stream(delivery.connection, *news)
    if records is None:
        _finish(delivery, State.IGNORED)
        return
    drafts: list[AnyDraft] = []
    problems = 0
    for record in records:
        try:
            drafts += record.normalise(record.payload)
        except SchemaError as problem:
            _quarantine(delivery, problem, record)
            problems += 1
    picked = of_picked(delivery.connection, drafts)
    delivery.fields_left_out = [
        field for field, _ in left_out_of(picked, f"delivery {delivery.delivery_id}").most_common(MOST_FIELDS)
    ]
    store_drafts(delivery.connection, picked)
    is_used = picked or will_be_read
    _finish(delivery, State.QUARANTINED if problems else State.DONE if is_used else State.IGNORED)


def _quarantine(delivery: WebhookDelivery, problem: SchemaError, record: RawRecord | None = None) -> None:
    """Quarantine a record that could not be understood, or the whole delivery; for a record, its latest delivery."""
    if record is not None:
        payload, source, external_id = record.payload, record.source, record.external_id
    else:
        payload = {"body": bytes(delivery.body or b"").decode("utf-8", "replace").replace("\0", "")}
        source, external_id = f"{OF_WEBHOOK}{delivery.event}", ""
    QuarantinedPayload.objects.update_or_create(
        connection=delivery.connection,
        kind="",  # one delivery may contain several
        external_id=(external_id or delivery.delivery_id)[:LONGEST_ID],
        source=source[:LONGEST_SOURCE],
        replayed_at=None,
        defaults={"payload": payload, "path": problem.path[:LONGEST_PATH], "problem": problem.problem},
    )
