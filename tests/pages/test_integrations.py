"""The page of integrations: how fresh each source is, for whom what is said, and what DORA still misses."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from config.diagnosis import connections
from integrations.connectors.errors import Cause
from integrations.delivery.completeness import completeness
from integrations.enums import Kind, ResourceKind
from integrations.models import (
    Connection,
    Deployment,
    Incident,
    Project,
    PullRequest,
    QuarantinedPayload,
    Quota,
    Repository,
    Resource,
    Stream,
    WebhookDelivery,
    WorkItem,
    WorkItemLink,
)
from integrations.sync.health import State, sync_health

pytestmark = pytest.mark.django_db
PAGE = "/integrations/"
HEALTH = "/home/health/"
PROBLEM, REMEDY = "GitHub does not let this token read deployments.", "Grant “Deployments: read”."


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    """Counts are kept for a moment, also from one test to the next."""
    cache.clear()
    yield
    cache.clear()


def connected(name: str = "GitHub of Acme", *, resources: int = 2, provider: str = "github") -> Connection:
    """With two streams each, read a minute ago."""
    connection = Connection.objects.create(provider=provider, name=name)
    a_minute_ago = timezone.now() - timedelta(minutes=1)
    for number in range(resources):
        resource = Resource.objects.create(
            connection=connection,
            kind=ResourceKind.REPOSITORY,
            external_id=str(number),
            name=f"acme/{name}-{number}",
            picked=True,
        )
        for kind in (Kind.PULL_REQUEST, Kind.DEPLOYMENT):
            Stream.objects.create(resource=resource, kind=kind, succeeded_at=a_minute_ago)
    return connection


def state_of(connection: Connection) -> State:
    return next(health.state for health in sync_health(timezone.now()) if health.connection == connection)


def text_of(client: Client, address: str = PAGE) -> str:
    return html.unescape(client.get(address).content.decode())


def test_an_empty_installation_says_what_to_connect_first(admin: Client) -> None:
    page = text_of(admin)
    assert "No provider is connected yet" in page
    assert "Start with source control" in page
    assert "0 of 5 inputs connected" in page


def test_states_from_the_worst_down() -> None:
    connection = connected()
    streams = Stream.objects.filter(resource__connection=connection)
    assert state_of(connection) == State.FRESH
    streams.filter(kind=Kind.DEPLOYMENT).update(reading_since=timezone.now())
    assert state_of(connection) == State.READING
    streams.update(succeeded_at=timezone.now() - timedelta(hours=3))
    assert state_of(connection) == State.LATE
    streams.filter(kind=Kind.DEPLOYMENT).update(succeeded_at=None)
    assert state_of(connection) == State.FIRST
    streams.filter(kind=Kind.DEPLOYMENT).update(failures=1)
    assert state_of(connection) == State.FAILING
    for cause in Cause:
        streams.filter(kind=Kind.DEPLOYMENT).update(cause=cause)
        assert state_of(connection) == State(cause.value)
    streams.exclude(kind=Kind.DEPLOYMENT).update(failures=1)
    assert state_of(connection) == State.FAILING, "for several reasons"
    Resource.objects.update(picked=False)
    assert state_of(connection) == State.NOTHING_PICKED
    for cause in Cause:
        Connection.objects.update(problem=PROBLEM, cause=cause)
        assert state_of(connection) == State(cause.value)
    Connection.objects.update(paused_at=timezone.now())
    assert state_of(connection) == State.PAUSED


def test_a_connection_that_is_read_rarely_is_not_late_for_that() -> None:
    connection = connected()
    Stream.objects.update(succeeded_at=timezone.now() - timedelta(hours=5))
    Connection.objects.update(sync_every_minutes=120)
    assert state_of(connection) == State.FRESH


def test_removed_connections_and_resources_that_are_gone_are_left_out() -> None:
    connected()
    Resource.objects.filter(external_id="0").update(gone_at=timezone.now())
    health = sync_health(timezone.now())[0]
    assert [kind.streams for kind in health.kinds] == [1, 1]
    Connection.objects.update(removed_at=timezone.now())
    assert sync_health(timezone.now()) == []


def test_progress_has_counts_and_time_left() -> None:
    connected(resources=1)
    began = timezone.now() - timedelta(seconds=30)
    Stream.objects.filter(kind=Kind.PULL_REQUEST).update(reading_since=began, read=300, to_read=900)
    kind = sync_health(timezone.now())[0].kinds[0]
    assert (kind.read, kind.to_read) == (300, 900)
    assert kind.seconds_left(began + timedelta(seconds=30)) == pytest.approx(60)


def test_admins_read_what_is_wrong_and_others_only_how_fresh_it_is(admin: Client, member: Client) -> None:
    connection = connected()
    Stream.objects.filter(kind=Kind.DEPLOYMENT).update(failures=2, problem=PROBLEM, remedy=REMEDY)
    Quota.objects.create(
        connection=connection,
        budget="core",
        limit=5000,
        remaining=1200,
        resets_at=timezone.now() + timedelta(minutes=20),
    )
    WebhookDelivery.objects.create(connection=connection, delivery_id="1", event="deployment_status")
    QuarantinedPayload.objects.create(connection=connection, kind=Kind.RELEASE, payload={}, path="id", problem="gone")
    for text in (PROBLEM, REMEDY, "1,200 of 5,000 left", "deployment_status", "1 record", "Failing"):
        assert text in text_of(admin), text
        assert text not in text_of(member), text
        assert text not in text_of(member, f"{PAGE}live/"), text
    assert connection.name in text_of(member)
    assert "last success 1 minute ago" in text_of(member)


def test_a_provider_without_webhooks_has_no_line_for_them(admin: Client) -> None:
    connection = connected()
    assert "No delivery yet" in text_of(admin)
    Connection.objects.filter(pk=connection.pk).update(provider="jenkins")
    assert "Webhooks" not in text_of(admin)


def test_a_stream_says_its_cause_in_every_list(admin: Client) -> None:
    connected()
    Stream.objects.filter(kind=Kind.DEPLOYMENT).update(failures=2, problem=PROBLEM, cause=Cause.REFUSED)
    page = text_of(admin)
    assert f"Refused. {PROBLEM}" in page
    assert "Failing" not in page
    listed = admin.get("/admin/integrations/connection/").content.decode()
    assert re.search(r"Refused: \d streams?", listed)
    assert f"Refused. {PROBLEM}" in connections().sentence
    assert "refused" in admin.get("/setup/").content.decode()


def test_the_page_asks_again_only_while_something_is_read(admin: Client) -> None:
    connected()
    assert "/integrations/live/" not in text_of(admin)
    Stream.objects.filter(kind=Kind.DEPLOYMENT).update(reading_since=timezone.now())
    assert 'hx-get="/integrations/live/"' in text_of(admin)


def test_the_number_of_queries_does_not_follow_the_number_of_connections(
    admin: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(6):
        connected(f"Connection {number}", resources=3)
    Stream.objects.filter(kind=Kind.DEPLOYMENT).update(failures=1, problem=PROBLEM)
    admin.get(PAGE)
    with django_assert_max_num_queries(36):
        admin.get(PAGE)


# What DORA needs ------------------------------------------------------------------------------------------------


@pytest.fixture
def shop() -> Repository:
    return Repository.objects.create(name="acme/shop")


def merged(connection: Connection, shop: Repository, number: int, *, days_ago: int = 1) -> PullRequest:
    return PullRequest.objects.create(
        connection=connection,
        repository=shop,
        external_id=str(number),
        number=number,
        state="merged",
        merged_at=timezone.now() - timedelta(days=days_ago),
    )


def test_everything_is_there(admin: Client, shop: Repository) -> None:
    connection = connected()
    project = Project.objects.create(connection=connection, external_id="1", key="SHOP", name="Shop")
    item = WorkItem.objects.create(connection=connection, project=project, external_id="7", key="SHOP-7")
    WorkItemLink.objects.create(pull_request=merged(connection, shop, 1), key="SHOP-7", method="branch", work_item=item)
    yesterday = timezone.now() - timedelta(days=1)
    Deployment.objects.create(
        connection=connection,
        repository=shop,
        external_id="1",
        environment="production",
        status="success",
        finished_at=yesterday,
    )
    Incident.objects.create(connection=connection, external_id="1", started_at=yesterday)
    assert "5 of 5 inputs connected" in text_of(admin)
    assert "Last merge 1 day ago." in text_of(admin, HEALTH)


def test_deployments_without_production_name_what_was_seen(admin: Client, shop: Repository) -> None:
    connection = connected()
    for number, environment in enumerate(("blue", "blue", "qa")):
        Deployment.objects.create(
            connection=connection,
            repository=shop,
            external_id=str(number),
            native_environment=environment,
            status="success",
            finished_at=timezone.now(),
        )
    assert completeness().other_environments == ["blue", "qa"]
    assert "none succeeded in production (seen: blue, qa)" in text_of(admin)


def test_a_source_that_fell_silent_is_no_longer_complete(admin: Client, shop: Repository) -> None:
    merged(connected(), shop, 1, days_ago=45)
    page = text_of(admin)
    assert "Last merge 45 days ago." in page
    assert "Quiet" in page


def test_links_count_only_to_items_that_are_known(shop: Repository) -> None:
    pull_request = merged(connected(), shop, 1)
    WorkItemLink.objects.create(pull_request=pull_request, key="GONE-1", method="branch")
    inputs = completeness()
    assert (inputs.merges, inputs.linked) == (1, 0)


def test_what_was_deleted_is_no_input(shop: Repository) -> None:
    pull_request = merged(connected(), shop, 1)
    PullRequest.objects.filter(pk=pull_request.pk).update(deleted_at=timezone.now())
    assert completeness().last_merge_at is None


def test_the_home_page_lists_what_is_left_to_set_up(admin: Client, member: Client) -> None:
    assert f'hx-get="{HEALTH}"' in admin.get("/?home=page").content.decode()
    health = text_of(admin, HEALTH)
    for text in ("Source control", "Deployments", "Incidents", "Issue tracker", "Push data"):
        assert text in health
    assert "Issue tracker" not in text_of(member, "/")
    assert member.get(HEALTH).status_code == 404
