"""Connectors: one provider each, in one file (or package), with three tasks.

`check` says what works and what permission is missing, `resources` lists what can be synced, `fetch` reads a stream
page by page.  Everything a connector knows of its provider's payloads is in plain functions `normalise_…`, without I/O
and without Django.  docs/connectors.md walks through adding one.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, ClassVar, Protocol

from integrations.connectors.drafts import AnyDraft, Who
from integrations.connectors.errors import ConnectorError, PermanentError
from integrations.enums import Kind, MirrorState, ResourceKind

Json = dict[str, Any]
Cursor = Mapping[str, Any]  # JSON in a format of the connector's own; empty at the beginning


# The form field by which an admin lets managers mirror action tickets through a connection: "true" or "false".
MIRROR_TICKETS = "mirror_tickets"
# The one by which an admin lets Headway label pull requests that break a working agreement.
LABEL_PULL_REQUESTS = "label_pull_requests"


class Response(Protocol):
    """A 2xx or 304 answer of the provider."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    def json(self) -> Any: ...


class Http(Protocol):
    """The one client (integrations/connectors/http.py): time-outs, retries, quota, redaction, no foreign redirects.

    Raises TransientError, PermanentError (GoneError for 404 and 410) or CredentialRefusedError for an error status.
    `path` is relative to the connection's base URL, or an absolute URL of the same host (a Link header's next).
    """

    def get(
        self, path: str, *, params: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> Response: ...
    def post(self, path: str, *, json: Any, headers: Mapping[str, str] | None = None) -> Response: ...
    def post_once(self, path: str, *, json: Any) -> Response: ...
    def post_form(self, path: str, fields: Mapping[str, str]) -> Response: ...
    def patch(self, path: str, *, json: Any) -> Response: ...
    def put(self, path: str, *, json: Any) -> Response: ...
    def delete(self, path: str) -> Response: ...
    def download(self, link: str) -> list[Any]: ...


@dataclass(frozen=True, slots=True)
class Refused:
    """A rejected answer; `document` is its JSON, None if it has none."""

    method: str
    path: str
    status: int
    headers: Mapping[str, str]
    document: Any


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the connection's form; a secret one is stored encrypted and never shown again."""

    name: str
    label: str
    help: str = ""
    secret: bool = False
    required: bool = True
    default: str = ""
    choices: Sequence[tuple[str, str]] = ()
    multiline: bool = False
    mapped: bool = False  # chosen on the page Fields, among the provider's own: Connector.mapped_fields


@dataclass(frozen=True, slots=True)
class Settings:
    """The form's answers: `values` of plain fields, `secrets` of secret ones."""

    values: Mapping[str, str]
    secrets: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class CheckedPermission:
    """A permission that the connection needs; `remedy` says which one to grant.

    `cause` is set if nothing works at all, and says why.
    """

    what: str
    works: bool
    remedy: str = ""
    cause: str = ""


@dataclass(frozen=True, slots=True)
class CustomField:
    """A field that the site itself defined; `records` is how many have a value in it (None: not counted), `examples`
    are the latest values.
    """

    id: str
    name: str
    records: int | None = None
    examples: Sequence[str] = ()

    @property
    def use(self) -> str:
        """The use of the field in words: Story Points: 3, 5, 8 in 120 issues."""
        number = "" if self.records is None else f" in {self.records:,} issue{'' if self.records == 1 else 's'}"
        return f"{self.name}: {', '.join(self.examples) or 'no values'}{number}"


@dataclass(frozen=True, slots=True)
class MappedField:
    """The custom fields that hold a value Headway reads: `chosen` are ids, detected automatically unless `is_decided`.

    `setting` is the name of the form field that stores an admin's choice, as ids separated by commas; the first of
    several fields that a record fills in counts.  `unknown` are names in the setting that match no field.
    """

    setting: str
    label: str
    candidates: Sequence[CustomField]
    chosen: Sequence[str]
    is_decided: bool = False
    unknown: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class EndOfLife:
    """A product or an API that a provider retires; `what_to_do` is the remedy until then."""

    what: str
    ends_on: date
    what_to_do: str


@dataclass(frozen=True, slots=True)
class ResourceDraft:
    """A resource that can be picked; `details` is passed back to `fetch`."""

    kind: ResourceKind
    external_id: str
    name: str
    url: str = ""
    remote: str = ""  # a repository's host and path in one spelling, to recognise its clones by
    default_branch: str = ""
    archived: bool = False
    details: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FetchedResource:
    """The resource as passed to `fetch`."""

    kind: ResourceKind
    external_id: str
    name: str
    details: Json


@dataclass(frozen=True, slots=True)
class CloneAddress:
    """The URL that git clones a repository from; `authorization` is the value of the HTTP header of that name."""

    url: str
    authorization: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RawRecord:
    """A record as the provider sent it, and the function that makes drafts of it (SchemaError: quarantine)."""

    payload: Json
    normalise: Callable[[Json], Sequence[AnyDraft]]
    external_id: str = ""
    source: str = ""  # the name by which a quarantined record is replayed: Connector.replay


@dataclass(frozen=True, slots=True)
class Page:
    """The result of one step of `fetch`: records, and the cursor to continue from once they are stored.

    `complete` in the last page of a reading says that every existing record has been in a page since the cursor was {},
    in however many calls: stored records that were in none are gone.  Before that is believed, changes are read once
    more, to find records that moved between pages meanwhile.  `left` is an estimate of the records still to come.
    """

    records: Sequence[RawRecord]
    cursor: Cursor
    left: int | None = None
    complete: bool = False


@dataclass(frozen=True, slots=True)
class Arrival:
    """A webhook delivery with a valid signature: the provider's id for it, and the name of its event."""

    delivery_id: str
    event: str


@dataclass(frozen=True, slots=True)
class MirrorDraft:
    """An action ticket as an item of an issue tracker; `marker` is an address by which its text can be found again.

    `label` is a name of its own, for trackers that cannot be searched for addresses.  The owner carries everything
    known about them, for the tracker to find an account by.
    """

    title: str
    body: str  # Markdown
    marker: str
    state: MirrorState
    label: str = ""
    due_on: date | None = None
    owner: Who | None = None


@dataclass(frozen=True, slots=True)
class MirroredItem:
    """The provider's answer: `external_id` as in its work items, `key` for later requests, its own `updated_at`.

    `due_on` is None if it has none, or the tracker does not support due dates.
    """

    external_id: str
    key: str
    url: str
    state: MirrorState
    updated_at: datetime
    due_on: date | None = None


class Connector(ABC):
    """A provider.  Instances are made for one connection and hold nothing but its settings."""

    slug: ClassVar[str]
    name: ClassVar[str]
    kinds: ClassVar[Mapping[ResourceKind, Sequence[Kind]]]  # the streams of each kind of resource
    fields: ClassVar[Sequence[Field]]
    permissions: ClassVar[str]  # the exact permissions to grant, in Markdown, shown next to the form
    remembers_sprints: ClassVar[bool] = True  # False: items of a sprint before its first reading are unknown

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @classmethod
    def mistakes(cls, values: Mapping[str, str]) -> Mapping[str, str]:
        """Mistakes in plain fields that are evident without a request, as sentences by field; the form refuses them."""
        return {}

    @classmethod
    def understood(cls, values: Mapping[str, str]) -> Mapping[str, str]:
        """The plain fields; an address that somebody copied from a browser is replaced by the API's address."""
        return values

    @property
    def base_url(self) -> str:
        """The address that requests go to, without a trailing slash: the form's field of that name."""
        return self.settings.values.get("base_url", "").strip().rstrip("/")

    @property
    def other_hosts(self) -> Sequence[str]:
        """Addresses of the provider's other hosts, which it documents: requests may go there as well."""
        return ()

    def streams_of(self, kind: ResourceKind) -> Sequence[Kind]:
        """The streams of a resource of this kind, as far as the settings enable them."""
        return self.kinds.get(kind, ())

    def listed(self, name: str) -> list[str]:
        """The values of a field that takes several, separated by commas."""
        values = (value.strip() for value in self.settings.values.get(name, "").split(","))
        return [value for value in values if value]

    @abstractmethod
    def sign(self, http: Http | None) -> Mapping[str, str]:
        """The headers that sign a request; a connector that must first exchange a key for a token does so with
        `http`.
        """

    @abstractmethod
    def check(self, http: Http) -> Sequence[CheckedPermission]:
        """Check what works and which permission is missing.

        Raises CredentialRefusedError (refused token) or PermanentError (wrong address) if nothing works.
        """

    def mapped_fields(self, http: Http) -> Sequence[MappedField]:
        """The site's custom fields, for connectors whose form has `mapped` fields."""
        return ()

    @abstractmethod
    def resources(self, http: Http) -> Iterator[ResourceDraft]:
        """All resources that this credential can see."""

    @abstractmethod
    def fetch(
        self, http: Http, resource: FetchedResource, kind: Kind, cursor: Cursor, *, now: datetime
    ) -> Iterator[Page]:
        """Continue from `cursor`: read everything, newest first, from {}; only changes from the cursor of a completed
        sync.

        A later call with any page's cursor must continue without a gap, whatever happened in between.
        """

    def ends(self) -> Sequence[EndOfLife]:
        """Products and APIs that this connection, as configured, still uses and the provider has announced to
        retire.
        """
        return ()

    def budget_of(self, path: str) -> str:
        """The name of the budget of a request for `path`.  Headers that name it take precedence."""
        return "requests"

    def asks_to_sign_in(self, status: int, headers: Mapping[str, str]) -> bool:
        """Whether an answer is a sign-in page or redirects to one, which some providers send instead of a 401."""
        return False

    def refusal(self, answer: Refused) -> ConnectorError | None:
        """The meaning of an error answer if the provider is more specific than its status; None means that the status
        decides.
        """
        return None

    def replay(self, source: str, payload: Json) -> Sequence[AnyDraft]:
        """The drafts of a quarantined payload, by the `source` that its RawRecord named; for webhook records as
        well.
        """
        raise NotImplementedError

    def clone_address(self, http: Http, resource: FetchedResource) -> CloneAddress:
        """The repository's clone address, for connectors whose form has `keep_mirror`.

        `http` does not sign; it is for exchanging a key for a token.
        """
        raise NotImplementedError

    # Webhooks, for connectors that have them -------------------------------------------------------------------

    def arrival(self, headers: Mapping[str, str], body: bytes, secret: str) -> Arrival | None:
        """The delivery; None unless it is signed with `secret`, compared in constant time on the raw bytes.

        Header names are in lower case.
        """
        return None

    def deliveries(self, event: str, payload: Json) -> Iterable[RawRecord] | None:
        """The records in a webhook's payload; None if the event is not used."""
        return None

    def news(self, event: str, payload: Json) -> tuple[str, Kind] | None:
        """The resource (by external id) and the stream that have more to read than the payload contains.

        For example a pull request's commits: the stream is then read soon, instead of at its next regular time.
        """
        return None

    def register_hook(self, http: Http, resource: FetchedResource, address: str, secret: str) -> str:
        """Register the webhook at the provider, or find it registered; return its id."""
        raise NotImplementedError

    def remove_hook(self, http: Http, resource: FetchedResource, hook_id: str) -> None:
        raise NotImplementedError

    # Mirrors of action tickets, for connectors whose provider has an issue tracker ------------------------------

    def write_mirror(self, http: Http, resource: FetchedResource, draft: MirrorDraft, key: str) -> MirroredItem:
        """Create the item (`key` is empty) or update it; safe to repeat after a lost answer."""
        raise NotImplementedError

    # Labels of pull requests, for connectors whose form has `label_pull_requests` ---------------------------------

    def write_labels(
        self, http: Http, resource: FetchedResource, number: int, *, add: Collection[str], remove: Collection[str]
    ) -> None:
        """Set and remove labels of a pull request; labels that are already set or missing stay so."""
        raise NotImplementedError


registry: dict[str, type[Connector]] = {}  # by slug; connectors/registered.py fills and reads it


def register(connector: type[Connector]) -> type[Connector]:
    """Class decorator: register the provider under its slug."""
    registry[connector.slug] = connector
    return connector


def basic_auth(user: str, password: str) -> str:
    """The header of basic authentication, in which a token usually takes the place of the password."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def signed_with_sha256(body: bytes, secret: str, hexadecimal: str) -> bool:
    """Whether `hexadecimal` is the HMAC-SHA256 of the body under the secret; False without a secret."""
    if not secret:
        return False
    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), hexadecimal.strip().lower().encode("utf-8", "replace"))


def tried(what: str, read: Callable[[], object], remedy: str = "") -> CheckedPermission:
    """Whether `read` is permitted; the provider's message precedes the remedy, which is the error's own if none is
    given.

    Raises CredentialRefusedError, which makes every other check useless.
    """
    try:
        read()
    except PermanentError as problem:
        return CheckedPermission(what, works=False, remedy=f"{problem.problem} {remedy or problem.what_to_do}")
    return CheckedPermission(what, works=True)
