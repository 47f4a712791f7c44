"""The executive report: what it says, that each of its numbers comes from a figure, and who sees what of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError, transaction

from core.browser_print import chromium
from core.json_documents import canonical, parsed
from core.seconds import HOUR
from core.write_errors import FieldError, MayNotWriteError
from insights.catalogue.lead_time_stages import STAGES
from insights.engine.read import AnswerSet, read_series, read_together
from insights.findings.checks import Check
from insights.findings.detectors import BY_KEY, UNMATCHED
from insights.findings.night import Night, store
from insights.models import Finding
from insights.privacy.visible import visible_together
from insights.query.query import Granularity, Query, Scope, Statistic, Window
from orgtree.models import Organisation, Unit
from programs.closing.pages.printing import printable_page
from programs.models import FrozenDocument, Report, TeamReleases
from programs.qbr.pages.figures import judged
from programs.qbr.services.content import document_of as review_document
from programs.qbr.services.document import QbrDocument
from programs.qbr.services.freezing import freeze_qbr
from programs.qbr.services.writing import arrange_sections, create_qbr
from programs.report.links import Links
from programs.report.queries import chosen_report, document_of, quarter_named
from programs.report.services import recommending
from programs.report.services.content import _Report, report_of
from programs.report.services.document import Fact, ReportDocument, SourceKind
from programs.report.services.freezing import freeze_report
from programs.tasks import count_releases
from tests.org import Org
from tests.pages.delivering import REPOSITORY, at, deployed, merged
from tests.pdf_sheets import sheets_of
from tests.personas import EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, signed_in
from tests.programs.tickets import as_, ticket
from tests.questions.assistant import Assistant
from tests.stored_once import StoreOnce
from tests.teams import OTHERS_IN_PLATFORM, create_teams

pytestmark = pytest.mark.django_db
PAGE, API = "/insights/report/", "/api/v1/report/"
TODAY = date(2026, 10, 12)
PEOPLE = ("ada", *OTHERS_IN_PLATFORM)
FIRST, LAST = date(2026, 3, 30), date(2026, 9, 28)
Q2, Q3 = Window(date(2026, 4, 1), date(2026, 7, 1)), Window(date(2026, 7, 1), date(2026, 10, 1))
PLATFORM = Scope(unit="platform")
DECLARED = re.compile(r"95% interval|60 days")  # numbers of the method, which stand in texts


NOON = datetime(2026, 10, 12, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def world(stored_once: StoreOnce, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Org]:
    with stored_once(lambda: delivering(Org(tmp_path_factory.mktemp)), at=NOON) as made:
        yield made


@pytest.fixture
def delivered(world: Org) -> Iterator[Org]:
    with time_machine.travel(NOON, tick=False):
        yield world


def delivering(org: Org) -> Org:
    """Six changes a week for two quarters: each released alone, since July two by two; in spring every fourth failed.

    The first review waits four hours, since July a day.
    """
    create_teams()
    changes, releases, incidents = [], [], []
    number, monday = 0, FIRST
    while monday < LAST:
        is_late = monday >= date(2026, 6, 29)
        for day in range(6):
            number += 1
            on, waits = monday + timedelta(days=day), 20.0 if is_late else 0.0
            changes.append(merged(number, on, author=PEOPLE[number % len(PEOPLE)], waits=waits))
            if is_late and day % 2 == 0:
                continue
            releases.append(deployed(number, on, waits=waits, sha=f"{number:040x}"))
            if Q2.start <= on < Q2.end and number % 4 == 0:
                began, ended = at(on, 11.0), at(on, 13.0)
                incidents.append(
                    {"id": f"i-{number}", "repository": REPOSITORY, "started_at": began, "resolved_at": ended}
                )
        monday += timedelta(weeks=1)
    for start in range(0, len(changes), 200):
        org.push("pull-requests", *changes[start : start + 200])
    org.push("deployments", *releases)
    org.push("incidents", *incidents)
    org.own(REPOSITORY, "platform", from_=date(2025, 1, 1))
    return org


def platform() -> Unit:
    return Unit.objects.get(slug="platform")


def report(unit: Unit | None = None, quarter: str = "2026-Q3") -> ReportDocument:
    return report_of(unit, quarter_named(quarter, TODAY), today=TODAY)


def found(unit: Unit | None, detector: str, before: float, after: float, **more: Any) -> Finding:
    check = Check(
        detector=BY_KEY[detector],
        unit=unit.pk if unit else None,
        chance=1e-5,
        since=date(2026, 7, 6),
        before=before,
        after=after,
        low=(after - before) / 2,
        high=(after - before) * 1.5,
        sample=160,
        is_large=True,
        **more,
    )
    store(Night(1, [check]), today=TODAY)
    return Finding.objects.latest("pk")


def freeze(unit: Unit | None = None, *, after: int = 0) -> Report:
    return freeze_report(as_(EXECUTIVE), unit, quarter_named("2026-Q3", TODAY), after=after)


def test_it_says_what_got_better_and_what_did_not(delivered: Org) -> None:
    document = report(platform())
    headline = str(document.headline)
    assert headline.startswith("Fewer releases fail")
    assert headline.endswith("but we release less often")
    words = {point.key.removeprefix("delivery."): point for point in document.delivery}
    often = words["dora.deployment_frequency"]
    assert (often.judgement, str(often.text)) == ("worse", "We release less often: 49% less than in Q2 2026.")
    lead = words["dora.lead_time"]
    assert lead.judgement == "worse"
    assert "longer to reach users" in str(lead.text)
    assert words["dora.change_failure_rate"].judgement == "better"
    assert document.highlights[0].key == "highlight.dora.change_failure_rate"
    assert {str(point.consequence) for point in document.delivery if point.judgement in ("better", "worse")} == {
        "No effect on customers, cost or dates is linked."
    }


def test_bottlenecks_are_those_of_lead_time_and_of_findings_by_hours(delivered: Org) -> None:
    unit = platform()
    finding = found(unit, "ci.duration.change", 600.0, 66600.0)
    found(unit, "wip.count.change", 4.0, 9.0)
    document = report()
    assert document.bottlenecks[0].key == "bottleneck.pickup", "the bottleneck of lead time comes first"
    assert document.bottlenecks[1].key == f"finding.{finding.pk}"
    assert str(document.bottlenecks[1].title) == "The duration of pipelines in Platform rose from 10 min to 18.5 h"
    assert [str(point.title) for point in document.warnings] == [
        "The number of work items in progress in Platform rose from 4 to 9"
    ]
    assert len(document.bottlenecks) <= 3


def test_smaller_batches_are_recommended_with_arithmetic_that_is_said(delivered: Org) -> None:
    """Two changes a release in the quarter, one in each of the four before: twice as many releases."""
    ticket(title="A rota", unit="platform")
    document = report(platform())
    [first] = [one for one in document.recommendations if one.metric == "dora.deployment_frequency"]
    assert str(first.text).startswith("A release holds 2.00 changes now; in Q2 2026 it held 1.00.")
    assert str(first.effect) == "+100% releases in 60 days (95% interval +100% to +100%)"
    assert first.effort == "medium"
    assert str(first.capacity).startswith("1 action ticket to do")
    assert "fail" in str(first.constraints) or "problem" in str(first.constraints)
    assert "15–20% needs a part of that." in str(document.recommended)


def test_a_night_counts_releases_of_teams_and_pages_do_not(delivered: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    """Six changes and three releases a week, 13 weeks until the last Monday of the quarter; none since then."""
    live = report()
    count_releases()
    stored = TeamReleases.objects.order_by("until").values_list("unit__slug", "until", "changes", "releases")
    assert [*stored] == [("platform", LAST, 78.0, 39.0), ("platform", date(2026, 10, 12), 66.0, 33.0)]
    units = []

    def noted(*args: Any, **more: Any) -> AnswerSet:
        units.extend(more.get("units", ()))
        return visible_together(*args, **more)

    monkeypatch.setattr(recommending, "visible_together", noted)
    assert report() == live
    assert units == [], "hundreds of teams beside one another are judged at night alone"
    Organisation.objects.update(minimum_group_size=200)
    assert "Platform" not in str(report().examined), "a stricter rule holds at once"
    assert units, "what was judged by another rule is not read"
    units.clear()
    Organisation.objects.update(minimum_group_size=5)
    assert report() == live
    assert units == []
    TeamReleases.objects.all().delete()
    assert report() == live
    assert units, "before the first night they are read"


def test_a_figure_that_did_not_move_is_no_highlight(delivered: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    def of_adoption(now: str, before: str | None) -> list[str]:
        facts = {"now": Fact(text=now), "quarter": Fact(text="Q2 2026")}
        if before is not None:
            facts["before"] = Fact(text=before)
        monkeypatch.setattr(_Report, "_facts", lambda _, key: facts if key == "ai.adoption_rate" else {})
        return [str(point.text) for point in report().highlights if point.key == "highlight.ai.adoption_rate"]

    assert of_adoption("75.0%", "75.0%") == []
    assert of_adoption("75.0%", "70.0%") == ["It was 70.0% in Q2 2026."]
    assert of_adoption("75.0%", None) == ["It is the first quarter with data."]


def test_nothing_is_recommended_where_the_data_say_nothing(delivered: Org) -> None:
    document = report(Unit.objects.get(slug="search"))
    assert document.recommendations == ()
    assert str(document.recommended) == "No change can be recommended: no release is known in the weeks examined."
    assert str(document.headline) == "There is not enough data about delivery in this quarter"
    assert document.examined == ()
    assert document.bottlenecks == ()


def test_every_number_comes_from_a_figure_and_can_be_opened(delivered: Org) -> None:
    """Numbers in texts are facts or words of the method, and each fact is the engine's own answer."""
    unit = platform()
    found(unit, "ci.duration.change", 600.0, 66600.0)
    effect = {"metric": "pr.throughput", "value": 50.0, "low": 50.0, "high": 62.0}
    found(None, UNMATCHED.key, 0.0, 14.2, details={"effects": [effect]})
    document = report()
    links, client = Links(document, None), signed_in(EXECUTIVE)
    sentences = [sentence for point in document.points for _, sentence in point.sentences]
    sentences += [document.headline, document.recommended, *document.examined]
    opened, facts = set(), []
    for sentence in sentences:
        for part in sentence.parts():
            if isinstance(part, str):
                assert not re.search(r"\d", DECLARED.sub("", part)), part
            else:
                facts.append(part)
                if part.value is not None:
                    assert part.sources or part.how, part
                    opened |= {links.of_source(one) for one in part.sources}
    assert len(facts) > 50
    assert {address for address in opened if client.get(address).status_code != 200} == set()
    for fact in facts:
        _check(fact)


