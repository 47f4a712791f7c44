"""A record of a closed period tells nothing that its figure did not tell, then or now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime

import pytest
import time_machine

from insights.catalogue.registry import get
from insights.figure_records.recording import record_figures
from insights.figure_records.restatements import restatements
from insights.models import FigureRecord
from insights.query.query import Scope
from orgtree.access.access import access_of
from orgtree.models import IndividualPolicy, Organisation
from tests.org import Org
from tests.personas import EXECUTIVE, create_user
from tests.teams import OTHERS_IN_PLATFORM, create_teams

pytestmark = pytest.mark.django_db
NIGHT = datetime(2026, 3, 9, 2, 30, tzinfo=UTC)  # a Monday: a week has closed
IN_WEEK = date(2026, 3, 4)
SIX = ("ada", *OTHERS_IN_PLATFORM)
FEW = "it or the difference would tell of fewer than 5 people"


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NIGHT, tick=False) as traveller:
        yield traveller


@pytest.fixture
def teams(org: Org) -> Org:
    create_teams()
    Organisation.objects.update(
        individual_policy=IndividualPolicy.PSEUDONYMS, protected_since=datetime(2026, 1, 1, tzinfo=UTC)
    )
    return org


def works(org: Org, names: Sequence[str], *, failures: int = 0, confirmed: bool = True, day: date = IN_WEEK) -> None:
    for name in names:
        failed = {"Bash": failures} if failures else {}
        org.session(by=name, on=day, tokens=100, tool_calls={"Bash": 10}, failures=failed, confirmed=confirmed)
    org.fold()


def sentences(key: str) -> list[str]:
    """The sentences that an executive reads about the organisation."""
    return [restatement.sentence for restatement in restatements(get(key), Scope(), access_of(create_user(EXECUTIVE)))]


def recorded(key: str) -> int:
    """The number of people in the week's record."""
    return FigureRecord.objects.get(metric=key, unit=None, start="2026-03-02", end="2026-03-09").people


def test_a_share_that_few_people_made_when_it_was_recorded_stays_hidden(teams: Org) -> None:
    """The attack: one of six failed, hidden; five more fail later, and the line said what the one had done."""
    works(teams, SIX)
    works(teams, ["ada"], failures=3)
    record_figures()
    assert recorded("ai.error_rate") == 1
    works(teams, SIX, failures=1)
    assert len(sentences("ai.error_rate")) == 1
    assert FEW in sentences("ai.error_rate")[0]
    assert "%" not in sentences("ai.error_rate")[0]


def test_whom_telemetry_alone_named_made_no_group_then_either(teams: Org) -> None:
    works(teams, SIX[:2])
    works(teams, ["nobody", "noone", "stranger"], confirmed=False)
    record_figures()
    assert recorded("ai.sessions_per_developer") == 2


def test_the_difference_that_one_person_made_is_not_set_side_by_side(teams: Org) -> None:
    """The attack: what came in late was one laptop's, and then minus now is what its owner did."""
    works(teams, SIX[:5])
    record_figures()
    works(teams, [SIX[5]] * 3)
    [sentence] = sentences("ai.sessions_per_developer")
    assert FEW in sentence
    assert "then" not in sentence


def test_what_came_in_later_of_the_same_people_is_said(teams: Org) -> None:
    works(teams, SIX)
    record_figures()
    works(teams, SIX)
    [sentence] = sentences("ai.sessions_per_developer")
    assert "came in later" in sentence


def test_the_policy_named_shows_both(teams: Org) -> None:
    Organisation.objects.update(individual_policy=IndividualPolicy.NAMED)
    works(teams, SIX[:5])
    record_figures()
    works(teams, [SIX[5]] * 3)
    [sentence] = sentences("ai.sessions_per_developer")
    assert "came in later" in sentence
