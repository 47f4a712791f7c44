"""Restricts the addresses to which Headway connects for others, and those to which it sends its credentials.

An admin types a base URL, and the owner of a name can point it anywhere, including the metadata service of Headway's
own machine.  So the resolved address is checked, not the name; redirects and every new connection are checked in the
same way.  Credentials are only sent to a connection's own host.

Addresses in records also name pipeline runs: tools put them into a deployment's statuses, and build systems push them
with a deployment.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from ssl import SSLContext, create_default_context
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

import certifi
import httpcore
import httpx

from integrations.connectors.errors import PermanentError

Address = IPv4Address | IPv6Address

PORTS = {"http": 80, "https": 443}
LONGEST_SHOWN = 200
NEVER = tuple(
    ip_network(network)
    for network in (
        "169.254.0.0/16",  # link-local: metadata of most clouds
        "fe80::/10",
        "fd00:ec2::/32",  # metadata of AWS over IPv6
        "100.100.100.200/32",  # metadata of Alibaba Cloud
        "168.63.129.16/32",  # the host of an Azure machine
        "192.0.0.0/24",  # metadata of Oracle Cloud, protocol assignments
        "0.0.0.0/8",
        "::/128",
    )
)
NAT64 = ip_network("64:ff9b::/96")
MOST_CONNECTIONS = 4


class RefusedAddressError(Exception):
    """The name resolves to an address that Headway does not connect to."""

    def __init__(self, host: str, address: str) -> None:
        super().__init__(f"{host} leads to {address}")
        self.host = host
        self.address = address


def is_refused(text: str, *, allow_private: bool) -> bool:
    """Whether the address is refused; private and loopback addresses are allowed for self-hosted servers."""
    address = _plain(ip_address(text.partition("%")[0]))
    if any(address in network for network in NEVER if network.version == address.version):
        return True
    return address.is_multicast or (not allow_private and not address.is_global)


def _plain(address: Address) -> Address:
    """The IPv4 address embedded in an IPv6 one, else the address itself."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        return inner or address
    return address


class GuardedNetwork(httpcore.SyncBackend):
    """Resolves names itself and connects to the addresses that it has checked."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = _resolved(host, port)
        for address in addresses:
            if is_refused(address, allow_private=self._allow_private):
                raise RefusedAddressError(host, address)
        for address in addresses[:-1]:
            try:
                return super().connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return super().connect_tcp(addresses[-1], port, timeout, local_address, socket_options)


def _resolved(host: str, port: int) -> list[str]:
    try:
        infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as problem:
        raise httpcore.ConnectError(f"{host} was not found: {problem}") from problem
    return list(dict.fromkeys(str(info[4][0]) for info in infos))


class GuardedTransport(httpx.HTTPTransport):
    """httpx's transport on a guarded network.  Proxies from the environment are not used."""

    def __init__(self, *, allow_private: bool) -> None:
        super().__init__(verify=trusted(), trust_env=False)
        self._pool = httpcore.ConnectionPool(
            ssl_context=trusted(),
            max_connections=MOST_CONNECTIONS,
            max_keepalive_connections=MOST_CONNECTIONS,
            network_backend=GuardedNetwork(allow_private=allow_private),
        )


