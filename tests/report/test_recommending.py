"""Which of several recommendations are given together."""

from __future__ import annotations

from insights.formulas.frequency import Expected
from orgtree.models import Unit
from programs.report.services.document import NOTHING
from programs.report.services.recommending import Candidate, chosen_of
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
