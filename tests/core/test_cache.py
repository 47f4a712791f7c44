"""The cache: what it stores and what it evicts."""

from __future__ import annotations

import os

from core.cache import Cache


def test_the_least_recently_used_goes_first() -> None:
    cache: Cache[str] = Cache(12, len)
    for name in "abcd":
        cache.put(name, name * 3)
    assert cache.get("a") == "aaa"
    cache.put("e", "eee")
    assert [cache.get(name) for name in "abcde"] == ["aaa", None, "ccc", "ddd", "eee"]
    assert cache.bytes == 12


def test_what_takes_more_than_a_quarter_is_not_remembered_and_pushes_nothing_out() -> None:
    cache: Cache[str] = Cache(12, len)
    cache.put("small", "a")
    cache.put("large", "bbbb")
    assert (cache.get("small"), cache.get("large")) == ("a", None)


def test_a_forked_process_begins_with_an_empty_one() -> None:
    cache: Cache[str] = Cache(16, len)
    cache.put("first", "aaaa")
    child = os.fork()
    if child == 0:
        os._exit(0 if cache.get("first") is None else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert cache.get("first") == "aaaa"
