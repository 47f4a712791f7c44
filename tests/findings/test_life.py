"""The life of a finding: comments of its readers, a dismissed one that is opened again, and its history."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from core.write_errors import FieldError, MayNotWriteError
from insights.findings.deciding import decide
from insights.findings.history import history_of
from insights.findings.night import Night, store
from insights.findings.thresholds import factors
from insights.models import Finding
from insights.models.findings import FindingState
from programs.comments.writing import comment_on
from programs.models import Comment, Notice
from tests.findings.test_findings import PAGE, TODAY, slower, stored
from tests.personas import EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, signed_in
from tests.programs.tickets import as_
from tests.teams import Teams, create_teams

pytestmark = pytest.mark.django_db


@pytest.fixture
def teams() -> Teams:
    return create_teams()


@pytest.fixture
def finding(teams: Teams) -> Finding:
    """Reviews in Platform begin later."""
    [one] = stored(slower(teams.platform))
    return one


def opened(client: Client, finding: Finding) -> str:
    return client.get(PAGE, {"finding": finding.pk}).content.decode()


def sent(client: Client, path: str, document: Any) -> tuple[int, Any]:
    answer = client.post(path, json.dumps(document), content_type="application/json")
    return answer.status_code, answer.json()


def test_readers_of_a_finding_comment_on_it(finding: Finding) -> None:
    assert "No comments yet." in opened(signed_in(MEMBER), finding)
    path = f"{PAGE}{finding.pk}/comment/"
    assert signed_in(MEMBER).post(path, {"text": "Two of us were **away**. <script>"}).status_code == 302
    page = opened(signed_in(EXECUTIVE), finding)
    assert "Two of us were <strong>away</strong>. &lt;script&gt;" in page
    refused = signed_in(MEMBER).post(path, {"text": " \u200b "}, follow=True)
    assert "Write something." in refused.content.decode()
    assert signed_in(OTHER_MEMBER).post(path, {"text": "What is it?"}).status_code == 404
    assert Comment.objects.count() == 1


def test_the_api_lists_and_adds_comments(finding: Finding) -> None:
    path = f"/api/v1/findings/{finding.pk}/comments/"
    refused: list[Any] = [{}, {"text": ""}, {"text": 1}, {"text": None}, {"words": "x"}, []]
    for wrong in refused:
        assert sent(signed_in(MEMBER), path, wrong)[0] == 400, wrong
    status, comment = sent(signed_in(MEMBER), path, {"text": "We know."})
    assert (status, comment["text"]) == (201, "We know.")
    assert signed_in(MANAGER).get(path).json() == {"comments": [comment]}
    assert signed_in(OTHER_MEMBER).get(path).status_code == 404
    assert sent(signed_in(OTHER_MEMBER), path, {"text": "x"})[0] == 404


def test_who_commented_before_and_who_is_mentioned_are_notified(finding: Finding) -> None:
    signed_in(MANAGER)
    comment_on(as_(MEMBER), finding, "Two of us were away.")
    assert not Notice.objects.exists()
    comment_on(as_(EXECUTIVE), finding, "Since when? @edith@example.com")
    kinds = {notice.account.email: notice.kind for notice in Notice.objects.select_related("account")}
    assert kinds == {MEMBER.email: "ticket_commented", MANAGER.email: "mentioned"}
    inbox = signed_in(MEMBER).get("/programs/inbox/").content.decode()
    assert "The wait for a first review in Platform rose from 10.0 h to 20.0 h" in inbox
    [notice] = signed_in(MANAGER).get("/api/v1/notices/").json()["notices"]
    assert (notice["finding"], notice["quote"]) == (finding.pk, "Since when? @edith@example.com")
    assert notice["url"].endswith(f"{PAGE}?finding={finding.pk}")
    assert not mail.outbox


def test_a_notice_about_a_finding_that_one_may_not_see_is_shown_to_nobody(teams: Teams) -> None:
    [of_search] = stored(slower(teams.search))
    signed_in(MEMBER)
    comment_on(as_(EXECUTIVE), of_search, "Ask @ada@example.com")
    assert Notice.objects.exists()
    assert signed_in(MEMBER).get("/api/v1/notices/").json()["total"] == 0


def test_a_dismissed_finding_is_opened_again_with_its_reason(finding: Finding) -> None:
    manager = as_(MANAGER)
    with pytest.raises(FieldError, match="only a dismissed one"):
        decide(manager, finding, act="reopen", reason="It is open.")
    decide(manager, finding, act="wrong", reason="A holiday.")
    assert factors(TODAY)[finding.detector, finding.unit_id, ""] > 1
    with pytest.raises(FieldError, match="Say why"):
        decide(manager, finding, act="reopen")
    with pytest.raises(MayNotWriteError):
        decide(as_(MEMBER), finding, act="reopen", reason="It is back.")
    page = opened(signed_in(MANAGER), finding)
    assert 'value="reopen"' in page
    assert 'value="dismiss"' not in page
    signed_in(MANAGER).post(f"{PAGE}{finding.pk}/", {"act": "reopen", "reason": "The holiday is over."})
    finding.refresh_from_db()
    assert (finding.state, finding.ended_on, finding.verdict) == (FindingState.ACKNOWLEDGED, None, "")
    assert not factors(TODAY)
    page = opened(signed_in(EXECUTIVE), finding)
    for words in ("Wrong, dismissed: A holiday.", "Reopened: The holiday is over.", "Found"):
        assert words in page, words
    path = f"/api/v1/findings/{finding.pk}/history/"
    history = signed_in(MEMBER).get(path).json()["history"]
    assert [(change["state"], change["reason"], change["automatic"]) for change in history] == [
        ("acknowledged", "The holiday is over.", False),
        ("dismissed", "A holiday.", False),
        ("new", "", True),
    ]
    assert signed_in(OTHER_MEMBER).get(path).status_code == 404


def test_what_is_opened_again_lives_on(teams: Teams, finding: Finding) -> None:
    decide(as_(MANAGER), finding, act="dismiss", reason="A holiday.")
    decide(as_(MANAGER), finding, act="reopen", reason="It is over.")
    [again] = stored(slower(teams.platform, after=24 * 3600.0), today=TODAY + timedelta(days=1))
    assert (again.pk, again.after, again.state) == (finding.pk, 24 * 3600.0, FindingState.ACKNOWLEDGED)
    store(Night(1, []), today=TODAY + timedelta(days=2))
    finding.refresh_from_db()
    assert finding.state == FindingState.RESOLVED
    assert [change.what for change in history_of(finding)] == ["Resolved", "Reopened", "Dismissed", "Found"]


def test_what_was_found_anew_is_not_opened_twice(teams: Teams, finding: Finding) -> None:
    decide(as_(MANAGER), finding, act="dismiss", reason="A holiday.")
    stored(slower(teams.platform, since=finding.since + timedelta(weeks=9)), today=TODAY + timedelta(days=1))
    with pytest.raises(FieldError, match="found anew"):
        decide(as_(MANAGER), finding, act="reopen", reason="It is back.")
