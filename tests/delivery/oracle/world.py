"""A random organisation with all its records, and storing them through the real intake."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from django.db import transaction

from integrations.code.attribution.tasks import attribute_pending
from integrations.connectors.drafts import AnyDraft
from integrations.delivery.linking.corrections import decide_rollbacks
from integrations.delivery.linking.relink import relink_paths
from integrations.delivery.recompute import recompute_waiting_pull_requests
from integrations.intake.store_drafts import store_drafts
from integrations.models import Commit, CommitFile, ProposedRollback, Repository, ServicePaths
from integrations.push.drafts import KINDS
from integrations.push.store import push_connection
from tests.delivery.oracle.calendar import AUTUMN, SPRING, DateRange
from tests.delivery.oracle.items import NEVER_REPORTED, items, keys_of
from tests.delivery.oracle.operations import deployments_of, incidents_of, runs_of
from tests.delivery.oracle.organisation import (
    REPOSITORIES,
    SERVICES,
    SHOP,
    Organisation,
    random_organisation,
    tell_owners,
    tell_people,
)
from tests.delivery.oracle.repositories import History, Record
from tests.org import Org

Records = Mapping[str, Sequence[Record]]
PULL_REQUESTS, DEPLOYMENTS, RUNS, ITEMS, INCIDENTS = 24, 20, 22, 24, 24  # the first three of each repository


@dataclass(frozen=True)
class World:
    """`own` are the own commits of each merged pull request, `touched` the services whose paths it changes.

    `signed` are the trailers of agents below the messages of commits.
    `confirmed` are deployments that somebody said rolled another one back, and which.
    """

    dates: DateRange
    organisation: Organisation
    records: Records
    own: Mapping[str, set[str]]
    touched: Mapping[str, set[str]]
    paths: Mapping[str, str]
    signed: Mapping[str, str]
    confirmed: dict[str, str]


def random_world(seed: int) -> World:
    """A random world in spring for an even seed, else in autumn."""
    chance = random.Random(seed)
    days = AUTUMN if seed % 2 else SPRING
    keys = keys_of(ITEMS)
    histories = [History(name, days, chance, [*keys, NEVER_REPORTED]) for name in REPOSITORIES]
    for history in histories:
        history.happen(PULL_REQUESTS)
    deployments = [record for history in histories for record in deployments_of(history, DEPLOYMENTS)]
    records = {
        "work-items": items(keys, days, chance),
        "commits": _of_all(histories, "commits"),
        "pull-requests": _of_all(histories, "pull-requests"),
        "deployments": deployments,
        "incidents": incidents_of(histories, deployments, INCIDENTS, chance),
        "pipeline-runs": [record for history in histories for record in runs_of(history, RUNS)],
    }
    return World(
        dates=days,
        organisation=random_organisation(chance, days),
        records=records,
        own={key: shas for history in histories for key, shas in history.own.items()},
        touched={key: services - {""} for history in histories for key, services in history.touched.items()},
        paths={sha: path for history in histories for sha, path in history.paths.items()},
        signed={sha: trailer for history in histories for sha, trailer in history.signed.items()},
        confirmed={},
    )


def _of_all(histories: Sequence[History], kind: str) -> list[Record]:
    return list(chain.from_iterable(history.records[kind] for history in histories))


def tell(world: World, org: Org, chance: random.Random) -> None:
    """Tell all of it, in an order of its own and some of it twice; then decide what people decide."""
    tell_people(org, world.organisation)
    records = [(kind, record) for kind, records in world.records.items() for record in records]
    records += chance.sample(records, len(records) // 10)
    chance.shuffle(records)
    while records:
        some = [records.pop() for _ in range(min(len(records), chance.randrange(1, 90)))]
        with transaction.atomic():
            store_drafts(push_connection(), [_draft_of(kind, record) for kind, record in some])
    tell_owners(org, world.organisation)
    _tell_paths(world)
    _confirm_rollbacks(world, chance)
    attribute_pending()
    recompute_waiting_pull_requests()


def _draft_of(kind: str, record: Record) -> AnyDraft:
    serializer = KINDS[kind].record(data=record)
    assert serializer.is_valid(), (kind, record, serializer.errors)
    return KINDS[kind].draft_of(serializer.validated_data)


def _tell_paths(world: World) -> None:
    """As a clone does, of one repository; and which services are built from which."""
    repository = Repository.objects.get(name=SHOP)
    commits = dict(Commit.objects.filter(sha__in=world.paths).values_list("sha", "pk"))
    CommitFile.objects.bulk_create(
        CommitFile(commit_id=commits[sha], path=path, file_type="code") for sha, path in world.paths.items()
    )
    for service in (name for name, follows in SERVICES.items() if follows == SHOP):
        ServicePaths.objects.create(repository=repository, service=service, patterns=[f"{service}/"])
    relink_paths(repository.pk)


def _confirm_rollbacks(world: World, chance: random.Random) -> None:
    """Somebody looks at what is proposed and confirms most of it."""
    for proposed in ProposedRollback.objects.select_related("deployment", "rolled_back").order_by("deployment_id"):
        if chance.random() < 0.7:
            decide_rollbacks([proposed.pk], ProposedRollback.State.CONFIRMED, by="ada")
            world.confirmed[proposed.deployment.external_id] = proposed.rolled_back.external_id
