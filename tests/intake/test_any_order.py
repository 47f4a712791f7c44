"""Whatever the order and number of updates, the tables are the same as after applying them once, in order."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import pytest
from django.db import transaction

from integrations.intake.identities import identify_people
from integrations.intake.places import projects_of
from integrations.intake.store_drafts import store_drafts
from integrations.models import Connection, PullRequest
from tests.intake.conftest import SHOP
from tests.intake.histories import PEOPLE, in_batches, random_history, tables


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def tell_all(connection: Connection, batches: list) -> None:  # type: ignore[type-arg]
    for batch in batches:
        with transaction.atomic():
            store_drafts(connection, batch)


@pytest.mark.parametrize("seed", [1293])
def test_the_tables_do_not_depend_on_the_order_of_drafts(github: Connection, seed: int) -> None:
    hold_against_order(github, seed)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(101))
def test_the_tables_do_not_depend_on_the_order_of_many_drafts(github: Connection, seed: int) -> None:
    hold_against_order(github, seed)


def hold_against_order(github: Connection, seed: int) -> None:
    chance = random.Random(seed)
    history = random_history(chance)
    drafts = [*history, *chance.choices(history, k=len(history) // 2)]
    chance.shuffle(drafts)
    identify_people(github.provider, PEOPLE)  # so that they have the same numbers both times
    projects_of(github, [SHOP])
    with undone():
        tell_all(github, [[draft] for draft in history])
        expected = tables()
    with undone():
        tell_all(github, in_batches(chance, drafts))
        assert tables() == expected
        before = tables()
        with transaction.atomic():
            again = store_drafts(github, drafts)
        assert (again.added, again.changed, again.removed) == (0, 0, 0)
        assert tables() == before
        for pull_request in PullRequest.objects.all():
            assert pull_request.ready_at == first_ready(pull_request)


def first_ready(pull_request: PullRequest) -> datetime | None:
    """The first ready time, found by stepping through the pull request's events."""
    marks = sorted((event.at, event.kind) for event in pull_request.events.all() if event.kind in ("ready", "draft"))
    was_draft = marks[0][1] == "ready" if marks else pull_request.is_draft
    if not was_draft:
        return pull_request.created_at
    for at, kind in marks:
        if kind == "ready":
            return at
    return None
