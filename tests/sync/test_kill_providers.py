"""A worker that is killed at any moment while it reads a real provider's shapes ends with the same tables."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from django.db.models import Sum

from integrations.models import Connection, Stream, SyncRun
from integrations.sync.slices import run_next_slice
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.servers import Server
from tests.sync.simulated import GITHUB, PROVIDERS, SimulatedProvider, tables_of

StartServer = Callable[..., AbstractContextManager[Server]]
ROUNDS = [1, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(2, 51))]
# What a killed worker leaves is the sync engine's, not the provider's: one stands for all in `make test`.
KILLED = [pytest.param(of, id=of.name, marks=[] if of is GITHUB else pytest.mark.soak) for of in PROVIDERS]


@pytest.mark.parametrize("provider", KILLED)
@pytest.mark.parametrize("seed", ROUNDS)
def test_a_worker_killed_at_any_moment_ends_with_the_same_tables(
    start_server: StartServer, provider: SimulatedProvider, seed: int
) -> None:
    chance = random.Random(seed)
    with start_server(named=f"{provider.name}-{seed}") as server, provider.serve() as simulated:
        with server.database():
            connection = provider.connect(simulated)
            before = len(simulated.requests)
            while run_next_slice() is not None:
                pass
            expected, requests = tables_of(connection), len(simulated.requests) - before
            connection.delete()
            connection = provider.connect(simulated)
        target = len(simulated.requests) + chance.randint(1, max(requests - 5, 1))
        server.run("worker", "-m", "tests.sync.worker")
        wait_until(lambda: len(simulated.requests) >= target, what=f"{target} requests")
        time.sleep(chance.uniform(0.0, 0.05))  # fetching, storing, or between: that is what chance decides
        server.kill("worker")
        server.run("last", "-m", "tests.sync.worker", "--until-done")
        assert server.processes["last"].wait(timeout=PATIENCE_SECONDS) == 0, server.logs()
        with server.database():
            assert tables_of(connection) == expected
            runs = SyncRun.objects.filter(stream__resource__connection=connection)
            assert runs.filter(state=SyncRun.State.INTERRUPTED).count() <= 1
            assert runs.aggregate(changed=Sum("changed"))["changed"] == 0
            assert set(Stream.objects.values_list("leased_by", "problem")) == {("", "")}
            assert Connection.objects.get().problem == ""
