"""A Redis database for every installation of a test run, on the server that CELERY_BROKER_URL names.

Claims only databases without keys, and flushes only claimed ones: a developer's own data stays.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from itertools import count
from urllib.parse import urlsplit

import psutil
import redis

OWNER = "headway-test-owner"  # the key with the process id of who took the database
EMPTY_WHERE_OWNED = "if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('flushdb') end"


class UnusableBrokerError(Exception):
    """The tests cannot run on the given broker; the message says why."""


@contextmanager
def broker_of_its_own() -> Iterator[Mapping[str, str]]:
    """CELERY_BROKER_URL of a Redis database that nobody else uses; no variable where the run was given no broker."""
    if not os.environ.get("CELERY_BROKER_URL"):
        yield {}
        return
    address = take_broker(os.environ["CELERY_BROKER_URL"])
    try:
        yield {"CELERY_BROKER_URL": address}
    finally:
        give_back(address)


def take_broker(server: str) -> str:
    """Address of an empty database on that Redis server, now this process's; raises UnusableBrokerError."""
    if urlsplit(server).scheme not in ("redis", "rediss"):
        raise UnusableBrokerError("CELERY_BROKER_URL: the tests can use Redis (redis://…) or no broker at all.")
    try:
        for number in count():
            address = urlsplit(server)._replace(path=f"/{number}").geturl()
            if _take(address):
                return address
    except redis.ResponseError as problem:
        raise UnusableBrokerError(
            f"CELERY_BROKER_URL: every database of this Redis holds keys ({problem}). "
            "Give the tests a redis-server of their own."
        ) from None
    except redis.ConnectionError as problem:
        raise UnusableBrokerError(f"CELERY_BROKER_URL: {problem}") from None
    raise AssertionError("numbers do not end")


def give_back(address: str) -> None:
    """Empty a database that this process took."""
    with closing(redis.Redis.from_url(address)) as client:
        _empty(client, owner=os.getpid())


def _take(address: str) -> bool:
    with closing(redis.Redis.from_url(address)) as client:
        owner = client.get(OWNER)
        if isinstance(owner, bytes) and not psutil.pid_exists(int(owner)):
            _empty(client, owner=int(owner))  # a run that was cut off left it
        if not client.set(OWNER, os.getpid(), nx=True):
            return False
        if client.dbsize() == 1:
            return True
        client.delete(OWNER)
        return False


def _empty(client: redis.Redis, *, owner: int) -> None:
    client.eval(EMPTY_WHERE_OWNED, 1, OWNER, str(owner))
