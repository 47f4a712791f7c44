"""Shared by tests of the pages of objectives: a browser's form, and many objectives at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orgtree.models import Person, Unit
from programs.models import CheckIn, KeyResult, KeyResultMeasure, Objective, ObjectiveMeasure
from programs.quarters.fiscal_quarters import current_quarter
from tests.personas import Persona

LIST = "/programs/objectives/"
MOST_QUERIES = 15
SignIn = Callable[[Persona], Client]


def text(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, address
    return answer.content.decode()


def executed_sql(queries: CaptureQueriesContext) -> str:
    return "\n".join(" ".join(str(query["sql"]).split())[:150] for query in queries.captured_queries)


def form_of(*rows: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """The form that a browser sends: five rows, most of them empty."""
    usual = {
        "title": "Reviews no longer wait", "unit": "platform", "quarter": str(current_quarter().start), "owner": "",
        "description": "Why *not*.", "parent": "", "template": "", "version": "1", "publish": "1",
        "key_results-TOTAL_FORMS": "5", "key_results-INITIAL_FORMS": "0",
        "key_results-MIN_NUM_FORMS": "0", "key_results-MAX_NUM_FORMS": "5",
    }  # fmt: skip
    empty = {
        "id": "", "metric": "", "statistic": "", "target_kind": "absolute", "target": "", "title": "", "baseline": "",
        "better": "", "unit_of_measure": "",
    }  # fmt: skip
    rows = rows or ({"title": "Satisfaction", "target": "4", "baseline": "3", "better": "higher"},)
    for number in range(5):
        row = {**empty, **(rows[number] if number < len(rows) else {})}
        usual |= {f"key_results-{number}-{name}": value for name, value in row.items()}
    return {name: value for name, value in {**usual, **fields}.items() if value is not None}


def fill(number: int) -> None:
    """Create this many published objectives of this quarter, each with three key results, measured and in a tree."""
    units, people, quarter = list(Unit.objects.all()), list(Person.objects.all()), current_quarter()
    objectives = Objective.objects.bulk_create(
        Objective(
            quarter=quarter, unit=units[n % len(units)], owner=people[n % len(people)], title=f"Objective {n}",
            published_at=f"{quarter.start}T08:00:00Z",
        )
        for n in range(number)
    )  # fmt: skip
    for position, child in enumerate(objectives[1:], start=1):
        child.parent = objectives[position // 5]
    Objective.objects.bulk_update(objectives, ["parent"])
    metrics = ("dora.lead_time", "pr.review_time", "")
    results = KeyResult.objects.bulk_create(
        KeyResult(
            objective=objective, position=position, title=f"Result {position}", metric=metric, better="lower",
            target_kind="absolute", baseline=90_000, target=10_000,
        )
        for objective in objectives
        for position, metric in enumerate(metrics)
    )  # fmt: skip
    points = [[str(quarter.start + timedelta(weeks=week)), 50_000.0, 8] for week in range(-13, 8)]
    KeyResultMeasure.objects.bulk_create(
        KeyResultMeasure(
            key_result=result, value=50_000, people=8, sample_size=40, progress=0.5, points=points, forecast=20_000,
            forecast_low=10_000, forecast_high=30_000, standing="at_risk", why="Half of the way.",
        )
        for result in results
    )  # fmt: skip
    ObjectiveMeasure.objects.bulk_create(
        ObjectiveMeasure(objective=objective, progress=0.5, standing="at_risk", why="3 key results at risk.")
        for objective in objectives
    )
    CheckIn.objects.bulk_create(
        CheckIn(objective=objective, confidence="medium", note="On.") for objective in objectives
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
