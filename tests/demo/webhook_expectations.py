"""What the demo's GitHub tells beside its planted stories: that issues are worked on, and what is deployed."""

from __future__ import annotations

from collections.abc import Iterable

from demo.plan.repositories import REPOSITORIES
from demo.plan.stories import Weeks
from demo.plan.year import DemoYear
from integrations.models import Deployment, Incident
from tests.demo.read_figures import figure_of_unit


def assert_worked_on(year: DemoYear, units: Iterable[str]) -> None:
    """By the label of the organisation, from shortly before the first commit; some wait for somebody meanwhile.

    A team of few may have nothing under way at the hour at which the demo ends, or nothing that waited; all of them may
    not.
    """
    all_under_way, somebody_waited = 0.0, False
    for unit in units:
        cycle, lead, active, under_way = (
            figure_of_unit(year, key, unit, Weeks(12, 0))
            for key in ("issue.cycle_time", "issue.lead_time", "flow.efficiency", "wip.count")
        )
        assert 3600 < cycle < lead, unit
        assert 60 < active <= 100, (unit, active)
        somebody_waited = somebody_waited or active < 99
        assert under_way <= 60, unit
        all_under_way += under_way
    assert all_under_way
    assert somebody_waited


def assert_services_named() -> None:
    """Those that GitHub is told of; what a workflow alone deploys has no name for it."""
    deployed = Deployment.objects.filter(environment="production").values_list("repository__name", "service")
    assert set(deployed) == {(repository.name, repository.service) for repository in REPOSITORIES}
    broken = set(Incident.objects.values_list("service", flat=True))
    assert broken <= {repository.service for repository in REPOSITORIES if repository.service}
