"""A frozen business review that is reopened: its next revision, and what becomes of the one before."""

from __future__ import annotations

import html
from datetime import UTC, date, datetime

import pytest
import time_machine
from django.db import DatabaseError, transaction

from core.write_errors import FieldError, MayNotWriteError
from programs.meetings.services.records import MeetingRecord
from programs.models import FrozenDocument, Meeting, MeetingKind, Qbr, QbrAudience, QbrState, Rule
from programs.qbr.queries import preceding_qbr, qbrs_of_meetings
from programs.qbr.services.freezing import freeze_qbr, reopen_qbr, sign_qbr
from programs.qbr.services.writing import QbrExistsError, discard_qbr
from tests.org import Org
from tests.pages.delivering import merged
from tests.pages.recomputed import plain
from tests.personas import ADMIN, EXECUTIVE, MANAGER, MEMBER, Persona, signed_in
from tests.programs.api_pages import got, problem, sent
from tests.programs.meetings import scheduled
from tests.programs.qbrs import IN_OCTOBER, read, review, say, signed
from tests.programs.test_closing_quarters import delivered, in_september
from tests.programs.tickets import as_

__all__ = ["delivered", "in_september"]  # fixtures
WHY = "An incident was reported late."
LATER = datetime(2026, 10, 20, 9, tzinfo=UTC)


def reopened(qbr: Qbr, because: str = WHY) -> Qbr:
    return reopen_qbr(as_(EXECUTIVE), qbr, because=because)


def listed(persona: Persona) -> list[int]:
    return [one["id"] for one in got(signed_in(persona), "/api/v1/qbr/")["qbrs"]]


def text_of(persona: Persona, qbr: Qbr, status: int = 200) -> str:
    answer = signed_in(persona).get(f"/programs/qbr/{qbr.pk}/")
    assert answer.status_code == status
    return html.unescape(answer.content.decode())


def test_the_next_revision_begins_with_the_texts_and_with_figures_of_today(delivered: Org) -> None:
    qbr = review(unit="platform")
    say(qbr, "dora", "Reviews start sooner.", headline="Sooner", persona=MANAGER)
    signed(qbr)
    body, digest = FrozenDocument.objects.values_list("body", "sha256").get()
    delivered.push("pull-requests", *(merged(70 + n, date(2026, 7, 9), author="ada", waits=30) for n in range(9)))
    draft = reopened(qbr)
    dora = draft.sections.get(key="dora")
    assert (dora.headline, dora.commentary) == ("Sooner", "Reviews start sooner.")
    assert draft.sections.count() == qbr.sections.count()
    assert (draft.revision, draft.state, draft.audience) == (2, QbrState.DRAFT, qbr.audience)
    assert read(qbr).figures["pr.pickup_time"].now.value == pytest.approx(14 * 3600)
    assert read(draft).figures["pr.pickup_time"].now.value == pytest.approx(34 * 3600)
    with time_machine.travel(LATER, tick=False):
        freeze_qbr(as_(EXECUTIVE), draft)
    assert (read(draft).revision, read(draft).reopened_because) == (2, WHY)
    assert read(qbr).sha256 == digest
    assert FrozenDocument.objects.filter(body=body, sha256=digest).exists(), "the old one is what it was"


def test_readers_are_shown_the_newest_revision_that_is_theirs_to_read(delivered: Org) -> None:
    """Readers keep the signed one until the next is signed; then the old one stays at its address and names it."""
    qbr = signed(review(unit="platform"))
    draft = reopened(qbr)
    assert (listed(EXECUTIVE), listed(MEMBER)) == ([draft.pk], [qbr.pk])
    assert "followed" not in text_of(MEMBER, qbr)
    text_of(MEMBER, draft, 404)
    assert "Revision 2 followed (still a draft): " + WHY in " ".join(plain(text_of(EXECUTIVE, qbr)).split())
    with time_machine.travel(LATER, tick=False):
        freeze_qbr(as_(EXECUTIVE), draft)
        sign_qbr(as_(EXECUTIVE), draft)
    assert (listed(EXECUTIVE), listed(MEMBER)) == ([draft.pk], [draft.pk])
    old = " ".join(plain(text_of(MEMBER, qbr)).split())
    assert f"Revision 2 followed (frozen 20 Oct 2026, 09:00): {WHY}" in old
    assert qbr.document is not None
    assert got(signed_in(MEMBER), f"/api/v1/qbr/{qbr.pk}/")["sha256"] == qbr.document.sha256
    assert got(signed_in(MEMBER), f"/api/v1/qbr/{qbr.pk}/")["followed_by"] == draft.pk
    assert "revision 2" in text_of(MEMBER, draft)
    assert f'href="/programs/qbr/{qbr.pk}/"' in text_of(MEMBER, draft)


def test_the_next_period_is_compared_with_the_newest_frozen_revision(delivered: Org) -> None:
    first = signed(review(day=date(2026, 5, 1)))
    later = review()
    second = reopened(first)
    executive = as_(EXECUTIVE).visibility
    assert preceding_qbr(later, executive) == first, "a draft has no figures to compare with"
    with time_machine.travel(LATER, tick=False):
        freeze_qbr(as_(EXECUTIVE), second)
    assert preceding_qbr(later, executive) == second


