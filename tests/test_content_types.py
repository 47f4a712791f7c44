"""Malformed Content-Types and non-text encodings do not cause errors."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from wsgiref.util import setup_testing_defaults

import pytest
from django.core.signals import request_started
from django.db import close_old_connections
from django.test import RequestFactory

from config.request import Handler

pytestmark = pytest.mark.django_db
BAD = (
    *(f"charset={name}" for name in ("hex", "zlib", "rot13", "undefined", "idna", "punycode", "utf-16", "utf-8\0")),
    *("charset*=no-such''x", "charset*=hex''%61", "charset*=idna''%ff", "a*0*=x", "boundary*=hex''%61", "boundary=é"),
)
TYPES = ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json", "text/plain")
FORM = b"--x\r\nContent-Disposition: form-data; name*=hex''%61\r\n\r\n\xff\xfe\r\n--x--\r\nusername=%ff&password=b"


@pytest.fixture(autouse=True)
def _connections_stay_open() -> Iterator[None]:
    """As the test client does it: the test's transaction is in them."""
    request_started.disconnect(close_old_connections)
    yield
    request_started.connect(close_old_connections)


def status_of(method: str, address: str, content_type: str, body: bytes = b"") -> int:
    """The status by the application itself: the test client makes requests of another class."""
    environ = RequestFactory().generic(method, address, body, content_type="text/plain").environ
    environ["CONTENT_TYPE"] = content_type
    setup_testing_defaults(environ)
    problems: list[str] = []
    list(Handler()(environ, lambda status, headers, exc_info=None: problems.append(status)))  # type: ignore[arg-type]
    return int(problems[0].split()[0])


def test_no_content_type_fails_a_page_a_form_or_a_receiver() -> None:
    failed = []
    for content_type in (f"{kind}; {bad}" for kind in TYPES for bad in BAD):
        for method, address in (
            ("GET", "/accounts/login/?next=%ff"),
            ("POST", "/accounts/login/?next=%ff"),
            ("GET", "/api/v1/metrics/?unit=%ff"),
            ("POST", "/api/v1/tickets/"),
            ("POST", "/ingest/v1/deployments/"),
            ("POST", "/v1/logs"),
        ):
            try:
                status = status_of(method, address, content_type, FORM if method == "POST" else b"")
            except Exception as failure:
                failed.append(f"{method} {address} {content_type!r}: {failure!r}")
                continue
            if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                failed.append(f"{method} {address} {content_type!r}: {status}")
    assert not failed, "\n".join(failed)
