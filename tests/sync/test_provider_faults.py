"""Whatever a provider does on the way, the tables end as if it had not: the matrix, for each provider there is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import pytest
from django.db import transaction

from demo.providers import faults
from demo.providers.faults import Fault
from demo.providers.simulated_server import SimulatedServer
from integrations.models import Connection
from tests.sync.readings import let_time_pass, read_everything, read_through
from tests.sync.simulated import PROVIDERS, SimulatedProvider, tables_of

pytestmark = pytest.mark.django_db
MOST_REQUESTS = 3  # of a stream in which nothing happened
CHANGING = "a record that changes between two pages"
RENAMED = "a renamed field"
FAULTS: Mapping[str, Callable[[SimulatedProvider, SimulatedServer], Fault]] = {
    "429 with Retry-After": lambda of, _: Fault(faults.too_many_requests(retry_after=1), path=of.lists, nth=2, times=2),
    "429 for details": lambda of, _: Fault(faults.too_many_requests(), path=of.details, nth=3),
    "502": lambda of, _: Fault(faults.bad_gateway(), path=of.lists, nth=2, times=7),
    "502 for details": lambda of, _: Fault(faults.bad_gateway(), path=of.details, nth=2, times=7),
    "401 in the middle": lambda of, _: Fault(faults.unauthorised(), path=of.lists, nth=2),
    "half a page": lambda of, _: Fault(faults.truncated(), path=of.lists, nth=2, times=2),
    "a connection that is cut": lambda of, _: Fault(faults.cut_short(), path=of.lists, nth=2, times=2),
    "a page for people": lambda of, _: Fault(faults.html_page(), path=of.lists, nth=2, times=4),
    "a page repeated": lambda of, _: Fault(faults.repeated_page(), path=of.lists, nth=of.first_page, times=2),
    RENAMED: lambda of, _: Fault(faults.renamed(of.renamed), path=of.lists, nth=of.first_page),
    CHANGING: lambda of, server: Fault(
        faults.meanwhile(lambda: server.advance(of.moment(of.after))), path=of.lists, nth=of.first_page + 1
    ),
}


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.name)
def test_under_every_fault_the_tables_are_those_without_it(
    provider: SimulatedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    for constant, size in provider.small_pages.items():
        monkeypatch.setattr(constant, size)
    differing = []
    with provider.serve() as server:
        with undone():
            undisturbed = provider.connect(server)
            read_through(undisturbed)
            usual = tables_of(undisturbed)
        assert sum(len(rows) for rows in usual.values()) > 20
        for name, fault in FAULTS.items():
            server.advance(provider.moment(provider.before if name == CHANGING else provider.after))
            with undone():
                connection = provider.connect(server, name)
                server.faults = [fault(provider, server)]
                read_through(connection)
                server.faults = []
                let_time_pass(connection)
                if name == RENAMED:
                    read_everything(connection, full=True)
                # The first sync may mend what the fault left.
                is_stable = any(nothing_is_new(connection) for _ in range(2))
                if not is_stable or tables_of(connection) != usual:
                    differing.append(name)
    assert differing == []


@contextmanager
def undone() -> Iterator[None]:
    """What is stored within is gone afterwards: what derives from all connections of a repository grows with each."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def nothing_is_new(connection: Connection) -> bool:
    """Another sync changes nothing, and asks for little."""
    runs = read_everything(connection)
    unchanged = all((run.added, run.changed, run.removed, run.quarantined) == (0, 0, 0, 0) for run in runs)
    return bool(runs) and unchanged and all(run.requests <= MOST_REQUESTS for run in runs)
