"""What readers say of findings moves thresholds, can be read and undone, and keeps dismissed ones away."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from math import log

import pytest
from django.db import connection

from core.write_errors import FieldError
from insights.findings.checks import WEEKS, Check, Weeks
from insights.findings.deciding import decide
from insights.findings.detectors import BY_KEY, Detector
from insights.findings.night import Night, store
from insights.findings.thresholds import HIGHEST, LOWEST, factor_of, factors
from insights.models import Finding
from insights.models.findings import FindingState
from tests.findings.test_findings import PAGE, PICKUP, TODAY, act, slower, stored, weekly
from tests.personas import EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, signed_in
from tests.programs.tickets import as_
from tests.teams import Teams, create_teams

pytestmark = pytest.mark.django_db
GAP = BY_KEY["pr.pickup_time.gap"]
THRESHOLDS, API = f"{PAGE}thresholds/", "/api/v1/findings/thresholds/"
HOUR = 3600.0


@pytest.fixture
def teams() -> Teams:
    return create_teams()


def test_verdicts_move_a_threshold_within_bounds() -> None:
    assert factor_of(["wrong"]) == 1.25
    assert factor_of(["wrong", "wrong", "known"]) == pytest.approx(1.25 * 1.25 * 1.1)
    assert factor_of(["useful"]) == 0.9
    assert factor_of(["useful"] * 9) == LOWEST
    assert factor_of(["wrong"] * 9) == HIGHEST
    needed = log(1 / 0.9) / log(1.25)
    assert 0 < needed < 1, "one wrong weighs more than one useful: a false alarm costs more trust than a missed one"


def large(detector: Detector, unit: int, share: float) -> bool:
    """Whether a change by that share is reported for the unit."""
    values: list[float | None] = [(100 + week % 3) * (1 + share if week >= 40 else 1.0) for week in range(WEEKS)]
    weeks = Weeks({(detector.metric, unit): weekly(values)}, {unit: 6}, factors=factors(TODAY))
    check = weeks._changed(detector, unit)
    assert check is not None
    return check.is_large


def test_a_wrong_finding_raises_the_threshold_of_its_question_in_its_unit_alone(teams: Teams) -> None:
    platform, search = teams.platform.pk, teams.search.pk
    assert large(PICKUP, platform, 0.23)
    [finding] = stored(slower(teams.platform))
    act(signed_in(MANAGER), finding, "wrong", "Two people were ill.")
    assert not large(PICKUP, platform, 0.23)  # 25 % are needed now
    assert large(PICKUP, platform, 0.3)
    assert large(PICKUP, search, 0.23)
    assert large(BY_KEY["pr.review_time.change"], platform, 0.23)
    assert factors(TODAY + timedelta(weeks=60)) == {}, "after a year it counts no more"


def test_what_moved_is_read_and_undone(teams: Teams) -> None:
    [finding] = stored(slower(teams.platform))
    manager, member = signed_in(MANAGER), signed_in(MEMBER)
    act(manager, finding, "wrong", "Two people were ill.")
    place = {"detector": PICKUP.key, "unit": "platform"}
    page = member.get(THRESHOLDS).content.decode()
    assert "20%" in page
    assert "25%" in page
    assert "1 wrong" in page
    for name in ("Edith", "edith", "Undo</button>", "Two people"):
        assert name not in page
    assert signed_in(OTHER_MEMBER).get(API).json() == {"thresholds": []}
    assert member.post(f"{THRESHOLDS}undo/", {**place, "undo": "yes"}).status_code == 403
    assert member.get(API).json()["thresholds"][0]["least"] == pytest.approx(0.25)
    assert manager.post(f"{THRESHOLDS}undo/", {**place, "undo": "yes"}).status_code == 302
    assert factors(TODAY) == {}
    assert "Undone" in manager.get(THRESHOLDS).content.decode()
    again = manager.patch(API, {**place, "is_undone": False}, content_type="application/json")
    assert again.json()["thresholds"][0]["is_undone"] is False
    assert factors(TODAY) == {(PICKUP.key, teams.platform.pk, ""): 1.25}
    assert manager.patch(API, {**place, "is_undone": False}, content_type="application/json").status_code == 400
    assert manager.patch(API, {"detector": 4}, content_type="application/json").status_code == 400


def test_a_finding_says_that_its_threshold_moved(teams: Teams) -> None:
    [finding] = stored(slower(teams.platform))
    act(signed_in(MANAGER), finding, "useful")
    page = signed_in(EXECUTIVE).get(PAGE).content.decode()
    assert "Here it is stored if it differs by 18% or more: verdicts moved the threshold from 20%." in page


def apart(teams: Teams, after: float = 20 * HOUR) -> Check:
    return Check(
        detector=GAP,
        unit=teams.platform.pk,
        chance=1e-6,
        since=date(2026, 5, 25),
        before=10 * HOUR,
        after=after,
        low=5 * HOUR,
        high=14 * HOUR,
        sample=160,
        is_large=True,
    )


def test_a_dismissed_gap_stays_away_until_it_was_gone_or_is_another(teams: Teams) -> None:
    [finding] = stored(apart(teams))
    act(signed_in(EXECUTIVE), finding, "dismiss", "They review what others skip.")

    def there(day: int, *checks: Check) -> int:
        store(Night(1, checks), today=TODAY + timedelta(days=day))
        return Finding.objects.count()

    assert there(1, apart(teams)) == 1
    assert there(2) == 1
    assert there(20, apart(teams)) == 1, "it was gone for less than four weeks"
    assert there(30, apart(teams, after=24 * HOUR)) == 1
    assert there(31, apart(teams, after=26 * HOUR)) == 2, "it is half as large again"
    newest = Finding.objects.latest("pk")
    act(signed_in(EXECUTIVE), newest, "dismiss", "Still so.")
    assert there(32) == 2
    assert there(60, apart(teams)) == 3, "it was gone for four weeks"
    assert Finding.objects.latest("pk").state == FindingState.NEW


BLANK = ("", "   ", "\u200b", "\u00ad\u2060", "\n\t")


@pytest.mark.parametrize("reason", [*BLANK, "x" * 401, "a\x00b"])
@pytest.mark.parametrize("name", ["wrong", "dismiss"])
def test_a_reason_that_says_nothing_or_too_much_is_refused(teams: Teams, name: str, reason: str) -> None:
    """At the page and at the API, and nothing is stored."""
    [finding] = stored(slower(teams.platform))
    manager = signed_in(MANAGER)
    sent = {"act": name, "reason": reason}
    manager.post(f"{PAGE}{finding.pk}/", sent)
    path = f"/api/v1/findings/{finding.pk}/decide/"
    assert manager.post(path, sent, content_type="application/json").status_code == 400
    finding.refresh_from_db()
    assert (finding.state, finding.verdict, factors(TODAY)) == (FindingState.NEW, "", {})


def test_reasons_are_shown_as_they_were_written(teams: Teams) -> None:
    [finding] = stored(slower(teams.platform))
    reason = "<b>Ünïcode</b> 🧪 שלום & more"
    assert act(signed_in(MANAGER), finding, "wrong", reason).reason == reason
    page = signed_in(EXECUTIVE).get(f"{PAGE}?state=closed").content.decode()
    assert "&lt;b&gt;Ünïcode&lt;/b&gt; 🧪 שלום &amp; more" in page
    assert "<b>Ünïcode" not in page


def test_a_word_after_an_undo_counts(teams: Teams) -> None:
    [finding] = stored(slower(teams.platform))
    manager, place = signed_in(MANAGER), {"detector": PICKUP.key, "unit": "platform"}
    act(manager, finding, "useful")
    manager.post(f"{THRESHOLDS}undo/", {**place, "undo": "yes"})
    assert factors(TODAY) == {}
    act(manager, finding, "wrong", "Two people were ill.")
    assert factors(TODAY) == {(PICKUP.key, teams.platform.pk, ""): 1.25}


def test_odd_names_move_nothing(teams: Teams) -> None:
    [finding] = stored(slower(teams.platform))
    manager = signed_in(MANAGER)
    act(manager, finding, "wrong", "Two people were ill.")
    for sent in (
        {"detector": "a\x00"},
        {"detector": "x" * 9999},
        {"repository": "\x00"},
        {"unit": "search"},
        {"unit": ""},
    ):
        answer = manager.post(f"{THRESHOLDS}undo/", {"detector": "", "unit": "platform", "undo": "yes", **sent})
        assert answer.status_code in {302, 400, 403, 404}, sent
    assert factors(TODAY) == {(PICKUP.key, teams.platform.pk, ""): 1.25}


@pytest.mark.django_db(transaction=True)
def test_of_two_words_at_once_one_counts(db: None) -> None:
    """Both are read before either is stored; the second is told that the finding is closed."""
    [finding] = stored(slower(create_teams().platform))
    manager, barrier, outcomes = as_(MANAGER), threading.Barrier(2), []

    def say(name: str) -> None:
        try:
            barrier.wait()
            decide(manager, finding, act=name, reason="Two people were ill.")
            outcomes.append("stored")
        except FieldError as refused:
            outcomes.append(refused.message)
        finally:
            connection.close()

    threads = [threading.Thread(target=say, args=(name,)) for name in ("wrong", "known")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["It is dismissed already.", "stored"]
    assert len(factors(TODAY)) == 1
