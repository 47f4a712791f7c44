"""Which recommendations are given together, and that their headline promises no more than their interval."""

from __future__ import annotations

import pytest

from insights.formulas.differences import students_t
from insights.formulas.frequency import Expected, Relation
from orgtree.models import Unit
from programs.report.services.document import NOTHING
from programs.report.services.recommending import Candidate, Examined, chosen_of, joined, missing_of, summary_of
from programs.report.services.wording import BATCH, LEVERS, Lever

MOBILE, DATA = Unit(name="Mobile"), Unit(name="Data")


def candidate(lever: Lever, share: float, team: Unit | None = None) -> Candidate:
    return Candidate(lever, Expected(share, share / 2, share * 1.5), NOTHING, NOTHING, team)


def chosen(*candidates: Candidate) -> list[float]:
    return [one.expected.share for one in chosen_of(candidates)]


def test_the_same_releases_are_not_counted_twice() -> None:
    whole, mobile, data = candidate(BATCH, 0.2), candidate(BATCH, 0.08, MOBILE), candidate(BATCH, 0.06, DATA)
    size, pickup, merge = (candidate(lever, share) for lever, share in zip(LEVERS, (0.1, 0.09, 0.05), strict=False))
    assert chosen(whole, mobile, data) == [0.2], "batches of the unit are those of its teams"
    assert chosen(mobile, data) == [0.08, 0.06], "teams release apart"
    assert chosen(size, pickup, merge) == [0.1], "relations are of the same weeks"
    assert chosen(mobile, data, size) == [0.1, 0.08]
    assert chosen() == []


def test_two_that_come_to_what_is_wanted_are_preferred_to_one() -> None:
    whole, mobile = candidate(BATCH, 0.3), candidate(BATCH, 0.1, MOBILE)
    assert chosen(whole, mobile, candidate(BATCH, 0.05, DATA)) == [0.1, 0.05]
    assert chosen(whole, mobile, candidate(BATCH, 0.04, DATA)) == [0.3], "14% is less than 15%"
    assert chosen(candidate(BATCH, 0.12), mobile, candidate(BATCH, 0.01, DATA)) == [0.12], "neither comes to it"
    assert chosen(candidate(BATCH, 0.05), mobile, candidate(BATCH, 0.01, DATA)) == [0.1, 0.01]


def claimed(*expected: tuple[float, float, float], teams: tuple[Unit, ...] = ()) -> str:
    whole = [Candidate(LEVERS[0], Expected(*one), NOTHING, NOTHING) for one in expected]
    of_teams = [
        Candidate(BATCH, Expected(*one), NOTHING, NOTHING, team) for one, team in zip(expected, teams, strict=False)
    ]
    return str(summary_of(of_teams or whole))


@pytest.mark.parametrize(
    ("expected", "headline"),
    [
        (
            (0.15, 0.04, 0.27),
            "by +15% (95% interval +4% to +27%) in 60 days. 15–20% is the goal; the interval reaches below 15%.",
        ),
        ((0.18, 0.16, 0.2), "by +18% (95% interval +16% to +20%) in 60 days. 15–20% is the goal."),
        ((0.09, 0.04, 0.15), "by +9% (95% interval +4% to +15%) in 60 days. The data do not support 15–20%."),
        (
            (0.4, 0.02, 0.9),
            "by +40% (95% interval +2% to +90%) in 60 days, if it went all the way. 15–20% needs a part of that; the "
            "interval reaches below 15%.",
        ),
    ],
)
def test_the_headline_promises_no_more_than_the_interval(expected: tuple[float, float, float], headline: str) -> None:
    assert claimed(expected) == f"One recommendation, expected to change deployment frequency {headline}"


def test_recommendations_that_stand_beside_one_another_and_none() -> None:
    """Two levers multiply; two teams are parts of one whole, so that their releases add up."""
    low, high = (0.08, 0.02, 0.14), (0.07, 0.01, 0.13)
    begin = "Two recommendations, expected together to change deployment frequency by"
    assert claimed(low, high).startswith(f"{begin} +16% (95% interval +7% to +25%)")
    assert claimed(low, high, teams=(MOBILE, DATA)).startswith(f"{begin} +15% (95% interval +3% to +27%)")
    assert claimed() == (
        "No change can be recommended that would raise deployment frequency by 15–20% in 60 days: the weeks examined "
        "support none clearly enough."
    )


def examined(lever: Lever, lacks: int | None) -> Examined:
    return Examined(lever, NOTHING, lacks)


def test_where_there_are_not_two_a_sentence_says_what_a_further_one_needs() -> None:
    size, pickup = (candidate(lever, share) for lever, share in zip(LEVERS, (0.1, 0.09), strict=False))
    others = [examined(LEVERS[2], None), examined(LEVERS[3], 40), examined(LEVERS[4], 1)]
    nearest = (
        "“a shorter wait of finished changes” comes nearest, and it would take about 1 week more like those there are "
        "for its relation to releases to be clear."
    )
    none = (
        "none comes near a clear relation to releases; it would take an experiment with deployment frequency as its "
        "success metric."
    )
    second = "A second one is not supported:"
    assert str(missing_of([size], [size], others)) == f"{second} of 3 other changes examined, {nearest}"
    assert str(missing_of([size], [size, pickup], others[:1])) == (
        f"{second} “a shorter wait for a first review” would count releases of the first twice, and of 1 other changes "
        f"examined, {none}"
    )
    whole, mobile = candidate(BATCH, 0.2), candidate(BATCH, 0.08, MOBILE)
    assert str(missing_of([whole], [whole, mobile], others)) == (
        f"{second} smaller batches of Mobile would count releases of the first twice, and of 3 other changes examined, "
        f"{nearest}"
    )
    assert str(missing_of([], [], others)) == f"Of 3 changes examined, {nearest}"


def test_a_sentence_that_is_added_keeps_its_own_facts() -> None:
    first = summary_of([candidate(LEVERS[0], 0.18)])
    both = joined(first, missing_of([], [], [examined(LEVERS[3], 40)]))
    assert str(both).startswith(f"{first} Of 1 changes examined")
    assert both.facts["second_weeks"].value == 40
    assert joined(first, NOTHING) is first


def test_weeks_that_lack_by_hand() -> None:
    """Of 50 weeks t is 2.5 where 3.0 is needed: 50 × (3 ÷ 2.5)² = 72, 22 more; a quarter of the t needs 16 times."""
    needed = students_t(1 - 0.005 / 2, 47)
    near = Relation(-0.25, 0.25 * 2.5 / needed / 2.5, 47, 50)
    assert near.weeks_lacking(0.005) == 1  # as clear as is needed already, but not beyond
    assert Relation(-1.0, 1.2 / needed, 47, 50).weeks_lacking(0.005) == 22
    assert Relation(-1.0, 4 / needed, 47, 50).weeks_lacking(0.005) is None
    assert Relation(0.1, 0.2, 47, 50).weeks_lacking(0.005) is None
