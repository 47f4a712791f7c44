from __future__ import annotations

import pytest
from django.db import transaction

from core.locks import Lock
from tests.core.sessions import another_session

pytestmark = pytest.mark.django_db(transaction=True)
LOCK = Lock("of these tests")


def test_one_holds_it_until_the_transaction_ends() -> None:
    with transaction.atomic():
        LOCK.hold()
        with another_session(), transaction.atomic():
            assert not LOCK.try_hold()
    with another_session(), transaction.atomic():
        assert LOCK.try_hold()


def test_those_who_share_it_keep_out_who_does_not() -> None:
    with transaction.atomic():
        LOCK.hold_shared()
        with another_session(), transaction.atomic():
            LOCK.hold_shared()
            assert not LOCK.try_hold()


def test_a_block_holds_it_over_transactions() -> None:
    with LOCK.held(7) as is_ours:
        assert is_ours
        with transaction.atomic():
            pass
        with another_session(), LOCK.held(7) as is_theirs:
            assert not is_theirs
        with another_session(), LOCK.held(8) as is_theirs:
            assert is_theirs
    with another_session(), LOCK.held(7) as is_theirs:
        assert is_theirs


def test_a_connection_that_ends_lets_go() -> None:
    with another_session():
        assert LOCK.take()
    assert LOCK.take()
    LOCK.release()


def test_two_names_of_one_number_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("core.locks").locks._names, Lock("tea").number, "coffee")
    with pytest.raises(ValueError, match="'tea' and 'coffee'"):
        Lock("tea")