def test_an_assistant_can_write_the_report_from_the_tools_alone(delivered: Org) -> None:
    """The leader's prompt (docs/questions.md): each part stands in a reply, its numbers as facts with links."""
    found(platform(), "wip.count.change", 4.0, 9.0)
    answer = Assistant(EXECUTIVE).call("program", unit="platform")["report"]
    assert answer["quarter"] == "Q3 2026"
    assert len(answer["delivery"]) == 5
    for part in ("highlights", "bottlenecks", "warnings", "recommendations"):
        assert answer[part], part
    for point in [one for part in ReportDocument.SECTIONS for one in answer[part]]:
        rest = " ".join(point[name] for name in ("figure", "title", "text", "consequence"))
        for fact in sorted(point["facts"], key=lambda fact: -len(fact["text"])):
            assert fact["link"].startswith("http") or not fact["sources"], fact
            rest = rest.replace(fact["text"], "")
        assert not re.search(r"\d", DECLARED.sub("", rest)), rest
    [batch] = [one for one in answer["recommendations"] if one["metric"] == "dora.deployment_frequency"]
    assert (batch["effort"], "60 days" in batch["effect"]) == ("medium", True)
    assert all(batch[name] for name in ("effort_why", "evidence", "capacity", "constraints"))
    assert signed_in(EXECUTIVE).get(answer["link"].partition("8000")[2]).status_code == 200


