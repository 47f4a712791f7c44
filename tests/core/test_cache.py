"""The cache: what it stores and what it evicts."""

from __future__ import annotations

import os

from core.cache import Cache


def test_the_least_recently_used_goes_first() -> None:
    cache: Cache[str] = Cache(10, len)
    cache.put("first", "aaaa")
    cache.put("second", "bbbb")
    assert cache.get("first") == "aaaa"
    cache.put("third", "cccc")
    assert (cache.get("first"), cache.get("second"), cache.get("third")) == ("aaaa", None, "cccc")
    assert cache.bytes == 8


def test_what_is_larger_than_the_cache_is_not_remembered_and_pushes_nothing_out() -> None:
    cache: Cache[str] = Cache(10, len)
    cache.put("small", "a")
    cache.put("large", "b" * 11)
    assert (cache.get("small"), cache.get("large")) == ("a", None)


def test_a_forked_process_begins_with_an_empty_one() -> None:
    cache: Cache[str] = Cache(10, len)
    cache.put("first", "aaaa")
    child = os.fork()
    if child == 0:
        os._exit(0 if cache.get("first") is None else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert cache.get("first") == "aaaa"
