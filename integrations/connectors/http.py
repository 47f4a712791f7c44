"""The HTTP client of all connectors.

It signs, waits, retries and respects budgets; it returns JSON or raises one of the three connector errors with a
sentence; credentials are only sent to the connection's own host.  It does not use the database: see
integrations/sync/budgets.py.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Protocol, Self
from urllib.parse import urlencode, urljoin, urlsplit

import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from integrations.connectors.addresses import GuardedTransport, Origin, RefusedAddressError, shown_origin, shown_path
from integrations.connectors.base import Connector, Refused
from integrations.connectors.errors import Cause, ConnectorError, PermanentError, TransientError
from integrations.connectors.json_text import documents_in, json_or_none, read_json
from integrations.connectors.rate_limits import ReportedQuota, reported_quota, retry_at
from integrations.connectors.refusals import error_of, is_rate_limited

USER_AGENT = "Headway"
MOST_REDIRECTS = 5
MOST_BYTES = 64 * 1024 * 1024  # a larger answer is no page of records
UNKNOWN_WAIT = timedelta(seconds=60)  # GitHub's advice if a limit names no time
SHORTEST_SECRET = 6  # redacting a shorter one would blot out half of every sentence


@dataclass(frozen=True, slots=True)
class Patience:
    """Time limits of one request, in seconds, and the number of tries before its stream is rescheduled."""

    connect: float = 10.0
    read: float = 30.0
    whole: float = 50.0  # also ends requests to a server that only sends a byte now and then
    tries: int = 4
    first_wait: float = 0.5
    longest_wait: float = 5.0  # longest Retry-After that is waited for here


PATIENCE = Patience()


class Budgets(Protocol):
    """The provider's request budgets, shared by all users of the connection."""

    def seconds_before(self, budget: str) -> float:
        """The wait before the next request, in seconds.  Raises TransientError if that is too long."""
        ...

    def note(self, budget: str, quota: ReportedQuota) -> None: ...
    def block(self, budget: str, until: datetime) -> None: ...


