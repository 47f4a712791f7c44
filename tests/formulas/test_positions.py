"""Positions and order by tables and by searching and sorting, held against a dictionary and Python's own sorting."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from insights.formulas.positions import BITS_OF_FEW, Numbers, in_order, numbered, numbered_few, positions_in

IDS = st.one_of(st.integers(-20, 60), st.integers(-(2**62), 2**62))


@given(known=st.sets(IDS, max_size=30), asked=st.lists(IDS, max_size=60))
def test_each_id_has_its_position_or_none(known: set[int], asked: list[int]) -> None:
    ordered = sorted(known)
    expected = {each: position for position, each in enumerate(ordered)}
    asked += ordered
    found = positions_in(np.array(ordered, dtype=np.int64), np.array(asked, dtype=np.int64))
    assert found.tolist() == [expected.get(each, -1) for each in asked]


@pytest.mark.parametrize("known", [[], [-3], [4, 5, 6], [-(2**62), 2**62]])
def test_nothing_asked_is_nothing_found(known: list[int]) -> None:
    assert not len(positions_in(np.array(known, dtype=np.int64), np.array([], dtype=np.int64)))


@given(known=st.lists(IDS, max_size=30), asked=st.lists(IDS, max_size=60))
def test_a_set_holds_what_is_in_it(known: list[int], asked: list[int]) -> None:
    asked += known
    numbers = Numbers(np.array(known, dtype=np.int64))
    assert numbers.hold(np.array(asked, dtype=np.int64)).tolist() == [each in known for each in asked]
    assert len(numbers) == len(known)


@given(ids=st.lists(st.one_of(st.integers(-20, 60), st.integers(-(2**63), 2**63 - 1)), max_size=60))
def test_different_ids_are_numbered_in_their_order(ids: list[int]) -> None:
    found = numbered(np.array(ids, dtype=np.int64))
    assert found.different.tolist() == sorted(set(ids))
    assert found.different[found.positions].tolist() == ids


SAME_END = st.integers(-3, 3).map(lambda number: number << BITS_OF_FEW)


@given(hashes=st.lists(st.one_of(SAME_END, st.integers(-(2**63), 2**63 - 1)), max_size=60))
def test_few_different_hashes_are_numbered_in_any_order(hashes: list[int]) -> None:
    found = numbered_few(np.array(hashes, dtype=np.int64))
    assert sorted(found.different.tolist()) == sorted(set(hashes))
    assert found.different[found.positions].tolist() == hashes


@given(codes=st.lists(st.one_of(st.integers(-3, 3), st.integers(-(2**63), 2**63 - 1)), max_size=60))
def test_equal_codes_stay_in_their_order(codes: list[int]) -> None:
    assert in_order(np.array(codes, dtype=np.int64)).tolist() == sorted(range(len(codes)), key=codes.__getitem__)


@pytest.mark.parametrize("span", [2**60 - 1, 2**60, 2**60 + 1])
def test_codes_with_and_without_room_for_their_position(span: int) -> None:
    codes = [-5 + span, -5, 0, -5, -5 + span, 0, 1, 0]  # eight, whose positions take three bits
    assert in_order(np.array(codes, dtype=np.int64)).tolist() == [1, 3, 2, 5, 7, 6, 0, 4]
