"""The bench's git import reads what it wrote, by itself."""

from __future__ import annotations

import pytest

from bench.git_import import FILES, FILES_A_COMMIT, git_import
from integrations.models import Commit, RepositorySource, SyncRun
from integrations.sync.git.tasks import due_sources

pytestmark = pytest.mark.soak  # benches are run there, too


@pytest.mark.django_db
def test_every_commit_of_the_history_is_read_and_the_worker_is_left_out() -> None:
    (figure,) = git_import(commits=5)
    assert figure.value > 0
    assert figure.ratio is not None
    assert sorted(Commit.objects.values_list("file_count", flat=True)) == [FILES_A_COMMIT] * 4 + [FILES]
    (run,) = SyncRun.objects.all()
    assert (run.state, run.added) == (SyncRun.State.DONE, 5)
    source = RepositorySource.objects.get()
    assert source not in due_sources(run.started_at)
