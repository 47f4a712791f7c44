"""Every metric, told as stories with the truth computed by hand: the Markdown files beside this one."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import time_machine

from insights.catalogue.registry import get, metrics
from insights.columns.shape import relations_of
from insights.columns.stale import take_changes_out
from insights.engine.read import read_series
from insights.query.query import MetricValue
from integrations.connectors.base import ResourceDraft
from integrations.delivery.allocation.measure import measure_stale_weeks
from integrations.enums import ResourceKind
from integrations.intake.places import store_resource
from integrations.models import Connection
from tests.columns.states import column_states, copied_alone
from tests.intake.conftest import SHOP, github
from tests.org import Org
from tests.telemetry.raw_rows import days_cut_in
from tests.worked import (  # noqa: F401  # so that their sentences are understood
    tell_code,
    tell_deliveries,
    tell_pipelines,
    tell_pull_requests,
    tell_quality,
    tell_sessions,
    tell_vendors,
    tell_work_items,
)
from tests.worked.reader import Example, Expected, read_examples
from tests.worked.sentences import tell
from tests.worked.story import Story
from tests.worked.tell_sessions import hold_sessions
from tests.worked.tell_teams import form_teams, give_to_teams
from tests.worked.values import words_of

__all__ = ["github"]
DERIVED = ("allocation.", "capacity.")  # from weeks that the worker measures
EXAMPLES = list(read_examples())
all_examples = pytest.mark.parametrize("example", EXAMPLES, ids=str)


@pytest.fixture
def world(example: Example) -> Iterator[None]:
    """Its clocks, and the moment at which its figures are read."""
    with days_cut_in(example.zone.key), time_machine.travel(example.read_at, tick=True):
        yield


def story_of(example: Example, folder: Path) -> Story:
    story = Story(folder)
    for event in example.events:
        tell(story, event.at, event.words)
    return story


def check(example: Example, story: Story, org: Org, send: Callable[[Connection], None], by: Connection) -> None:
    form_teams(story, org)
    hold_sessions(story, org)
    for project in sorted({item.project for item in story.work_items.values()} - {SHOP}):
        store_resource(by, ResourceDraft(ResourceKind.PROJECT, project, project))
    send(by)
    give_to_teams(story, org)
    if any(expected.query.key.startswith(DERIVED) for expected in example.expected):
        take_changes_out()
        measure_stale_weeks()
    assert not wrong_figures(example)


def wrong_figures(example: Example) -> str:
    answers = read_series([expected.query for expected in example.expected])
    found = [_meant(expected, answer.total) for expected, answer in zip(example.expected, answers, strict=True)]
    wrong = [
        f"{expected.name}: {expected.value.words} by hand, {words_of(figure)} by the engine"
        for expected, figure in zip(example.expected, found, strict=True)
        if not expected.value.is_that_of(figure)
    ]
    return "\n".join(wrong)


def _meant(expected: Expected, figures: Sequence[MetricValue]) -> MetricValue:
    """The figure of the segment, or the only one."""
    if expected.segment is None:
        (figure,) = figures
        return figure
    (figure,) = [candidate for candidate in figures if expected.segment in candidate.segment.values()]
    return figure


@all_examples
@pytest.mark.usefixtures("world")
def test_figures_are_as_computed_by_hand(example: Example, github: Connection, org: Org, tmp_path: Path) -> None:
    """However much of the columns is built."""
    story = story_of(example, tmp_path)
    check(example, story, org, story.tell, github)
    with copied_alone(relations_of(get(expected.query.key) for expected in example.expected)):
        for state in column_states(random.Random(str(example))):
            assert not (wrong := wrong_figures(example)), f"{state}: {wrong}"


@pytest.mark.soak  # in any order is what tests/intake/test_any_order.py and the oracles of telemetry and delivery hold
@all_examples
@pytest.mark.usefixtures("world")
def test_figures_are_the_same_when_records_arrive_backwards(
    example: Example, github: Connection, org: Org, tmp_path: Path
) -> None:
    story = story_of(example, tmp_path)
    check(example, story, org, story.tell_backwards, github)
    again = story.tell_again(github)
    assert (again.added, again.changed) == (0, 0)


def test_values_are_written_in_the_metrics_units() -> None:
    foreign = [
        (str(example), expected.name)
        for example in EXAMPLES
        for expected in example.expected
        if (amount := expected.value.amount) is not None and not amount.is_in(get(expected.query.key).unit)
    ]
    assert foreign == []


def test_every_metric_has_a_worked_example() -> None:
    worked = {expected.query.key for example in EXAMPLES for expected in example.expected if expected.value.amount}
    assert {metric.key for metric in metrics()} - worked == set()
