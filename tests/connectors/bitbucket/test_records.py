"""Bitbucket's records as drafts, one field changed at a time.

The shapes are those of the raw tables of apache/devlake (backend/plugins/bitbucket/e2e/raw_tables, @dbbad860: pull
requests, their commits and comments, pipelines, steps, deployments) and of faros-ai/airbyte-connectors
(sources/bitbucket-source/test: activities, deployments with environments).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from integrations.connectors.base import Json
from integrations.connectors.bitbucket.commits import normalise_commit
from integrations.connectors.bitbucket.deployments import normalise_deployment
from integrations.connectors.bitbucket.pipelines import normalise_pipeline
from integrations.connectors.bitbucket.pull_requests import normalise_pull_request
from integrations.connectors.drafts import MISSING, PipelineRunDraft, ProvidedParts, Who
from integrations.connectors.errors import SchemaError
from integrations.enums import PullRequestState, RunStatus

SHOP = {"id": "9988e380-f77d-40f0-974f-626252e7b941", "name": "acme/shop", "page": "https://bitbucket.org/acme/shop"}
ADA = {
    "type": "user",
    "uuid": "{64135f6a-3978-4297-99b1-21827e0faf0b}",
    "account_id": "62abf394192edb006fa0e8cf",
    "display_name": "Ada",
}


@pytest.fixture
def pull() -> Json:
    return {
        "repository": SHOP,
        "pullrequest": {
            "id": 40,
            "title": "SHOP-9 weigh the basket",
            "description": "",
            "state": "MERGED",
            "author": ADA,
            "created_on": "2022-08-12T15:25:31.595898+00:00",
            "updated_on": "2022-08-14T07:38:28.302733+00:00",
            "merge_commit": {"hash": "a000a2a9fc11"},
            "source": {"branch": {"name": "weigh"}, "commit": {"hash": "c0e12b61e44b"}},
            "destination": {"branch": {"name": "master"}},
            "page": "https://bitbucket.org/acme/shop/pull-requests/40",
        },
        "activity": [],
    }


def test_the_time_of_a_merge_is_that_of_its_update_else_of_the_last_change(pull: Json) -> None:
    """Bitbucket gives none: faros-ai/airbyte-connectors takes the latest update into the state MERGED."""
    (inferred,) = normalise_pull_request(pull)
    assert inferred.merged_at == datetime(2022, 8, 14, 7, 38, 28, 302733, UTC)
    updates = [("OPEN", "2022-08-12T15:25:31+00:00"), ("MERGED", "2022-08-13T09:00:00+00:00")]
    pull["activity"] = [{"update": {"state": state, "date": at, "author": ADA}} for state, at in updates]
    (merged,) = normalise_pull_request(pull)
    assert merged.merged_at == datetime(2022, 8, 13, 9, tzinfo=UTC)
    assert merged.closed_at == merged.merged_at


def test_a_superseded_pull_request_is_closed(pull: Json) -> None:
    pull["pullrequest"]["state"] = "SUPERSEDED"
    (closed,) = normalise_pull_request(pull)
    assert (closed.state, closed.merged_at, closed.merge_sha) == (PullRequestState.CLOSED, None, "")


def test_a_short_hash_is_replaced_by_the_whole_one(pull: Json) -> None:
    pull["merge_hash"] = "a000a2a9fc11" + "0" * 28
    pull["commits"] = [{"hash": "c0e12b61e44b" + "1" * 28, "date": "2022-08-12T15:00:00+00:00"}]
    (merged,) = normalise_pull_request(pull)
    assert (merged.merge_sha, merged.head_sha) == ("a000a2a9fc11" + "0" * 28, "c0e12b61e44b" + "1" * 28)


def test_an_account_without_an_id_was_deleted_and_a_nickname_is_no_login(pull: Json) -> None:
    (known,) = normalise_pull_request(pull)
    assert known.author == Who(login=ADA["account_id"], account=ADA["account_id"], name="Ada")
    pull["pullrequest"]["author"] = {**ADA, "account_id": None, "nickname": "ada"}
    (gone,) = normalise_pull_request(pull)
    assert gone.author is None


def test_an_access_token_is_a_bot(pull: Json) -> None:
    pull["pullrequest"]["author"] = {**ADA, "type": "app_user", "account_id": None}
    (made,) = normalise_pull_request(pull)
    assert made.author == Who(
        login="64135f6a-3978-4297-99b1-21827e0faf0b",
        account="64135f6a-3978-4297-99b1-21827e0faf0b",
        name="Ada",
        bot=True,
    )


@pytest.mark.parametrize("field", ["id", "created_on"])
def test_a_renamed_field_is_named_in_the_error(pull: Json, field: str) -> None:
    del pull["pullrequest"][field]
    with pytest.raises(SchemaError, match=f"pullrequest.{field}"):
        normalise_pull_request(pull)


def test_a_time_without_its_zone_is_left_out(pull: Json) -> None:
    pull["activity"] = [{"approval": {"date": "2022-08-13T09:00:00", "user": ADA}}]
    (merged,) = normalise_pull_request(pull)
    assert merged.reviews == ProvidedParts([])
    assert merged.left_out == ("activity[0].approval.date",)


@pytest.mark.parametrize(
    ("raw", "name", "email"),
    [
        ("Ada Lovelace <ada@example.com>", "Ada Lovelace", "ada@example.com"),
        ("ada@example.com", "ada@example.com", ""),
        ("<ada@example.com>", "", "ada@example.com"),
        ("", "", ""),
    ],
)
def test_a_commits_author_is_as_git_has_it(raw: str, name: str, email: str) -> None:
    payload: Json = {
        "repository": SHOP,
        "branch_commit": {
            "hash": "1" * 40,
            "date": "2015-09-12T08:53:47+00:00",
            "message": "Weigh\n",
            "author": {"raw": raw},
            "parents": [{"hash": "2" * 40}],
        },
    }
    (draft,) = normalise_commit(payload)
    assert draft.author == Who(name=name or ("" if email else "unknown"), email=email)
    assert draft.parents == ("2" * 40,)


@pytest.fixture
def pipeline() -> Json:
    return {
        "repository": SHOP,
        "bitbucket_pipeline": {
            "uuid": "{01fad871-cd21-4a80-bd59-74148dd5be8e}",
            "build_number": 186,
            "state": {"name": "COMPLETED", "result": {"name": "FAILED"}},
            "created_on": "2023-02-20T08:58:19.14397Z",
            "completed_on": "2026-10-08T21:14:31.423341222Z",  # nanoseconds, as the API writes them
            "target": {"ref_name": "main", "commit": {"hash": "2b1cd7db35f3cf67d6d124e08b13272a1901707a"}},
            "trigger": {"type": "pipeline_trigger_push"},
        },
    }


def test_a_pipeline_has_its_times_its_page_and_a_name(pipeline: Json) -> None:
    (run,) = normalise_pipeline(pipeline)
    assert (run.external_id, run.status, run.native_status) == (
        "01fad871-cd21-4a80-bd59-74148dd5be8e",
        RunStatus.FAILURE,
        "FAILED",
    )
    assert run.finished_at == datetime(2026, 10, 8, 21, 14, 31, 423341, UTC)
    assert (run.url, run.name, run.trigger) == (f"{SHOP['page']}/pipelines/results/186", "default pipeline", "push")
    assert run.jobs is MISSING


@pytest.mark.parametrize(
    ("state", "status", "native"),
    [
        ({"name": "COMPLETED", "result": {"name": "STOPPED"}}, RunStatus.CANCELLED, "STOPPED"),
        ({"name": "COMPLETED", "result": {"name": "PASSED"}}, RunStatus.OTHER, "PASSED"),
        ({"name": "PENDING"}, RunStatus.QUEUED, "PENDING"),
        ({"name": "IN_PROGRESS", "stage": {"name": "HALTED"}}, RunStatus.RUNNING, "HALTED"),
        ({"name": "IN_PROGRESS", "stage": {"name": "PENDING"}}, RunStatus.QUEUED, "PENDING"),
    ],
)
def test_states_of_pipelines(pipeline: Json, state: Json, status: RunStatus, native: str) -> None:
    pipeline["bitbucket_pipeline"]["state"] = state
    (run,) = normalise_pipeline(pipeline)
    assert (run.status, run.native_status) == (status, native)


def _step(number: int, run: int, result: str, minute: int) -> Json:
    return {
        "uuid": f"{{d464ab91-8b50-4ad5-8c22-d2a6d1ca5d{number:02}}}",
        "name": f"Step {number}",
        "state": {"name": "COMPLETED", "result": {"name": result}},
        "started_on": f"2023-02-20T09:{minute:02}:00Z",
        "completed_on": f"2023-02-20T09:{minute + 1:02}:00Z",
        "run_number": run,
    }


def test_steps_that_are_run_again_are_another_attempt(pipeline: Json) -> None:
    pipeline["bitbucket_pipeline"]["state"]["result"]["name"] = "SUCCESSFUL"
    pipeline["steps"] = [_step(1, 1, "FAILED", 0), _step(2, 2, "SUCCESSFUL", 10)]
    first, last = normalise_pipeline(pipeline)
    assert (first.external_id, first.status, first.attempt) == (f"{last.external_id}/1", RunStatus.FAILURE, 1)
    assert (last.status, last.attempt) == (RunStatus.SUCCESS, 2)
    assert (first.finished_at, last.started_at) == (
        datetime(2023, 2, 20, 9, 1, tzinfo=UTC),
        datetime(2023, 2, 20, 9, 10, tzinfo=UTC),
    )
    assert [names(run) for run in (first, last)] == [["Step 1"], ["Step 2"]]


def names(run: PipelineRunDraft) -> list[str]:
    assert isinstance(run.jobs, ProvidedParts)
    return [job.name for job in run.jobs.parts]


@pytest.fixture
def deployment() -> dict[str, Any]:
    return {
        "repository": SHOP,
        "name": "eu-west",
        "type": "Production",
        "bitbucket_deployment": {
            "uuid": "{6dca96ac-bd01-56a9-b681-919804eb8e18}",
            "step": {"uuid": "{0706054d-bde3-4d27-af26-8ff9bc675e6c}"},
            "environment": {"uuid": "{d0a5773d-5c8c-4200-843f-48cade3b04db}"},
            "release": {
                "pipeline": {"uuid": "{5decbbb2-f4e6-4f3a-aab0-f74c40497c51}"},
                "url": "https://bitbucket.org/acme/shop/addon/pipelines/home#!/results/186",
                "commit": {"hash": "ca4302e0e56c89332711e1b1051ab2f0110d4412"},
                "created_on": "2023-02-20T09:38:17.522007Z",
            },
            "state": {
                "name": "COMPLETED",
                "status": {"name": "SUCCESSFUL"},
                "started_on": "2023-02-20T09:39:04.211063Z",
                "completed_on": "2023-02-20T09:39:09.267028Z",
            },
            "last_update_time": "2023-02-20T09:39:09.267028Z",
        },
    }


def test_a_deployment_has_the_type_of_its_environment_and_its_step(deployment: Json) -> None:
    (draft,) = normalise_deployment(deployment)
    assert (draft.native_environment, draft.is_production, draft.status) == ("eu-west", True, RunStatus.SUCCESS)
    assert (draft.run, draft.job) == ("5decbbb2-f4e6-4f3a-aab0-f74c40497c51", "0706054d-bde3-4d27-af26-8ff9bc675e6c")
    assert draft.finished_at == datetime(2023, 2, 20, 9, 39, 9, 267028, UTC)


def test_an_environment_that_is_not_shown_is_named_by_its_id(deployment: Json) -> None:
    del deployment["name"], deployment["type"]
    (draft,) = normalise_deployment(deployment)
    assert (draft.native_environment, draft.is_production) == ("d0a5773d-5c8c-4200-843f-48cade3b04db", None)
