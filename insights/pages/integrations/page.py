"""/integrations/: the health of all data sources.

Everybody who is signed in sees names and freshness; problems, quotas and settings are for admins.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from insights.columns.refresh import columns_health
from insights.pages.integrations.cards import card_of
from insights.pages.integrations.needs import need_lines
from insights.pages.integrations.sources import columns_line, owner_lines, source_lines
from insights.privacy.scope_access import access_in
from insights.ui.silences import open_silences
from insights.ui.tiles import Link
from insights.ui.views import record_view
from integrations.delivery.completeness import completeness
from integrations.sync.health import State, sync_health
from integrations.sync.other_sources import other_sources
from integrations.sync.stored_records import stored_records

PUSH_LINE = """\
curl -sS BASE_URL/ingest/v1/deployments/ \\
  -H "Authorization: Bearer $INGEST_TOKEN" -H 'Content-Type: application/json' \\
  -d '{"records": [{"id": "'$BUILD_ID'", "repository": "acme/shop", "environment": "production", "sha": "'$COMMIT'",
                    "status": "success", "finished_at": "'$(date -u +%FT%TZ)'"}]}'"""


@record_view
def integrations(request: HttpRequest) -> HttpResponse:
    return render(request, "insights/integrations/page.html", _context(request))


@record_view
def integrations_live(request: HttpRequest) -> HttpResponse:
    """The content without its frame, which the page polls during syncs."""
    return render(request, "insights/integrations/_live.html", _context(request))


def _context(request: HttpRequest) -> dict[str, Any]:
    now = timezone.now()
    access = access_in(request)
    for_admin, sees_all = bool(request.user.is_staff), access.visibility.whole
    health, records = sync_health(now), stored_records()
    needs = need_lines(completeness(), now, for_admin=for_admin)
    add = reverse("admin:integrations_connection_add")
    return {
        "cards": [
            card_of(connection, records.get(connection.connection.pk, {}), now, for_admin=for_admin)
            for connection in health
        ],
        "needs": needs,
        "met": sum(line.is_met for line in needs),
        "owners": owner_lines(timezone.localdate(now), for_admin=for_admin) if for_admin or sees_all else (),
        "sources": source_lines(other_sources(), records, now, for_admin=for_admin),
        "silences": open_silences(access) if for_admin else (),
        "columns": columns_line(columns_health(), now, for_admin=for_admin),
        "is_busy": any(connection.is_busy or connection.state == State.FIRST for connection in health),
        "for_admin": for_admin,
        "push_line": PUSH_LINE.replace("BASE_URL", settings.BASE_URL),
        "connect_link": Link("Connect source control", add) if for_admin else None,
    }
