"""Links by SQL agree with a plain walk over random histories, in whatever order records and path rules arrive."""

from __future__ import annotations

import random

import pytest

from integrations.delivery.linking.relink import relink_everything, relink_paths
from integrations.models import Repository, ServicePaths
from tests.delivery.linking import oracle
from tests.delivery.linking.delivery import links, push, recovery_hours
from tests.delivery.linking.histories import History
from tests.seeds import seeds

pytestmark = pytest.mark.django_db
SEEDS = seeds(0, soaked=40)


def assert_as_the_oracle_says(history: History) -> None:
    stored, known = links(), history.known
    assert {row[0]: row[1] for row in stored["deployed"]} == oracle.deployed(known)
    assert stored["failures"] == oracle.failures(known)
    assert recovery_hours() == {
        deployment: None if seconds is None else seconds / 3600
        for deployment, seconds in oracle.recoveries(known).items()
    }


def enter_rules(history: History) -> None:
    """Replace the path rules by these, as an admin does; no commit is known to touch their paths."""
    before = list(ServicePaths.objects.values_list("repository__name", "service"))
    now = [(rule["repository"], rule["service"]) for rule in history.service_paths]
    repositories = {repository.name: repository for repository in Repository.objects.all()}
    ServicePaths.objects.all().delete()
    for name, service in now:
        ServicePaths.objects.create(repository=repositories[name], service=service, patterns=[f"{service}/"])
    for name in {name for name, _ in (*before, *now)}:
        relink_paths(repositories[name].pk, {service for _, service in before})


@pytest.mark.parametrize("seed", SEEDS)
def test_links_of_a_random_history(seed: int) -> None:
    history = History(seed)
    push(*history.shuffled_records())
    enter_rules(history)
    assert_as_the_oracle_says(history)
    before = links()
    relink_everything()
    assert links() == before, "all of it from nothing comes to the same"


@pytest.mark.parametrize("seed", SEEDS)
def test_records_that_change_later_are_relinked(seed: int) -> None:
    history, later = History(seed), History(seed, variant=1)
    push(*history.shuffled_records())
    enter_rules(history)
    push(*later.shuffled_records())
    for kind, records in later.records.items():
        stays = {_id(record): record for record in history.records[kind]}
        history.records[kind] = list({**stays, **{_id(record): record for record in records}}.values())
    assert_as_the_oracle_says(history)
    enter_rules(later)
    history.service_paths = later.service_paths
    assert_as_the_oracle_says(history)


def test_shuffled_records_give_the_same_result() -> None:
    records = History(7).shuffled_records()
    push(*records)
    before = links()
    random.Random(1).shuffle(records)
    push(*records)
    assert links() == before


def _id(record: object) -> str:
    assert isinstance(record, dict)
    return str(record.get("id") or f"{record['repository']} {record['sha']}")
