"""Sets REMOTE_ADDR to the client's address behind trusted proxies."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import cache
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Any

from django.conf import settings
from django.core.checks import Warning as CheckWarning
from django.http import HttpRequest, HttpResponse

logger = logging.getLogger(__name__)

IPV6_CLIENT_BITS = 64  # bits of the network that a provider assigns to one client

NO_PROXIES = (
    "HEADWAY_TRUSTED_PROXIES is 0, so that the proxy's address counts as everybody's. "
    "Set it to the number of proxies in front (docs/proxy.md)."
)


def client_address(meta: Mapping[str, Any], proxies: int) -> str:
    """The client's address of a WSGI request.

    Each trusted proxy appends its caller's address to X-Forwarded-For, so the client's is that many entries from the
    right; entries before it are untrusted.  Falls back to the socket's address.
    """
    socket_address = str(meta.get("REMOTE_ADDR", ""))
    forwarded = str(meta.get("HTTP_X_FORWARDED_FOR", "")).split(",")
    if not 0 < proxies <= len(forwarded):
        return socket_address
    return _plain_address(forwarded[-proxies]) or socket_address


def counted_address(request: HttpRequest) -> str | None:
    """The address for which failed sign-ins count; for IPv6 the network, in which a client picks addresses at will.

    allauth's limits do the same.  None if the server listens on no address.
    """
    plain = _plain_address(request.META.get("REMOTE_ADDR", ""))
    if not plain:
        return None
    address = ip_address(plain)
    if not isinstance(address, IPv6Address):
        return plain
    return str(address.ipv4_mapped or IPv6Network((int(address), IPV6_CLIENT_BITS), strict=False).network_address)


class ClientAddress:
    """Middleware; must run before everything that reads REMOTE_ADDR."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.TRUSTED_PROXIES:
            request.META["REMOTE_ADDR"] = client_address(request.META, settings.TRUSTED_PROXIES)
        elif "HTTP_X_FORWARDED_FOR" in request.META:
            _warn_once()
        return self.get_response(request)


def check_proxies(**_: object) -> list[CheckWarning]:
    """Warn in `check --deploy` if https is on and no proxy is trusted: a proxy must terminate it."""
    return [CheckWarning(NO_PROXIES, id="headway.W001")] if settings.HTTPS and not settings.TRUSTED_PROXIES else []


@cache
def _warn_once() -> None:
    logger.warning("A request came with X-Forwarded-For, and %s", NO_PROXIES)


def _plain_address(text: str) -> str:
    """The address without a port; empty if invalid."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ip_address(text))
    except ValueError:
        return ""