def test_its_meeting_leads_to_the_newest_revision(delivered: Org) -> None:
    scheduled(EXECUTIVE, kind=MeetingKind.QBR, unit="", rule=Rule.QUARTER_WEEK, week=1, weekday=0, place=None)
    draft = reopened(signed(review()))
    meeting = Meeting.objects.get(period_start=draft.start)
    found: MeetingRecord = qbrs_of_meetings([meeting], as_(EXECUTIVE).visibility)[meeting.pk]
    assert (found.url, found.is_signed) == (f"/programs/qbr/{draft.pk}/", False)


def test_only_a_frozen_one_without_a_following_one_is_reopened_with_a_reason(delivered: Org) -> None:
    qbr = review(unit="platform")
    with pytest.raises(FieldError, match="is a draft"):
        reopened(qbr)
    signed(qbr)
    for reason in ("", "  \n "):
        with pytest.raises(FieldError, match="Say why"):
            reopened(qbr, reason)
    with pytest.raises(MayNotWriteError):
        reopen_qbr(as_(MEMBER), qbr, because=WHY)
    draft = reopened(qbr)
    with pytest.raises(FieldError, match="Revision 2 follows it already"):
        reopened(qbr)
    with pytest.raises(QbrExistsError, match="revision 2"):
        review(unit="platform")
    discard_qbr(as_(EXECUTIVE), draft)
    assert listed(MEMBER) == [qbr.pk], "a discarded revision leaves everything as it was"
    assert reopened(qbr).revision == 2


def test_a_frozen_one_that_was_reopened_is_not_signed_any_more(delivered: Org) -> None:
    qbr = review()
    with time_machine.travel(IN_OCTOBER, tick=False):
        freeze_qbr(as_(EXECUTIVE), qbr)
    reopened(qbr)
    with pytest.raises(FieldError, match="Revision 2 follows it"):
        sign_qbr(as_(EXECUTIVE), qbr)
    with pytest.raises(DatabaseError), transaction.atomic():
        Qbr.objects.filter(pk=qbr.pk).update(revision=3, reopened_because="Another")


def test_who_reopened_it_and_why_stands_in_its_history(delivered: Org) -> None:
    draft = reopened(signed(review()))
    (event,) = Qbr.pgh_event_model.objects.filter(pgh_obj=draft, pgh_label="insert")  # type: ignore[attr-defined]
    assert (event.reopened_because, event.revision) == (WHY, 2)
    assert event.pgh_context.metadata["user"] == as_(EXECUTIVE).viewer.pk  # type: ignore[union-attr]


def test_the_page_asks_for_the_reason_and_leads_to_the_draft(delivered: Org) -> None:
    qbr = signed(review(unit="platform"))
    address, manager = f"/programs/qbr/{qbr.pk}/reopen/", signed_in(MANAGER)
    assert "stays readable at its address" in manager.get(address).content.decode()
    assert manager.post(address, {"because": ""}).status_code == 400
    assert manager.post(address, {"because": WHY}).headers["Location"] == f"/programs/qbr/{qbr.pk + 1}/"
    again = manager.post(address, {"because": WHY})
    assert again.status_code == 400
    assert "Revision 2 follows it already" in again.content.decode()
    assert signed_in(MEMBER).post(address, {"because": WHY}).status_code == 403
    assert f"/programs/qbr/{qbr.pk}/reopen/" not in text_of(MANAGER, qbr), "nothing more is offered on the old one"


def test_the_api_reopens_as_the_page_does(delivered: Org) -> None:
    qbr = signed(review(unit="platform"))
    address = f"/api/v1/qbr/{qbr.pk}/reopen/"
    assert problem(sent(signed_in(MANAGER), "POST", address, {}, 400))[0] == "because"
    draft = sent(signed_in(MANAGER), "POST", address, {"because": WHY}, 201)
    assert (draft["revision"], draft["reopened_because"], draft["followed_by"]) == (2, WHY, None)
    assert problem(sent(signed_in(MANAGER), "POST", address, {"because": WHY}, 400))[0] == "revision"
    assert got(signed_in(ADMIN), "/api/v1/qbr/")["total"] == 1


def test_signing_says_for_whom_and_what_is_missing(delivered: Org) -> None:
    qbr = review()
    with time_machine.travel(datetime(2026, 9, 1, 12, tzinfo=UTC), tick=False):
        freeze_qbr(as_(EXECUTIVE), qbr)
    address, executive = f"/programs/qbr/{qbr.pk}/sign/", signed_in(EXECUTIVE)
    shown = html.unescape(executive.get(address).content.decode())
    for sentence in ("It was frozen before Q3 2026 was over.", "Nothing is written in", "No meeting presents it"):
        assert sentence in shown
    assert executive.post(address, {"audience": "nobody"}).status_code == 400
    assert executive.post(address, {"audience": QbrAudience.EVERYBODY}).status_code == 302
    assert Qbr.objects.get().audience == QbrAudience.EVERYBODY
    assert "The signature stays as it is" in executive.get(address).content.decode()
