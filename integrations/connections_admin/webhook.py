"""The webhook of a connection: its address, its secret, and what was delivered last."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache

from integrations.connections_admin.sections import section_context
from integrations.models import Connection, UnreadableSecretsError, WebhookDelivery
from integrations.sync.connect import WEBHOOK_SECRET, rotate_webhook_secret, webhook_address

DELIVERIES_SHOWN = 25


@never_cache
def webhook(request: HttpRequest, connection: Connection) -> HttpResponse:
    """A POST shows the secret, or makes a new one; it stands in that answer alone, which nobody keeps."""
    address = webhook_address(connection)
    if address is None:
        raise Http404("Headway takes no deliveries of this provider.")
    secret = ""
    if request.method == "POST":
        if request.POST.get("act") == "rotate":
            rotate_webhook_secret(connection)
            messages.success(request, "There is a new secret. Enter it at the provider: the old one is refused now.")
            return redirect("admin:integrations_connection_webhook", connection.pk)
        secret = _secret_of(connection)
    deliveries = WebhookDelivery.objects.filter(connection=connection).order_by("-received_at", "-pk").defer("body")
    context = {
        **section_context(request, connection, title=f"Webhook of {connection}", current="webhook"),
        "address": address,
        "secret": secret,
        "deliveries": list(deliveries[:DELIVERIES_SHOWN]),
        "hook_problems": connection.resources.filter(picked=True).exclude(hook_problem="").order_by("name")[:10],
        "registered": connection.resources.filter(picked=True).exclude(hook_id="").count(),
        "picked": connection.resources.filter(picked=True, gone_at=None).count(),
    }
    return render(request, "admin/integrations/connection/webhook.html", context)


def _secret_of(connection: Connection) -> str:
    try:
        return connection.secrets.get(WEBHOOK_SECRET, "")
    except UnreadableSecretsError:
        return ""
