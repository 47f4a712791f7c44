"""Freezing a business review: what its document holds, and that it stays so whatever changes afterwards."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
import time_machine
from django.db import DatabaseError, connection, transaction

from core.json_documents import canonical, parsed
from core.write_errors import FieldError, MayNotWriteError
from insights.catalogue import registry
from insights.catalogue.lead_time_stages import Bottleneck, NoBottleneck
from orgtree.models import Person, Unit
from orgtree.trees.units import move_person
from programs.closing.services.frozen import FrozenDocumentError
from programs.models import FrozenDocument, Objective, Qbr, QbrSection, QbrState
from programs.qbr.services.content import document_of
from programs.qbr.services.document import Chart, QbrDocument
from programs.qbr.services.freezing import freeze_qbr, sign_qbr
from tests.org import Org
from tests.pages.delivering import at, deployed, merged
from tests.personas import EXECUTIVE, MANAGER, MEMBER
from tests.programs.agreements import agree
from tests.programs.objectives import objective, pickup
from tests.programs.qbrs import IN_OCTOBER, frozen, read, review, say, signed
from tests.programs.test_closing_quarters import PLATFORM, delivered, in_september
from tests.programs.tickets import as_, ticket

__all__ = ["delivered", "in_september"]  # fixtures
HOUR = 3600


def test_the_document_holds_all_that_is_shown(delivered: Org) -> None:
    ada = Person.objects.get(email="ada@example.com")
    objective(key_results=(pickup(),), owner=ada.email, is_mandatory=True)
    ticket(title="A rota", owner="ada@example.com")
    qbr = review()
    say(qbr, "dora", "It **moved**.", headline="Reviews start sooner")
    document = frozen(qbr)
    content = json.loads(document.body)
    pickup_time = content["figures"]["pr.pickup_time"]
    assert (pickup_time["now"]["value"], pickup_time["before"]["value"]) == pytest.approx((14 * HOUR, 20 * HOUR))
    assert (pickup_time["now"]["people"], pickup_time["now"]["sample_size"]) == (6, 6)
    assert (pickup_time["of_people"], pickup_time["open_as_in_tools"], pickup_time["version"]) == (True, True, 1)
    assert content["charts"]["by_unit:pr.pickup_time"][0]["slug"] == "platform"
    sections = {section["key"]: section for section in content["sections"]}
    assert list(sections)[:7] == ["highlights", "decided", "dora", "bottlenecks", "findings", "trend", "planning"]
    assert sections["dora"]["headline"] == "Reviews start sooner"
    assert content["objectives"][0]["key_results"][0]["value"] == pytest.approx(14 * HOUR)
    assert content["tickets"][0]["owner"] == ada.pk
    assert content["figures"]["dora.lead_time"]["now"]["reason"].startswith("No deployment")
    assert "ada@example.com" not in document.body, "people stand in it as ids"
    assert "Ada" not in document.body
    assert canonical(content) == (document.body, document.sha256)
    assert canonical(parsed(QbrDocument, document.body)) == (document.body, document.sha256)
    assert hashlib.sha256(document.body.encode()).hexdigest() == document.sha256
    assert (document.kind, qbr.state) == (FrozenDocument.Kind.QBR, QbrState.FROZEN)


def test_what_was_agreed_stands_beside_where_it_can_be_compared(delivered: Org) -> None:
    agree(EXECUTIVE, unit="", threshold=20.0 * HOUR, target=10.0 * HOUR)
    qbr = review()
    frozen(qbr)
    figure = read(qbr).figures["pr.pickup_time"]
    assert (figure.threshold, figure.target, figure.reached) == (20 * HOUR, 10 * HOUR, "threshold")


def test_it_stays_the_same_whatever_changes_afterwards(delivered: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    """Late facts, a reorganisation, another formula, a forgotten person, a metric that is gone: none is seen."""
    hedy = Person.objects.get(email="hedy@example.com")
    objective(key_results=(pickup(),), owner=hedy.email)
    ticket(owner="hedy@example.com")
    qbr = review(unit="engineering")
    body = frozen(qbr).body
    before = read(qbr)
    delivered.push("pull-requests", *(merged(800 + n, date(2026, 7, 9), author="ada", waits=90) for n in range(20)))
    Unit.objects.filter(slug="platform").update(name="Foundations")
    with time_machine.travel(datetime(2026, 10, 20, 12, tzinfo=UTC), tick=False):
        move_person(Person.objects.get(email="ada@example.com"), Unit.objects.get(slug="search"), date(2026, 7, 1))
        known = dict(registry._by_key())
        known["pr.pickup_time"] = replace(known["pr.pickup_time"], version=2, name="Waiting", formula="something else")
        monkeypatch.setattr(registry, "_by_key", lambda: known)
        assert read(qbr) == before
        hedy.delete()
        del known["pr.pickup_time"]
        assert read(qbr) == before
    assert FrozenDocument.objects.get().body == body
    freeze_qbr(as_(EXECUTIVE), qbr)
    assert FrozenDocument.objects.get().body == body, "freezing again changes nothing"


def test_a_changed_text_is_noticed(delivered: Org) -> None:
    qbr = review()
    document = frozen(qbr)
    qbr.document = FrozenDocument(body=document.body.replace("Q3", "Q4"), sha256=document.sha256, schema_version=1)
    with pytest.raises(FrozenDocumentError):
        document_of(qbr, as_(EXECUTIVE), today=date(2026, 10, 6))


def test_the_database_refuses_changes_of_what_is_frozen(delivered: Org) -> None:
    qbr = review()
    frozen(qbr)
    sections, qbrs = QbrSection.objects.filter(qbr=qbr), Qbr.objects.filter(pk=qbr.pk)
    for refused in (
        lambda: sections.update(commentary="Another"),
        lambda: sections.filter(key="dora").update(is_included=False),
        sections.delete,
        lambda: QbrSection.objects.create(qbr=qbr, key="allocation", position=99),
        lambda: qbrs.update(start=date(2026, 4, 1)),
        lambda: qbrs.update(document=None, state=QbrState.DRAFT),
        qbrs.delete,
        FrozenDocument.objects.all().delete,
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            refused()


@pytest.mark.django_db(transaction=True)
def test_freezing_twice_at_once_while_data_comes_in_makes_one_document(delivered: Org) -> None:
    qbr = review()
    documents: list[int] = []
    problems: list[BaseException] = []

    def beside(work: Callable[[], None]) -> threading.Thread:
        def run() -> None:
            try:
                work()
            except BaseException as problem:  # shown below
                problems.append(problem)
            finally:
                connection.close()

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    access = as_(EXECUTIVE)
    threads = [beside(lambda: documents.append(freeze_qbr(access, qbr).pk)) for _ in range(2)]
    threads.append(
        beside(
            lambda: delivered.push("pull-requests", *(merged(600 + n, date(2026, 7, 10), waits=9) for n in range(50)))
        )
    )
    for thread in threads:
        thread.join()
    assert problems == []
    assert len(set(documents)) == FrozenDocument.objects.count() == 1


def test_a_draft_is_not_signed_off_and_the_first_signature_stays(delivered: Org) -> None:
    qbr = review(unit="platform")
    with pytest.raises(FieldError, match="Freeze the review first"):
        sign_qbr(as_(MANAGER), qbr)
    frozen(qbr, MANAGER)
    with pytest.raises(MayNotWriteError):
        sign_qbr(as_(MEMBER), qbr)
    with time_machine.travel(IN_OCTOBER, tick=False):
        sign_qbr(as_(MANAGER), qbr)
    first = Qbr.objects.get()
    sign_qbr(as_(EXECUTIVE), qbr)
    assert (first.state, first.signed_by, first.signed_at) == (QbrState.SIGNED, as_(MANAGER).viewer, IN_OCTOBER)
    assert Qbr.objects.get().signed_by == first.signed_by


def test_a_unit_that_was_archived_in_the_middle_of_the_quarter_keeps_its_review(org: Org) -> None:
    """It has the facts and the tickets of the weeks in which it stood."""
    from tests.teams import create_teams

    teams = create_teams()
    org.push("pull-requests", *(merged(n, date(2026, 7, 8), author=name) for n, name in enumerate(PLATFORM)))
    ticket(title="Of Platform")
    with connection.cursor() as cursor:
        for table in ("unitplace", "unitplacement", "placement", "membership"):
            cursor.execute(
                f"UPDATE orgtree_{table} SET during = daterange(lower(during), '2026-08-15') WHERE unit_id = %s",
                [teams.platform.pk],
            )
    qbr = review(unit="platform")
    signed(qbr)
    document = read(qbr)
    assert document.figures["pr.throughput"].now.value == 6
    assert [one.title for one in document.tickets] == ["Of Platform"]
    whole = review(unit="engineering")
    assert [one.title for one in read(whole).tickets] == ["Of Platform"]


def test_objectives_are_measured_once_more_when_they_are_frozen(delivered: Org) -> None:
    written = objective(key_results=(pickup(),))
    qbr = review()
    delivered.push("pull-requests", *(merged(900 + n, date(2026, 7, 8), waits=2 - 4) for n in range(20)))
    document = json.loads(frozen(qbr).body)
    written.refresh_from_db()
    assert document["objectives"][0]["key_results"][0]["value"] == written.key_results.get().measure.value
    assert Objective.objects.get().score is None, "the quarter stays open"


def test_lead_time_stands_by_stage_for_both_periods(org: Org) -> None:
    from tests.teams import create_teams

    create_teams()
    for day in (date(2026, 5, 4), date(2026, 7, 8)):
        number = day.month * 100
        org.push("pull-requests", *(merged(number + n, day, author=name) for n, name in enumerate(PLATFORM)))
        org.push("deployments", deployed(number, day))
    org.push(
        "incidents",
        {
            "id": "i-1",
            "repository": "acme/shop",
            "started_at": at(date(2026, 7, 8), 11),
            "resolved_at": at(date(2026, 7, 8), 13),
        },
    )
    qbr = review(unit="platform")
    document = frozen(qbr)
    read_now = read(qbr)
    (dora,) = (section for section in read_now.sections if section.key == "dora")
    stages = next(chart for chart in read_now.charts_of(dora) if chart.kind == "stages")
    assert [[part.value for part in row] for row in stages.rows] == [
        pytest.approx([2 * HOUR, 4 * HOUR, HOUR, HOUR / 2, 3 * HOUR]) for _ in range(2)
    ]
    assert stages.bottleneck == Bottleneck("pickup")
    (text,) = (one for one in json.loads(document.body)["charts"]["stages:dora.lead_time"][:1])
    assert [(stage["median"], stage["value"], stage["mean"]) for stage in text] == [
        pytest.approx((hours * HOUR, hours * HOUR, hours * HOUR)) for hours in (2, 4, 1, 0.5, 3)
    ]
    assert read_of_schema_1(qbr, document).bottleneck == Bottleneck("", reason=NoBottleneck.MEANS_ALONE)
    assert [part.value for part in read_of_schema_1(qbr, document).parts] == [part.value for part in stages.parts]


def read_of_schema_1(qbr: Qbr, document: FrozenDocument) -> Chart:
    """The chart of stages of a document as earlier releases froze it, with its own hash: means alone."""
    content = json.loads(document.body)
    for stage in (stage for row in content["charts"]["stages:dora.lead_time"] for stage in row):
        stage["value"] = stage.pop("mean")
        del stage["median"]
    content["schema"] = 1
    body, digest = canonical(content)
    qbr.document = FrozenDocument(body=body, sha256=digest, schema_version=1)
    shown = document_of(qbr, as_(EXECUTIVE), today=date(2026, 10, 6))
    (dora,) = (section for section in shown.sections if section.key == "dora")
    return next(chart for chart in shown.charts_of(dora) if chart.kind == "stages")