@lru_cache(maxsize=1)
def trusted() -> SSLContext:
    """The certificate authorities of the machine (SSL_CERT_FILE adds to them) and those that browsers trust."""
    context = create_default_context()
    context.load_verify_locations(certifi.where())
    return context


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port of a base URL."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, base_url: str) -> Origin:
        """The origin of a base URL.  Raises PermanentError if it is not a URL."""
        try:
            origin = _origin(urlsplit(base_url))
        except ValueError:
            origin = None
        if origin is None:
            raise PermanentError(
                "The base URL is not a URL.",
                what_to_do="Enter one that begins with https://, such as https://example.com.",
            )
        return origin

    def has(self, url: str) -> bool:
        """Whether the URL leads to the same host and port, or from http to https if both use the default ports."""
        try:
            target = _origin(urlsplit(url))
        except ValueError:
            return False
        return target in (self, Origin("https", self.host, 443) if (self.scheme, self.port) == ("http", 80) else self)

    def __str__(self) -> str:
        """The host as people write it, without a default port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def _origin(address: SplitResult) -> Origin | None:
    if address.scheme not in PORTS or not address.hostname:
        return None
    return Origin(address.scheme, address.hostname, address.port or PORTS[address.scheme])


def cut_at(values: Mapping[str, str], *pages: str) -> Mapping[str, str]:
    """The fields with a base URL that ends before the first of these paths, which only pages of the provider have."""
    base_url = values.get("base_url", "").strip().partition("#")[0].partition("?")[0]
    for page in pages:
        before, found, _ = f"{base_url.rstrip('/')}/".partition(f"{page.rstrip('/')}/")
        if found:
            base_url = before
    return {**values, "base_url": base_url} if "base_url" in values else values


def clone_page(provider: str, name: str, page: str, web: str) -> str:
    """The address of a repository's page, by which it is cloned; `web` is the provider's own address.

    Raises PermanentError if the page is elsewhere: the token is not sent there.
    """
    parts = urlsplit(page)
    if not parts.path.strip("/") or not Origin.of(web).has(page):
        raise PermanentError(
            f"{provider} says that {name} is at {parts.netloc or 'no address'}, where the token is not sent.",
            what_to_do="Refresh the connection's list of resources. If this persists, check its base URL.",
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def shown_origin(url: str) -> str:
    """The origin of a provider's URL for a message, without any user and password in it."""
    try:
        address = urlsplit(url)
    except ValueError:
        return "an invalid address"
    return f"{address.scheme}://{address.netloc.rpartition('@')[2]}"[:LONGEST_SHOWN]


def shown_path(path: str) -> str:
    """A path for a message, without its query, which the provider controls."""
    return urlsplit(path).path[:LONGEST_SHOWN] or "/"


LONGEST = 200
# GitHub's run ids are those of its API, whatever the repository is called now; others are cut after the id.
_GITHUB = re.compile(
    r"^https?://[^/?#]+/[^/?#]+/[^/?#]+/actions/runs/(?P<run>\d+)(?:/attempts/\d+)?(?:/job/(?P<job>\d+))?"
)
# Harness' ids are those of its API, and are case-sensitive.
_HARNESS = re.compile(
    r"^https?://[^/?#]+/[^?]*?account/[^/?#]+/[^?]*?/pipelines/[^/?#]+/(?:deployments|executions)/(?P<run>[\w-]{16,40})"
)
_OTHERS = (
    re.compile(r"^https?://(?P<run>[^?#]+/-/(?:pipelines|jobs)/\d+)"),  # GitLab
    re.compile(r"^https?://(?P<run>buildkite\.com/[^/?#]+/[^/?#]+/builds/\d+)"),
    re.compile(r"^https?://(?P<run>(?:app\.)?circleci\.com/[^?#]*?/workflows/[0-9a-f-]{36})"),
    re.compile(r"^https?://(?P<run>bitbucket\.org/[^/?#]+/[^/?#]+/(?:addon/)?pipelines/[^?]*?results/\d+)"),
    re.compile(r"^https?://(?P<run>[^?#]+/_build/results\?(?:[^#]*&)?buildId=\d+)", re.IGNORECASE),  # Azure
    re.compile(r"^https?://(?P<run>[^?#]+/job/[^?#]+?/\d+)(?:/|$)"),  # Jenkins
)


class NamedRun(NamedTuple):
    """The run, and its job, as the tool numbers them; empty if none is named."""

    run: str = ""
    job: str = ""


def run_in(address: str) -> NamedRun:
    """The run that the address names; the address of an environment names no run."""
    if found := _GITHUB.match(address):
        return NamedRun(found["run"], found["job"] or "")
    if found := _HARNESS.match(address):
        return NamedRun(found["run"])
    for pattern in _OTHERS:
        if found := pattern.match(address):
            return NamedRun(found["run"].lower()[:LONGEST])
    return NamedRun()
