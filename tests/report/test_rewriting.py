"""A language model's wording: what is sent, and that nothing is accepted which the facts do not say."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.utils import timezone

from core.write_errors import FieldError, MayNotWriteError
from programs.closing.services.frozen import freeze
from programs.models import LanguageModel, Report, ReportRewrite
from programs.report.services import rewriting
from programs.report.services.document import Fact, Point, ReportDocument, Sentence
from programs.report.services.rewriting import request_of, request_rewrite, word_reports
from tests.listening import listening
from tests.personas import ADMIN, EXECUTIVE, MEMBER, signed_in
from tests.programs.tickets import as_
from tests.report.documents import report_document
from tests.teams import create_teams

pytestmark = pytest.mark.django_db
PAGE = "/insights/report/"
KEY = "a-key-of-the-model"
WAIT = "finding.1/title"
OFTEN = "delivery.dora.deployment_frequency/text"
DAYS = "delivery.dora.lead_time/text"
SLOW = "delivery.dora.lead_time/consequence"


def document() -> ReportDocument:
    """A few sentences: a headline, releases that became more, and a wait in two teams."""
    hours = {
        "first": Fact(text="Platform", sources=("finding:1",)),
        "before": Fact(text="4.1 h", value=14_760.0, sources=("finding:1",)),
        "after": Fact(text="9.3 h", value=33_480.0, sources=("finding:1",)),
    }
    often = {"share": Fact(text="13%", value=13.0, how="computed"), "quarter": Fact(text="Q2 2026")}
    linked = {"name": Fact(text="Payroll of Jane Doe", sources=("delivery:epic:1",))}
    return report_document(
        headline=Sentence(text="We release more often"),
        delivery=(
            Point(
                key="delivery.dora.deployment_frequency",
                title=Sentence(text="Deployment frequency"),
                text=Sentence(text="We release more often: {share} more than in {quarter}.", facts=often),
            ),
            Point(
                key="delivery.dora.lead_time",
                title=Sentence(text="Lead time"),
                text=Sentence(
                    text="A change may wait {number} hours a month in {unit}, as far as it is known.",
                    facts={"number": Fact(text="41", value=41.0, how="computed"), "unit": Fact(text="Platform")},
                ),
                consequence=Sentence(
                    text="{slow} is slower than {fast}.",
                    facts={"slow": Fact(text="Data"), "fast": Fact(text="Tooling")},
                ),
            ),
        ),
        bottlenecks=(
            Point(
                key="finding.1",
                title=Sentence(text="The wait in {first} rose from {before} to {after}", facts=hours),
                text=Sentence(text="It takes longer."),
                consequence=Sentence(text="Dates: {name} is late.", facts=linked),
            ),
        ),
    )


@pytest.fixture
def report() -> Report:
    create_teams()
    account = as_(EXECUTIVE).viewer
    stored = freeze(document(), by=account, at=timezone.now())  # type: ignore[arg-type]  # an account
    made = document().quarter
    return Report.objects.create(unit=None, start=made.start, end=made.end, revision=1, document=stored)


Answer = Callable[[Mapping[str, str]], str]


@contextmanager
def planted(
    answer: Answer, *, hangs: threading.Event | None = None, status: int = 200, reply: Any = None
) -> Iterator[list[Any]]:
    """A model on this machine that makes its sentences of those that it gets; yields the requests it got."""
    got: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            got.append((self.path, self.headers.get("Authorization"), body))
            if hangs is not None:
                hangs.wait(60)
                return
            sentences = json.loads(body["messages"][1]["content"])["sentences"]
            said = reply or {"choices": [{"message": {"content": answer(sentences)}}]}
            sent = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    LanguageModel.objects.update_or_create(
        pk=1,
        defaults={
            "is_on": True,
            "base_url": f"http://127.0.0.1:{server.server_address[1]}/v1",
            "model": "planted-1",
            "secrets": {"api_key": KEY},
        },
    )
    with listening(server):
        try:
            yield got
        finally:
            if hangs is not None:
                hangs.set()


def instead(key: str, text: str) -> Answer:
    """The sentences as they are, with one of them worded otherwise."""
    return lambda sentences: json.dumps({"sentences": {**sentences, key: text}})


def rewritten(report: Report) -> ReportRewrite:
    """Ask for the wording, as the page does, and have a worker take it."""
    requested = request_rewrite(as_(EXECUTIVE), report)
    assert (requested.is_waiting, requested.is_accepted) == (True, False)
    word_reports()
    requested.refresh_from_db()
    assert not requested.is_waiting
    return requested


def worded_by(answer: Answer, report: Report) -> ReportRewrite:
    with planted(answer):
        return rewritten(report)


def test_a_wording_that_keeps_the_facts_is_shown_with_its_links(report: Report) -> None:
    text = "Users get changes more often now, by 13% more than in Q2 2026."
    made = worded_by(instead(OFTEN, text), report)
    assert (made.reason, made.model) == ("", "planted-1")
    assert made.texts[OFTEN] == "Users get changes more often now, by {share} more than in {quarter}."
    client = signed_in(EXECUTIVE)
    page = client.get(PAGE + "?quarter=2026-Q3").content.decode()
    assert "Users get changes more often now" in page
    assert "Worded by planted-1" in page
    built_in = client.get(PAGE + "?quarter=2026-Q3&wording=built-in").content.decode()
    assert "We release more often:" in built_in
    assert "Users get changes" not in built_in


@pytest.mark.parametrize(
    ("key", "text", "why"),
    [
        (OFTEN, "We release more often: 17% more than in Q2 2026.", "“13%” is missing"),
        (OFTEN, "We release more often: 13% more than in Q2 2026, of 40 teams.", "number 40"),
        (OFTEN, "We release more often: 13% more than in Q2 2026, twice.", "number “twice”"),
        (OFTEN, "We release more often: 13.5% more than in Q2 2026.", "“13%” is missing"),
        (OFTEN, "We release more often: 113% more than in Q2 2026.", "“13%” is missing"),
        (OFTEN, "We release less often: 13% less than in Q2 2026.", "another direction"),
        (OFTEN, "We release more often, 13% more than in Q2 2026, which is better.", "another direction"),
        (OFTEN, "We do not release more often: 13% more than in Q2 2026.", "another direction"),
        (OFTEN, "We release more often: 13% more than in Q2 2026, because of agents.", "“because”"),
        (OFTEN, "We release more often in Search: 13% more than in Q2 2026.", "name Search"),
        (OFTEN, "We release more often with Copilot: 13% more than in Q2 2026.", "name Copilot"),
        (OFTEN, "<b>We release more often</b>: 13% more than in Q2 2026.", "markup"),
        (OFTEN, "We release more often: [13%](https://example.com) more than in Q2 2026.", "markup"),
        (OFTEN, "", "empty"),
        (OFTEN, "We release more often: 13% more than in Q2 2026." + " Really." * 40, "much longer"),
        (WAIT, "The wait in Search rose from 4.1 h to 9.3 h", "“Platform” is missing"),
        (WAIT, "The wait in Platform rose from 9.3 h to 4.1 h", "not in its place"),
        (WAIT, "The wait in Platform fell from 4.1 h to 9.3 h", "another direction"),
        ("finding.7/title", "Nobody asked.", "sentence that there is not"),
        (OFTEN, "We release more often: 13% more than in Q2 2026, for thirty-five teams.", "number “thirty”"),
        (OFTEN, "We release more often: 13% more than in Q2 2026, a tenfold step.", "number “tenfold”"),
        (OFTEN, "We release more often: 13% more than in Q2 2026, ½ of it new.", "number ½"),
        (OFTEN, "We release more often: 13% more than in Q2 2026, in all teams.", "number “all”"),
        (OFTEN, "We release more often: at least 13% more than in Q2 2026.", "another direction"),
        (OFTEN, "We release more often: only 13% more than in Q2 2026.", "another direction"),
        (OFTEN, "We release more often: 13% more than in Q2 2026, and improving.", "another direction"),
        (OFTEN, "We release more often: 13% more than in Q2 2026, driven by agents.", "“driven by”"),
        (OFTEN, "We release more often: 13% more than in Q2 2026, for \u0421heckout.", "U+0421"),
        (OFTEN, "We release more often: 13% more than in Q2 2026, be\u200bcause of agents.", "U+200B"),
        (WAIT, "The wait in Platform rose to 4.1 h from 9.3 h", "turns a comparison round"),
        (DAYS, "A change may wait 41 days a month in Platform, as far as it is known.", "unit of measure"),
        (DAYS, "A change may wait 41 hours a week in Platform, as far as it is known.", "unit of measure"),
        (DAYS, "A change waits 41 hours a month in Platform, as far as it is known.", "drops a caveat (“may”)"),
        (DAYS, "A change may wait 41 hours a month in Platform.", "drops a caveat (“known”)"),
        (DAYS, "A person may wait 41 hours a month in Platform, as far as it is known.", "unit of measure"),
        (SLOW, "Compared with Data, Tooling is slower.", "another direction"),
        (SLOW, "Tooling is slower than Data.", "not in its place"),
    ],
)
def test_what_the_facts_do_not_say_is_refused(report: Report, key: str, text: str, why: str) -> None:
    made = worded_by(instead(key, text), report)
    assert why in made.reason
    assert made.texts == {}


@pytest.mark.parametrize("answer", ["", "[]", '{"sentences": []}', '{"sentences": {"headline": 7}}', "<html></html>"])
def test_what_is_no_answer_leaves_the_built_in_texts_with_the_reason(report: Report, answer: str) -> None:
    assert worded_by(lambda _: answer, report).reason == (
        "The language model’s answer is not the JSON that was asked for."
    )
    page = signed_in(EXECUTIVE).get(PAGE + "?quarter=2026-Q3").content.decode()
    assert "The built-in texts stay." in page
    assert "We release more often:" in page


def test_a_model_that_hangs_fails_or_is_away_leaves_the_built_in_texts(
    report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    with planted(lambda _: "", hangs=threading.Event()), monkeypatch.context() as patch:
        patch.setattr(rewriting, "SECONDS", 0.3)
        assert rewritten(report).reason == "The language model did not answer in time."
    with planted(lambda _: "", status=500):
        assert "status 500" in rewritten(report).reason
    assert "could not be reached" in rewritten(report).reason


def test_a_request_is_answered_once(report: Report) -> None:
    """Made twice while it waits, it is one; an answer stays until somebody asks again."""
    with planted(lambda sentences: json.dumps({"sentences": sentences})) as got:
        first = request_rewrite(as_(EXECUTIVE), report)
        assert request_rewrite(as_(EXECUTIVE), report) == first
        page = signed_in(EXECUTIVE).get(PAGE + "?quarter=2026-Q3").content.decode()
        assert "planted-1 was asked for a wording and has not answered yet" in page
        assert (word_reports(), word_reports(), len(got)) == (1, 0, 1)
        rewritten(report)
        assert len(got) == 2


def test_a_worker_that_dies_leaves_the_request_to_the_next_one(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    class KilledError(BaseException):
        pass

    def die(*_arguments: Any, **_more: Any) -> None:
        raise KilledError

    with planted(lambda sentences: json.dumps({"sentences": sentences})):
        requested = request_rewrite(as_(EXECUTIVE), report)
        with monkeypatch.context() as patch:
            patch.setattr(rewriting, "accepted", die)
            with pytest.raises(KilledError):
                word_reports()
        requested.refresh_from_db()
        assert requested.is_waiting
        assert word_reports() == 1
        requested.refresh_from_db()
        assert requested.is_accepted


def test_an_error_with_status_200_and_a_refusal_are_no_answers(report: Report) -> None:
    replies: list[dict[str, Any]] = [
        {"error": {"message": "quota", "type": "insufficient_quota"}},
        {"choices": []},
        {"choices": [{"message": {"content": None, "refusal": "I cannot."}}]},
        {"choices": [{"message": {"content": [{"type": "text", "text": "{}"}]}}]},
    ]
    for reply in replies:
        with planted(lambda _: "", reply=reply):
            made = rewritten(report)
        assert (made.texts, made.reason) == ({}, "The language model’s answer is not the JSON that was asked for.")


def test_the_built_in_texts_themselves_are_accepted(report: Report) -> None:
    made = worded_by(lambda sentences: json.dumps({"sentences": sentences}), report)
    assert (made.reason, {*made.texts} >= {OFTEN, WAIT, DAYS, SLOW}) == ("", True)


def test_what_breaks_is_no_endless_attempt(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_arguments: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(rewriting, "accepted", broken)
    made = worded_by(lambda sentences: json.dumps({"sentences": sentences}), report)
    assert made.reason == "Headway could not read the answer; its log says why."


def test_nothing_is_sent_to_a_model_that_was_not_shown(report: Report) -> None:
    with planted(lambda sentences: json.dumps({"sentences": sentences})) as got:
        requested = request_rewrite(as_(EXECUTIVE), report)
        for other in ({"model": "another-2"}, {"base_url": "http://127.0.0.1:9/v1"}, {"is_on": False}):
            stored = LanguageModel.objects.filter(pk=1).values(*other).get()
            LanguageModel.objects.filter(pk=1).update(**other)
            word_reports()
            LanguageModel.objects.filter(pk=1).update(**stored)
            requested.refresh_from_db()
            assert requested.reason, other
            requested = request_rewrite(as_(EXECUTIVE), report)
        assert got == []


def test_what_is_sent_is_shown_first_and_has_nothing_that_people_wrote(report: Report) -> None:
    client = signed_in(EXECUTIVE)
    with planted(lambda sentences: json.dumps({"sentences": sentences})) as got:
        page = client.get(PAGE + "rewrite/?quarter=2026-Q3").content.decode()
        assert got == [], "nothing is sent by looking"
        assert client.post(PAGE + "rewrite/?quarter=2026-Q3").status_code == 302
        assert got == [], "a worker sends it"
        word_reports()
        [(path, key, body)] = got
    assert (path, key) == ("/v1/chat/completions", f"Bearer {KEY}")
    assert body == request_of(report)
    assert "ITEM1 is late" in page
    assert "Jane Doe" not in json.dumps(body)
    assert KEY not in page
    assert "Payroll of Jane Doe" in client.get(PAGE + "?quarter=2026-Q3").content.decode()


def test_it_is_off_until_an_admin_turns_it_on(report: Report) -> None:
    assert not LanguageModel.current().is_on
    with pytest.raises(FieldError):
        request_rewrite(as_(EXECUTIVE), report)
    assert "Reword" not in signed_in(EXECUTIVE).get(PAGE + "?quarter=2026-Q3").content.decode()
    with planted(lambda _: ""), pytest.raises(MayNotWriteError):
        request_rewrite(as_(MEMBER), report)


def test_admin_stores_the_key_encrypted_and_never_shows_it() -> None:
    client = signed_in(ADMIN)
    fields = {"is_on": "on", "base_url": "https://models.example.com/v1", "model": "large-2", "api_key": KEY}
    assert client.post("/admin/programs/languagemodel/add/", fields).status_code == 302
    address = "/admin/programs/languagemodel/1/change/"
    assert KEY not in client.get(address).content.decode()
    stored = LanguageModel.objects.get()
    assert (stored.secrets, stored.is_usable) == ({"api_key": KEY}, True)
    assert client.post(address, {**fields, "api_key": "", "model": "large-3"}).status_code == 302
    assert LanguageModel.objects.get().secrets == {"api_key": KEY}, "empty keeps it"
    moved = client.post(address, {**fields, "api_key": "", "base_url": "https://elsewhere.example.com/v1"})
    assert "Enter the key again" in moved.content.decode()
    assert client.post(address, {"is_on": "on", "base_url": "", "model": ""}).status_code == 200
