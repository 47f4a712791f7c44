"""The webhook of a connection: its address, its secret, and its last deliveries."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache

from integrations.admin.connections.sections import section_context
from integrations.models import Connection, UnreadableSecretsError, WebhookDelivery
from integrations.sync.connect import WEBHOOK_SECRET, rotate_webhook_secret, webhook_address
from integrations.webhooks.register import (
    can_register,
    registers_hooks,
    renew_hooks,
    request_hook_removal,
    request_hooks,
)

DELIVERIES_SHOWN = 25


@never_cache
def webhook(request: HttpRequest, connection: Connection) -> HttpResponse:
    """The page of the webhook.  A POST shows the secret or creates a new one; only its response contains the secret,
    and it is not cached.
    """
    address = webhook_address(connection)
    if address is None:
        raise Http404("Headway accepts no webhooks from this provider.")
    act = request.POST.get("act", "") if request.method == "POST" else ""
    if act in ACTS:
        messages.success(request, ACTS[act](connection))
        return redirect("admin:integrations_connection_webhook", connection.pk)
    deliveries = WebhookDelivery.objects.filter(connection=connection).order_by("-received_at", "-pk").defer("body")
    context = {
        **section_context(request, connection, title=f"Webhook of {connection}", current="webhook"),
        "address": address,
        "secret": _secret_of(connection) if act == "show" else "",
        "can_register": can_register(connection),
        "registers": registers_hooks(connection),
        "deliveries": list(deliveries[:DELIVERIES_SHOWN]),
        "hook_problems": connection.resources.filter(picked=True).exclude(hook_problem="").order_by("name")[:10],
        "registered": connection.resources.filter(picked=True).exclude(hook_id="").count(),
        "picked": connection.resources.filter(picked=True, gone_at=None).count(),
    }
    return render(request, "admin/integrations/connection/webhook.html", context)


def _rotate(connection: Connection) -> str:
    with transaction.atomic():
        rotate_webhook_secret(connection)
        renew_hooks(connection)
    return (
        "There is a new secret; deliveries signed with the old one are refused from now on. Headway's own webhooks get "
        "it within a minute; update the ones that you registered by hand."
    )


def _register(connection: Connection) -> str:
    request_hooks(connection)
    return (
        "The webhooks are registered in the background; this page shows how many there are, and what prevents the "
        "others."
    )


def _leave(connection: Connection) -> str:
    request_hook_removal(connection)
    return "The webhooks that Headway registered are being removed in the background."


ACTS: Mapping[str, Callable[[Connection], str]] = {"rotate": _rotate, "register": _register, "leave": _leave}


def _secret_of(connection: Connection) -> str:
    try:
        return connection.secrets.get(WEBHOOK_SECRET, "")
    except UnreadableSecretsError:
        return ""
