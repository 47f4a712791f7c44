"""Positions by a table and by a search, held against a dictionary."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from insights.formulas.positions import positions_in

IDS = st.one_of(st.integers(-20, 60), st.integers(-(2**62), 2**62))


@given(known=st.sets(IDS, max_size=30), asked=st.lists(IDS, max_size=60))
def test_each_id_has_its_position_or_none(known: set[int], asked: list[int]) -> None:
    in_order = sorted(known)
    expected = {each: position for position, each in enumerate(in_order)}
    asked += in_order
    found = positions_in(np.array(in_order, dtype=np.int64), np.array(asked, dtype=np.int64))
    assert found.tolist() == [expected.get(each, -1) for each in asked]


@pytest.mark.parametrize("known", [[], [-3], [4, 5, 6], [-(2**62), 2**62]])
def test_nothing_asked_is_nothing_found(known: list[int]) -> None:
    assert not len(positions_in(np.array(known, dtype=np.int64), np.array([], dtype=np.int64)))
