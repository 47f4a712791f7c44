"""Properties of work items and pipelines that always hold: for any order, any pieces, any window."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest
from django.db import connection

from insights.engine.contributions import read_rows
from insights.engine.distribution import read_distribution
from insights.query.query import Query, Window
from integrations.delivery.recompute import recompute_missing_figures
from integrations.models import FactChange, PipelineRunFigures, WorkItemFigures
from tests.delivery.work_items.oracle import random_world
from tests.delivery.work_items.tracker import Tracker, figure
from tests.seeds import seeds

FIRST, LAST = date(2026, 2, 24), date(2026, 5, 6)
WEEKS = Window(date(2026, 3, 2), date(2026, 5, 4))
ADDED_UP = ("bug.escaped", "bug.customer_found")

pytestmark = pytest.mark.django_db


def figures() -> list[tuple[object, ...]]:
    """All that is derived, by what the records are called."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT item.key, credited.value, figures.work_type, done_at, first_in_progress_at, lead_seconds,
                   cycle_seconds, active_seconds, reopened, found_in_production, found_by_customer, todo_days::text,
                   in_progress_days::text, healthy_days::text
            FROM integrations_workitemfigures figures
            JOIN integrations_workitem item ON item.id = figures.work_item_id
            LEFT JOIN orgtree_identity credited ON credited.id = figures.credited_id
            UNION ALL
            SELECT run.external_id, of_run::text, 'run', finished_on, NULL, duration_seconds, queue_seconds, NULL,
                   attempts, is_last, is_flaky, is_counted::text, is_successful::text, ''
            FROM integrations_pipelinerunfigures figures
            JOIN integrations_pipelinerun run ON run.id = figures.run_id
            ORDER BY 1
            """
        )
        return list(cursor.fetchall())


@pytest.mark.parametrize("seed", seeds(5))
def test_the_order_and_batches_in_which_records_arrive_make_no_difference(seed: int) -> None:
    chance = random.Random(seed)
    tracker = Tracker()
    drafts = random_world(seed, FIRST, LAST, tracker)[1]
    tracker.tell(*drafts)
    expected = figures()
    FactChange.objects.all().delete()
    tracker.tell(*drafts)
    assert figures() == expected
    assert not FactChange.objects.exists()  # told again, nothing is other than it was
    tracker.forget()
    assert not figures()
    chance.shuffle(drafts)
    while drafts:
        size = chance.randrange(1, 12)
        tracker.tell(*drafts[:size])
        del drafts[:size]
    assert figures() == expected


def test_what_was_stored_before_there_were_figures_gets_them() -> None:
    tracker = Tracker()
    tracker.tell(*random_world(4, FIRST, LAST, tracker)[1])
    expected = figures()
    WorkItemFigures.objects.all().delete()
    PipelineRunFigures.objects.all().delete()
    FactChange.objects.all().delete()
    assert recompute_missing_figures() == len(expected)
    assert figures() == expected
    assert set(FactChange.objects.values_list("family", flat=True)) == {"work_item", "pipeline"}
    assert recompute_missing_figures() == 0


def test_windows_add_up_and_figures_are_made_of_their_rows() -> None:
    tracker = Tracker()
    tracker.tell(*random_world(3, FIRST, LAST, tracker)[1])
    middle = WEEKS.start + timedelta(days=30)
    for key in ADDED_UP:
        parts = (figure(key, Window(WEEKS.start, middle)).value, figure(key, Window(middle, WEEKS.end)).value)
        assert figure(key, WEEKS).value == sum(part or 0 for part in parts)
    for key in ("wip.count", *ADDED_UP):
        rows = read_rows(Query(key=key, window=WEEKS), size=1000).rows
        assert sum(row["contribution"] for row in rows) == figure(key, WEEKS).value
    for key in ("backlog.health", "bug.ratio", "flow.efficiency", "ci.success_rate"):
        rows = read_rows(Query(key=key, window=WEEKS), size=1000).rows
        above, below = (sum(row[name] for row in rows) for name in ("contribution", "denominator"))
        assert above / below * 100 == pytest.approx(figure(key, WEEKS).value)
    for key in ("wip.age", "backlog.age", "issue.cycle_time", "ci.duration", "ci.queue_time"):
        rows = read_rows(Query(key=key, window=WEEKS), size=1000).rows
        spread = read_distribution(Query(key=key, window=WEEKS))
        assert spread.sample_size == len(rows) == figure(key, WEEKS).sample_size
        assert spread.percentiles["p50"] == figure(key, WEEKS).value
