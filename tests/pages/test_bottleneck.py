"""The bottleneck of lead time: against another way to find it, for each kind of delivery, and what hides it."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction

import pytest
from django.test import Client

from insights.catalogue.lead_time_stages import WAITS, Bottleneck, NoBottleneck, StageFigures, bottleneck
from insights.query.query import MetricValue, Window
from tests.org import Org
from tests.pages.delivering import day_before, deployed, merged
from tests.pages.test_delivery_page import PAGE, page, stages_card
from tests.seeds import seeds

Change = Mapping[str, int]  # stage → how long it took; a push has no pickup, review and merge
STEPS = ("coding", "pickup", "review", "merge", "deploy")
DAYS = Window(date(2026, 3, 2), date(2026, 3, 12))


def figures_of(changes: Sequence[Change]) -> dict[str, StageFigures]:
    return {step: _figures([change[step] for change in changes if step in change]) for step in STEPS}


def _figures(values: Sequence[int]) -> StageFigures:
    if not values:
        return StageFigures(None, None, None, 0)
    median, trimmed_mean, mean = (float(of(values)) for of in (_median, _without_slowest, _mean))
    return StageFigures(median, trimmed_mean, mean, len(values))


def _mean(values: Sequence[int]) -> Fraction:
    return Fraction(sum(values), len(values))


def _median(values: Sequence[int]) -> Fraction:
    """The value with as many below as above."""
    left = sorted(values)
    while len(left) > 2:
        left = left[1:-1]
    return _mean(left)


def _without_slowest(values: Sequence[int]) -> Fraction:
    left = list(values)
    while (len(values) - len(left) + 1) * 100 <= 5 * len(values):
        left.remove(max(left))
    return _mean(left)


def expected(changes: Sequence[Change]) -> Bottleneck:
    """Each wait is held against each other one, in exact numbers; a change without a stage did not wait there."""
    usual: dict[str, Fraction] = {}
    trimmed: dict[str, Fraction] = {}
    whole: dict[str, Fraction] = {}
    for wait in WAITS:
        values = [change[wait] for change in changes if wait in change]
        if not values:
            continue
        usual[wait] = _median(values) if 2 * len(values) >= len(changes) else Fraction(0)
        trimmed[wait] = _without_slowest(values) * len(values) / len(changes)
        whole[wait] = Fraction(sum(values), len(changes))
    if not whole:
        return Bottleneck("", reason=NoBottleneck.NO_DATA)
    if len(changes) < 5:
        return Bottleneck("", reason=NoBottleneck.FEW)

    def leads(by: Mapping[str, Fraction], wait: str) -> bool:
        return by[wait] > 0 and not any(by[other] > by[wait] for other in by)

    leading = [wait for wait in whole if leads(usual, wait) and leads(trimmed, wait)]
    by_the_slowest = [] if leading else [wait for wait in whole if leads(whole, wait)]
    found = leading + by_the_slowest
    if not found:
        return Bottleneck("", reason=NoBottleneck.NO_WAIT)
    if len(found) > 1:
        return Bottleneck("", reason=NoBottleneck.TIE)
    if sum(found[0] in change for change in changes) < 5:
        return Bottleneck("", reason=NoBottleneck.FEW)
    return Bottleneck(found[0], only_slowest=bool(by_the_slowest))


def some_changes(chance: random.Random) -> list[Change]:
    """Few or many, with few different durations, so that ties come, and a long tail now and then."""
    longest = chance.choice([1, 3, 50])
    changes: list[Change] = []
    pushes = chance.choice([0.0, 0.0, 0.3, 0.5, 0.8, 1.0])
    for _ in range(chance.choice([0, 1, 2, 4, 5, 6, 9, 19, 20, 21, 45])):
        steps = ("coding", "deploy") if chance.random() < pushes else STEPS
        change = {step: chance.randint(0, longest) for step in steps}
        if chance.random() < 0.06:
            change[chance.choice([step for step in steps if step != "coding"])] = chance.randint(100, 900)
        changes.append(change)
    return changes


@pytest.mark.parametrize("seed", seeds())
def test_any_changes_have_the_bottleneck_of_the_oracle(seed: int) -> None:
    chance = random.Random(seed)
    kinds: set[tuple[bool, bool, NoBottleneck | None]] = set()
    for _ in range(2000):
        changes = some_changes(chance)
        found = bottleneck(figures_of(changes))
        assert found == expected(changes), changes
        kinds.add((bool(found.stage), found.only_slowest, found.reason))
    assert len(kinds) == 6, kinds  # a bottleneck, only the slowest, and four of the reasons


def usual(number: int, **others: int) -> list[Change]:
    return [{"coding": 900, "pickup": 4, "review": 800, "merge": 1, "deploy": 3, **others} for _ in range(number)]


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        (usual(20), Bottleneck("pickup")),  # coding and review are longer, and work
        (usual(19) + usual(1, deploy=900), Bottleneck("pickup")),  # one of twenty changes nothing
        (usual(18) + usual(1, deploy=900), Bottleneck("deploy", only_slowest=True)),
        (usual(16) + usual(4, deploy=900), Bottleneck("deploy", only_slowest=True)),
        (usual(9) + usual(11, deploy=900), Bottleneck("deploy")),
        (usual(20, deploy=4), Bottleneck("", reason=NoBottleneck.TIE)),
        (usual(20, pickup=0, merge=0, deploy=0), Bottleneck("", reason=NoBottleneck.NO_WAIT)),
        (usual(4), Bottleneck("", reason=NoBottleneck.FEW)),
        (usual(1), Bottleneck("", reason=NoBottleneck.FEW)),
        ([], Bottleneck("", reason=NoBottleneck.NO_DATA)),
        ([{"coding": 9, "deploy": 2}] * 5, Bottleneck("deploy")),  # pushes
        (usual(5, pickup=9) + [{"coding": 9, "deploy": 2}] * 40, Bottleneck("deploy")),  # few go through a review
    ],
)
def test_kinds_of_delivery_have_one_bottleneck_or_none(changes: list[Change], found: Bottleneck) -> None:
    assert bottleneck(figures_of(changes)) == found


def test_a_hidden_wait_decides_nothing_and_the_others_tell_nothing_of_it() -> None:
    figures = figures_of(usual(20))
    for wait in WAITS:
        hidden = {**figures, wait: StageFigures(None, None, None, 0, hidden=True)}
        assert bottleneck(hidden) == Bottleneck("", reason=NoBottleneck.HIDDEN)
    work = {**figures, "review": StageFigures(None, None, None, 0, hidden=True)}
    assert bottleneck(work) == Bottleneck("pickup")


def test_of_a_stage_with_a_withheld_statistic_nothing_is_read() -> None:
    seen = MetricValue(DAYS, {}, 5.0, sample_size=9)
    withheld = MetricValue(DAYS, {}, withheld=True)
    for figures in ((withheld, seen, seen), (seen, withheld, seen), (seen, seen, withheld)):
        assert StageFigures.of(*figures) == StageFigures(None, None, None, 0, hidden=True)


def test_means_alone_tell_of_no_bottleneck() -> None:
    """As a business review of an earlier release holds them."""
    means = {step: figures._replace(median=None, trimmed_mean=None) for step, figures in figures_of(usual(20)).items()}
    assert bottleneck(means) == Bottleneck("", reason=NoBottleneck.MEANS_ALONE)


@pytest.mark.django_db
def test_where_only_the_slowest_make_a_wait_they_are_named(org: Org, member: Client) -> None:
    """Five wait 4 hours for a review and 3 for production; a sixth waits 51 for production."""
    days = [day_before(6 + number) for number in range(6)]
    org.push("pull-requests", *(merged(n, day) for n, day in enumerate(days, 1)))
    org.push("deployments", *(deployed(n, day) for n, day in enumerate(days[1:], 2)))
    org.push("deployments", deployed(1, days[0], waits=48))
    card = stages_card(page(member))
    assert "Only the slowest changes make deploy the longest wait" in card
    assert "Change 1, 2.1 days" in card
    assert "is the bottleneck" not in card
    lead_time = member.get("/api/v1/bottlenecks/").json()["lead_time"]
    assert lead_time["only_slowest"]
    assert (lead_time["slowest"][0]["title"], lead_time["slowest"][0]["seconds"]) == ("Change 1", 51 * 3600.0)
    csv = member.get(f"{PAGE}charts/stages_now.csv").getvalue().decode()
    assert [line.split(",")[-1].strip() for line in csv.splitlines() if line.startswith("Deploy")] == [
        "only the slowest"
    ]


@pytest.mark.django_db
def test_the_callout_leads_to_the_slowest_by_value(org: Org, member: Client) -> None:
    days = [day_before(3 + number) for number in range(6)]
    org.push("pull-requests", *(merged(n, day, waits=n) for n, day in enumerate(days, 1)))
    org.push("deployments", *(deployed(n, day, waits=n) for n, day in enumerate(days, 1)))
    html = page(member)
    assert "Pickup is the bottleneck" in stages_card(html)
    assert "/insights/delivery/lead-time/?" in html
    assert "spread=dora.lead_time_pickup#slowest" in html
    slowest = member.get(f"{PAGE}parts/slowest/", {"spread": "dora.lead_time_pickup"}).content.decode()
    assert [slowest.index(f">Change {n}<") for n in (6, 5, 4, 3, 2, 1)] == sorted(
        slowest.index(f">Change {n}<") for n in (1, 2, 3, 4, 5, 6)
    )
