"""The initial data of a demo, which starts only in an empty installation, and once."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.utils import timezone

from demo.load.begin import AnotherDemoError, RealDataError, begin_demo
from demo.plan.people import PEOPLE
from demo.plan.stories import Flavour
from orgtree.models import Person
from programs.models import DemoRun
from tests.org import Org


def test_it_does_not_mix_with_real_telemetry(org: Org) -> None:
    org.session(by="ada", on="2026-11-02")
    with pytest.raises(RealDataError, match="people of your own"):
        begin_demo(seed=1, flavour=Flavour.SMALL_STORIES, now=timezone.now())
    assert not DemoRun.objects.exists()
    assert not Person.objects.filter(email=PEOPLE[0].email).exists()


def test_the_first_run_decides_when_it_ends(db: None) -> None:
    first = begin_demo(seed=3, flavour=Flavour.SMALL_STORIES, now=datetime.fromisoformat("2026-11-20T10:00:30Z"))
    later = begin_demo(seed=3, flavour=Flavour.SMALL_STORIES, now=datetime.fromisoformat("2026-12-24T10:00:30Z"))
    assert later.anchor == first.anchor == datetime.fromisoformat("2026-11-20T10:00:00Z")
    with pytest.raises(AnotherDemoError, match="seed 3"):
        begin_demo(seed=3, flavour=Flavour.SMALL_QUIET, now=timezone.now())
