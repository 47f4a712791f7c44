"""A deployment with its statuses: how it went, and when."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from integrations.connectors.drafts import MISSING, DeploymentDraft, ProvidedParts
from integrations.connectors.errors import SchemaError
from integrations.connectors.github.deployments import normalise_deployment
from integrations.connectors.github.stream_repository import record_of
from tests.connectors.github.conftest import Payload
from tests.connectors.github.reading import drafts_of_delivery


@pytest.fixture
def deployment(example: Payload) -> dict[str, Any]:
    payload: dict[str, Any] = example("deployment")["deployment"]
    return payload


def draft_of(deployment: dict[str, Any], **parts: Any) -> DeploymentDraft:
    repository = {"id": 7, "html_url": "https://github.com/acme/shop"}
    (draft,) = normalise_deployment({"deployment": deployment, "repository": repository, **parts})
    return draft


def at(minute: int) -> datetime:
    return datetime(2026, 3, 2, 9, minute, tzinfo=UTC)


def statuses(*states: str) -> list[dict[str, Any]]:
    """One a minute, the latest first, as REST lists them."""
    return [{"state": state, "created_at": f"2026-03-02T09:{minute:02}:00Z"} for minute, state in enumerate(states)][
        ::-1
    ]


def test_a_deployment_without_an_id_is_not_taken_for_another_one_of_its_commit(deployment: dict[str, Any]) -> None:
    del deployment["id"]
    assert deployment["sha"]
    assert record_of("deployment", normalise_deployment, deployment).external_id == ""


@pytest.mark.parametrize("state", ["queued", "in_progress", "success", "failure", "error", "inactive", "hovering"])
def test_both_forms_of_a_list_agree(deployment: dict[str, Any], state: str) -> None:
    listed = statuses("in_progress", state)
    address = "https://github.com/acme/shop/actions/runs/7000/job/12"
    draft = draft_of(deployment, statuses=[{**status, "log_url": address} for status in listed])
    nodes = [
        {"state": status["state"].upper(), "createdAt": status["created_at"], "logUrl": address} for status in listed
    ]
    assert draft_of(deployment, details={"statuses": {"nodes": nodes}}) == draft
    assert isinstance(draft.statuses, ProvidedParts)
    assert {(part.run, part.job) for part in draft.statuses.parts} == {("7000", "12")}


def test_a_list_without_statuses_says_that_there_are_none(deployment: dict[str, Any]) -> None:
    assert draft_of(deployment, statuses=[]).statuses == ProvidedParts([], whole=True)


def test_a_status_sent_twice_in_a_second_is_one(deployment: dict[str, Any]) -> None:
    together = [
        {"state": state, "created_at": "2026-03-02T09:00:00Z"}
        for state in ("success", "in_progress", "queued", "success")
    ]
    draft = draft_of(deployment, statuses=together)
    assert isinstance(draft.statuses, ProvidedParts)
    assert sorted(part.native_status for part in draft.statuses.parts) == ["in_progress", "queued", "success"]


def test_what_it_is(deployment: dict[str, Any]) -> None:
    draft = draft_of(deployment)
    assert (draft.external_id, draft.repository) == ("145988746", "7")
    assert draft.native_environment == "production"
    assert draft.url == "https://github.com/acme/shop/deployments"
    assert (draft.ref, draft.sha) == (deployment["ref"], deployment["sha"])


def test_a_deployments_own_webhook_says_nothing_of_how_it_goes(example: Payload) -> None:
    (draft,) = drafts_of_delivery("deployment", example("deployment"))
    assert isinstance(draft, DeploymentDraft)
    assert draft.status is MISSING
    assert draft.statuses == ProvidedParts([], whole=False)


def test_a_status_of_a_webhook(example: Payload) -> None:
    (draft,) = drafts_of_delivery("deployment_status", example("deployment_status"))
    assert isinstance(draft, DeploymentDraft)
    assert isinstance(draft.statuses, ProvidedParts)
    assert not draft.statuses.whole
    assert draft.updated_at == datetime(2019, 5, 15, 15, 20, 55, tzinfo=UTC)


@pytest.mark.parametrize("field", ["id", "environment"])
def test_a_missing_field_is_named(deployment: dict[str, Any], field: str) -> None:
    del deployment[field]
    with pytest.raises(SchemaError) as refused:
        draft_of(deployment)
    assert refused.value.path == f"deployment.{field}"


NOTHING = (MISSING, MISSING, MISSING, MISSING)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({"service": "cart", "unplanned": True, "rollback_of": 4711}, ("cart", True, "4711", MISSING)),
        ('{"unplanned": false}', (MISSING, False, MISSING, MISSING)),
        ({"fixes": [4711, "4712", 4711]}, (MISSING, MISSING, MISSING, ("4711", "4712"))),
        ({"fixes": 4711}, (MISSING, MISSING, MISSING, ("4711",))),
        ({"fixes": [True, None, "", {}], "rollback_of": ""}, NOTHING),
        ({"service": 7, "unplanned": "yes", "rollback_of": True, "fixes": {}, "other": {}}, NOTHING),
        ("no JSON", NOTHING),
        ("[" * 100_000, NOTHING),
        ([1], NOTHING),
        (None, NOTHING),
    ],
)
def test_what_whoever_deployed_wrote_into_it(
    deployment: dict[str, Any], written: Any, expected: tuple[Any, ...]
) -> None:
    draft = draft_of({**deployment, "payload": written})
    assert (draft.service, draft.unplanned, draft.rollback_of, draft.fixes) == expected
