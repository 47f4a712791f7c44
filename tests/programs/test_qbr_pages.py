"""Pages of business reviews: what they show to whom, in print as well."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core import browser_print
from core.browser_print import chromium
from insights.privacy.scope_access import access_in
from orgtree.models import IndividualPolicy, Organisation
from programs.models import FrozenDocument, Meeting, MeetingKind, Objective, Qbr, QbrAudience, QbrState, Rule
from programs.qbr.pages.documents import printable, read_review
from programs.qbr.pages.layout import Sheet, joined, paged, with_commentary
from programs.requests.visible import visible_qbr
from tests.org import Org
from tests.pages.delivering import merged
from tests.pdf_sheets import BLANK_TEXTS, sheets_of
from tests.personas import EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, Persona, create_user, signed_in
from tests.programs.api_pages import MOST_QUERIES, got, problem, sent
from tests.programs.meetings import scheduled
from tests.programs.objectives import objective, pickup
from tests.programs.qbrs import IN_OCTOBER, frozen, review, say, signed
from tests.programs.test_closing_quarters import PLATFORM, delivered, in_october, in_september
from tests.programs.tickets import ticket
from tests.teams import create_teams

__all__ = ["delivered", "in_october", "in_september"]  # fixtures
FEW = "Hidden: fewer than 5 people contribute"


def page_of(persona: Persona, address: str, status: int = 200) -> str:
    answer = signed_in(persona).get(address)
    assert answer.status_code == status, answer.content[:400]
    return html.unescape(answer.content.decode())


def printed(qbr: Qbr, persona: Persona) -> str:
    """The content of the PDF for that persona."""
    request = RequestFactory().get("/")
    request.user = create_user(persona)
    return html.unescape(printable(read_review(request, visible_qbr(qbr.pk, access_in(request)))))


@pytest.fixture
def few(org: Org) -> Org:
    """Search has two people, of whom one used an agent; nobody may be told who."""
    create_teams()
    for name in PLATFORM:
        org.session(by=name, on=date(2026, 7, 8), tokens=100)
    org.session(by="grace", on=date(2026, 7, 8), tokens=777)
    org.fold()
    org.push("pull-requests", merged(1, date(2026, 7, 8), author="lise", waits=3))
    return org


def test_figures_of_few_people_stay_hidden_on_page_in_presentation_print_csv_and_api(few: Org) -> None:
    qbr = signed(review(unit="search"))
    assert '"value":1.0' in FrozenDocument.objects.get().body, "the document has the figure of the one developer"
    address = f"/programs/qbr/{qbr.pk}/"
    for persona in (EXECUTIVE, OTHER_MEMBER):
        shown = [page_of(persona, address), page_of(persona, f"{address}present/"), printed(qbr, persona)]
        for page in shown:
            ai = page[page.index('id="ai"') : page.index('id="quality"')]
            assert FEW in ai
            assert "100.0" not in ai
            assert "Claude Code" not in ai
        lines = signed_in(persona).get(f"{address}figures.csv").getvalue().decode().splitlines()
        (adoption,) = (line for line in lines if line.startswith("ai,ai.adoption_rate"))
        assert ",,0,0," in adoption
        document = got(signed_in(persona), f"/api/v1/qbr/{qbr.pk}/")["document"]
        figures = {figure["metric"]: figure for figure in document["figures"]}
        assert figures["ai.adoption_rate"]["now"]["hidden"]
        assert all(
            not part["amount"]["value"]  # of weeks in which nobody worked nothing is hidden
            for section in document["sections"]
            for chart in section["charts"]
            if chart["metric"].startswith("ai.")
            for row in chart["rows"]
            for part in row
        )
    own = page_of(OTHER_MEMBER, address)
    assert "waiting for a first review" in own, "delivery of their own unit is open to them"
    assert "waiting for a first review" not in page_of(EXECUTIVE, address)


def test_where_people_are_named_few_are_shown(few: Org) -> None:
    qbr = signed(review(unit="search"))
    Organisation.objects.update(individual_policy=IndividualPolicy.NAMED)
    assert FEW not in page_of(EXECUTIVE, f"/programs/qbr/{qbr.pk}/")


def test_markdown_with_scripts_is_harmless(delivered: Org) -> None:
    qbr = review()
    evil = "<script>alert(1)</script> [x](javascript:alert(2)) ![y](https://e.example/z.png) **kept** <img src=x>"
    say(qbr, "dora", evil, headline="<b>bold</b>")
    frozen(qbr)
    for text in (
        signed_in(EXECUTIVE).get(f"/programs/qbr/{qbr.pk}/").content.decode(),
        signed_in(EXECUTIVE).get(f"/programs/qbr/{qbr.pk}/present/").content.decode(),
    ):
        assert "<strong>kept</strong>" in text
        for forbidden in ("<script>alert", 'href="javascript', "z.png", "<img", "<b>bold"):
            assert forbidden not in text


def test_two_writers_see_both_texts(delivered: Org) -> None:
    qbr = review(unit="platform")
    address = f"/programs/qbr/{qbr.pk}/sections/dora/"
    manager, executive = signed_in(MANAGER), signed_in(EXECUTIVE)
    assert manager.post(address, {"headline": "Ours", "commentary": "First", "version": "1"}).status_code == 302
    answer = executive.post(address, {"headline": "Theirs", "commentary": "Second", "version": "1"})
    text = answer.content.decode()
    assert answer.status_code == 409
    assert "First" in text
    assert "Second" in text
    version = re.search(r'name="version" value="(\d+)"', text)
    assert version is not None
    saved = executive.post(address, {"headline": "Both", "commentary": "First, second", "version": version[1]})
    assert saved.status_code == 302
    assert qbr.sections.get(key="dora").commentary == "First, second"


def test_what_changed_since_stands_beside_as_restated(delivered: Org) -> None:
    qbr = signed(review())
    address = f"/programs/qbr/{qbr.pk}/"
    assert "Restated" not in page_of(EXECUTIVE, address)
    delivered.push("pull-requests", *(merged(70 + n, date(2026, 7, 9), author="ada", waits=30) for n in range(9)))
    shown = page_of(EXECUTIVE, address)
    assert "Restated: 34.0 h today (sample 15, was 6)" in shown
    assert "14.0 h" in shown, "the frozen figure stays"
    assert "Restated" in printed(qbr, EXECUTIVE)
    figures = got(signed_in(EXECUTIVE), f"/api/v1/qbr/{qbr.pk}/")["document"]["figures"]
    (restated,) = (figure for figure in figures if figure["metric"] == "pr.pickup_time")
    assert (restated["is_restated"], restated["restated"], restated["now"]["value"]) == (True, 34 * 3600, 14 * 3600)


def test_a_review_is_compared_with_the_one_before_figure_by_figure(delivered: Org) -> None:
    signed(review(day=date(2026, 5, 1)))
    later = signed(review())
    shown = page_of(EXECUTIVE, f"/programs/qbr/{later.pk}/compare/")
    row = shown[shown.index("Pickup time") :]
    assert "20.0 h" in row
    assert "14.0 h" in row
    assert "−6.0 h" in row
    assert "(better)" in row
    figures = got(signed_in(EXECUTIVE), f"/api/v1/qbr/{later.pk}/compare/")["figures"]
    (compared,) = (figure for figure in figures if figure["metric"] == "pr.pickup_time")
    assert (compared["earlier"]["value"], compared["now"]["value"]) == (20 * 3600, 14 * 3600)


def test_a_member_reads_the_published_review_and_is_offered_nothing_else(delivered: Org) -> None:
    draft, other = review(unit="platform"), signed(review(unit="search"))
    member = signed_in(MEMBER)
    for hidden in (draft, other):
        for page in ("", "present/", "pdf/", "compare/", "figures.csv", "arrange/", "sections/dora/"):
            assert member.get(f"/programs/qbr/{hidden.pk}/{page}").status_code == 404
        for action in ("freeze/", "sign/", "discard/"):
            assert member.post(f"/programs/qbr/{hidden.pk}/{action}").status_code == 404
    signed(draft)
    shown = page_of(MEMBER, f"/programs/qbr/{draft.pk}/")
    for offered in ("Freeze</button>", "Sign off and publish", "Arrange sections", "Discard"):
        assert offered not in shown
    assert member.get(f"/programs/qbr/{draft.pk}/sections/dora/").status_code == 403
    assert member.post(f"/programs/qbr/{draft.pk}/sign/").status_code == 403
    assert "Q3 2026" in page_of(MEMBER, "/programs/qbr/")


@pytest.mark.parametrize(
    ("audience", "readers"),
    [
        (QbrAudience.LEADERSHIP, {EXECUTIVE}),
        (QbrAudience.MANAGERS, {EXECUTIVE, MANAGER}),
        (QbrAudience.UNIT, {EXECUTIVE}),  # of the whole organisation, which members and managers may not see
        (QbrAudience.EVERYBODY, {EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER}),
    ],
)
def test_a_signed_review_is_read_by_its_audience(delivered: Org, audience: QbrAudience, readers: set[Persona]) -> None:
    qbr = review()
    frozen(qbr)
    executive = signed_in(EXECUTIVE)
    signing = executive.post(f"/programs/qbr/{qbr.pk}/sign/", {"audience": audience})
    assert signing.status_code == 302
    for persona in (EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER):
        client = signed_in(persona)
        pages = [client.get(f"/programs/qbr/{qbr.pk}/{page}") for page in ("", "present/", "figures.csv")]
        assert {page.status_code for page in pages} == {200 if persona in readers else 404}, persona
        assert (f"/programs/qbr/{qbr.pk}/" in client.get("/programs/qbr/").content.decode()) is (persona in readers)
        if persona in readers:
            assert "You don't have access" not in html.unescape(pages[0].content.decode()), persona
            assert "14.0 h" in pages[0].content.decode(), "pickup of the whole organisation"


def test_participants_of_its_meeting_read_it_and_few_people_stay_hidden(few: Org) -> None:
    by_week = {"rule": Rule.QUARTER_WEEK, "week": 1, "weekday": 0, "place": None}
    scheduled(EXECUTIVE, kind=MeetingKind.QBR, unit="search", people=("ada",), **by_week)
    qbr = review(unit="search")
    frozen(qbr)
    address = f"/programs/qbr/{qbr.pk}/"
    assert signed_in(MEMBER).get(address).status_code == 404, "not before it is signed off"
    sent(signed_in(EXECUTIVE), "POST", f"/api/v1/qbr/{qbr.pk}/sign/", {"audience": "leadership"})
    assert FEW in page_of(MEMBER, address), "Ada is of Platform, and is invited"
    sent(signed_in(EXECUTIVE), "POST", f"/api/v1/qbr/{qbr.pk}/sign/", {"audience": "everybody"})
    assert got(signed_in(MEMBER), f"/api/v1/qbr/{qbr.pk}/")["audience"] == "everybody"


def test_freezing_says_what_becomes_permanent_and_what_is_missing(delivered: Org) -> None:
    qbr = review()
    address = f"/programs/qbr/{qbr.pk}/freeze/"
    shown = page_of(EXECUTIVE, address)
    assert "Nothing was written in" in shown
    assert "Every figure of Q3 2026, every label and text" in shown
    qbr.refresh_from_db()
    assert not qbr.is_frozen, "reading is not freezing"
    assert signed_in(EXECUTIVE).post(address).status_code == 302
    assert signed_in(EXECUTIVE).get(address).status_code == 403, "it is done"


def test_the_page_names_the_meeting_in_which_it_is_presented(delivered: Org) -> None:
    """The invited people are shown to participants, and to those responsible for the unit."""
    scheduled(kind=MeetingKind.QBR, rule=Rule.QUARTER_WEEK, week=1, weekday=0, place=None, people=("ada", "hedy"))
    qbr = signed(review(unit="platform"))
    meeting = Meeting.objects.filter(period_start=qbr.start, period_end=qbr.end).get()
    for persona, people in ((MANAGER, "Ada and Hedy"), (MEMBER, "Ada and Hedy")):
        shown = page_of(persona, f"/programs/qbr/{qbr.pk}/")
        assert f'href="/programs/meetings/{meeting.pk}/"' in shown
        assert f", with {people}" in shown


def test_short_tables_share_a_sheet_and_keep_their_links() -> None:
    def table(key: str, rows: int) -> list[Sheet]:
        names = ["Row"] * rows
        return with_commentary(paged(Sheet(key, key, key), names, [2] * rows), "A sentence on it.")[0]

    text = [Sheet("dora", "figures", "DORA")]
    [dora, both] = joined([text, table("objectives", 3), table("tickets", 5)])
    assert dora.below is None
    assert (both.anchor, both.below.anchor if both.below else "") == ("objectives", "tickets")
    for sections in (
        [table("objectives", 3), text, table("tickets", 5)],
        [table("objectives", 4), table("tickets", 8)],
    ):
        assert all(sheet.below is None for sheet in joined(sections)), "apart, or too long"


@pytest.mark.parametrize(
    ("rows", "parts"), [(0, [0]), (1, [1]), (8, [8]), (9, [5, 4]), (17, [6, 6, 5]), (25, [7, 7, 7, 4])]
)
def test_rows_are_spread_over_sheets_of_about_the_same_length(rows: int, parts: list[int]) -> None:
    """Eight rows of two lines fit on a sheet; a last one with a single row would be all but blank."""
    sheets = paged(Sheet("objectives", "objectives", "Objectives"), ["Row"] * rows, [2] * rows)
    assert [len((sheet.content or {})["rows"]) for sheet in sheets] == parts
    assert [sheet.lead for sheet in sheets[1:]] == [
        f"{sum(parts[:number]) + 1}–{sum(parts[: number + 1])} of {rows}." for number in range(1, len(parts))
    ]


def test_two_hundred_objectives_go_on_over_sheets(delivered: Org) -> None:
    few_objectives = signed(review(unit="search"))
    first = objective(key_results=(pickup(),), title="Number 0")
    Objective.objects.bulk_create(
        Objective(quarter=first.quarter, unit=first.unit, title=f"Number {n}", published_at=first.published_at)
        for n in range(1, 200)
    )
    qbr = signed(review(unit="platform"))
    client = signed_in(EXECUTIVE)
    numbers = []
    for one in (few_objectives, qbr):
        with CaptureQueriesContext(connection) as queries:
            text = client.get(f"/programs/qbr/{one.pk}/").content.decode()
        numbers.append(len(queries))
    assert numbers[1] <= numbers[0] + 1, "as many queries as without objectives, and one for their owners"
    assert text.count('<th scope="row">Number ') == 200
    sheets = re.findall(r'<section class="hw-sheet objectives" id="([\w-]+)"', text)
    assert len(sheets) >= 20
    assert "Objectives, continued" in text
    assert f"Page {len(re.findall('data-sheet', text))} of" in text


def test_a_long_commentary_goes_on_over_sheets_and_nothing_of_it_is_lost(delivered: Org) -> None:
    qbr = review()
    paragraphs = [f"Paragraph {n}. {'It says much. ' * 20}" for n in range(40)]
    say(qbr, "dora", "\n\n".join(paragraphs))
    frozen(qbr)
    text = page_of(EXECUTIVE, f"/programs/qbr/{qbr.pk}/")
    assert [int(n) for n in re.findall(r"<p>Paragraph (\d+)\.", text)] == list(range(40))
    assert text.count('class="hw-sheet text"') >= 3


def test_lists_ask_few_queries_at_a_thousand_reviews(db: None) -> None:
    teams = create_teams()
    document = FrozenDocument.objects.create(kind="qbr", schema_version=1, body="{}", sha256="0" * 64)
    Qbr.objects.bulk_create(
        Qbr(
            unit=unit,
            period="month",
            start=date(1990 + n // 12, n % 12 + 1, 1),
            end=date(1990 + n // 12, n % 12 + 1, 28),
        )
        for unit in (teams.platform, teams.search)
        for n in range(500)
    )
    Qbr.objects.create(
        unit=teams.engineering,
        period="quarter",
        start=date(2026, 4, 1),
        end=date(2026, 7, 1),
        state=QbrState.SIGNED,
        document=document,
        signed_at=datetime(2026, 7, 2, tzinfo=UTC),
        signed_by=create_user(EXECUTIVE),
    )
    client = signed_in(EXECUTIVE)
    for address in ("/programs/qbr/", "/programs/qbr/?unit=platform&period=month&page=3", "/api/v1/qbr/?size=1000"):
        client.get(address)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        assert len(queries) <= MOST_QUERIES, address


@pytest.mark.parametrize("query", ["period=year", "state=gone", "start=tomorrow"])
def test_a_filter_that_is_none_names_itself(delivered: Org, query: str) -> None:
    name = query.partition("=")[0]
    page_of(EXECUTIVE, f"/programs/qbr/?{query}", 400)
    assert problem(got(signed_in(EXECUTIVE), f"/api/v1/qbr/?{query}", 400))[0] == name


def test_without_a_browser_the_page_says_to_print_it_from_ones_own(
    delivered: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    qbr = signed(review())
    monkeypatch.delenv("HEADWAY_CHROMIUM", raising=False)
    monkeypatch.setattr(browser_print, "PROGRAMS", ())
    answer = signed_in(EXECUTIVE).get(f"/programs/qbr/{qbr.pk}/pdf/", follow=True)
    assert "Print this page from your own, as PDF." in answer.content.decode()


def test_the_pdf_is_made_of_one_text_that_asks_for_nothing(delivered: Org) -> None:
    text = printed(signed(review()), EXECUTIVE)
    assert "default-src 'none'" in text
    assert 'href="/static' not in text
    assert "<script" not in text
    assert text.count("data:font/woff2;base64,") >= 4
    assert f"Frozen 5 Oct 2026, {timezone.localtime(IN_OCTOBER):%H:%M}" in text


@pytest.mark.skipif(chromium() is None, reason="there is no Chromium")
def test_a_pdf_has_a_page_per_sheet(delivered: Org) -> None:
    import time_machine

    qbr = signed(review())
    client = signed_in(EXECUTIVE)
    sheets = client.get(f"/programs/qbr/{qbr.pk}/").content.decode().count("data-sheet ")
    with time_machine.travel(datetime.now(UTC), tick=True):
        answer = client.get(f"/programs/qbr/{qbr.pk}/pdf/")
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == 'attachment; filename="qbr-organisation-q3-2026.pdf"'
    pages = re.findall(rb"/MediaBox \[0 0 (8\d\d\.?\d*) (59\d\.?\d*)\]", answer.content)
    assert len(pages) == sheets, "A4 landscape"
    printed_sheets = sheets_of(answer.content)
    assert len(printed_sheets) == sheets
    for number, sheet in enumerate(printed_sheets, 1):
        assert sheet.texts > BLANK_TEXTS, f"sheet {number} has a title and a footer alone: {sheet}"


def test_the_api_writes_what_pages_write(delivered: Org) -> None:
    client = signed_in(MANAGER)
    draft = sent(client, "POST", "/api/v1/qbr/", {"unit": "platform", "day": "2026-08-01"}, 201)
    address = f"/api/v1/qbr/{draft['id']}/"
    assert (draft["state"], draft["name"], draft["writing"][0]["key"]) == ("draft", "Q3 2026", "highlights")
    written = sent(client, "PATCH", f"{address}sections/dora/", {"commentary": "Text", "version": 1})
    assert (written["version"], written["headline"]) == (2, "")
    conflict = sent(client, "PATCH", f"{address}sections/dora/", {"commentary": "Other", "version": 1}, 409)
    assert conflict["stored"]["commentary"] == "Text"
    arranged = sent(client, "POST", f"{address}arrange/", {"order": ["dora"], "included": ["dora"], "version": 1})
    assert [section["key"] for section in arranged["document"]["sections"]] == ["dora"]
    sent(client, "POST", f"{address}arrange/", {"order": ["dora"], "included": ["dora"], "version": 1}, 409)
    refused = sent(client, "POST", f"{address}sign/", {}, 400)
    assert problem(refused) == (
        "state",
        "Freeze the review first: only figures that no longer change can be signed off.",
    )
    first = sent(client, "POST", f"{address}freeze/", {})
    assert sent(client, "POST", f"{address}freeze/", {})["sha256"] == first["sha256"]
    assert sent(client, "POST", f"{address}sign/", {})["signed_by"] == "Edith"
    assert problem(sent(client, "DELETE", address, {}, 400))[0] == "state"
    got(client, f"{address}compare/", 404)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "day"),
        ({"day": "soon"}, "day"),
        ({"day": "2999-01-01"}, "day"),
        ({"day": "2026-08-01", "period": "year"}, "period"),
        ({"day": "2026-08-01", "unit": "nowhere"}, "unit"),
        ({"day": "2026-08-01", "unit": "a\x00b"}, "unit"),
        ({"day": "2026-08-01", "title": "x"}, "title"),
    ],
)
def test_the_api_refuses_what_cannot_be_and_names_it(delivered: Org, fields: dict[str, str], field: str) -> None:
    assert problem(sent(signed_in(EXECUTIVE), "POST", "/api/v1/qbr/", fields, 400))[0] == field
    assert not Qbr.objects.exists()


def test_actions_show_what_they_did_to_their_metric(delivered: Org) -> None:
    ticket(title="A rota for reviews", metric="pr.pickup_time")
    qbr = signed(review(unit="platform"))
    shown = page_of(EXECUTIVE, f"/programs/qbr/{qbr.pk}/")
    assert "A rota for reviews" in shown
    assert "0 of 1 action finished" in shown


def post_to(client: Client) -> Callable[..., int]:
    return lambda address, **fields: client.post(address, fields).status_code


def test_the_form_of_sections_keeps_what_was_sent_in_vain(delivered: Org) -> None:
    qbr = review()
    post = post_to(signed_in(EXECUTIVE))
    assert post(f"/programs/qbr/{qbr.pk}/sections/dora/", headline="x" * 121, commentary="kept", version="1") == 400
    assert post(f"/programs/qbr/{qbr.pk}/sections/nothing/", version="1") == 404
    assert post(f"/programs/qbr/{qbr.pk}/arrange/", version="1") == 400
    assert post(f"/programs/qbr/{qbr.pk}/arrange/", version="9", show="dora") == 409
    assert post("/programs/qbr/new/", unit=":organisation", period="quarter", day="2026-07-09") == 400, "there is one"
