"""Telemetry in front of Django: its requests need no session, no form and no page.

Django's handler and its middleware cost a request of ten records more than reading and storing it.  Whatever is not
plainly an export request to a host name of ours goes on to Django, as before.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import close_old_connections
from django.http.request import split_domain_port, validate_host

from integrations.telemetry.decode_reading import Signal
from integrations.telemetry.receive import answer_export

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_SIGNALS = {f"/v1/{signal}{slash}": signal for signal in Signal for slash in ("", "/")}
_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


def receiver_before(application: WSGIApplication) -> WSGIApplication:
    """An application that answers export requests itself and hands all others on."""

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        signal = _SIGNALS.get(environ["PATH_INFO"])
        if signal is None or not _is_ours(environ.get("HTTP_HOST", "")):
            return application(environ, start_response)
        try:
            answer = answer_export(environ, signal)
        finally:
            close_old_connections()  # as Django does after each request: one that broke is not used again
        headers = [*answer.headers.items(), ("Content-Length", str(len(answer.body))), _NO_SNIFFING]
        start_response(_STATUS_LINES[answer.status], headers)
        return (answer.body,)

    return serve


_NO_SNIFFING = ("X-Content-Type-Options", "nosniff")


@functools.lru_cache(maxsize=1000)
def _is_ours(host: str) -> bool:
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)
