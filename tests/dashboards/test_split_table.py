"""The card *Table by split*: values of a dimension with a column for each metric."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from insights.models import Dashboard
from tests.dashboards.test_pages import made, page
from tests.org import Org

pytestmark = pytest.mark.django_db
SMALL = "claude-haiku-4-5"


@pytest.fixture
def dashboard(org: Org, admin: Client) -> Dashboard:
    """1 million tokens of the usual model for 3 dollars, in one session; a small one's two million for 2, in two."""
    day = timezone.localdate() - timedelta(days=6)
    org.session(by="zoe", on=day, tokens=1_000_000, requests=10)
    for at in ("11:00", "13:00"):
        org.session(by="zoe", on=day, at=at, tokens=1_000_000, requests=10, model=SMALL)
    org.fold()
    made_for = made(admin, template="", title="By model")
    card = {"kind": "split", "metric": "ai.spend", "more": ["ai.tokens"], "by": "model"}
    assert admin.post(page(made_for, "cards/new/"), card).status_code == 302
    made_for.refresh_from_db()
    return made_for


def rows_of(client: Client, dashboard: Dashboard, **parameters: str) -> list[list[str]]:
    answer = client.get(page(dashboard, "charts/c1.csv"), parameters)
    assert answer.status_code == 200
    return list(csv.reader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))


def test_the_highest_of_the_first_metric_is_first(dashboard: Dashboard, admin: Client) -> None:
    [head, first, second] = rows_of(admin, dashboard)
    assert head[0] == "Model"
    assert (float(first[1]), float(first[2])) == (3.0, 1_000_000)
    assert (second[0], float(second[1]), float(second[2])) == (SMALL, 2.0, 2_000_000)


@pytest.mark.parametrize("sort", ["-ai.tokens", "ai.spend", "value"])
def test_its_headings_sort_it(sort: str, dashboard: Dashboard, admin: Client) -> None:
    assert [row[0] for row in rows_of(admin, dashboard, c1_sort=sort)][1] == SMALL
    part = admin.get(page(dashboard, "parts/c1/"), {"c1_sort": sort}).content.decode()
    assert part.index(SMALL) < part.index("$3.00")
    assert 'aria-sort="' in part


def test_figures_link_to_their_rows(dashboard: Dashboard, admin: Client) -> None:
    part = admin.get(page(dashboard, "parts/c1/")).content.decode()
    assert f"/insights/metrics/ai.spend/rows/?range=12w&model={SMALL}" in part.replace("&amp;", "&")
