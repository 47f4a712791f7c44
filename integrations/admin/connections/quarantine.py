"""Records of a connection that Headway could not parse: the problem of each, and a button that replays them."""

from __future__ import annotations

import json
from dataclasses import dataclass

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from integrations.admin.connections.masking import masked
from integrations.admin.connections.sections import section_context
from integrations.connectors.errors import ConnectorError
from integrations.enums import Kind
from integrations.models import Connection, QuarantinedPayload
from integrations.sync.quarantine import replay

ON_A_PAGE = 25
REPLAYED_AT_ONCE = 500  # while somebody waits for the answer


@dataclass(frozen=True)
class RecordLine:
    """A record in quarantine: where it came from, what is wrong with it, and its payload without personal data."""

    record: QuarantinedPayload
    what: str
    place: str
    payload: str


def quarantine(request: HttpRequest, connection: Connection) -> HttpResponse:
    """The page of quarantined records.  A POST replays the selected ones, or all of them."""
    waiting = QuarantinedPayload.objects.filter(connection=connection, replayed_at=None).order_by("-pk")
    if request.method == "POST":
        _try_again(request, connection, waiting)
        return redirect("admin:integrations_connection_quarantine", connection.pk)
    page = Paginator(waiting.select_related("resource"), ON_A_PAGE).get_page(request.GET.get("page"))
    context = {
        **section_context(request, connection, title=f"Quarantine of {connection}", current="quarantine"),
        "lines": [_line(record) for record in page],
        "page": page,
        "at_once": REPLAYED_AT_ONCE,
    }
    return render(request, "admin/integrations/connection/quarantine.html", context)


def _try_again(request: HttpRequest, connection: Connection, waiting: QuerySet[QuarantinedPayload]) -> None:
    if "all" not in request.POST:
        ticked = [int(pk) for pk in request.POST.getlist("record") if pk.isascii() and pk.isdigit() and len(pk) < 19]
        waiting = waiting.filter(pk__in=ticked)
    try:
        done = replay(connection, list(waiting[:REPLAYED_AT_ONCE]))
    except ConnectorError as problem:
        messages.error(request, problem.sentences)
        return
    if done.understood:
        messages.success(request, f"{done.understood:,} were understood and stored.")
    if done.refused:
        messages.warning(
            request, f"{done.refused:,} still cannot be understood. A newer version of Headway may understand them."
        )
    if not done.understood and not done.refused:
        messages.info(request, "Tick the records to try again.")


def _line(record: QuarantinedPayload) -> RecordLine:
    kind = Kind(record.kind).replace("_", " ").capitalize() if record.kind else "Delivery"
    return RecordLine(
        record,
        what=f"{kind} {record.external_id}".strip(),
        place=str(record.resource or record.source),
        payload=json.dumps(masked(record.payload), indent=2, ensure_ascii=False),
    )
