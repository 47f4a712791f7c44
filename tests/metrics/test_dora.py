"""The DORA and incident metrics by worked examples: what happened in a week, and what each metric is, by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.linking.delivery import Delivery
from tests.org import Org

pytestmark = pytest.mark.django_db
HOUR, DAY = 3600.0, 86400.0
WEEK = {"week": "2026-W10"}


@pytest.fixture
def shop() -> Delivery:
    return Delivery()


@pytest.fixture
def org(tmp_path: Path) -> Org:
    return Org(tmp_path)


def test_a_week_of_a_team(org: Org, shop: Delivery) -> None:
    """
    | what happened                                                    | when                  |
    |------------------------------------------------------------------|-----------------------|
    | #1 first commit, opened, merged                                  | Mon 08:00 09:00 12:00 |
    | d1 deployed                                                      | Mon 14:00             |
    | an incident begins (no cause named); it is resolved              | Mon 15:00 18:00       |
    | #2 first commit, opened, merged                                  | Tue 08:00 10:00 11:00 |
    | d2 deployed, unplanned                                           | Tue 12:00             |
    | #3 first commit, opened, merged                                  | Wed 10:00 11:00 13:00 |
    | d3 deployed; a rollback of it an hour later                      | Thu 10:00 11:00       |
    | an incident from elsewhere, long after every deployment; resolved | Sat 12:00, Sun 12:00  |

    Lead times: 6 h, 4 h, 24 h.  Deploy times: 2 h, 1 h, 21 h.  Failed: d1 by the incident
    (restored 4 h after it), d3 by the rollback (1 h).  Incidents last 3 h and 24 h.
    """
    shop.merges(1, first_commit="Mon 08:00", opened="Mon 09:00", at="Mon 12:00")
    shop.deploys("d1", at="Mon 14:00")
    shop.incident("i1", at="Mon 15:00", resolved="Mon 18:00")
    shop.merges(2, first_commit="Tue 08:00", opened="Tue 10:00", at="Tue 11:00")
    shop.deploys("d2", at="Tue 12:00", unplanned=True)
    shop.merges(3, first_commit="Wed 10:00", opened="Wed 11:00", at="Wed 13:00")
    shop.deploys("d3", at="Thu 10:00")
    shop.deploys("back", at="Thu 11:00", rollback_of="d3")
    shop.incident("i2", at="Sat 12:00", resolved="Sun 12:00")

    def value(key: str) -> float | None:
        return org.metric(key, **WEEK).value

    assert value("dora.deployment_frequency") == pytest.approx(4 / 7)
    assert value("dora.deployment_days") == pytest.approx(3)
    assert value("dora.lead_time") == 6 * HOUR
    assert value("pr.deploy_time") == 2 * HOUR
    assert value("dora.change_failure_rate") == pytest.approx(50)
    assert value("dora.recovery_time") == 2.5 * HOUR
    assert value("dora.rework_rate") == pytest.approx(25)
    assert value("incident.count") == 2
    assert value("incident.mttr") == 13.5 * HOUR
    assert value("incident.count_per_deployment") == pytest.approx(0.5)
