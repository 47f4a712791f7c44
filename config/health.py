"""Liveness and readiness endpoints for supervisors, load balancers and monitoring.

`/healthz` and `/readyz` need no sign-in and reveal nothing useful to outsiders.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config.checks import readiness


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while this process answers; does not query the database."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when a request can be served in full, else 503; `{"ready": false, "database": "unreachable", …}`."""
    parts = readiness()
    ready = all(state == "ok" for state in parts.values())
    return JsonResponse({"ready": ready, **parts}, status=200 if ready else 503)
