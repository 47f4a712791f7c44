"""Badges: what is published outside, by whom, and what never is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.test import Client
from django.utils import timezone

from insights.models import Badge
from tests.personas import ADMIN, MEMBER, signed_in

if TYPE_CHECKING:
    from tests.org import Org

pytestmark = pytest.mark.django_db


def _publish(client: Client, **fields: str) -> int:
    return client.post("/insights/badges/", {"metric": "ai.sessions", "weeks": "12", **fields}).status_code


def _picture(badge: Badge) -> str:
    answer = Client().get(f"/badges/{badge.key}.svg")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("image/svg+xml")
    return answer.content.decode()


@pytest.fixture
def six_people(org: Org) -> None:

    for number in range(6):
        org.session(by=f"dev{number}", on=timezone.localdate())
    org.fold()


def test_whoever_has_the_address_sees_the_figure_without_signing_in(six_people: None) -> None:
    assert _publish(signed_in(ADMIN), label="Sessions <b>") == 302
    picture = _picture(Badge.objects.get())
    assert ">6</text>" in picture
    assert "Sessions &lt;b&gt;" in picture
    assert "<b>" not in picture


def test_a_small_group_is_never_shown_outside_even_on_trial(org: Org) -> None:

    org.session(by="ada", on=timezone.localdate())
    org.fold()
    assert _publish(signed_in(ADMIN)) == 302
    assert "no data" in _picture(Badge.objects.get())


def test_members_publish_nothing(six_people: None) -> None:
    assert _publish(signed_in(MEMBER)) == 403
    assert not Badge.objects.exists()


def test_what_is_taken_back_answers_404(six_people: None) -> None:
    admin = signed_in(ADMIN)
    _publish(admin)
    badge = Badge.objects.get()
    assert admin.post("/insights/badges/", {"revoke": badge.key}).status_code == 302
    assert Client().get(f"/badges/{badge.key}.svg").status_code == 404


@pytest.mark.parametrize(
    ("field", "word", "message"),
    [
        ("metric", "no.such", "There is no metric"),
        ("unit", "nowhere", "There is no unit"),
        ("weeks", "3", "Badges cover the last"),
        ("statistic", "p95", "has no p95"),
        ("label", "x" * 61, "at most 60"),
    ],
)
def test_an_invalid_badge_is_refused_with_its_reason(six_people: None, field: str, word: str, message: str) -> None:
    answer = signed_in(ADMIN).post("/insights/badges/", {"metric": "ai.sessions", "weeks": "12", field: word})
    assert answer.status_code == 400
    assert message in answer.content.decode()
    assert not Badge.objects.exists()


def test_the_page_lists_what_is_published_with_what_to_paste(six_people: None) -> None:
    admin = signed_in(ADMIN)
    _publish(admin)
    page = admin.get("/insights/badges/").content.decode()
    assert f"/badges/{Badge.objects.get().key}.svg)" in page


def test_unknown_addresses_tell_nothing() -> None:
    assert Client().get("/badges/guess.svg").status_code == 404
