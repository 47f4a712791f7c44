"""The bench's reminders are planned by the real planner, and leave nothing behind."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from bench.organisation import OrganisationSize
from bench.reminders import plan_reminders
from programs.models import Notice, OutgoingEmail, Ticket

pytestmark = pytest.mark.soak  # benches are run there, too

SIZE = OrganisationSize(people=120, units=12, weeks=104)


@pytest.mark.django_db
def test_reminders_are_measured_and_taken_back() -> None:
    figures = plan_reminders(SIZE, tickets=200)
    assert all(figure.value > 0 for figure in figures)
    assert not figures[0].conditions.startswith(("0 ", "200 ")), "managers are told as well"
    for model in (Notice, OutgoingEmail, Ticket, User):
        assert not model._default_manager.exists()
