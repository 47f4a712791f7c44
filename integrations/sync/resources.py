"""The resources of a connection: listed regularly, picked by rules or by hand, each with its streams.

connection.settings["resources"] = {"match": ["acme/*"], "exclude": ["acme/old-*"], "archived": false}
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from core.locks import Lock
from integrations.connectors.drafts import AnyDraft
from integrations.connectors.errors import ConnectorError, PermanentError, TransientError
from integrations.connectors.pasted import is_address, leads_to
from integrations.enums import Kind, ResourceKind
from integrations.intake.names import matches
from integrations.intake.places import store_resource
from integrations.models import Connection, Resource, Stream
from integrations.sync.clients import connector_of, open_client
from integrations.sync.join_repositories import join_mirrors, join_pushed_namesakes
from integrations.sync.leases import revoke_leases
from integrations.sync.readings import close_runs, waiting_time

logger = logging.getLogger(__name__)

LIST_AGAIN = timedelta(hours=6)  # finds new, renamed, archived and deleted resources
MOST_NAMED = 20  # resources named in an answer
RESOURCES_AT_ONCE = 200  # per transaction
LISTING = Lock("listing of resources")  # by connection
NOT_LISTED = "The provider no longer lists it."
NOT_LISTED_REMEDY = "It was deleted, or the token may no longer see it. Its facts stay as last read."


class NothingMatchesError(PermanentError):
    """The rules of a connection match no existing resource."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Name patterns with * and ?, ids, keys of projects, or addresses of pages; case-insensitive.  Without rules,
    nothing is picked.
    """

    match: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    archived: bool = False

    def pick(self, resource: Resource) -> bool:
        if resource.archived and not self.archived:
            return False
        return _is_named(resource, self.match) and not _is_named(resource, self.exclude)

    def as_json(self) -> dict[str, Any]:
        return {"match": list(self.match), "exclude": list(self.exclude), "archived": self.archived}


def rules_of(connection: Connection) -> Rules:
    configured: Mapping[str, Any] = connection.settings.get("resources") or {}
    return Rules(
        tuple(configured.get("match", ())),
        tuple(configured.get("exclude", ())),
        bool(configured.get("archived", False)),
    )


def is_picked(resource: Resource, rules: Rules) -> bool:
    if resource.picked_by_hand is not None:
        return resource.picked_by_hand
    return rules.pick(resource)


def discover_resources(connection: Connection) -> int:
    """List all resources that the credential can see, pick by the rules, and create streams; return how many there are.

    Resources that are missing once the listing is complete are marked as gone.  Raises ConnectorError, which is stored
    with the connection, and BusyError.
    """
    with LISTING.alone(connection.pk):
        began = timezone.now()
        try:
            seen = _list(connection)
        except ConnectorError as problem:
            _note_failure(connection, problem)
            raise
        with transaction.atomic():
            _lock(connection)
            gone = connection.resources.filter(gone_at=None).exclude(pk__in=seen)
            Stream.objects.filter(resource__in=gone).update(problem=NOT_LISTED, remedy=NOT_LISTED_REMEDY)
            gone.update(gone_at=began)
            connection.resources.filter(pk__in=seen).exclude(gone_at=None).update(gone_at=None)
            Connection.objects.filter(pk=connection.pk).update(
                discovered_at=began, discover_at=began + LIST_AGAIN, failures=0, problem="", remedy="", cause=""
            )
            _pick_by_rules(connection)
        join_pushed_namesakes(connection)
        join_mirrors(connection)
        _refuse_matching_nothing(connection)
        return len(seen)


def nothing_matches(connection: Connection, rules: Rules) -> str:
    """A sentence that lists the existing resources if the rules match none of them; otherwise empty."""
    here = list(connection.resources.filter(gone_at=None).order_by("archived", "name"))
    if not here or not rules.match or any(_is_named(resource, rules.match) for resource in here):
        return ""
    named = ", ".join(resource.name for resource in here[:MOST_NAMED])
    more = f" and {len(here) - MOST_NAMED:,} more" if len(here) > MOST_NAMED else ""
    return f"There are: {named}{more}. Give a name, a key, an id, the address of its page or a pattern of names."


def _refuse_matching_nothing(connection: Connection) -> None:
    """Raise NothingMatchesError, which is stored with the connection, unless something was selected by hand."""
    rules = rules_of(connection)
    if (there_are := nothing_matches(connection, rules)) and not connection.resources.filter(picked=True).exists():
        problem = NothingMatchesError(f"Nothing is called {' or '.join(rules.match)}.", what_to_do=there_are)
        _note_failure(connection, problem)
        raise problem


def _is_named(resource: Resource, patterns: Sequence[str]) -> bool:
    """Whether the rules pick the resource by its name, its id, the key of one of its projects, or the address of
    a page.
    """
    return matches((resource.name, resource.external_id, *resource.keys), patterns) or any(
        is_address(pattern) and leads_to(pattern, resource) for pattern in patterns
    )


def of_picked(connection: Connection, drafts: Iterable[AnyDraft]) -> list[AnyDraft]:
    """Drafts of picked resources, because a webhook of an organisation or account covers all of its resources."""
    picked: set[str] = set()
    for resource in connection.resources.filter(picked=True):
        picked.add(resource.external_id)
        if resource.kind == ResourceKind.SERVICE:
            picked.add(resource.name)  # incidents name it by this
    return [draft for draft in drafts if _belongs_to(draft) in picked]


def _belongs_to(draft: AnyDraft) -> str:
    """The external id of the draft's resource; for a service, its name."""
    if draft.kind is Kind.REPOSITORY:
        return draft.external_id
    for name in ("repository", "project", "board", "service"):
        if belongs_to := getattr(draft, name, ""):
            return str(belongs_to)
    return ""