class Exchanged(Protocol):
    """A cache for signatures that cost requests."""

    def get(self) -> Mapping[str, str] | None: ...
    def keep(self, signature: Mapping[str, str]) -> None: ...
    def forget(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """A 2xx or 304 answer."""

    status: int
    headers: Mapping[str, str]
    document: Any

    def json(self) -> Any:
        """The parsed body; None if the answer had none."""
        return self.document


class GivenUpError(TransientError):
    """The caller no longer waits: the request was not sent."""


class _PassingError(TransientError):
    """A failure that is likely over in a second: retried within the slice."""


class ConnectionHttp:
    """The HTTP client of one connection; a context manager.  Used by one thread at a time."""

    def __init__(
        self,
        connector: Connector,
        *,
        budgets: Budgets | None = None,
        exchanged: Exchanged | None = None,
        patience: Patience = PATIENCE,
        allow_private: bool = True,
        signed: bool = True,
    ) -> None:
        self.requests = 0
        self._connector = connector
        self._budgets = budgets
        self._exchanged = exchanged
        self._patience = patience
        self._allow_private = allow_private
        self._signed = signed
        self._signature: Mapping[str, str] | None = None
        self._origin = Origin.of(connector.base_url)
        self._origins = (self._origin, *map(Origin.of, connector.other_hosts))
        self._given_up = False
        timeout = httpx.Timeout(patience.read, connect=patience.connect)
        self._client = httpx.Client(
            transport=GuardedTransport(allow_private=allow_private), timeout=timeout, follow_redirects=False
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._client.close()

    def give_up(self) -> None:
        """Stop waiting: the next request, in whichever thread, raises GivenUpError instead."""
        self._given_up = True

    def get(
        self, path: str, *, params: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        return self._answered("GET", path, params=params, headers=headers)

    def post(self, path: str, *, json: Any, headers: Mapping[str, str] | None = None) -> Answer:
        """Send a POST request, retried like all others: the caller first checks whether the thing is already
        registered.
        """
        return self._answered("POST", path, document=json, headers=headers)

    def post_once(self, path: str, *, json: Any) -> Answer:
        """Send a POST request without retrying: if the answer is lost, the caller checks whether the record was
        created.
        """
        return self._answered("POST", path, tries=1, document=json)

    def post_form(self, path: str, fields: Mapping[str, str]) -> Answer:
        """Send the fields of a form, as OAuth exchanges a key for a token."""
        return self._answered("POST", path, form=fields)

    def patch(self, path: str, *, json: Any) -> Answer:
        return self._answered("PATCH", path, document=json)

    def put(self, path: str, *, json: Any) -> Answer:
        return self._answered("PUT", path, document=json)

    def delete(self, path: str) -> Answer:
        return self._answered("DELETE", path)

    def download(self, link: str) -> list[Any]:
        """Return the JSON documents of a file, as one list or one document a line; no credentials are sent.

        `link` is signed by the provider and may lead to any host.  Raises TransientError if it no longer works, so that
        the next reading asks for another.
        """
        if not (link.startswith("https://") or (link.startswith("http://") and self._origin.scheme == "http")):
            raise TransientError(f"{self._name} answered with a file that has no address beginning with https://.")
        content: bytes = self._retried(self._downloaded, link)
        documents = documents_in(content)
        if documents is None:
            raise TransientError(f"{self._name} cut off a file of its report: the JSON is incomplete.")
        return documents

    def _downloaded(self, link: str) -> bytes:
        if self._given_up:
            raise GivenUpError("Nobody is waiting for the answer now.")
        self.requests += 1
        status, headers, content = self._transfer("GET", httpx.URL(link), self._headers(), None)
        if status == 200:
            return content
        if status in (408, 429) or status >= 500:
            raise self._refused(Refused("GET", shown_path(link), status, headers, None), "downloads", datetime.now(UTC))
        raise TransientError(f"{self._name}’s link to a file of its report no longer works: it answered {status}.")

    def _answered(self, method: str, path: str, *, tries: int | None = None, **request: Any) -> Answer:
        """Send a request and return its answer; `tries` is the maximum, if it differs from the client's default."""
        answer: Answer = self._retried(self._once, method, path, self._address(path), tries=tries, **request)
        return answer

    def _retried(self, request: Callable[..., Any], *named: Any, tries: int | None = None, **parts: Any) -> Any:
        attempts = Retrying(
            retry=retry_if_exception_type(_PassingError),
            stop=stop_after_attempt(tries or self._patience.tries),
            wait=wait_random_exponential(multiplier=self._patience.first_wait, max=self._patience.longest_wait),
            reraise=True,
        )
        try:
            return attempts(request, *named, **parts)
        except ConnectorError as problem:
            self._blot_out_secrets(problem)
            raise
        except httpx.InvalidURL:
            place = shown_path(named[-1])
            raise PermanentError(f"{self._name} leads to an invalid address, from {place}.") from None

    def _once(
        self,
        method: str,
        path: str,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        document: Any = None,
        form: Mapping[str, str] | None = None,
    ) -> Answer:
        if self._given_up:
            raise GivenUpError("Nobody is waiting for the answer now.")
        budget = self._connector.budget_of(path)
        self._keep_budget(budget)
        signature = self._sign()
        body = None if document is None else json.dumps(document).encode()
        kind = "application/json"
        if form is not None:
            body, kind = urlencode(form).encode(), "application/x-www-form-urlencoded"
        sent = self._headers(signature, headers or {}, {} if body is None else {"content-type": kind})
        status, reply_headers, content = self._exchange(method, httpx.URL(url, params=_merged(url, params)), sent, body)
        now = datetime.now(UTC)
        self._note(budget, reply_headers, now)
        if 200 <= status < 300:
            return Answer(status, reply_headers, self._decoded(content, reply_headers, path))
        if status == 304:
            return Answer(status, reply_headers, None)
        if status == 401 and self._sign_anew(signature):
            raise _PassingError(f"{self._name} no longer accepts the token that was exchanged for this sync.")
        raise self._refused(Refused(method, path, status, reply_headers, json_or_none(content)), budget, now)

    def _refused(self, refused: Refused, budget: str, now: datetime) -> ConnectorError:
        """The error to raise; a rate limit is noted for all other users of the connection."""
        own = self._connector.refusal(refused)
        if own is None and is_rate_limited(refused):
            until = retry_at(refused.headers, now) or now + UNKNOWN_WAIT
            own = TransientError(f"{self._name} limits how much may be read, and asked to wait.", retry_at=until)
        if isinstance(own, TransientError) and own.retry_at is not None:
            if not self._is_long(own.retry_at, now):
                time.sleep(max((own.retry_at - now).total_seconds(), 0.0))
                return _PassingError(own.problem, retry_at=own.retry_at)
            if self._budgets is not None:
                self._budgets.block(budget, own.retry_at)
        if own is None and (refused.status >= 500 or refused.status == 408):
            path = shown_path(refused.path)
            what = f"{self._name} answered {refused.status}, an error of its own, when asked for {path}."
            back_at = retry_at(refused.headers, now)
            return TransientError(what, retry_at=back_at) if self._is_long(back_at, now) else _PassingError(what)
        return own or error_of(refused, self._name)

    def _is_long(self, until: datetime | None, now: datetime) -> bool:
        """Whether another stream should be read in the meantime."""
        return until is not None and (until - now).total_seconds() > self._patience.longest_wait

    # One request ----------------------------------------------------------------------------------------------

    def _exchange(
        self, method: str, url: httpx.URL, headers: httpx.Headers, body: bytes | None
    ) -> tuple[int, httpx.Headers, bytes]:
        """Status, headers and body of the answer, after redirects within the host."""
        for _ in range(MOST_REDIRECTS + 1):
            self.requests += 1
            status, reply_headers, content = self._transfer(method, url, headers, body)
            if self._connector.asks_to_sign_in(status, reply_headers):
                return 401, reply_headers, b""
            if status not in (301, 302, 303, 307, 308) or "location" not in reply_headers:
                return status, reply_headers, content
            url = self._redirected(method, status, url, reply_headers["location"])
        raise PermanentError(
            f"{self._name} leads in a circle from {shown_path(url.path)}.",
            what_to_do="Check the base URL of the connection.",
        )

    def _transfer(
        self, method: str, url: httpx.URL, headers: httpx.Headers, body: bytes | None
    ) -> tuple[int, httpx.Headers, bytes]:
        deadline = time.monotonic() + self._patience.whole
        try:
            with self._client.stream(method, url, headers=headers, content=body) as answer:
                return answer.status_code, answer.headers, self._read(answer, deadline)
        except RefusedAddressError as problem:
            raise PermanentError(
                f"{problem.host} leads to {problem.address}, to which Headway does not connect.",
                what_to_do="Enter the base URL of the provider itself.",
                cause=Cause.WRONG_ADDRESS,
            ) from None
        except httpx.LocalProtocolError:
            raise self._unsendable() from None
        except httpx.TimeoutException:
            raise _PassingError(
                f"{self._name} did not answer in time when asked for {shown_path(url.path)}.", cause=Cause.UNREACHABLE
            ) from None
        except httpx.ConnectError as problem:
            raise self._unreachable(url, str(problem)) from None
        except (httpx.TransportError, httpx.DecodingError):
            raise _PassingError(f"{self._name} cut off its answer to {shown_path(url.path)}.") from None

    def _unreachable(self, url: httpx.URL, why: str) -> ConnectorError:
        origin = Origin.of(str(url))
        if "CERTIFICATE_VERIFY_FAILED" in why:
            return PermanentError(
                f"The certificate of {origin} is not trusted here.",
                what_to_do="Add its authority to the machine's certificates, or name its file in SSL_CERT_FILE.",
                cause=Cause.UNREACHABLE,
            )
        return _PassingError(
            f"{origin} cannot be reached.",
            what_to_do="If this persists, check the base URL and the network.",
            cause=Cause.UNREACHABLE,
        )

    def _read(self, answer: httpx.Response, deadline: float) -> bytes:
        chunks: list[bytes] = []
        size = 0
        for chunk in answer.iter_bytes():
            chunks.append(chunk)
            size += len(chunk)
            if size > MOST_BYTES:
                raise PermanentError(
                    f"{self._name} answered {shown_path(answer.url.path)} with more than {MOST_BYTES // 2**20} MB.",
                    what_to_do="Report this: a connector should request smaller pages.",
                )
            if time.monotonic() > deadline:
                raise _PassingError(f"{self._name} took too long to answer {shown_path(answer.url.path)}.")
        return b"".join(chunks)

    def _decoded(self, content: bytes, headers: Mapping[str, str], path: str) -> Any:
        if not content:
            return None
        try:
            return read_json(content)
        except (ValueError, RecursionError):
            pass
        if "html" in headers.get("content-type", "") or content.lstrip()[:1] == b"<":
            raise _PassingError(
                f"{self._name} answered {shown_path(path)} with a web page instead of records.",
                what_to_do="If this persists, check the base URL: a sign-in page or a proxy may be in between.",
                cause=Cause.WRONG_ADDRESS,
            )
        raise _PassingError(f"{self._name} cut off its answer to {shown_path(path)}: the JSON is incomplete.")

    # Where to, and as whom ------------------------------------------------------------------------------------

    @property
    def _name(self) -> str:
        return self._connector.name

    def _address(self, path: str) -> str:
        """The absolute URL.  Raises PermanentError if it leads to another host."""
        if "://" not in path:
            return f"{self._connector.base_url}/{path.lstrip('/')}"
        if not any(origin.has(path) for origin in self._origins):
            raise self._elsewhere(path)
        return path

    def _redirected(self, method: str, status: int, url: httpx.URL, location: str) -> httpx.URL:
        try:
            target = httpx.URL(urljoin(str(url), location))
        except (ValueError, httpx.InvalidURL):
            raise PermanentError(f"{self._name} redirects from {shown_path(url.path)} to an invalid address.") from None
        if not self._origin.has(str(target)):
            raise self._elsewhere(str(target))
        if method != "GET" and status in (301, 302, 303):
            raise PermanentError(
                f"{self._name} has moved {shown_path(url.path)} to another address.",
                what_to_do=f"Check the base URL of the connection: is it {shown_origin(str(target))}?",
            )
        return target

    def _elsewhere(self, target: str) -> PermanentError:
        return PermanentError(
            f"{self._name} leads to another host, {shown_origin(target)}, where the credentials are not sent.",
            what_to_do="If that is where it has moved to, enter it as the base URL of the connection.",
            cause=Cause.WRONG_ADDRESS,
        )

    def _headers(self, *pairs: Mapping[str, str]) -> httpx.Headers:
        """Our headers and the given ones; a later one replaces an earlier one, whatever the case of its name."""
        headers = httpx.Headers({"accept": "application/json", "user-agent": USER_AGENT})
        try:
            for pair in pairs:
                headers.update(pair)
        except UnicodeError:
            raise self._unsendable() from None
        return headers

    def _unsendable(self) -> PermanentError:
        return PermanentError(
            f"The credentials for {self._name} cannot be sent: they contain characters that no token has.",
            what_to_do="Enter the token again, without anything before or after it.",
        )

    def _sign(self) -> Mapping[str, str]:
        if not self._signed:
            return {}
        if self._signature is None and self._exchanged is not None:
            self._signature = self._exchanged.get()
        if self._signature is None:
            self._signature = self._newly_signed()
        return self._signature

    def _newly_signed(self) -> Mapping[str, str]:
        with ConnectionHttp(
            self._connector, patience=self._patience, allow_private=self._allow_private, signed=False
        ) as exchange:
            signature = dict(self._connector.sign(exchange))
        self.requests += exchange.requests
        if exchange.requests and self._exchanged is not None:
            self._exchanged.keep(signature)
        return signature

    def _sign_anew(self, refused: Mapping[str, str]) -> bool:
        """Whether the refused signature was replaced by a new one: an exchanged token may have expired."""
        if not self._signed:
            return False
        if self._exchanged is not None:
            self._exchanged.forget()
        self._signature = self._newly_signed()
        return self._signature != refused

    def _keep_budget(self, budget: str) -> None:
        if self._budgets is not None and (seconds := self._budgets.seconds_before(budget)) > 0:
            time.sleep(seconds)

    def _note(self, budget: str, headers: Mapping[str, str], now: datetime) -> None:
        if self._budgets is not None and (quota := reported_quota(headers, now)) is not None:
            self._budgets.note(quota.budget or budget, quota)

    def _blot_out_secrets(self, problem: ConnectorError) -> None:
        """Redact secrets: a provider may echo what it was sent."""
        signature = [word for value in (self._signature or {}).values() for word in value.split()]
        for secret in (*self._connector.settings.secrets.values(), *signature):
            if len(secret) >= SHORTEST_SECRET:
                problem.problem = problem.problem.replace(secret, "…")
                problem.what_to_do = problem.what_to_do.replace(secret, "…")
        problem.args = (problem.problem,)


def _merged(url: str, params: Mapping[str, Any] | None) -> Any:
    """The URL's query with these parameters added; parameters of the address itself stay."""
    return httpx.QueryParams(urlsplit(url).query).merge(params or {})
