"""Random deliveries of weeks in which people and owners of repositories and services change units."""

from __future__ import annotations

import random
from datetime import date, timedelta

from integrations.code.attribution.tasks import attribute_pending
from integrations.delivery.recompute import recompute_waiting_pull_requests
from tests.delivery.linking.delivery import MONDAY, push
from tests.delivery.linking.histories import REPOSITORIES, SERVICES
from tests.engine.random_deliveries import PEOPLE, Pieces
from tests.org import Org

UNITS = ("red", "kettles", "blue", "cups")  # kettles below red, cups below blue


def deliver(org: Org, seed: int) -> None:
    org.tree("Teams")
    for unit, above in (("Red", "teams"), ("Kettles", "red"), ("Blue", "teams"), ("Cups", "blue")):
        org.unit(unit, below=above)
    chance = random.Random(f"moves {seed}")
    for person in PEOPLE:
        org.join(person, chance.choice(UNITS))
        for day in _days(chance):
            org.join(person, chance.choice(UNITS), on=day)
    for kind_and_records in Pieces(seed, org, largest=1, decisions=0).variants:
        push(*kind_and_records)
    for owned in (*REPOSITORIES, *filter(None, SERVICES)):
        start, end = _days(chance)
        org.own(owned, chance.choice(UNITS), to=start)
        org.own(owned, chance.choice(UNITS), from_=start, to=end)
    attribute_pending()
    recompute_waiting_pull_requests()


def _days(chance: random.Random) -> list[date]:
    """Two in the weeks of the deliveries."""
    return sorted((MONDAY + timedelta(days=days)).date() for days in chance.sample(range(-8, 14), 2))
