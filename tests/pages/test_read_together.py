"""Queries that a page reads with its tiles, and those left to its charts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from django.test import Client

from insights.pages import answers
from insights.privacy.visible import visible_together
from insights.query.query import Query

pytestmark = pytest.mark.django_db


def test_the_page_itself_asks_for_buckets_of_what_it_draws_alone(
    member: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its tiles have lines; what it splits is told of the whole window, and charts ask for their buckets themselves."""
    queries: list[Query] = []

    def watched(*args: Any, series: Sequence[Query], **more: Any) -> Any:
        queries.extend(series)
        return visible_together(*args, series=series, **more)

    monkeypatch.setattr(answers, "visible_together", watched)
    assert member.get("/insights/ai/").status_code == 200
    assert queries
    assert not [query.key for query in queries if query.segments]
