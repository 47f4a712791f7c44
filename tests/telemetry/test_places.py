"""Telemetry that names a repository or branch says where a session worked, before any commit is asked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Sum

from integrations.code.attribution.tasks import attribute_pending
from integrations.connectors.base import ResourceDraft
from integrations.enums import ResourceKind
from integrations.facts.ai import AGENT_SESSIONS
from integrations.facts.outcomes import AGENT_SPEND_SHARES
from integrations.intake.places import store_resource
from integrations.models import AgentRequest, AgentSession, Connection, Project, Repository, TelemetryPlace, WorkItem
from integrations.telemetry.sessions.fold import fold_received_batches
from integrations.telemetry.sessions.places import resolve_again_for_items
from tests.code.attribution.world import rows_of
from tests.telemetry.agent_records import CHAT, VS_CODE, span
from tests.telemetry.intake import (
    ADA,
    CLAUDE,
    NOW,
    REQUEST,
    SECOND,
    Intake,
    counter,
    log_record,
    logs,
    metrics,
    point,
    spans,
    stored_text,
)

pytestmark = pytest.mark.django_db
URL, BRANCH = "vcs.repository.url.full", "vcs.ref.head.name"


def work(intake: Intake, *, request: str = "req_1", session: str = "s", tokens: int = 100, **place: Any) -> None:
    """One request of a session whose resource names this place."""
    named = {name.replace("__", "."): value for name, value in place.items()}
    record = log_record({**REQUEST, "session.id": session, "request_id": request, "output_tokens": tokens})
    intake.send(logs(record, resource={**CLAUDE, **named}))
    fold_received_batches()
    attribute_pending()


def place_of(name: str = "s") -> tuple[str | None, str, str | None]:
    session = AgentSession.objects.select_related("repository", "work_item").get(external_id=name)
    repository, item = session.repository, session.work_item
    return repository.name if repository else None, session.branch, item.key if item else None


def spend_by_repository() -> Mapping[str, Decimal]:
    spend: dict[str, Decimal] = {}
    for row in rows_of(AGENT_SPEND_SHARES):
        spend[row["repository"]] = spend.get(row["repository"], Decimal(0)) + row["spend"]
    return spend


def shop(name: str = "acme/shop", remote: str = "github.com/acme/shop") -> Repository:
    return Repository.objects.create(name=name, remote=remote)


def item(key: str) -> WorkItem:
    connection, _ = Connection.objects.get_or_create(name="tracker", provider="jira")
    project, _ = Project.objects.get_or_create(connection=connection, external_id="1", key="SHOP", name="Shop")
    at = datetime(2026, 3, 2, tzinfo=UTC)
    return WorkItem.objects.create(
        connection=connection, project=project, external_id=key, key=key, created_at=at, updated_at=at
    )


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/acme/shop",
        "https://GitHub.com/Acme/Shop.git/",
        "git@github.com:acme/shop.git",
        "ssh://git@github.com:22/acme/shop",
        "https://ada:s3cret@github.com/acme/shop.git",
    ],
)
def test_an_address_in_any_spelling_places_the_session(intake: Intake, address: str) -> None:
    shop()
    work(intake, vcs__repository__url__full=address, vcs__ref__head__name="refs/heads/tea")
    assert place_of() == ("acme/shop", "tea", None)
    assert spend_by_repository().keys() == {"acme/shop"}
    assert {row["repository"] for row in rows_of(AGENT_SESSIONS)} == {"acme/shop"}


@pytest.mark.parametrize("name", ["acme/shop", "ACME/Shop", "shop", "shop.git"])
def test_a_name_places_the_session_where_only_one_repository_has_it(intake: Intake, name: str) -> None:
    shop()
    work(intake, vcs__repository__name=name)
    assert place_of() == ("acme/shop", "", None)
    shop("other/shop", "gitlab.com/other/shop")
    work(intake, session="later", vcs__repository__name=name, vcs__ref__head__name="new")
    assert place_of("later")[0] in ({"acme/shop"} if "/" in name else {"acme/shop", None})


def test_credentials_in_an_address_are_stored_nowhere(intake: Intake) -> None:
    place = {URL: "https://ada:s3cret@github.com/acme/shop.git"}
    good, bad = {**REQUEST, **place}, {**REQUEST, **place, "input_tokens": -1}
    nameless = {"event.name": "new_event", "enduser.id": "ada@example.com", "fresh": 1, **place}
    intake.send(logs(*map(log_record, (good, bad, nameless)), resource={**CLAUDE, **place}))
    fold_received_batches()
    assert len(intake.reasons) == 1
    assert len(intake.events) == 2
    assert "s3cret" not in stored_text()


@pytest.mark.parametrize(
    "address", ["x" * 10_000, "https://github.com/ac\x00me/shop", "javascript:alert(1)", "/home/ada/shop", 7]
)
def test_an_address_that_cannot_be_costs_the_record_nothing(intake: Intake, address: Any) -> None:
    shop()
    work(intake, vcs__repository__url__full=address, vcs__ref__head__name="b" * 10_000)
    assert place_of() == (None, "", None)
    assert AgentRequest.objects.count() == 1
    assert intake.reasons == []


def test_a_repository_that_is_known_later_places_the_sessions_of_before(intake: Intake) -> None:
    work(intake, vcs__repository__url__full="https://github.com/acme/shop")
    assert place_of() == (None, "", None)
    connection = Connection.objects.create(name="hub", provider="github")
    store_resource(connection, ResourceDraft(ResourceKind.REPOSITORY, "1", "Acme/Shop", remote="github.com/Acme/Shop"))
    assert place_of() == ("Acme/Shop", "", None)
    attribute_pending()
    assert spend_by_repository().keys() == {"Acme/Shop"}


def test_a_renamed_repository_keeps_the_sessions_that_name_it_as_before(intake: Intake) -> None:
    connection = Connection.objects.create(name="hub", provider="github")
    store_resource(connection, ResourceDraft(ResourceKind.REPOSITORY, "1", "acme/shop", remote="github.com/acme/shop"))
    work(intake, vcs__repository__url__full="https://github.com/acme/shop", vcs__ref__head__name="main")
    store_resource(
        connection, ResourceDraft(ResourceKind.REPOSITORY, "1", "acme/store", remote="github.com/acme/store")
    )
    work(intake, session="old", vcs__repository__url__full="https://github.com/acme/shop", vcs__ref__head__name="new")
    work(intake, session="new", vcs__repository__url__full="https://github.com/acme/store")
    assert {place_of(name)[0] for name in ("s", "old", "new")} == {"acme/store"}


def test_a_branch_gives_the_session_its_item_whenever_the_item_arrives(intake: Intake) -> None:
    known = item("SHOP-1")
    work(intake, vcs__ref__head__name="ada/shop-1-tea")
    work(intake, session="early", vcs__ref__head__name="feature/SHOP-2")
    assert place_of() == (None, "ada/shop-1-tea", "SHOP-1")
    assert place_of("early") == (None, "feature/SHOP-2", None)
    resolve_again_for_items([item("SHOP-2").pk, known.pk])
    assert place_of("early") == (None, "feature/SHOP-2", "SHOP-2")


def test_a_branch_names_an_item_by_the_key_that_it_had_in_another_project(intake: Intake) -> None:
    work(intake, vcs__ref__head__name="ada/shop-1-tea")
    moved = item("WEB-7")
    WorkItem.objects.filter(pk=moved.pk).update(former_keys=["SHOP-1"])
    resolve_again_for_items([moved.pk])
    work(intake, session="later", request="req_2", vcs__ref__head__name="fix/SHOP-1")
    assert (place_of()[2], place_of("later")[2]) == ("WEB-7", "WEB-7")


def test_a_session_in_two_repositories_splits_its_spend_by_their_tokens(intake: Intake) -> None:
    shop()
    shop("acme/site", "github.com/acme/site")
    work(intake, vcs__repository__url__full="https://github.com/acme/shop", tokens=1000)
    work(intake, request="req_2", vcs__repository__url__full="https://github.com/acme/site", tokens=100_000)
    assert place_of() == ("acme/site", "", None)
    spend = spend_by_repository()
    assert spend.keys() == {"acme/shop", "acme/site"}
    assert spend["acme/site"] > 20 * spend["acme/shop"] > 0
    assert sum(spend.values()) == AgentRequest.objects.aggregate(spend=Sum("spend"))["spend"]


def test_a_session_of_metrics_alone_is_placed(intake: Intake) -> None:
    shop()
    used = counter("claude_code.token.usage", point(100, {"type": "input", "model": "claude-sonnet-4-5"}))
    intake.send(metrics(used, resource={**CLAUDE, URL: "https://github.com/acme/shop", BRANCH: "tea"}))
    fold_received_batches()
    assert place_of(ADA["session.id"]) == ("acme/shop", "tea", None)


def test_copilot_s_own_attributes_place_its_conversation(intake: Intake) -> None:
    shop()
    git: dict[str, Any] = {
        "github__copilot__git__repository": "https://github.com/acme/shop.git",
        "github__copilot__git__branch": "tea",
        "github__copilot__git__commit_sha": "0" * 40,
    }
    intake.send(spans(span("chat", **CHAT, **git), resource=VS_CODE))
    fold_received_batches()
    assert place_of("c1") == ("acme/shop", "tea", None)


def test_the_order_of_arrival_does_not_change_the_place(intake: Intake) -> None:
    shop()
    for second in (0, 60, 30):
        record = log_record({**REQUEST, "request_id": f"r{second}"}, timeUnixNano=str(NOW - second * SECOND))
        intake.send(logs(record, resource={**CLAUDE, BRANCH: f"branch-{second}", URL: "https://github.com/acme/shop"}))
        fold_received_batches()
    assert place_of(ADA["session.id"]) == ("acme/shop", "branch-0", None)
    assert TelemetryPlace.objects.count() == 3
