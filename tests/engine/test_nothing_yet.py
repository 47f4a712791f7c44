"""Answers of metrics before any data arrives."""

from __future__ import annotations

from datetime import date

import pytest

from insights.engine.distribution import read_distribution
from insights.query.query import Query, Window


@pytest.mark.django_db
def test_the_distribution_of_nothing_says_why() -> None:
    spread = read_distribution(Query("ai.tokens", Window(date(2026, 1, 1), date(2026, 3, 1))))
    assert (spread.sample_size, spread.histogram) == (0, ())
    assert "Connect an agent" in (spread.reason or "")
