"""Discovered resources, the picked ones among them, and those that move or disappear."""

from __future__ import annotations

from typing import Any, cast

import pytest

from integrations.connectors.base import Http
from integrations.connectors.errors import PermanentError
from integrations.connectors.jira.resources import resources_of
from integrations.connectors.jira.site import Site
from integrations.intake.places import store_resource
from integrations.models import Connection, Resource, Stream, SyncRun
from integrations.sync import resources, slices
from integrations.sync.check import check_connection
from integrations.sync.resources import NothingMatchesError, Rules, discover_resources, pick_resources, set_rules
from integrations.sync.slices import SliceLimits, run_next_slice
from integrations.sync.tasks import discover, sync_streams
from tests.sync.conftest import resource_of, stream_of
from tests.sync.faults import always, refused
from tests.sync.provider import Provider
from tests.sync.readings import last_run, read_everything, titles


def picked(connection: Connection) -> list[str]:
    return sorted(connection.resources.filter(picked=True).values_list("name", flat=True))


def test_rules_pick_by_name_and_hands_decide_otherwise(connection: Connection, provider: Provider) -> None:
    for name in ("acme/shop", "acme/Site", "acme/old-shop", "other/thing"):
        provider.repository(name)
    provider.repository("acme/attic").archived = True
    discover_resources(connection)
    set_rules(connection, Rules(match=("ACME/*",), exclude=("acme/old-*",)))
    assert picked(connection) == ["acme/Site", "acme/shop"]
    set_rules(connection, Rules(match=("acme/*",), archived=True))
    assert picked(connection) == ["acme/Site", "acme/attic", "acme/old-shop", "acme/shop"]
    pick_resources(
        connection,
        picked=[resource_of(connection, "other/thing").pk],
        dropped=[resource_of(connection, "acme/shop").pk],
    )
    assert picked(connection) == ["acme/Site", "acme/attic", "acme/old-shop", "other/thing"]
    set_rules(connection, Rules())
    assert picked(connection) == ["other/thing"]


def test_rules_pick_by_the_providers_own_id_too(connection: Connection, provider: Provider) -> None:
    provider.repository("acme/shop", external_id="77")
    provider.repository("acme/site", external_id="78")
    set_rules(connection, Rules(match=("78",)))
    discover_resources(connection)
    assert picked(connection) == ["acme/site"]


def test_rules_pick_by_the_address_of_a_page(connection: Connection, provider: Provider) -> None:
    provider.repository("acme/shop", external_id="77")
    provider.repository("acme/site", external_id="78")
    discover_resources(connection)
    connection.resources.filter(external_id="78").update(url="https://example.com/acme/site")
    set_rules(connection, Rules(match=("https://example.com/acme/site/pull/77",)))
    assert picked(connection) == ["acme/site"]
    set_rules(connection, Rules(match=("*",), exclude=("https://example.com/acme/site.git",)))
    assert picked(connection) == ["acme/shop"]


