"""Whether the installation is alive and ready, for supervisors and load balancers."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while this process answers; asks nothing of the database."""
    return HttpResponse("ok\n", content_type="text/plain")