def _check(fact: Fact) -> None:
    """The fact's number beside the engine's, or beside the finding's."""
    if fact.value is None or not fact.sources:
        return
    kinds = {SourceKind(one.partition(":")[0]) for one in fact.sources}
    if kinds == {SourceKind.METRIC}:
        values = [_metric(one) for one in fact.sources]
        computed: dict[str, Any] = {
            "": lambda now: now,
            "|now − before|": lambda now, before: abs(now - before),
            "|now − before| ÷ before × 100": lambda now, before: 100 * abs(now - before) / before,
        }
        if fact.how in computed:
            assert fact.value == pytest.approx(computed[fact.how](*values)), fact
        else:
            assert fact.how or "PR" in fact.text or "deploy" in fact.text or "failure" in fact.text, fact
    elif kinds == {SourceKind.STAGE} and not fact.how:
        assert fact.value == pytest.approx(_stage(fact.sources[0])[0]), fact
    elif kinds == {SourceKind.STAGE} and fact.how.startswith("mean without"):
        value, sample = _stage(fact.sources[0])
        assert fact.value == pytest.approx(value * sample / HOUR / (Q3.days / (365.25 / 12))), fact
    elif kinds == {SourceKind.FINDING} and not fact.how:
        finding = Finding.objects.get(pk=fact.sources[0].split(":")[1])
        effects = [effect[name] for effect in finding.details.get("effects", ()) for name in ("value", "low", "high")]
        assert fact.value in (finding.before, finding.after, *effects), fact
    elif fact.how == "Σ changes ÷ Σ releases over whole weeks":
        assert fact.value == pytest.approx(_batch(fact.text)), fact
    else:
        assert fact.how, fact


