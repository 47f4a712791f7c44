"""`/prometheus?unit=`: metrics of units visible to the token's user."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.test import Client

from insights.query import windows
from orgtree.access.api_tokens import create_api_token
from tests.personas import EXECUTIVE, MANAGER, OTHER_MEMBER, Persona, create_user
from tests.teams import OTHERS_IN_PLATFORM, create_teams

if TYPE_CHECKING:
    from tests.org import Org

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def teams(org: Org) -> None:
    create_teams()
    for name in ("ada", *OTHERS_IN_PLATFORM, "grace"):
        org.session(by=name, on=windows.local_today() - timedelta(days=1))
    org.fold()


def ask(persona: Persona | None, query: str) -> tuple[int, str]:
    """The answer to a token of that persona (None: of nobody)."""
    user = create_user(persona) if persona else None
    _, secret = create_api_token("monitoring", expires_at=None, user=user)
    answer = Client().get(f"/prometheus?{query}", headers={"Authorization": f"Bearer {secret}"})
    return answer.status_code, answer.content.decode()


def test_a_unit_has_a_sample_for_every_metric_that_has_a_value() -> None:
    status, text = ask(MANAGER, "unit=platform&metric=ai.sessions&metric=dora.lead_time")
    labels = 'key="ai.sessions",unit="platform",unit_of_measure="count",weeks="4"'
    assert status == 200
    assert f"headway_metric{{{labels}}} 6\n" in text
    assert "dora.lead_time" not in text


def test_groups_that_are_too_small_have_none() -> None:
    assert ask(EXECUTIVE, "unit=search&metric=ai.sessions") == (200, "")
    assert ask(EXECUTIVE, "unit=platform&metric=ai.sessions") == (200, ""), "all others are one person"
    assert ask(None, "unit=search&metric=ai.sessions") == (200, "")


def test_units_that_the_tokens_user_may_not_see_do_not_exist() -> None:
    assert ask(OTHER_MEMBER, "unit=platform&metric=ai.sessions")[0] == 404
    assert ask(EXECUTIVE, "unit=nowhere")[0] == 404
    assert ask(EXECUTIVE, "unit=plat%00form")[0] == 400


@pytest.mark.parametrize(
    ("query", "message"), [("metric=no.such", "no metric"), ("weeks=3", "weeks"), ("weeks=²", "weeks")]
)
def test_an_invalid_query_is_refused_with_its_reason(query: str, message: str) -> None:
    status, text = ask(EXECUTIVE, f"unit=platform&{query}")
    assert status == 400
    assert message in text


def test_this_machine_has_figures_of_units_with_a_token_only() -> None:
    assert Client().get("/prometheus?unit=platform").status_code == 401
