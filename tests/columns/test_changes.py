"""Whatever changes facts, the columns are right at once, and again when they are built."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from operator import itemgetter

import pytest
import time_machine
from django.db import transaction

from insights.columns.refresh import refresh
from insights.columns.shape import copied_relations
from insights.models import ColumnPartition
from insights.snapshots.dirty import note_changes
from integrations.attribution.tasks import attribute_what_waits
from integrations.connectors.words import Kind
from integrations.intake.figures_work import settle_what_waits
from integrations.intake.store_drafts import store_drafts
from integrations.models import FactChange, Repository
from integrations.push.connection import forget_record, push_connection
from integrations.services.remove_connection import remove_with_facts
from orgtree.models import Identity, Person
from orgtree.services.identity_decisions import assign
from tests.columns.rows import assert_agreement
from tests.delivery_oracle.agents import Told
from tests.delivery_oracle.organisation import SEARCH, SHOP, address
from tests.delivery_oracle.repositories import Record
from tests.delivery_oracle.world import _draft_of

pytestmark = pytest.mark.django_db
Change = Callable[[Told], None]


def _push(kind: str, *records: Record) -> None:
    with transaction.atomic():
        store_drafts(push_connection(), [_draft_of(kind, record) for record in records])


def _some(told: Told, kind: str, field: str) -> Record:
    """A record of which it is known when it was done, the same each time."""
    return dict(min((record for record in told.world.records[kind] if record.get(field)), key=itemgetter("id")))


def delete_a_pull_request(told: Told) -> None:
    forget_record(Kind.PULL_REQUEST, _some(told, "pull-requests", "merged_at")["id"])


def delete_a_deployment(told: Told) -> None:
    forget_record(Kind.DEPLOYMENT, _some(told, "deployments", "finished_at")["id"])


def move_a_deployment_to_another_day(told: Told) -> None:
    record = _some(told, "deployments", "finished_at")
    earlier = datetime.fromisoformat(record["finished_at"]) - timedelta(days=9)
    _push("deployments", record | {"finished_at": earlier.isoformat(), "started_at": earlier.isoformat()})


def move_a_run_to_another_repository(told: Told) -> None:
    record = _some(told, "pipeline-runs", "finished_at")
    _push("pipeline-runs", record | {"repository": SEARCH if record["repository"] == SHOP else SHOP})


def give_an_identity_to_somebody_else(told: Told) -> None:
    assign(Identity.objects.filter(person__email=address("ada")), Person.objects.get(email=address("ben")), by=None)


def give_an_identity_to_nobody(told: Told) -> None:
    assign(Identity.objects.filter(person__email=address("cy")), None, by=None)


def rename_a_repository(told: Told) -> None:
    from integrations.connectors.base import ResourceDraft
    from integrations.connectors.words import ResourceKind
    from integrations.intake.places import store_resource

    store_resource(push_connection(), ResourceDraft(ResourceKind.REPOSITORY, SHOP, "acme/store"))
    assert Repository.objects.filter(name="acme/store").exists()


def remove_everything_that_was_pushed(told: Told) -> None:
    remove_with_facts(push_connection())


CHANGES: tuple[Change, ...] = (
    delete_a_pull_request,
    delete_a_deployment,
    move_a_deployment_to_another_day,
    move_a_run_to_another_repository,
    give_an_identity_to_somebody_else,
    give_an_identity_to_nobody,
    rename_a_repository,
    remove_everything_that_was_pushed,
)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_change_is_there_at_once(change: Change, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("insights.columns.build.MOST_ROWS", 20)
    relations = copied_relations().values()
    with time_machine.travel(told.world.span.now, tick=False):
        refresh()
        assert not FactChange.objects.exists()
        assert_agreement(relations)
        change(told)
        assert FactChange.objects.exists()
        assert_agreement(relations)  # the change stands in the outbox
        attribute_what_waits()
        settle_what_waits()
        assert_agreement(relations)
        note_changes()
        assert ColumnPartition.objects.exclude(stale_since=None).exists()
        assert_agreement(relations)  # it was taken out, and partitions are marked
        refresh()
        assert not ColumnPartition.objects.exclude(stale_since=None).exists()
        assert_agreement(relations)
