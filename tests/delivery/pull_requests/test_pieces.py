"""Many pull requests are settled some at a time: which of them together changes nothing."""

from __future__ import annotations

import random
from typing import Any

import pytest

from integrations.delivery.pull_requests import figures as derive_stages
from integrations.delivery.pull_requests import pipeline_waits as derive_waits
from integrations.delivery.pull_requests import reverts as derive_reverts
from integrations.delivery.pull_requests.figures import drop_figures, recompute_figures
from integrations.delivery.recompute import recompute_waiting_pull_requests
from integrations.models import CountedReview, PullRequestFigures
from tests.delivery.pull_requests.histories import drafts_of
from tests.delivery.pull_requests.test_oracle import random_histories
from tests.intake.conftest import Tell


def stored() -> tuple[list[Any], list[Any]]:
    return list(PullRequestFigures.objects.order_by("pk").values()), list(CountedReview.objects.order_by("pk").values())


@pytest.mark.parametrize("at_once", [1, 7])
def test_pieces_come_to_the_same_as_all_at_once(at_once: int, tell: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    """The histories share commits, and every fourth takes back another one, of whatever piece."""
    chance = random.Random(at_once)
    histories = random_histories(chance, 30)
    for history in histories:
        history.title = f"Sell tea {history.number}"
    for history in histories[::4]:
        taken_back = chance.choice(histories).number
        history.title = chance.choice(
            (f'Revert "Sell tea {taken_back}"', f'Revert "Sell tea {taken_back} (#{taken_back})"')
        )
    tell(*drafts_of(histories))
    recompute_waiting_pull_requests()
    whole = stored()
    ids = [row["pull_request_id"] for row in whole[0]]
    assert any(row["reverted_by_id"] for row in whole[0])

    drop_figures(ids)
    for module in (derive_stages, derive_reverts, derive_waits):
        monkeypatch.setattr(module, "AT_ONCE", at_once)
    recompute_figures(ids)
    assert stored() == whole
