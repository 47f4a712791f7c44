"""GitLab's webhooks: which stream a delivery makes due, and their registration.

https://docs.gitlab.com/user/project/integrations/webhook_events/ has the payloads,
https://docs.gitlab.com/user/project/integrations/webhooks/#delivery-headers the headers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from demo.providers import faults
from demo.providers.faults import Fault
from demo.providers.gitlab_server import GitLabServer
from integrations.connectors.base import Arrival, Settings
from integrations.connectors.errors import PermanentError
from integrations.connectors.gitlab.connector import GitLab
from integrations.connectors.http import ConnectionHttp
from integrations.enums import Kind, ResourceKind
from tests.connectors.reading import QUICK, TOKEN, only_resource
from tests.demo.small_history import small_history

WITHOUT_SETTINGS = GitLab(Settings({}, {}))
PROJECT = {"id": 101, "path_with_namespace": "acme/shop"}
HEADERS = {
    "x-gitlab-event": "Merge Request Hook",
    "x-gitlab-token": "only-for-tests",
    "idempotency-key": "f5e5f430-f57b-4e6e-9fac-d9128cd7232f",
}


@pytest.fixture
def gitlab() -> Iterator[GitLabServer]:
    with GitLabServer(small_history(), token=TOKEN) as server:
        yield server


def test_a_delivery_is_known_by_its_key_and_trusted_for_its_token() -> None:
    arrival = WITHOUT_SETTINGS.arrival(HEADERS, b"{}", "only-for-tests")
    assert arrival == Arrival(HEADERS["idempotency-key"], "Merge Request Hook")
    assert WITHOUT_SETTINGS.arrival(HEADERS, b"{}", "another") is None
    assert WITHOUT_SETTINGS.arrival({**HEADERS, "x-gitlab-token": ""}, b"{}", "") is None
    assert WITHOUT_SETTINGS.arrival({**HEADERS, "x-gitlab-token": "é"}, b"{}", "only-for-tests") is None


def test_an_old_server_gives_a_delivery_no_key() -> None:
    headers = {name: value for name, value in HEADERS.items() if name != "idempotency-key"}
    one, again, other = (WITHOUT_SETTINGS.arrival(headers, body, "only-for-tests") for body in (b"{}", b"{}", b"[]"))
    assert one == again != other


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        ({"object_kind": "merge_request", "object_attributes": {"iid": 1, "action": "approved"}}, Kind.PULL_REQUEST),
        ({"object_kind": "note", "merge_request": {"iid": 1}}, Kind.PULL_REQUEST),
        ({"object_kind": "note", "issue": {"iid": 1, "type": "Issue"}}, Kind.WORK_ITEM),
        ({"object_kind": "note", "issue": {"iid": 1, "type": "Incident"}}, Kind.INCIDENT),
        ({"object_kind": "note", "commit": {"id": "a"}}, None),
        ({"object_kind": "issue", "object_attributes": {"type": "Issue"}}, Kind.WORK_ITEM),
        ({"object_kind": "issue", "object_attributes": {"type": "Incident"}}, Kind.INCIDENT),
        ({"object_kind": "work_item", "object_attributes": {"type": "Task"}}, Kind.WORK_ITEM),
        ({"object_kind": "pipeline", "object_attributes": {"id": 31}}, Kind.PIPELINE_RUN),
        ({"object_kind": "build", "build_id": 1977}, Kind.PIPELINE_RUN),
        ({"object_kind": "deployment", "deployment_id": 15}, Kind.DEPLOYMENT),
        ({"object_kind": "wiki_page"}, None),
        ({"object_kind": "emoji"}, None),
        ({}, None),
    ],
)
def test_a_delivery_says_what_to_read(payload: dict[str, Any], kind: Kind | None) -> None:
    payload = {**payload, "project": PROJECT}
    assert WITHOUT_SETTINGS.news("", payload) == (None if kind is None else ("101", kind))
    assert WITHOUT_SETTINGS.deliveries("", payload) == (None if kind is None else ())


def test_a_job_names_its_project_by_number_alone_on_old_servers() -> None:
    payload = {"object_kind": "build", "project_id": 101}
    assert WITHOUT_SETTINGS.news("", payload) == ("101", Kind.PIPELINE_RUN)


def test_a_webhook_is_registered_once_and_removed(gitlab: GitLabServer) -> None:
    of = GitLab(Settings({"base_url": gitlab.url}, {"token": TOKEN}))
    shop = only_resource(of, ResourceKind.REPOSITORY)
    address = "https://headway.example.com/hooks/gitlab/1/"
    with ConnectionHttp(of, patience=QUICK) as http:
        of.register_hook(http, shop, address, "first")
        number = of.register_hook(http, shop, address, "second")
        assert [(str(id_), hook["token"]) for id_, hook in gitlab.hooks.items()] == [(number, "second")]
        (hook,) = gitlab.hooks.values()
        assert (hook["merge_requests_events"], hook["note_events"], hook["push_events"]) == (True, True, False)
        of.remove_hook(http, shop, number)
        of.remove_hook(http, shop, number)
        assert gitlab.hooks == {}


def test_a_token_that_may_not_register_says_so(gitlab: GitLabServer) -> None:
    of = GitLab(Settings({"base_url": gitlab.url}, {"token": TOKEN}))
    shop = only_resource(of, ResourceKind.REPOSITORY)
    gitlab.faults = [Fault(faults.forbidden(), path="/hooks", times=None)]
    with ConnectionHttp(of, patience=QUICK) as http, pytest.raises(PermanentError, match="does not let this token"):
        of.register_hook(http, shop, "https://headway.example.com/hooks/gitlab/1/", "secret")