def pick_resources(connection: Connection, *, picked: Collection[int] = (), dropped: Collection[int] = ()) -> None:
    """Pick or unpick resources by hand, whatever the rules say, and apply the choice."""
    with transaction.atomic():
        _lock(connection)
        connection.resources.filter(pk__in=picked).update(picked_by_hand=True)
        connection.resources.filter(pk__in=dropped).update(picked_by_hand=False)
        _pick_by_rules(connection)


def leave_to_rules(connection: Connection, resources: Collection[int]) -> None:
    """Remove manual decisions, and apply the rules."""
    with transaction.atomic():
        _lock(connection)
        connection.resources.filter(pk__in=resources).update(picked_by_hand=None)
        _pick_by_rules(connection)


def set_rules(connection: Connection, rules: Rules) -> None:
    """Replace the connection's rules, and apply them."""
    with transaction.atomic():
        _lock(connection)
        connection.settings["resources"] = rules.as_json()
        connection.save(update_fields=["settings"])
        _pick_by_rules(connection)


def _lock(connection: Connection) -> None:
    """Lock the connection before its resources, and reload its settings: an admin may save rules during a listing."""
    connection.settings = Connection.objects.select_for_update().get(pk=connection.pk).settings


def _pick_by_rules(connection: Connection) -> None:
    """Pick resources by rules and manual decisions, create missing streams, and stop those of unpicked resources."""
    rules = rules_of(connection)
    with transaction.atomic():
        resources = list(connection.resources.select_for_update().order_by("pk"))
        otherwise = [resource for resource in resources if resource.picked != is_picked(resource, rules)]
        for resource in otherwise:
            resource.picked = not resource.picked
        Resource.objects.bulk_update(otherwise, ["picked"], batch_size=1000)
        _make_streams(connection, [resource for resource in resources if resource.picked])
        idle = Stream.objects.filter(
            Q(resource__picked=False) | Q(resource__gone_at__isnull=False), resource__connection=connection
        )
        stopped = list(idle.filter(runs__isnull=False, runs__finished_at=None).values_list("pk", flat=True).distinct())
        revoke_leases(stopped)
        close_runs(stopped, "Ended, because the resource is gone or no longer selected.")


def _list(connection: Connection) -> set[int]:
    """Store everything that is listed, in batches; return the ids of the resources."""
    seen: set[int] = set()
    with open_client(connection) as (connector, http):
        drafts = connector.resources(http)
        while piece := list(islice(drafts, RESOURCES_AT_ONCE)):
            with transaction.atomic():
                seen.update(store_resource(connection, draft).pk for draft in piece)
    return seen


def _make_streams(connection: Connection, resources: list[Resource]) -> None:
    """Create streams, which are due at once."""
    connector = connector_of(connection)
    now = timezone.now()
    Stream.objects.bulk_create(
        (
            Stream(resource=resource, kind=kind, due_at=now)
            for resource in resources
            for kind in connector.streams_of(ResourceKind(resource.kind))
        ),
        ignore_conflicts=True,
    )


def _note_failure(connection: Connection, problem: ConnectorError) -> None:
    requested_at = problem.retry_at if isinstance(problem, TransientError) else None
    retry_at = requested_at or timezone.now() + waiting_time(connection.failures, problem)
    Connection.objects.filter(pk=connection.pk).update(
        failures=F("failures") + 1,
        problem=problem.problem,
        remedy=problem.what_to_do,
        cause=problem.cause or "",
        discover_at=retry_at,
    )
