"""Whatever changes facts, the columns are right at once, and again when they are built."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from operator import itemgetter
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.conf import settings
from django.db import transaction
from pytest_django.plugin import DjangoDbBlocker

from insights.columns.shape import copied_relations
from insights.columns.stale import take_changes_out
from insights.models import ColumnPartition
from integrations.code.attribution.tasks import attribute_pending
from integrations.delivery.recompute import recompute_waiting_pull_requests
from integrations.enums import Kind
from integrations.intake.store_drafts import store_drafts
from integrations.models import FactChange, IngestScope, Repository
from integrations.push.reports import store_report
from integrations.push.store import forget_record, push_connection
from integrations.sync.remove_connection import remove_with_facts
from integrations.telemetry.otlp.ingest_tokens import Sender, create_ingest_token
from orgtree.identities.decisions import assign
from orgtree.models import Identity, Person
from tests.columns.rows import assert_agreement
from tests.columns.states import build_all
from tests.delivery.oracle.calendar import ZONE_NAME
from tests.delivery.oracle.organisation import SEARCH, SHOP, address
from tests.delivery.oracle.repositories import Record
from tests.delivery.oracle.world import World, _draft_of, random_world, tell
from tests.org import Org
from tests.seeds import seeds
from tests.stored_once import StoreOnce
from tests.telemetry.raw_rows import days_cut_in

pytestmark = pytest.mark.django_db
Change = Callable[[World], None]
_SARIF = '{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "Semgrep"}}, "results": [%s]}]}'


@pytest.fixture(scope="module", params=seeds())
def world(
    request: pytest.FixtureRequest,
    stored_once: StoreOnce,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[World]:
    """Told once for all tests of this file, which are run at its end and in its time zone."""
    world, chance = random_world(request.param), random.Random(request.param)
    in_its_zone = ExitStack()

    def tell_all() -> None:
        in_its_zone.enter_context(days_cut_in(ZONE_NAME))
        tell(world, Org(tmp_path_factory.mktemp), chance)

    with pytest.MonkeyPatch.context() as patch, time_machine.travel(world.dates.now, tick=False):
        patch.setattr(settings, "ORGANISATION_TIME_ZONE", ZoneInfo(ZONE_NAME))
        with stored_once(tell_all):
            yield world
            with django_db_blocker.unblock():
                in_its_zone.close()


def _push(kind: str, *records: Record) -> None:
    with transaction.atomic():
        store_drafts(push_connection(), [_draft_of(kind, record) for record in records])


def _some(world: World, kind: str, field: str) -> Record:
    """A record of which it is known when it was done, the same each time."""
    return dict(min((record for record in world.records[kind] if record.get(field)), key=itemgetter("id")))


def delete_a_pull_request(world: World) -> None:
    forget_record(Kind.PULL_REQUEST, _some(world, "pull-requests", "merged_at")["id"])


def delete_a_deployment(world: World) -> None:
    forget_record(Kind.DEPLOYMENT, _some(world, "deployments", "finished_at")["id"])


def move_a_deployment_to_another_day(world: World) -> None:
    record = _some(world, "deployments", "finished_at")
    earlier = datetime.fromisoformat(record["finished_at"]) - timedelta(days=9)
    _push("deployments", record | {"finished_at": earlier.isoformat(), "started_at": earlier.isoformat()})


def move_a_run_to_another_repository(world: World) -> None:
    record = _some(world, "pipeline-runs", "finished_at")
    _push("pipeline-runs", record | {"repository": SEARCH if record["repository"] == SHOP else SHOP})


def _report(world: World, kind: str, file: str, *, days_ago: int, **params: str) -> None:
    at = world.dates.now - timedelta(days=days_ago)
    address_params = {"repository": SHOP, "at": at.isoformat(), **params}
    token, _ = create_ingest_token("Pipeline", scope=IngestScope.PUSH)
    [result] = store_report(kind, address_params, file.encode(), Sender(token.pk, changes_all=True))
    assert result["status"] in ("created", "updated"), result


def report_tests(world: World) -> None:
    _report(world, "junit", "<testsuite><testcase name='pays'/></testsuite>", days_ago=20, sha="a" * 40)


def report_that_a_test_is_flaky(world: World) -> None:
    _report(
        world, "junit", "<testsuite><testcase name='pays'><failure/></testcase></testsuite>", days_ago=6, sha="a" * 40
    )


def report_coverage(world: World) -> None:
    _report(world, "cobertura", "<coverage lines-valid='10' lines-covered='7'/>", days_ago=20)


def report_coverage_again(world: World) -> None:
    _report(world, "cobertura", "<coverage lines-valid='10' lines-covered='8'/>", days_ago=6)


def raise_an_alert(world: World) -> None:
    _report(world, "sarif", _SARIF % '{"ruleId": "unused"}', days_ago=20)


def fix_an_alert(world: World) -> None:
    _report(world, "sarif", _SARIF % "", days_ago=6)


def change_the_default_branch(world: World) -> None:
    repository = Repository.objects.get(name=SHOP)
    repository.default_branch = "develop" if repository.default_branch != "develop" else "main"
    repository.save()


def give_an_identity_to_somebody_else(world: World) -> None:
    assign(Identity.objects.filter(person__email=address("ada")), Person.objects.get(email=address("ben")), by=None)


def give_an_identity_to_nobody(world: World) -> None:
    assign(Identity.objects.filter(person__email=address("cy")), None, by=None)


def rename_a_repository(world: World) -> None:
    from integrations.connectors.base import ResourceDraft
    from integrations.enums import ResourceKind
    from integrations.intake.places import store_resource

    store_resource(push_connection(), ResourceDraft(ResourceKind.REPOSITORY, SHOP, "acme/store"))
    assert Repository.objects.filter(name="acme/store").exists()


def remove_everything_that_was_pushed(world: World) -> None:
    remove_with_facts(push_connection())


CHANGES: tuple[Change, ...] = (
    *(report_tests, report_that_a_test_is_flaky, report_coverage, report_coverage_again, raise_an_alert, fix_an_alert),
    change_the_default_branch,
    delete_a_pull_request,
    delete_a_deployment,
    move_a_deployment_to_another_day,
    move_a_run_to_another_repository,
    give_an_identity_to_somebody_else,
    give_an_identity_to_nobody,
    rename_a_repository,
    remove_everything_that_was_pushed,
)


def test_changes_are_there_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes longer than 5 s: all relations are read from both sides after each change, and once it was noted."""
    monkeypatch.setattr("insights.columns.build.MOST_ROWS", 60)
    relations = copied_relations().values()
    with time_machine.travel(world.dates.now, tick=False):
        build_all()
        for change in CHANGES:
            assert not FactChange.objects.exists()
            change(world)
            assert FactChange.objects.exists(), change.__name__
            assert_agreement(relations, context=f"{change.__name__}, in the outbox")
            attribute_pending()
            recompute_waiting_pull_requests()
            take_changes_out()
            assert ColumnPartition.objects.exclude(stale_since=None).exists()
            assert_agreement(relations, context=f"{change.__name__}, marked")
            build_all()
            assert not ColumnPartition.objects.exclude(stale_since=None).exists()
        assert_agreement(relations)
