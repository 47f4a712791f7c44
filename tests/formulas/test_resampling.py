"""Percentiles of developers drawn with replacement, beside everything drawn written out one by one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from insights.formulas.bootstrap import Values, drawn_percentiles, drawn_weights

PERCENTILES = (0.5, 0.75, 0.9, 0.95)


@given(
    values=st.lists(st.tuples(st.floats(0, 1e6), st.integers(0, 5)), min_size=1, max_size=60),
    drawn=st.lists(st.lists(st.integers(0, 3), min_size=6, max_size=6), min_size=1, max_size=4),
    percentile=st.sampled_from(PERCENTILES),
)
def test_a_drawn_percentile_is_that_of_everything_drawn_one_by_one(
    values: list[tuple[float, int]], drawn: list[list[int]], percentile: float
) -> None:
    group = Values(*map(np.array, zip(*values, strict=True))).in_order()
    percentiles = drawn_percentiles(group, np.array(drawn, dtype=float), percentile)
    for weights, value in zip(drawn, percentiles, strict=True):
        repeated = [value for value, of in values for _ in range(weights[of])]
        if not repeated:
            assert math.isnan(value)
        else:
            assert value == pytest.approx(np.quantile(repeated, percentile), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("percentile", PERCENTILES)
@pytest.mark.parametrize(("developers", "size"), [(3, 4_000), (40, 4_000), (2_000, 3_000)])
def test_it_is_that_of_many_values_wherever_it_falls(developers: int, size: int, percentile: float) -> None:
    """Few developers, each at a pace of their own, are drawn so unevenly that it lies far from that of all."""
    rng = np.random.default_rng(developers)
    of = rng.integers(0, developers, size)
    durations = np.exp(of / developers * 3 + rng.normal(0, 0.2, size)).round(2).astype(np.float64)
    group = Values(durations, of).in_order()
    [weights] = drawn_weights(developers, seed=4, replicates=25)
    written_out = [
        np.quantile(np.repeat(group.values, weight.astype(int)[group.developers]), percentile) for weight in weights
    ]
    assert drawn_percentiles(group, weights, percentile) == pytest.approx(written_out, rel=1e-12)


def test_everybody_is_drawn_as_often_as_all_others_and_some_rows_at_a_time() -> None:
    developers = 2_500
    chunks = [*drawn_weights(developers, seed=1, replicates=2_000)]
    assert len(chunks) > 1
    weights = np.concatenate(chunks)
    assert weights.shape == (2_000, developers)
    assert set(weights.sum(axis=1)) == {developers}
    by_developer = weights.mean(axis=0)
    assert abs(by_developer - 1).max() < 5 * math.sqrt(1 / 2_000)
    assert weights.var() == pytest.approx(1, abs=0.01)  # each draw anew: as often as Poisson's with a mean of 1


@pytest.mark.parametrize(("developers", "replicates"), [(8, 2_000), (4_000, 2_000), (10_000, 800), (50_000, 400)])
def test_of_many_developers_fewer_replicates_are_drawn(developers: int, replicates: int) -> None:
    assert sum(len(weights) for weights in drawn_weights(developers, seed=1)) == replicates
