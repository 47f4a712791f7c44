"""Declarations: what the start-up check refuses, and that one declaration is all that a new metric takes."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

import insights.catalogue
from insights.catalogue import registry
from insights.catalogue.ai_adoption import ADOPTION_RATE, SESSION_DURATION, SESSIONS
from insights.query.query import Dimension
from tests.org import Org

DECLARATION = """
from insights.catalogue.declarations import Count
from insights.query.measures import Total
from insights.query.query import Dimension
from insights.query.enums import Better, Category, UnitOfMeasure
from integrations.facts.ai import AGENT_SESSION_DAYS

REQUESTS = Count(
    key="ai.requests",
    version=1,
    name="Requests",
    meaning="How many requests agents made to models.",
    formula="answered requests",
    of=Total(AGENT_SESSION_DAYS, column="requests"),
    unit=UnitOfMeasure.COUNT,
    better=Better.NEITHER,
    categories=(Category.AI,),
    segments=(Dimension.AGENT,),
    facets=(Dimension.AGENT, Dimension.MODEL),
    positive_indicators=("ai.tokens",),
    source="Requests in the telemetry of agents",
    reference="https://example.com/requests",
)
"""


@pytest.fixture
def _declared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A family module more, with one metric in it."""
    (tmp_path / "ai_requests.py").write_text(DECLARATION)
    monkeypatch.setattr(insights.catalogue, "__path__", [*insights.catalogue.__path__, str(tmp_path)])
    registry.forget_declarations()
    yield
    monkeypatch.undo()
    sys.modules.pop("insights.catalogue.ai_requests", None)
    registry.forget_declarations()


@pytest.mark.django_db
@pytest.mark.usefixtures("_declared")
def test_one_declaration_adds_a_metric_everywhere(org: Org) -> None:
    assert registry.check() == []
    org.session(by="ada", on="2026-03-02", requests=3)
    assert org.metric("ai.requests", week="2026-W10").value == 3
    browser = Client()
    browser.force_login(User.objects.create_user("reader"))
    keys = [metric["key"] for metric in browser.get("/api/v1/metrics/").json()["metrics"]]
    assert "ai.requests" in keys
    answer = browser.get("/api/v1/metrics/ai.requests/series/?from=2026-03-02&to=2026-03-09&segment=agent").json()
    assert [(total["segment"], total["value"]) for total in answer["total"]] == [({"agent": "claude_code"}, 3.0)]
    assert "/insights/metrics/ai.requests/" in browser.get("/insights/metrics/").content.decode()
    assert browser.get("/insights/metrics/ai.requests/").status_code == 200


def test_the_declarations_that_stand_are_sound() -> None:
    assert registry.check() == []


def test_a_key_declared_twice_is_refused() -> None:
    problems = list(registry.problems([SESSIONS, replace(SESSIONS, name="Other")]))
    assert "ai.sessions: declared more than once." in problems


ALONE: Mapping[str, Any] = {"positive_indicators": (), "negative_indicators": ()}
NO_CHAIN = "ai.sessions: names no metric that it is read together with."


def test_a_chain_names_existing_metrics_once() -> None:
    broken = replace(
        ADOPTION_RATE,
        positive_indicators=("ai.no_such_metric", "ai.adoption_rate"),
        negative_indicators=("ai.no_such_metric",),
        look_for=(),
    )
    prefix = "ai.adoption_rate: its chain names"
    assert set(registry.problems([broken])) == {
        f"{prefix} ai.no_such_metric, which nothing declares.",
        f"{prefix} ai.no_such_metric, which stands in it already.",
        f"{prefix} ai.adoption_rate, which stands in it already.",
    }


def test_what_to_look_for_names_existing_metrics() -> None:
    problems = list(registry.problems([ADOPTION_RATE]))
    assert "ai.adoption_rate: what to look for names ai.session_duration, which nothing declares." in problems


def test_every_metric_is_read_together_with_another_and_refers_to_a_page() -> None:
    broken = replace(SESSIONS, **ALONE, reference="")
    assert list(registry.problems([broken])) == [NO_CHAIN, "ai.sessions: names no page that it refers to."]


def test_a_segment_needs_a_column_of_the_facts() -> None:
    broken = replace(SESSIONS, **ALONE, segments=(Dimension.WORK_TYPE,), facets=(Dimension.LANGUAGE,))
    assert list(registry.problems([broken])) == [
        NO_CHAIN,
        "ai.sessions: its facts have no column for the segment work_type.",
        "ai.sessions: its facts have no column for the facet language.",
    ]


def test_percentiles_need_a_default() -> None:
    broken = replace(SESSION_DURATION, **ALONE, statistic=None)
    assert "ai.session_duration: names no default statistic." in list(registry.problems([broken]))
