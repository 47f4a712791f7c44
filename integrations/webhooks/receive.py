"""/hooks/<provider>/<connection id>/: a delivery is verified, stored and acknowledged; it is processed afterwards."""

from __future__ import annotations

import hashlib
import logging

from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from core.disk_full import is_disk_full, not_stored_message
from core.nudges import nudge_on_commit
from integrations.connectors.base import Arrival, Settings
from integrations.connectors.registered import connectors
from integrations.models import Connection, UnreadableSecretsError, WebhookDelivery
from integrations.sync.connect import WEBHOOK_SECRET
from integrations.telemetry.otlp.replies import RefusedError
from integrations.telemetry.otlp.request_body import inflate, read_sent
from integrations.webhooks.tasks import process_deliveries

logger = logging.getLogger(__name__)

LONGEST_ID, LONGEST_EVENT = 200, 100
SECONDS_TO_RETRY = 30


@csrf_exempt
@require_POST
def receive_delivery(request: HttpRequest, provider: str, connection_id: int) -> HttpResponse:
    """Store a delivery once.

    Returns 2xx for every signed one, even for unused events: providers disable a webhook after a few refusals.
    """
    try:
        return _receive(request, provider, connection_id)
    except RefusedError as refusal:
        return _refused(refusal.status, refusal.message)
    except (OperationalError, InterfaceError, OSError) as problem:
        if isinstance(problem, OSError) and not is_disk_full(problem):
            raise
        logger.warning("A webhook delivery cannot be stored at the moment: %s", problem)
        answer = _refused(503, not_stored_message(problem))
        answer["Retry-After"] = str(SECONDS_TO_RETRY)
        return answer


def _receive(request: HttpRequest, provider: str, connection_id: int) -> HttpResponse:
    connector = connectors().get(provider)
    connection = Connection.objects.filter(pk=connection_id, provider=provider, removed_at=None).first()
    if connector is None or connection is None:
        return _refused(404, "There is no such connection. Copy the address from the connection's page.")
    sent = read_sent(request.META)
    try:
        secret = connection.secrets.get(WEBHOOK_SECRET, "")
    except UnreadableSecretsError as problem:
        return _refused(503, str(problem))
    headers = {name.lower(): value for name, value in request.headers.items()}
    arrival = connector(Settings({}, {})).arrival(headers, sent, secret)
    if arrival is None:
        return _refused(
            401, "The signature is missing or wrong. Enter the connection's webhook secret at the provider."
        )
    body = inflate(sent, request.META)  # only now: unsigned requests must cost nothing
    stored = _store_new(connection, arrival, body)
    if stored:
        nudge_on_commit(process_deliveries)
    return JsonResponse({"status": "stored" if stored else "known"}, status=202 if stored else 200)


def _store_new(connection: Connection, arrival: Arrival, body: bytes) -> bool:
    """Store the delivery unless one with its id or its body is known; return whether it was new.

    Headers are not signed, so anyone who recorded a delivery could send its body again under another id.
    """
    delivery_id, digest = arrival.delivery_id[:LONGEST_ID], hashlib.sha256(body).digest()
    known = Q(delivery_id=delivery_id) | Q(body_digest=digest)
    if WebhookDelivery.objects.filter(known, connection=connection).exists():
        return False
    try:
        with transaction.atomic():
            WebhookDelivery.objects.create(
                connection=connection,
                delivery_id=delivery_id,
                event=arrival.event[:LONGEST_EVENT],
                body=body,
                body_digest=digest,
            )
    except IntegrityError:  # stored by another request meanwhile
        return False
    return True


def _refused(status: int, problem: str) -> HttpResponse:
    return JsonResponse({"error": problem}, status=status)
