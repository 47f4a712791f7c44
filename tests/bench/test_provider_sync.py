"""The bench's provider is read to its end, by the bench alone."""

from __future__ import annotations

import pytest

from bench.provider_sync import PAGE_SIZE, provider_sync
from integrations.models import PullRequest, PullRequestCommit, Stream, SyncRun

pytestmark = pytest.mark.soak  # benches are run there, too


@pytest.mark.django_db
def test_every_pull_request_is_read_and_the_worker_is_left_out() -> None:
    figures = provider_sync(pulls=2 * PAGE_SIZE + 30)
    assert [figure.name for figure in figures] == ["provider sync", "provider sync, memory"]
    assert figures[0].ratio is not None
    assert PullRequest.objects.count() == 230
    assert PullRequestCommit.objects.count() == 460
    run = SyncRun.objects.get()
    assert (run.state, run.added, run.requests) == (SyncRun.State.DONE, 230, 3)
    assert Stream.objects.get().due_at is None
