"""The templates that an installation starts with: added to empty tables, and never to those that admins edit."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.core.management import call_command

from programs.first_templates import add_first_templates
from programs.models import ObjectiveTemplate, TemplateKeyResult, TicketTemplate


@pytest.mark.django_db(transaction=True)
def test_a_database_that_was_emptied_has_them_again() -> None:
    call_command("flush", interactive=False, verbosity=0)
    assert ObjectiveTemplate.objects.count() == 5
    assert TemplateKeyResult.objects.count() >= 5
    assert TicketTemplate.objects.count() >= 10


@pytest.mark.django_db
def test_what_admins_took_away_stays_away() -> None:
    TicketTemplate.objects.filter(slug="reviews-wait").delete()
    before = TicketTemplate.objects.count()
    add_first_templates(using="default", apps=apps)
    assert TicketTemplate.objects.count() == before
    assert ObjectiveTemplate.objects.count() == 5
