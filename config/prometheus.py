"""`/prometheus`: the installation's state in Prometheus format, and with `unit=` metrics of these units.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Count, Min, Sum
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config import health
from config.health import seconds_since_last_task
from insights.api.authentication import TokenHolder
from insights.badges.exposition import DEFAULT_WEEKS, samples
from insights.query.errors import QueryError, UnknownUnitError
from integrations.models import DroppedAttribute, QuarantinedRecord, ReceivedBatch, UnreadEvent
from orgtree.access.access import access_of
from orgtree.access.api_tokens import find_api_token
from orgtree.access.permissions import TokenScopeAllows
from orgtree.models import ApiToken, TokenScope

LONGEST_NUMBER = 4
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True)
class Gauge:
    """One series; `name` ends in the unit."""

    name: str
    help: str
    value: float
    labels: str = ""


@require_safe
@never_cache
def prometheus(request: HttpRequest) -> HttpResponse:
    """Requires a reading API token, or a local request without a proxy in front.

    Metrics of units always require a token whose user may see them.
    """
    token, units = _token(request), request.GET.getlist("unit")
    if token is None and (units or not _is_local(request)):
        answer = _text(
            "Send a token of the API: Authorization: Bearer … (manage.py create_api_token NAME makes one).", 401
        )
        answer["WWW-Authenticate"] = "Bearer"
        return answer
    if token is not None and token.scope != TokenScope.READ:
        return _text(TokenScopeAllows.message, 403)
    if token is None or not units:
        return HttpResponse("".join(_lines(_gauges())), content_type=CONTENT_TYPE)
    try:
        gauges = _unit_gauges(request, token.user or TokenHolder(), units)
    except UnknownUnitError as problem:
        return _text(problem.message, 404)
    except QueryError as problem:
        return _text(f"{problem.field}: {problem.message}", 400)
    return HttpResponse("".join(_lines(gauges)), content_type=CONTENT_TYPE)


def _unit_gauges(request: HttpRequest, viewer: User | TokenHolder, units: list[str]) -> Iterator[Gauge]:
    """`metric` may be repeated; `weeks` is the number of last weeks."""
    weeks = request.GET.get("weeks", str(DEFAULT_WEEKS))
    metric_samples = samples(
        access_of(viewer),
        units=list(dict.fromkeys(units)),
        keys=list(dict.fromkeys(request.GET.getlist("metric"))),
        weeks=int(weeks) if weeks.isascii() and weeks.isdecimal() and len(weeks) < LONGEST_NUMBER else 0,
    )
    return (
        Gauge(
            "headway_metric",
            f"A metric of a unit over the last {weeks} weeks, in its unit of measure.",
            sample.value,
            _labels(
                key=sample.key,
                unit=sample.unit,
                unit_of_measure=sample.unit_of_measure,
                statistic=sample.statistic,
                weeks=weeks,
            ),
        )
        for sample in metric_samples
    )


def _labels(**labels: str) -> str:
    escaped = {name: value.replace("\\", r"\\").replace('"', r"\"") for name, value in labels.items() if value}
    return "{" + ",".join(f'{name}="{value}"' for name, value in escaped.items()) + "}"


def _text(message: str, status: int) -> HttpResponse:
    return HttpResponse(f"{message}\n", content_type="text/plain; charset=utf-8", status=status)


def _gauges() -> Iterator[Gauge]:
    parts = health.readiness()
    for part, state in parts.items():
        yield Gauge("headway_ready", "1 if the part is usable.", state == "ok", f'{{part="{part}"}}')
    silence = seconds_since_last_task()
    if silence is not None:
        yield Gauge("headway_last_task_seconds", "Since the worker of this machine last finished a task.", silence)
    if parts["database"] != "ok" or parts["migrations"] != "ok":
        return
    waiting = ReceivedBatch.objects.aggregate(count=Count("id"), oldest=Min("received_at"))
    age = (timezone.now() - waiting["oldest"]).total_seconds() if waiting["oldest"] else 0.0
    yield Gauge("headway_requests_waiting", "Received requests that are not counted yet.", waiting["count"])
    yield Gauge("headway_oldest_waiting_request_seconds", "Age of the oldest of them, 0 if there is none.", age)
    quarantined = QuarantinedRecord.objects.filter(replayed_at=None).count()
    yield Gauge("headway_quarantined_records", "Records that could not be read and were not replayed.", quarantined)
    unread = UnreadEvent.objects.filter(attribute="").aggregate(sum=Sum("count"))["sum"] or 0
    yield Gauge("headway_unread_records", "Records received that no figure uses.", unread)
    dropped = DroppedAttribute.objects.aggregate(sum=Sum("count"))["sum"] or 0
    yield Gauge("headway_dropped_attributes", "Attributes with content that were dropped on receipt.", dropped)


def _lines(gauges: Iterator[Gauge]) -> Iterator[str]:
    described = set()
    for gauge in gauges:
        if gauge.name not in described:
            described.add(gauge.name)
            yield f"# HELP {gauge.name} {gauge.help}\n# TYPE {gauge.name} gauge\n"
        yield f"{gauge.name}{gauge.labels} {float(gauge.value):.15g}\n"


def _is_local(request: HttpRequest) -> bool:
    """Always false behind a proxy, where every request comes from this machine."""
    if _is_loopback(urlsplit(settings.BASE_URL).hostname or "") and "X-Forwarded-For" not in request.headers:
        return _is_loopback(request.META.get("REMOTE_ADDR", ""))
    return False


def _is_loopback(address: str) -> bool:
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _token(request: HttpRequest) -> ApiToken | None:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    return find_api_token(secret.strip()) if scheme.lower() == "bearer" else None