def _metric(source: str) -> float:
    _, _, rest = source.partition(":")
    key, _, when = rest.rpartition(":")
    answer = read_together(totals=[Query(key, Q3 if when == "now" else Q2, Granularity.WEEK)]).totals[0].total[0]
    assert answer.value is not None
    return answer.value


def _stage(source: str) -> tuple[float, int]:
    key = STAGES[source.partition(":")[2]][0]
    query = Query(key, Q3, Granularity.WEEK, statistic=Statistic.TRIMMED_MEAN)
    answer = read_together(totals=[query]).totals[0].total[0]
    assert answer.value is not None
    return answer.value, answer.sample_size


def _batch(text: str) -> float:
    """Changes per release of the quarter, or of the one before, by another way: sums of the series."""
    window = (
        Window(date(2026, 6, 29), date(2026, 9, 28)) if text == "2.00" else Window(date(2026, 4, 6), date(2026, 6, 29))
    )
    queries = [Query(key, window, Granularity.WEEK) for key in ("pr.throughput", "dora.deployment_frequency")]
    changes, often = ([bucket.value or 0.0 for bucket in answer.series] for answer in read_series(queries))
    return sum(changes) / (7 * sum(often))


def test_a_frozen_report_stays_and_is_frozen_once(delivered: Org) -> None:
    first = freeze(platform())
    assert freeze(platform()).pk == first.pk, "sent twice"
    assert FrozenDocument.objects.count() == 1
    stored = first.document
    assert canonical(parsed(ReportDocument, stored.body)) == (stored.body, stored.sha256)
    assert "ada" not in stored.body
    before = read(platform())
    delivered.push("deployments", *(deployed(9000 + n, date(2026, 8, 4)) for n in range(40)))
    assert read(platform()) == before
    second = freeze(platform(), after=1)
    assert (second.revision, Report.objects.count()) == (2, 2)
    assert read(platform()).figures != before.figures
    assert read(platform(), revision="1") == before
    with pytest.raises(FieldError):
        read(platform(), revision="3")
    for refused in (Report.objects.all().delete, lambda: Report.objects.update(revision=7)):
        with pytest.raises(DatabaseError), transaction.atomic():
            refused()


