"""No connector uses endpoints that providers have retired, and the page of integrations announces those that end
soon.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine

from integrations.connectors.base import Settings
from integrations.connectors.jira.connector import Jira
from integrations.models import Connection
from tests.personas import ADMIN, signed_in

CONNECTORS = Path(__file__).parents[2] / "integrations" / "connectors"
RETIRED = {
    "Jira Cloud's old search": r"rest/api/3/search(?!/)",
    "PagerDuty's Events API v1": r"create_event\.json|events\.pagerduty\.com/generic",
    "PagerDuty's webhooks v2": r"/webhook_subscriptions/v2|extensions\?",
    "GitHub's legacy Copilot metrics": r"copilot/usage",
    "GitHub's authorizations": r"[\"'/]authorizations",
    "GitHub's access token in the query": r"access_token=",
    "Bitbucket's lists across workspaces": r"user/permissions/(workspaces|repositories)",
}


def test_no_connector_requests_a_retired_endpoint() -> None:
    sources = {path: path.read_text() for path in CONNECTORS.rglob("*.py")}
    used = [
        f"{path.name}: {what}"
        for path, text in sources.items()
        for what, pattern in RETIRED.items()
        if re.search(pattern, text)
    ]
    assert used == []


def test_data_center_ends_and_cloud_does_not() -> None:
    cloud, data_center = ({"email": email} for email in ("a@example.com", ""))
    assert Jira(Settings(cloud, {})).ends() == ()
    assert [str(end.ends_on) for end in Jira(Settings(data_center, {})).ends()] == ["2029-03-28"]


@pytest.mark.django_db
@pytest.mark.parametrize(("year", "words"), [(2027, ""), (2028, "read-only from"), (2029, "read-only since")])
def test_an_end_is_announced_a_year_ahead(year: int, words: str) -> None:
    Connection.objects.create(provider="jira", name="Our Jira", settings={"base_url": "https://jira.example.com"})
    with time_machine.travel(datetime(year, 6, 1, tzinfo=UTC), tick=True):
        page = signed_in(ADMIN).get("/integrations/").content.decode()
    assert ("Jira Data Center is read-only" in page, words in page) == (bool(words), True)
