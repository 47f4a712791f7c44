"""Work is claimed once, comes back when it fails, and does not hold up other work; on a queue of repositories."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import QuerySet

from core.locks import BusyError, Lock
from core.queue import Backoff, claim, drain, run_all, run_one_by_one, take
from integrations.models import ReceivedBatch
from tests.core.sessions import another_session

pytestmark = pytest.mark.django_db(transaction=True)
LOCK = Lock("of these tests")


@pytest.fixture
def batches() -> list[ReceivedBatch]:
    return [ReceivedBatch.objects.create() for _ in range(5)]


def waiting() -> QuerySet[ReceivedBatch]:
    return ReceivedBatch.objects.filter(problem="").order_by("pk")


def set_aside(batch: ReceivedBatch, problem: Exception) -> None:
    batch.problem = str(problem)
    batch.save()


def test_two_workers_claim_different_rows(batches: list[ReceivedBatch]) -> None:
    with transaction.atomic():
        assert claim(waiting(), 2) == batches[:2]
        with another_session(), transaction.atomic():
            assert claim(waiting(), 2) == batches[2:4]


def test_rows_are_claimed_in_a_transaction_only(batches: list[ReceivedBatch]) -> None:
    with pytest.raises(transaction.TransactionManagementError):
        claim(waiting(), 1)


def test_what_was_taken_is_back_when_its_work_fails(batches: list[ReceivedBatch]) -> None:
    def fail() -> int:
        assert take(waiting(), 2) == batches[:2]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        drain(fail)
    assert list(waiting()) == batches


def test_a_queue_is_emptied_in_steps(batches: list[ReceivedBatch]) -> None:
    steps = []

    def step() -> int:
        steps.append(len(take(waiting(), 2)))
        return steps[-1]

    assert drain(step) == 5
    assert steps == [2, 2, 1, 0]


def test_a_queue_may_end_with_a_step_that_was_not_full(batches: list[ReceivedBatch]) -> None:
    steps = []

    def step() -> int:
        steps.append(len(take(waiting(), 2)))
        return steps[-1]

    assert drain(step, enough=2) == 5
    assert steps == [2, 2, 1]


def test_who_does_not_get_the_lock_leaves_the_queue_to_its_holder(batches: list[ReceivedBatch]) -> None:
    with LOCK.alone(), another_session():
        assert drain(lambda: len(take(waiting(), 2)), enter=LOCK.try_hold) == 0
    assert list(waiting()) == batches


def test_a_row_that_fails_is_noted_and_the_others_go_on(batches: list[ReceivedBatch]) -> None:
    def run(batch: ReceivedBatch) -> None:
        batch.delete()
        if batch.received_at == batches[1].received_at:
            raise ValueError("what it cannot be")

    assert run_one_by_one(waiting(), run, failed=set_aside) == 4
    assert list(ReceivedBatch.objects.values_list("pk", "problem")) == [(batches[1].pk, "what it cannot be")]


def test_a_row_that_stays_in_the_queue_is_tried_once_a_call(batches: list[ReceivedBatch]) -> None:
    tried = []

    def run(batch: ReceivedBatch) -> None:
        tried.append(batch)
        raise ValueError

    assert run_one_by_one(waiting(), run, failed=lambda batch, problem: None) == 0
    assert tried == batches


def test_a_failure_that_is_not_of_the_row_ends_the_call(batches: list[ReceivedBatch]) -> None:
    def run(batch: ReceivedBatch) -> None:
        raise OSError

    with pytest.raises(OSError):
        run_one_by_one(waiting(), run, failed=set_aside, errors=(ValueError,))
    assert list(waiting()) == batches


def test_what_the_database_refuses_at_the_end_is_the_failure_of_its_row(batches: list[ReceivedBatch]) -> None:
    def run(batch: ReceivedBatch) -> None:
        batch.delete()
        if batch.received_at == batches[0].received_at:
            with connection.cursor() as cursor:  # a foreign key that is checked at the commit
                cursor.execute("INSERT INTO integrations_placingwork (repository_id) VALUES (4711)")

    assert run_one_by_one(waiting(), run, failed=set_aside, errors=(DatabaseError,)) == 4
    assert list(ReceivedBatch.objects.values_list("pk", flat=True)) == [batches[0].pk]


def test_a_call_ends_after_so_many_rows(batches: list[ReceivedBatch]) -> None:
    assert run_one_by_one(waiting(), lambda batch: batch.delete(), failed=set_aside, most=3) == 3
    assert list(waiting()) == batches[3:]


def test_what_another_worker_is_at_or_fails_does_not_hold_up_the_rest(caplog: pytest.LogCaptureFixture) -> None:
    failed: list[int] = []

    def run(number: int) -> int:
        if number == 1:
            raise BusyError
        if number == 2:
            raise ValueError("odd")
        return number * 10

    assert run_all(range(4), run, failed=failed.append) == [0, 30]
    assert failed == [2]
    assert "Work on 2 broke off" in caplog.text


def test_the_wait_doubles_up_to_the_longest() -> None:
    retries = Backoff(timedelta(minutes=1), longest=timedelta(hours=1))
    minutes = [retries.wait(failures) / timedelta(minutes=1) for failures in (0, 1, 2, 5, 6, 10_000)]
    assert minutes == [1, 2, 4, 32, 60, 60]