def test_rules_saved_while_a_connection_is_listed_hold(
    connection: Connection, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.repository("acme/shop")
    provider.repository("acme/site")
    set_rules(connection, Rules())

    def store_and_save_rules(listed: Connection, draft: Any) -> Resource:
        set_rules(Connection.objects.get(pk=listed.pk), Rules(match=("acme/shop",)))
        return store_resource(listed, draft)

    monkeypatch.setattr(resources, "store_resource", store_and_save_rules)
    discover_resources(Connection.objects.get(pk=connection.pk))
    assert picked(connection) == ["acme/shop"]


def test_what_is_picked_later_is_read_and_what_is_dropped_is_not(connection: Connection, provider: Provider) -> None:
    provider.repository("acme/shop", pull_requests=3)
    discover_resources(connection)
    resource = resource_of(connection, "acme/shop")
    pick_resources(connection, dropped=[resource.pk])
    assert read_everything(connection) == []
    pick_resources(connection, picked=[resource.pk])
    assert len(read_everything(connection)) == 1


def test_what_is_dropped_in_the_middle_of_its_reading_is_not_read_on(
    connection: Connection, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "SLICE_LIMITS", SliceLimits(pages=1))
    provider.repository("acme/shop", pull_requests=50)
    discover_resources(connection)
    run_next_slice()
    pick_resources(connection, dropped=[resource_of(connection, "acme/shop").pk])
    assert run_next_slice() is None
    run = last_run(connection)
    assert (run.state, run.read) == (SyncRun.State.INTERRUPTED, 20)
    assert "no longer selected" in run.problem
    pick_resources(connection, picked=[resource_of(connection, "acme/shop").pk])
    read_everything(connection)
    assert len(titles(connection)) == 50


def test_a_renamed_repository_stays_what_it_was(connection: Connection, provider: Provider) -> None:
    shop = provider.repository("acme/shop", pull_requests=3)
    discover_resources(connection)
    read_everything(connection)
    shop.name = "acme/store"
    discover_resources(connection)
    assert Resource.objects.get().name == "acme/store"
    (run,) = read_everything(connection)
    assert (run.added, run.changed) == (0, 0)


def test_a_resource_that_is_not_listed_any_more_keeps_its_facts(connection: Connection, provider: Provider) -> None:
    shop = provider.repository("acme/shop", pull_requests=3)
    provider.repository("acme/site", pull_requests=3)
    discover_resources(connection)
    read_everything(connection)
    del provider.repositories[shop.external_id]
    discover_resources(connection)
    gone = resource_of(connection, "acme/shop")
    assert gone.gone_at is not None
    assert stream_of(connection, "acme/shop").problem == "The provider no longer lists it."
    assert len(read_everything(connection)) == 1
    assert len(titles(connection)) == 6
    provider.repositories[shop.external_id] = shop
    discover_resources(connection)
    assert resource_of(connection, "acme/shop").gone_at is None
    assert len(read_everything(connection)) == 2
    assert stream_of(connection, "acme/shop").problem == ""


def test_a_listing_that_fails_says_why_and_marks_nothing_as_gone(connection: Connection, provider: Provider) -> None:
    provider.repository("acme/shop")
    discover_resources(connection)
    provider.answers(always(refused(403, "No"), to="/repos"))
    with pytest.raises(PermanentError):
        discover_resources(connection)
    connection.refresh_from_db()
    assert connection.problem.startswith("Example does not let this token read /repos")
    assert connection.discover_at is not None
    assert not Resource.objects.exclude(gone_at=None).exists()


def test_a_check_says_what_is_wrong_and_once_all_is_well_goes_on(connection: Connection, provider: Provider) -> None:
    provider.repository("acme/shop", pull_requests=3)
    provider.answers(always(refused(401), to="/repos"))
    (checked,) = check_connection(connection)
    assert (checked.works, checked.what) == (False, "Example refused the token.")
    discover()
    connection.refresh_from_db()
    assert connection.checks[0]["remedy"].startswith("It may have expired")
    assert connection.problem == "Example refused the token."

    provider.answers()
    (checked,) = check_connection(connection)
    assert checked.works
    discover()
    connection.refresh_from_db()
    assert (connection.problem, picked(connection)) == ("", ["acme/shop"])
    sync_streams()
    assert len(titles(connection)) == 3
    assert Stream.objects.get().leased_by == ""


def test_a_project_is_picked_by_its_key(connection: Connection) -> None:
    project = Resource(connection=connection, name="DCX · Centre", external_id="10034", details={"key": "DCX"})
    assert [Rules(match=(named,)).pick(project) for named in ("dcx", "10034", "DCX · *", "DC", "Centre")] == [
        *[True] * 3,
        *[False] * 2,
    ]


def test_a_board_is_picked_by_the_key_of_its_project(connection: Connection) -> None:
    class Boards:
        def get(self, path: str, **_: Any) -> Boards:
            self.path = path
            return self

        def json(self) -> dict[str, Any]:
            if "board" not in self.path:
                values: list[dict[str, Any]] = [{"id": "1", "key": "SHOP", "name": "Shop"}]
            else:
                of_shop = {"location": {"projectKey": "SHOP"}}
                values = [{"id": 7, "name": "Team", "type": "scrum", **of_shop}, {"id": 8, "name": "SHOP and PAY"}]
            return {"values": values, "isLast": True, "baseUrl": "https://jira.example.com"}

    for draft in resources_of(cast(Http, Boards()), Site(is_cloud=True)):
        store_resource(connection, draft)
    rules = Rules(match=("shop",))
    assert {one.name for one in Resource.objects.all() if rules.pick(one)} == {"SHOP · Shop", "SHOP · Team"}


def test_a_board_of_a_data_center_is_picked_by_the_keys_of_its_projects(connection: Connection) -> None:
    """Its boards name no project; those of a project are listed, and one project's may be refused."""
    boards = {"": [7, 8, 9], "SHOP": [7, 8], "PAY": [8]}

    class Boards:
        def get(self, path: str, *, params: dict[str, Any] | None = None) -> Boards:
            self.path, self.key = path, (params or {}).get("projectKeyOrId", "")
            if self.key == "HR":
                raise PermanentError("Jira refused it")
            return self

        def json(self) -> Any:
            if self.path.endswith("/project"):
                return [
                    {"id": str(10 + at), "key": key, "name": key.title()}
                    for at, key in enumerate(("HR", "SHOP", "PAY"))
                ]
            values = [{"id": id_, "name": f"Board {id_}", "type": "scrum"} for id_ in boards[self.key]]
            return {"values": values, "isLast": True, "baseUrl": "https://jira.example.com"}

    for draft in resources_of(cast(Http, Boards()), Site(is_cloud=False)):
        store_resource(connection, draft)
    picked_by = {
        key: {one.name for one in Resource.objects.filter(kind="board") if Rules(match=(key,)).pick(one)}
        for key in ("shop", "PAY", "HR", "Board 9")
    }
    assert picked_by == {
        "shop": {"Board 7", "Board 8"},
        "PAY": {"Board 8"},
        "HR": set(),
        "Board 9": {"Board 9"},
    }


def test_rules_that_match_nothing_are_refused_with_what_there_is(connection: Connection, provider: Provider) -> None:
    provider.repository("acme/shop")
    set_rules(connection, Rules(match=("acme/shpo", "acme/sit")))
    with pytest.raises(NothingMatchesError) as refused:
        discover_resources(connection)
    assert "acme/shpo or acme/sit" in refused.value.problem
    assert "acme/shop" in refused.value.what_to_do
    connection.refresh_from_db()
    assert connection.problem == refused.value.problem
    set_rules(connection, Rules(match=("acme/*",)))
    discover_resources(connection)
    connection.refresh_from_db()
    assert (picked(connection), connection.problem) == (["acme/shop"], "")