def read(unit: Unit | None, persona: Any = EXECUTIVE, *, revision: str = "") -> ReportDocument:
    scope = Scope(unit=unit.slug if unit else None)
    return document_of(chosen_report(scope, "2026-Q3", as_(persona), TODAY, revision=revision), as_(persona), TODAY)


def test_who_may_freeze_and_who_reads(delivered: Org) -> None:
    unit = platform()
    with pytest.raises(MayNotWriteError):
        freeze_report(as_(MEMBER), unit, quarter_named("2026-Q3", TODAY), after=0)
    freeze_report(as_(MANAGER), unit, quarter_named("2026-Q3", TODAY), after=0)
    statuses = {
        (persona.name, address): signed_in(persona).get(address).status_code
        for persona in (EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER)
        for address in (PAGE + "?unit=platform", API + "?unit=platform", PAGE + "?unit=engineering")
    }
    assert statuses[(MEMBER.name, PAGE + "?unit=platform")] == 200
    assert statuses[(MANAGER.name, API + "?unit=platform")] == 200
    assert statuses[(OTHER_MEMBER.name, PAGE + "?unit=platform")] == 404
    assert statuses[(OTHER_MEMBER.name, API + "?unit=platform")] == 404
    assert statuses[(EXECUTIVE.name, PAGE + "?unit=engineering")] == 200


def test_points_on_figures_of_few_people_are_left_out(delivered: Org) -> None:
    unit = platform()
    freeze()
    full = read(None)
    assert full.hidden == 0
    Organisation.objects.update(minimum_group_size=7)
    few = read(None)
    assert few.hidden > 0
    assert [point.key for point in few.bottlenecks if point.key.startswith("bottleneck.")] == []
    assert "first review" not in str(few.headline)
    assert all(not stage.value for stage in few.stages)
    own = document_of(chosen_report(PLATFORM, "2026-Q3", as_(MEMBER), TODAY), as_(MEMBER), TODAY)
    assert own.unit is not None
    assert own.unit.id == unit.pk
    assert own.bottlenecks, "a team sees its own delivery at any size"


def test_the_page_its_file_and_its_api_say_the_same(delivered: Org) -> None:
    found(None, UNMATCHED.key, 0.0, 14.2, details={"effects": []})
    client = signed_in(EXECUTIVE)
    page = client.get(PAGE + "?unit=platform&quarter=2026-Q3")
    document = report(platform())
    answer = client.get(API + "?unit=platform&quarter=2026-Q3").json()
    markdown = client.get(PAGE + "report.md?unit=platform").content.decode()
    plain = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page.content.decode()))
    assert answer["headline"] == str(document.headline)
    assert answer["headline"] in plain
    for section in ("highlights", "delivery", "bottlenecks", "recommendations"):
        for point in answer[section]:
            assert point["text"].replace("’", "’") in plain.replace("&#x27;", "'"), point["text"]
            assert point["title"] in re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", markdown)
    assert all(fact["link"] for point in answer["bottlenecks"] for fact in point["facts"] if fact["value"] is not None)
    assert "+100%" in markdown
    assert client.get(PAGE + "?quarter=2031-Q1").status_code == 400
    assert client.get(API + "?revision=4").status_code == 400
    manager = signed_in(MANAGER).get(API + "?unit=platform").json()
    assert manager["caveats"] == [] or all("nobody" not in one["title"] for one in manager["caveats"])


def test_the_page_freezes_and_shows_both(delivered: Org) -> None:
    client = signed_in(MANAGER)
    confirm = client.get(PAGE + "freeze/?unit=platform&quarter=2026-Q3&after=0")
    assert "SHA-256" in confirm.content.decode()
    for _ in range(2):
        assert client.post(PAGE + "freeze/?unit=platform&quarter=2026-Q3&after=0").status_code == 302
    assert Report.objects.count() == 1
    page = client.get(PAGE + "?unit=platform").content.decode()
    assert "Frozen 12 Oct 2026" in page
    assert "Live figures" in page
    answer = client.get(API + "?unit=platform").json()
    assert (answer["revision"], len(answer["sha256"])) == (1, 64)
    body = json.dumps({"unit": "platform", "quarter": "2026-Q3", "after": 1})
    frozen = client.post(API + "freeze/", data=body, content_type="application/json")
    assert (frozen.status_code, frozen.json()["revision"]) == (201, 2)
    assert signed_in(MEMBER).post(API + "freeze/", data=body, content_type="application/json").status_code == 403


