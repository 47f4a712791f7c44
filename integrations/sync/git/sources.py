"""Connected repositories for the page on which they are set up, and the lock that lets only one process read a
source.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Count, OuterRef, Q, Subquery

from core.locks import BusyError, Lock
from integrations.models import CommitInRepository, RepositorySource, SyncRun
from integrations.models.connections import GIT


@dataclass(frozen=True)
class ConnectedSource:
    """A source, its last reading (None if there is none), and the number of commits in its repository.

    `lines_unknown` is the number of commits whose objects git could not read: they count, but have no lines.
    """

    source: RepositorySource
    last_run: SyncRun | None
    commits: int
    lines_unknown: int


def connected_sources() -> Sequence[ConnectedSource]:
    """Every repository on this machine that an admin connected, by connection name, without mirrors."""
    last = SyncRun.objects.filter(source=OuterRef("pk")).order_by("-pk").values("pk")[:1]
    sources = list(
        RepositorySource.objects.filter(connection__provider=GIT)
        .select_related("connection", "repository")
        .annotate(last_run_id=Subquery(last))
        .order_by("connection__name", "pk")
    )
    runs = SyncRun.objects.in_bulk([source.last_run_id for source in sources if source.last_run_id])
    held = _commits_by_repository([source.repository_id for source in sources if source.repository_id])
    return [
        ConnectedSource(source, runs.get(source.last_run_id), *held.get(source.repository_id or 0, (0, 0)))
        for source in sources
    ]


def _commits_by_repository(repositories: Sequence[int]) -> dict[int, tuple[int, int]]:
    """The number of commits in each repository, and the number of those with unknown lines."""
    links = CommitInRepository.objects.filter(repository__in=repositories).order_by()
    counted = links.values_list("repository").annotate(
        commits=Count("pk"), unknown=Count("pk", filter=Q(commit__lines_known=False))
    )
    return {repository: (commits, unknown) for repository, commits, unknown in counted}


READING = Lock("reading of a clone")  # by source


def no_reading(sources: Iterable[RepositorySource]) -> None:
    """Keep others from reading these sources until the caller's transaction ends.  Raises BusyError."""
    for source in sources:
        if not READING.try_hold(source.pk):
            raise BusyError
