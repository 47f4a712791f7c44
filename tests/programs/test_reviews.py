"""A team's monthly review: the agenda from its data, notes, decisions that become tickets, attendance, sign-off."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.db import Error, transaction

from core.json_documents import from_fields, to_fields
from core.write_errors import ConflictError, FieldError, MayNotWriteError
from insights.figure_records.recording import record_figures
from insights.models import Finding
from insights.query.windows import local_today
from orgtree.access.access import access_of, aggregates_access
from orgtree.models import Unit
from programs.models import Objective, PointKind, Review, ReviewPoint
from programs.reviews.services.agenda import MetricFigures, by_cause, cause_of, visible_figures
from programs.reviews.services.writing import (
    add_point,
    invite,
    make_ticket,
    prepare_review,
    save_attendance,
    save_point,
    save_summary,
    sign_review,
    update_agenda,
)
from tests.org import Org
from tests.pages.delivering import day_before
from tests.personas import ADMIN, EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER
from tests.programs.agreements import HOUR, PICKUP, PLATFORM, agree, changes_of
from tests.programs.objectives import objective
from tests.programs.tickets import as_, ticket
from tests.teams import create_teams

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    """A Thursday, four weeks into the month."""
    with time_machine.travel(datetime(2026, 11, 26, 12, tzinfo=UTC)):
        yield


@pytest.fixture
def teams(org: Org) -> Org:
    create_teams()
    return org


def platform() -> Unit:
    return Unit.objects.get(slug="platform")


def this_month() -> date:
    return local_today().replace(day=1)


def prepared(month: date | None = None) -> Review:
    return prepare_review(as_(MANAGER), platform(), month or this_month())


def points(review: Review, kind: PointKind) -> list[ReviewPoint]:
    return list(review.points.filter(kind=kind))


def test_an_open_finding_about_the_unit_is_a_point(teams: Org) -> None:
    about = {"detector": "pr.pickup_time.change", "metric": "pr.pickup_time", "since": date(2026, 8, 3)}
    values = {"before": 10 * HOUR, "after": 20 * HOUR, "low": HOUR, "high": 12 * HOUR, "chance": 1e-5, "sample": 160}
    days = {"until": date(2026, 11, 23), "found_on": local_today()}
    rule = {"minimum_people": aggregates_access().fewest_shown}
    own = Finding.objects.create(**about, **values, **days, **rule, unit=platform())
    Finding.objects.create(**about, **values, **days, **rule, unit=Unit.objects.get(slug="search"))
    [point] = points(prepared(), PointKind.FINDING)
    assert point.reference == str(own.pk)
    assert "rose from 10.0 h to 20.0 h" in point.title
    assert point.detail == "435 hours of waiting a month"


def test_a_metric_that_moved_beyond_normal_variation_is_a_point_with_its_figures(teams: Org) -> None:
    """A year of first reviews after 4 hours give or take one, and four weeks of 20 hours more."""
    changes_of(teams, PLATFORM, weeks=range(5, 62), waits=lambda week: float(week % 2), first=1)
    changes_of(teams, PLATFORM, weeks=range(1, 5), waits=lambda _: 20.0, first=5000)
    review = prepared()
    told = [
        {"title": point.title, **figures}
        for point in points(review, PointKind.MOVED)
        for figures in (point.figures, *point.figures.get("others", ()))
    ]
    [pickup] = [figures for figures in told if figures["metric"] == PICKUP]
    assert pickup["title"].endswith("got worse")
    assert pickup["after"] == pytest.approx(24 * HOUR)
    assert pickup["before"] == pytest.approx(4.5 * HOUR, abs=HOUR)
    assert pickup["low"] > 0
    assert pickup["sample_after"] == 3 * len(PLATFORM)  # Tuesdays 3, 10 and 17 November


def test_figures_with_one_cause_are_one_point() -> None:
    def moved(key: str, after: float) -> ReviewPoint:
        day = date(2026, 11, 1)
        figures = MetricFigures(
            metric=key, version=1, unit_of_measure="currency", start=day, end=day, before=1.0, after=after, people=6,
            sample_before=9, sample_after=9,
        )  # fmt: skip
        return ReviewPoint(kind=PointKind.MOVED, reference=key, title=f"{key} rose", figures=to_fields(figures))

    keys = ("ai.spend", "pr.size", "ai.spend_per_developer", "ai.spend_wasted")
    spend, size = by_cause((cause_of(key), moved(key, float(number))) for number, key in enumerate(keys))
    assert (spend.reference, size.reference) == ("ai.spend", "pr.size")
    others = from_fields(MetricFigures, spend.figures).others
    assert [(one.title, one.after) for one in others] == [
        ("ai.spend_per_developer rose", 2.0),
        ("ai.spend_wasted rose", 3.0),
    ]
    assert from_fields(MetricFigures, size.figures).others == ()


def test_what_one_late_import_restates_is_one_point(teams: Org) -> None:
    """Pull requests that came in later change times, throughput and lead time of the week and of the month."""
    changes_of(teams, PLATFORM, weeks=range(1, 12), waits=lambda _: 0.0, first=1)
    record_figures()
    changes_of(teams, PLATFORM, weeks=range(1, 12), waits=lambda _: 20.0, first=5000)
    restated = points(prepared(), PointKind.RESTATED)
    causes = [from_fields(MetricFigures, point.figures).why.split("(")[0] for point in restated]
    assert len(causes) == len(set(causes))
    [pulled] = [point for point in restated if PICKUP in str(point.figures)]
    others = from_fields(MetricFigures, pulled.figures).others
    assert len({one.metric for one in others}) > 1
    assert len({(one.start, one.end) for one in others}) > 1


def test_a_quiet_team_has_an_empty_agenda(teams: Org) -> None:
    objective(title="Reviews no longer wait", is_mandatory=True)
    review = prepared()
    assert not review.points.exclude(kind=PointKind.NO_OBJECTIVE).exists()


def test_what_is_late_or_missing_is_on_the_agenda(teams: Org) -> None:
    late = ticket(starts_on=day_before(40), due_on=day_before(10))
    ticket(title="In time")
    review = prepared()
    assert [point.reference for point in points(review, PointKind.TICKET)] == [str(late.pk)]
    assert [point.reference for point in points(review, PointKind.NO_OBJECTIVE)] == ["platform"]


def test_an_objective_at_risk_is_on_the_agenda_with_its_reason(teams: Org) -> None:
    at_risk = objective()
    objective(title="On its way")
    Objective.objects.filter(pk=at_risk.pk).update(override="at_risk", override_reason="The vendor is late.")
    [point] = points(prepared(), PointKind.OBJECTIVE)
    assert (point.reference, point.figures["why"]) == (str(at_risk.pk), "The vendor is late.")


def test_a_check_in_that_is_missing_is_on_the_agenda(teams: Org) -> None:
    written = objective()
    Objective.objects.filter(pk=written.pk).update(published_at=datetime(2026, 11, 2, 12, tzinfo=UTC))
    [point] = points(prepared(), PointKind.CHECK_IN)
    assert (point.reference, point.detail) == (str(written.pk), "Due 16 Nov 2026 · Platform")


def test_a_benchmark_that_was_crossed_is_named_with_both_sides(teams: Org) -> None:
    changes_of(teams, PLATFORM, weeks=range(8, 30), waits=lambda _: 0.0, first=1)
    changes_of(teams, PLATFORM, weeks=range(1, 8), waits=lambda _: 20.0, first=5000)
    agree()
    [crossed] = points(prepared(), PointKind.BENCHMARK)
    assert (crossed.reference, crossed.detail) == (PICKUP, "On target → Off target")
    assert (crossed.figures["before"], crossed.figures["after"]) == (4 * HOUR, 24 * HOUR)


def test_preparing_twice_gives_the_same_review(teams: Org) -> None:
    assert prepared() == prepared()
    assert Review.objects.count() == 1


@pytest.mark.parametrize("days", [1, 400])
def test_a_month_that_has_not_started_is_refused(teams: Org, days: int) -> None:
    month = (this_month() + timedelta(days=31)).replace(day=1) + timedelta(days=days)
    with pytest.raises(FieldError, match="has not started"):
        prepared(month)


def test_only_those_who_lead_the_unit_prepare_and_write(teams: Org) -> None:
    review = prepared()
    for persona in (MEMBER, OTHER_MEMBER):
        with pytest.raises(MayNotWriteError):
            prepare_review(as_(persona), platform(), this_month())
        with pytest.raises(MayNotWriteError):
            add_point(as_(persona), review, "Mine")
    for persona in (EXECUTIVE, ADMIN):
        add_point(as_(persona), review, persona.email)


def test_an_open_review_is_seen_by_those_who_lead_and_a_signed_one_by_the_unit(teams: Org) -> None:
    review = prepared()
    ReviewPoint.objects.filter(review=review).delete()

    def seen(persona: object) -> bool:
        return Review.objects.within(as_(persona).visibility).filter(pk=review.pk).exists()  # type: ignore[arg-type]

    review.attendance.all().delete()
    assert [seen(persona) for persona in (MANAGER, EXECUTIVE, MEMBER, OTHER_MEMBER)] == [True, True, False, False]
    invite(as_(MANAGER), review, "edith@example.com")
    sign_review(as_(MANAGER), review)
    assert [seen(persona) for persona in (MANAGER, EXECUTIVE, MEMBER, OTHER_MEMBER)] == [True, True, True, False]


def test_the_second_writer_sees_both_texts_and_nothing_is_lost(teams: Org) -> None:
    review = prepared()
    point = add_point(as_(MANAGER), review, "Build times")
    save_point(as_(MANAGER), point, notes="First", decision="", of_version=1)
    with pytest.raises(ConflictError) as conflict:
        save_point(as_(EXECUTIVE), point, notes="Second", decision="", of_version=1)
    assert conflict.value.stored.notes == "First"
    save_summary(as_(MANAGER), review, "One", of_version=1)
    with pytest.raises(ConflictError):
        save_summary(as_(EXECUTIVE), review, "Two", of_version=1)


def test_a_decision_becomes_a_ticket_and_leads_the_next_agenda(teams: Org) -> None:
    last_month = (this_month() - timedelta(days=1)).replace(day=1)
    review = prepared(last_month)
    point = save_point(
        as_(MANAGER), add_point(as_(MANAGER), review, "Build times"), notes="", decision="Cache builds", of_version=1
    )
    made = make_ticket(
        as_(MANAGER), point, title="Cache builds", kind="tooling", owner="ada@example.com", due_on=day_before(-20)
    )
    assert (made.resolution, made.unit) == ("Cache builds", platform())
    first = prepared().points.order_by("position").first()
    assert first is not None
    assert (first.kind, first.title, first.detail) == ("decision", "Cache builds", "On: Build times")


def test_points_with_words_stay_when_the_agenda_is_updated(teams: Org) -> None:
    late = ticket(starts_on=day_before(40), due_on=day_before(10))
    other = ticket(title="Another", starts_on=day_before(40), due_on=day_before(9))
    review = prepared()
    [point, _] = points(review, PointKind.TICKET)
    save_point(as_(MANAGER), point, notes="Waits for the vendor", decision="", of_version=1)
    for written in (late, other):
        written.due_on = day_before(-9)
        written.save()
    update_agenda(as_(MANAGER), review)
    assert [left.notes for left in points(review, PointKind.TICKET)] == ["Waits for the vendor"]


def test_a_review_is_signed_once_somebody_attended_and_stays_as_it_is(teams: Org) -> None:
    review = prepared()
    with pytest.raises(FieldError, match="who attended"):
        sign_review(as_(MANAGER), review)
    ada = review.attendance.get(person__email="ada@example.com")
    save_attendance(as_(MANAGER), review, {ada.person_id})
    point = add_point(as_(MANAGER), review, "Build times")
    signed = sign_review(as_(MANAGER), review)
    assert sign_review(as_(MANAGER), signed) == signed
    with pytest.raises(MayNotWriteError, match="signed"):
        save_point(as_(MANAGER), point, notes="Later", decision="", of_version=1)
    for change in (
        lambda: ReviewPoint.objects.filter(pk=point.pk).update(notes="Later"),
        lambda: ReviewPoint.objects.filter(pk=point.pk).delete(),
        lambda: Review.objects.filter(pk=review.pk).update(summary="Later"),
        lambda: review.attendance.update(attended=False),
    ):
        with pytest.raises(Error), transaction.atomic():
            change()


def test_figures_of_few_people_are_hidden_from_those_who_do_not_lead_the_unit(teams: Org) -> None:
    review = prepared()
    point = add_point(as_(MANAGER), review, "Spend")
    point.figures = {
        "metric": "ai.spend",
        "version": 1,
        "unit_of_measure": "currency",
        "from": str(day_before(28)),
        "to": str(local_today()),
        "before": 10.0,
        "after": 20.0,
        "people": 2,
        "sample_before": 5,
        "sample_after": 9,
    }
    assert visible_figures(point, review, as_(MANAGER))
    member = access_of(as_(MEMBER).viewer)
    assert not visible_figures(point, review, member)
    point.figures["people"] = 0
    assert not visible_figures(point, review, member)
