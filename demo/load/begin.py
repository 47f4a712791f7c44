"""Makes this installation the demo organisation's."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from demo.load.organisation import load_demo_organisation
from demo.plan.people import ORGANISATION_NAME
from demo.plan.stories import Flavour
from demo.plan.year import DemoYear
from integrations.models import AgentSession
from orgtree.models import Employment, IndividualPolicy, Organisation
from programs.models import DemoRun


class AnotherDemoError(Exception):
    """The installation holds a demo of another seed or flavour."""

    def __init__(self, run: DemoRun) -> None:
        super().__init__(
            f"This installation already holds the demo with seed {run.seed} and flavour {run.flavour}. "
            "Set HEADWAY_DATA_DIR to another directory for a second one, or run `make clean` first."
        )


class RealDataError(Exception):
    """The installation holds telemetry or people that are not the demo's."""

    def __init__(self) -> None:
        super().__init__(
            "This installation already holds telemetry or people of your own, and the demo's fictitious people would "
            "be mixed with them. Set HEADWAY_DATA_DIR to another directory for the demo."
        )


@transaction.atomic
def begin_demo(*, seed: int, flavour: Flavour, now: datetime) -> DemoRun:
    """The demo's row, its organisation, people and trees; the first call decides the instant at which the demo ends.

    Idempotent.  Raises AnotherDemoError or RealDataError, and changes nothing then.
    """
    run = DemoRun.objects.select_for_update().filter(pk=1).first()
    if run is not None:
        if (run.seed, run.flavour) != (seed, flavour):
            raise AnotherDemoError(run)
        return run
    if AgentSession.objects.exists() or Employment.objects.exists():
        raise RealDataError
    run = DemoRun.objects.create(pk=1, seed=seed, flavour=flavour, anchor=now.replace(second=0, microsecond=0))
    organisation = Organisation.current()
    organisation.name = ORGANISATION_NAME
    organisation.individual_policy = IndividualPolicy.NAMED
    organisation.rules_decided_at = timezone.now()
    organisation.save(update_fields=["name", "individual_policy", "rules_decided_at"])
    load_demo_organisation(year_of(run))
    return run


def year_of(run: DemoRun) -> DemoYear:
    """The year of sessions that belongs to the row."""
    anchor = timezone.localtime(run.anchor, settings.ORGANISATION_TIME_ZONE)
    return DemoYear(seed=run.seed, flavour=Flavour(run.flavour), anchor=anchor)
