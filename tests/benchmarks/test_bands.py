"""In which band of a published set a value lies; sets stay as they were published."""

from __future__ import annotations

import pytest

from insights.benchmarks.bands import benchmark_band
from insights.benchmarks.quick_check import GroupedBy, peers_named, peers_to_offer, quick_check
from insights.benchmarks.remarks import REMARKS
from insights.benchmarks.sets import DEFAULT_SET, SETS, chosen_set
from insights.catalogue.registry import get
from insights.query.query import Statistic

HOUR, DAY = 3600.0, 86400.0


@pytest.mark.parametrize(
    ("benchmarks", "metric", "value", "label"),
    [
        ("dora-2021", "dora.lead_time", 0.5 * HOUR, "Elite"),
        ("dora-2021", "dora.lead_time", 5 * HOUR, "between Elite and High"),
        ("dora-2021", "dora.lead_time", 3 * DAY, "High"),
        ("dora-2021", "dora.change_failure_rate", 15.4, "Elite"),
        ("dora-2021", "dora.change_failure_rate", 20.0, "High, Medium or Low"),
        ("dora-2021", "dora.change_failure_rate", 50.0, None),
        ("dora-2021", "dora.deployment_frequency", 2.0, "Elite"),
        ("dora-2021", "dora.deployment_frequency", 0.5, "between Elite and High"),
        ("dora-2021", "dora.deployment_frequency", 1 / 7, "High"),
        ("dora-2021", "dora.deployment_frequency", 0.001, "Low"),
        ("dora-2021", "dora.recovery_time", 60 * DAY, "between Medium and Low"),
        ("dora-2022", "dora.lead_time", HOUR, None),  # nothing was published for so fast a cluster
        ("dora-2022", "dora.change_failure_rate", 40.0, "between Medium and Low"),
        ("dora-2023", "dora.lead_time", 10 * DAY, "Medium or Low"),
        ("dora-2023", "dora.deployment_frequency", 1.0, "High"),
        ("dora-2023", "dora.change_failure_rate", 5.0, "Elite"),
        ("dora-2023", "dora.change_failure_rate", 12.0, "Medium"),
        ("dora-2023", "dora.change_failure_rate", 90.0, "Low"),
        ("dora-2024", "dora.change_failure_rate", 10.0, "Medium"),
        ("dora-2024", "dora.change_failure_rate", 15.0, "High"),
        ("dora-2024", "dora.change_failure_rate", 30.0, "Low"),
        ("dora-2024", "dora.recovery_time", 5 * HOUR, "High or Medium"),
        ("linearb-teams", "pr.pickup_time", 7 * HOUR, "Elite"),
        ("linearb-teams", "pr.pickup_time", 7.1 * HOUR, "Strong"),
        ("linearb-teams", "pr.size", 801.0, "Needs focus"),
        ("linearb-teams", "dora.deployment_frequency", 0.5, "Strong"),
        ("linearb-pull-requests-p75", "pr.coding_time", HOUR, "Strong"),
        ("four-keys", "dora.deployment_days", 3.0, "Daily"),
        ("four-keys", "dora.deployment_days", 2.9, "Weekly"),
        ("four-keys", "dora.deployment_days", 0.5, "Monthly"),
        ("four-keys", "dora.deployment_days", 0.2, "Yearly"),
        ("four-keys", "dora.lead_time", 20 * DAY, "One month"),
        ("four-keys", "dora.change_failure_rate", 15.0, "0–15 %"),
        ("four-keys", "dora.change_failure_rate", 15.5, "16–45 %"),
        ("harness", "dora.lead_time", 8 * DAY, "Medium"),
        ("harness", "pr.size", 1.0, None),
    ],
)
def test_the_band_of_a_value(benchmarks: str, metric: str, value: float, label: str | None) -> None:
    of_metric = SETS[benchmarks].metrics.get(metric)
    band = benchmark_band(SETS[benchmarks], get(metric), value, of_metric.statistic if of_metric else None)
    assert (band and band.label) == label


@pytest.mark.parametrize(
    ("benchmarks", "of", "not_of"),
    [
        ("dora-2023", None, Statistic.MEAN),  # names no statistic: the metric's own, the median
        ("dora-2023", Statistic.MEDIAN, Statistic.P75),
        ("linearb-teams", Statistic.MEAN, None),
        ("linearb-pull-requests-p75", Statistic.P75, Statistic.MEAN),
    ],
)
def test_a_value_lies_in_no_band_of_another_statistic(
    benchmarks: str, of: Statistic | None, not_of: Statistic | None
) -> None:
    lead_time = get("dora.lead_time")
    assert benchmark_band(SETS[benchmarks], lead_time, HOUR, of)
    assert benchmark_band(SETS[benchmarks], lead_time, HOUR, not_of) is None


def test_a_metric_of_one_value_has_its_band_whatever_is_picked_for_durations() -> None:
    frequency = get("dora.deployment_frequency")
    assert benchmark_band(SETS["linearb-teams"], frequency, 5.0, None) == benchmark_band(
        SETS["linearb-teams"], frequency, 5.0, Statistic.MEAN
    )


def test_a_set_whose_better_cluster_has_worse_figures_says_so() -> None:
    assert not SETS["dora-2024"].metrics["dora.change_failure_rate"].is_monotonic
    assert SETS["dora-2023"].metrics["dora.change_failure_rate"].is_monotonic
    assert all(metric.is_monotonic for metric in SETS[DEFAULT_SET].metrics.values())


def test_every_set_names_its_source_and_licence() -> None:
    assert all(band_set.source and band_set.licence and band_set.metrics for band_set in SETS.values())
    assert [band_set.secondary != "" for band_set in SETS.values()][:4] == [False, True, True, True]
    assert all(remark.source and remark.text for remark in REMARKS)


def test_a_set_that_is_gone_gives_way_to_the_default() -> None:
    assert chosen_set("dora-1999").slug == DEFAULT_SET


def test_no_value_lies_in_two_bands() -> None:
    for benchmarks in SETS.values():
        for of_metric in benchmarks.metrics.values():
            for band in of_metric.bands:
                middle = (band.start + min(band.end, band.start + 1)) / 2
                assert [other for other in of_metric.bands if middle in other] == [band]


def test_the_score_of_all_industries_is_computed_anew() -> None:
    everybody = quick_check(GroupedBy.INDUSTRY)[0]
    assert everybody.name == "All industries"
    # (5.5 + 4.8 + 7.4 + 8.1 + 7.8) / 5, and not the 4.3 that the file says
    assert everybody.score == pytest.approx(6.72)


def test_the_recovery_time_by_size_of_2025_is_turned_the_right_way_round() -> None:
    by_size, by_industry = quick_check(GroupedBy.ORGANISATION_SIZE)[0], quick_check(GroupedBy.INDUSTRY)[0]
    assert by_size.score == pytest.approx(by_industry.score)


def test_peers_are_an_industry_or_a_size_and_everybody_where_the_choice_is_gone() -> None:
    offered = dict(peers_to_offer())
    assert offered["industry:all"] == "All industries"
    assert (offered["industry:insurance"], offered["organisation_size:solo"]) == ("Insurance", "1 employee")
    assert all(peers_named(choice).name == name for choice, name in offered.items())
    for gone in ("industry:alchemy", "planet:mars", ""):
        assert peers_named(gone).name == "All industries"


def test_both_groupings_have_several_groups() -> None:
    assert all(len(quick_check(by)) > 8 for by in GroupedBy)