@pytest.mark.skipif(chromium() is None, reason="there is no Chromium")
def test_the_pdf_has_as_many_pages_as_sheets(delivered: Org) -> None:
    with time_machine.travel(datetime.now(UTC), tick=True):
        pdf = signed_in(EXECUTIVE).get("/insights/report/pdf/", {"quarter": "2026-Q3"}).content
    assert len(sheets_of(pdf)) == 4


def test_what_is_printed_has_no_links_and_reaches_nothing(delivered: Org) -> None:
    from programs.report.pages import view_of

    choice = chosen_report(PLATFORM, "2026-Q3", as_(EXECUTIVE), TODAY)
    view = view_of(document_of(choice, as_(EXECUTIVE), TODAY), choice, is_printed=True)
    page = printable_page("programs/report/print.html", {"report": view})
    assert "hw-fact" not in page.split("</style>")[-1]
    assert "http" not in re.sub(r"<style>.*?</style>|http-equiv|xmlns=\"[^\"]*\"", "", page, flags=re.DOTALL)


def test_a_business_review_judges_changes_as_the_report_does(delivered: Org) -> None:
    """A change that one of them calls better is not unchanged in the other."""
    qbr = create_qbr(as_(EXECUTIVE), unit="platform", day=Q3.start)
    figures = review_document(qbr, as_(EXECUTIVE), today=TODAY).figures
    points = {point.key.removeprefix("delivery."): point.judgement for point in report(platform()).delivery}
    judgements = {key: judged(figures[key]) for key in points if key in figures}
    assert judgements == {key: points[key] for key in judgements}
    assert {"better", "worse"} <= {*judgements.values()}


def test_a_business_review_takes_the_parts_that_its_writers_choose(delivered: Org) -> None:
    """Frozen with it, word for word as the report has them, and hidden from whom the report hides them."""
    found(platform(), "wip.count.change", 4.0, 9.0)
    qbr = create_qbr(as_(EXECUTIVE), unit="platform", day=Q3.start)
    shown = [section.key for section in qbr.sections.filter(is_included=True).order_by("position")]
    assert not {"warnings", "recommendations", "caveats"} & {*shown}, "nobody has chosen them"
    assert review_document(qbr, as_(EXECUTIVE), today=TODAY).report is None
    chosen = [*shown, "recommendations", "warnings"]
    arrange_sections(as_(EXECUTIVE), qbr, chosen, chosen, of_version=1)
    freeze_qbr(as_(EXECUTIVE), qbr)
    qbr.refresh_from_db()
    frozen_body = qbr.document.body if qbr.document else ""
    document, live = review_document(qbr, as_(EXECUTIVE), today=TODAY), report(platform())
    assert document.report
    assert (document.report.recommendations, document.report.warnings) == (live.recommendations, live.warnings)
    assert (document.report.highlights, document.report.caveats) == ((), ())
    page = signed_in(EXECUTIVE).get(f"/programs/qbr/{qbr.pk}/").content.decode()
    for point in (*live.recommendations, *live.warnings):
        assert str(point.title) in unescape(page)
    assert str(live.recommended) in unescape(page)
    sections = signed_in(EXECUTIVE).get(f"/api/v1/qbr/{qbr.pk}/").json()["document"]["sections"]
    points = {section["key"]: section["points"] for section in sections}
    assert points["recommendations"][0]["effort"] == "medium"
    assert points["warnings"][0]["title"] == str(live.warnings[0].title)
    assert canonical(parsed(QbrDocument, frozen_body))[0] == frozen_body
    Organisation.objects.update(minimum_group_size=7)
    few = review_document(qbr, as_(EXECUTIVE), today=TODAY).report
    assert few is not None
    assert few.recommendations == live.visible(as_(EXECUTIVE)).recommendations
