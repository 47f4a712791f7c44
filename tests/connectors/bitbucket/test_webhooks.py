"""Bitbucket's webhooks: signatures, what they say to read, and their registration."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from demo.providers import faults
from demo.providers.bitbucket_server import BitbucketServer
from demo.providers.faults import Fault
from integrations.connectors.base import Arrival, Settings
from integrations.connectors.bitbucket.connector import Bitbucket
from integrations.connectors.bitbucket.webhooks import EVENTS
from integrations.connectors.errors import PermanentError
from integrations.connectors.http import ConnectionHttp
from integrations.enums import Kind, ResourceKind
from tests.connectors.reading import QUICK, TOKEN, only_resource
from tests.demo.small_history import small_history

SECRET, BODY = "only-for-tests", b'{"repository": {"uuid": "{9988e380}"}}'
SIGNED = hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest()
HEADERS = {"x-event-key": "pullrequest:created", "x-request-uuid": "one"}


@pytest.mark.parametrize(
    ("signature", "secret", "arrives"),
    [
        (f"sha256={SIGNED}", SECRET, True),
        (f"sha256={SIGNED}", "another", False),
        (f"sha1={SIGNED}", SECRET, False),  # GitHub's, under the same name
        ("", SECRET, False),
        (f"sha256={SIGNED}", "", False),
    ],
)
def test_only_signed_deliveries_arrive(signature: str, secret: str, arrives: bool) -> None:
    arrival = Bitbucket(Settings({}, {})).arrival({**HEADERS, "x-hub-signature": signature}, BODY, secret)
    assert arrival == (Arrival("one", "pullrequest:created") if arrives else None)


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ("pullrequest:approved", Kind.PULL_REQUEST),
        ("pullrequest:comment_deleted", Kind.PULL_REQUEST),
        ("repo:commit_status_updated", Kind.PIPELINE_RUN),
        ("repo:push", Kind.COMMIT),
        ("repo:fork", None),
        ("issue:created", None),
    ],
)
def test_an_event_says_what_to_read(event: str, kind: Kind | None) -> None:
    of = Bitbucket(Settings({}, {}))
    payload = {"repository": {"uuid": "{9988E380-F77D-40F0-974F-626252E7B941}"}}
    news = of.news(event, payload)
    assert news == (("9988e380-f77d-40f0-974f-626252e7b941", kind) if kind else None)
    assert (of.deliveries(event, payload) is None) == (kind is None)
    assert of.news(event, {}) is None


def test_a_webhook_is_registered_once_and_removed() -> None:
    with BitbucketServer(small_history(), token=TOKEN) as bitbucket:
        of = Bitbucket(Settings({"base_url": bitbucket.url, "workspace": "acme"}, {"token": TOKEN}))
        shop = only_resource(of, ResourceKind.REPOSITORY)
        with ConnectionHttp(of, patience=QUICK) as http:
            of.register_hook(http, shop, "https://headway.example.com/hooks/1/", SECRET)
            hook = of.register_hook(http, shop, "https://headway.example.com/hooks/1/", SECRET)
            (known,) = bitbucket.hooks
            assert (known["secret"], known["events"]) == (SECRET, list(EVENTS))
            of.remove_hook(http, shop, hook)
            of.remove_hook(http, shop, hook)
            assert bitbucket.hooks == []
            bitbucket.faults = [Fault(faults.forbidden(), method="POST", path="/hooks", times=None)]
            with pytest.raises(PermanentError):
                of.register_hook(http, shop, "https://headway.example.com/hooks/1/", SECRET)
