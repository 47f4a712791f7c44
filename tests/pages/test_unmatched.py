"""Activity of nobody shows as a share on the AI page, and leads admins to where it can be matched."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from orgtree.identities.decisions import mark_bots
from orgtree.models import Identity
from tests.org import Org
from tests.personas import ADMIN, MEMBER, Persona

pytestmark = pytest.mark.django_db


@pytest.fixture
def _half_unmatched(org: Org) -> None:
    day = timezone.localdate() - timedelta(days=3)
    org.session(by="ada", on=day, tokens=3000)
    org.session(by="nobody", on=day, tokens=1000)
    org.fold()
    mark_bots(Identity.objects.filter(value__startswith="nobody"), by=None)


@pytest.mark.usefixtures("_half_unmatched")
def test_the_share_of_unmatched_identities_is_shown(sign_in: Callable[[Persona], Client]) -> None:
    page = sign_in(ADMIN).get("/insights/ai/").content.decode()
    assert "Not matched to a person: 50% of sessions and 25% of spend." in page
    assert "Review identities" in page
    assert "Review identities" not in sign_in(MEMBER).get("/insights/ai/").content.decode()


@pytest.mark.usefixtures("_half_unmatched")
def test_where_everybody_is_matched_nothing_is_said(sign_in: Callable[[Persona], Client]) -> None:
    page = sign_in(ADMIN).get("/insights/ai/", {"range": "custom", "from": "2026-01-01", "to": "2026-01-05"})
    assert "Not matched to a person" not in page.content.decode()
