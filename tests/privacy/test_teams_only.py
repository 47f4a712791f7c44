"""Capacity is of teams: of nobody alone, of few people never, whatever the policy."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine

from insights.privacy.visible import TEAMS_NOTE, UnitQueries, visible_rows, visible_together
from insights.query.query import Query, Scope, Window
from orgtree.access.access import access_of
from orgtree.models import IndividualPolicy, Organisation, Person
from tests.delivery.allocation.test_measuring import measured
from tests.org import Org
from tests.personas import EXECUTIVE, MEMBER, OTHER_MEMBER, create_user, signed_in
from tests.teams import IN_SEARCH, OTHERS_IN_PLATFORM, Teams, create_teams

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 16, 12, tzinfo=UTC)
KEY = "capacity.weekend_share"


@pytest.fixture(params=[IndividualPolicy.NAMED, IndividualPolicy.PSEUDONYMS, IndividualPolicy.SELF_ONLY])
def teams(request: pytest.FixtureRequest, org: Org) -> Iterator[Teams]:
    """Everybody commits once on a Saturday and once on a Monday."""
    with time_machine.travel(NOW, tick=False):
        teams = create_teams(request.param)
        for number, person in enumerate(("ada", *OTHERS_IN_PLATFORM, *IN_SEARCH)):
            for offset, day in ((0, "2026-11-07"), (100, "2026-11-09")):
                org.push(
                    "commits",
                    {
                        "repository": "acme/shop",
                        "sha": f"{number + offset + 1:040x}",
                        "parents": [],
                        "author_email": f"{person}@example.com",
                        "authored_at": f"{day}T10:00:00Z",
                        "committed_at": f"{day}T10:00:00Z",
                        "message": "tidy",
                    },
                )
        measured()
        yield teams


def test_teams_of_enough_people_have_figures_and_nobody_else(teams: Teams) -> None:
    access = access_of(create_user(EXECUTIVE))
    window = Window(NOW.date().replace(day=2), NOW.date())
    ada = Person.objects.get(email="ada@example.com")
    queries = [Query(KEY, window, scope=scope) for scope in (Scope(unit="platform"), Scope(unit="search"))]
    answers = visible_together(
        access, series=queries, units=[UnitQueries([Query(KEY, window)], [teams.platform.pk, teams.search.pk])]
    )
    platform, search = answers.series
    if Organisation.current().individual_policy == IndividualPolicy.NAMED:
        assert platform.total[0].value == 50
    assert search.total[0].withheld
    assert all(figure.value is None for figure in search.series)
    [beside] = answers.units
    assert beside[teams.search.pk][0].total[0].withheld
    assert beside[teams.platform.pk][0].total[0].withheld, "else Search could be computed from Engineering"
    member = access_of(create_user(MEMBER))
    assert member.visibility.person_id == ada.pk
    [own] = visible_together(member, series=[Query(KEY, window, scope=Scope(person_id=ada.pk))]).series
    assert own.total[0].withheld, "not even of oneself"
    rows = visible_rows(Query(KEY, window, scope=Scope(unit="platform")), access)
    assert (rows.rows, rows.note) == ([], TEAMS_NOTE)


def test_a_member_of_a_small_team_sees_no_capacity_and_why(teams: Teams) -> None:
    page = signed_in(OTHER_MEMBER).get("/insights/capacity/?unit=search").content.decode()
    assert "Shown for groups of at least 5 people, never for one person." in page
    assert "fewer than 5 people contribute" in page or "reveal a group of few people" in page
    assert "50.0" not in page
