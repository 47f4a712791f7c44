"""A team's agreement and a training in the demo are annotated once, and never in the quiet flavour."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from demo.load.annotations import write_demo_annotations
from demo.load.personas import open_demo_accounts
from demo.plan.delivery_stories import AGREED_WEEKS, TRAINING
from demo.plan.stories import Flavour
from demo.plan.year import DemoYear
from insights.models import Annotation
from tests.org import Org

END = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)


@pytest.fixture
def platform(org: Org) -> None:
    org.tree("teams")
    org.unit("platform", below="teams")
    org.unit("mobile", below="teams")
    open_demo_accounts()


@pytest.mark.usefixtures("platform")
def test_the_agreement_is_noted_on_the_teams_charts_once() -> None:
    year = DemoYear(seed=1, flavour=Flavour.STORIES, anchor=END)
    for _ in range(2):
        write_demo_annotations(year)
    noted = Annotation.objects.get(excuses=False)
    assert noted.unit is not None
    assert (noted.unit.slug, noted.start) == ("platform", year.first_day_of(AGREED_WEEKS))
    assert noted.written_by is not None
    training = Annotation.objects.get(excuses=True)
    assert (training.unit and training.unit.slug, training.start) == ("mobile", year.first_day_of(TRAINING.first))


@pytest.mark.usefixtures("platform")
def test_nothing_is_noted_where_nothing_happened() -> None:
    write_demo_annotations(DemoYear(seed=1, flavour=Flavour.QUIET, anchor=END))
    assert not Annotation.objects.exists()
