"""Progress of key results, measured from pushed facts: by hand, and as visible to each viewer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.write_errors import FieldError
from insights.privacy.visible import visible_totals
from insights.query.errors import UnknownUnitError
from insights.query.query import Query, Scope
from programs.key_results.queries import KeyResultProgress
from programs.key_results.services import measuring
from programs.key_results.services.measuring import measure_objectives
from programs.models import CheckIn, KeyResult, KeyResultMeasure, Objective, ObjectiveStatus, Ticket
from programs.objectives.pages.labels import objective_line
from programs.objectives.queries.filters import ObjectiveFilters
from programs.objectives.queries.objectives import progress_of
from programs.objectives.services.check_ins import check_in
from programs.objectives.services.templates import objective_from_template, objective_templates
from programs.objectives.services.writing import add_objective, override_status
from programs.quarters.fiscal_quarters import current_quarter, preceding
from programs.tasks import measure_objectives as measure_task
from tests.org import Org
from tests.pages.delivering import OPENED, REVIEWED, merged
from tests.personas import ADMIN, EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER
from tests.programs.objectives import by_hand, objective, pickup
from tests.programs.tickets import as_, ticket
from tests.stored_once import StoreOnce
from tests.teams import OTHERS_IN_PLATFORM, create_teams

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("delivered")]

NOW = datetime(2026, 8, 20, 12, tzinfo=UTC)
TODAY = NOW.date()  # the 51st of the 92 days of July to September
MONDAYS = [date(2026, 7, 6) + timedelta(weeks=number) for number in range(6)]
PLATFORM = ("ada", *OTHERS_IN_PLATFORM)
HOUR = 3600
PASSED = 51 / 92


@pytest.fixture(autouse=True)
def in_august() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture(scope="module")
def delivered(stored_once: StoreOnce, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Org]:
    with stored_once(lambda: tell_of_reviews(Org(tmp_path_factory.mktemp)), at=NOW) as org:
        yield org


def tell_of_reviews(org: Org) -> Org:
    """Platform's six had each one pull request a week, whose review came after 16, 15, … 11 hours; in spring 20.

    Two people of Search had one each in July, reviewed after 9 hours.
    """
    create_teams()
    numbers = iter(range(1, 1000))
    records = [
        merged(next(numbers), monday, author=name, waits=16 - week - (REVIEWED - OPENED))
        for week, monday in enumerate(MONDAYS)
        for name in PLATFORM
    ]
    records += [merged(next(numbers), date(2026, 5, 4), author=name, waits=16) for name in PLATFORM]
    records += [merged(next(numbers), date(2026, 7, 8), author=name, waits=5) for name in ("grace", "lise")]
    org.push("pull-requests", *records)
    return org


def measure(record: Objective, persona: Any = EXECUTIVE) -> tuple[KeyResultProgress, ...]:
    (progress,) = progress_of([record], as_(persona), today=TODAY)
    return progress.key_results


def test_a_level_by_hand(delivered: Org) -> None:
    """Median of 36 waits of 16 to 11 hours: 13.5.  From 20 to 12 hours (−40 %) that is 6.5 of 8 hours: 81 %.

    The line falls by an hour a week and is 11 in the middle of the week of 10 August, which is 7.5 days before
    tomorrow; 41 days are left, their middle is 28 days after that: 7 hours.  The 8 latest weeks had 4.5 pull requests
    each, so that 26.36 more are expected beside 36: 13.5 · 36/62.36 + 7 · 26.36/62.36 = 10.75 hours, without a doubt.
    """
    (measured,) = measure(objective(key_results=(pickup(),)))
    assert (measured.baseline, measured.target) == pytest.approx((20 * HOUR, 12 * HOUR))
    assert measured.value == pytest.approx(13.5 * HOUR)
    assert measured.sample_size == 36
    assert measured.progress == pytest.approx(6.5 / 8)
    assert measured.expected == pytest.approx(PASSED)
    coming = 4.5 * 41 / 7
    expected = (13.5 * 36 + 7 * coming) / (36 + coming)
    assert expected == pytest.approx(10.7526, abs=1e-4)
    assert measured.forecast is not None
    assert (measured.forecast.value, measured.forecast.low) == pytest.approx((expected * HOUR, expected * HOUR))
    assert measured.standing == ObjectiveStatus.ON_TRACK
    assert "13.5 h so far" in measured.why
    assert "81% complete (20.0 h → 12.0 h), 55% of the quarter passed" in measured.why
    known = dict(measured.points)
    assert [known[monday] for monday in MONDAYS] == [pytest.approx((16 - week) * HOUR) for week in range(6)]
    assert known[date(2026, 5, 4)] == pytest.approx(20 * HOUR), "13 weeks before the quarter are there, too"
    assert min(known) == date(2026, 3, 30)
    assert max(known) == date(2026, 8, 10), "only weeks that are over"

    def after(days: int) -> float:  # the forecast, day by day
        rest = 11 - (7.5 / 7 + days / 14)
        more = 4.5 * days / 7
        return (13.5 * 36 + rest * more) / (36 + more)

    first = next(days for days in range(1, 42) if after(days) <= 12)
    assert measured.forecast.reached_on == TODAY + timedelta(days=first)


def test_the_value_is_the_one_of_the_metrics_page(delivered: Org) -> None:
    written = objective(key_results=(pickup(statistic="p75"), pickup(metric="pr.throughput", change_percent=50.0)))
    for measured in measure(written):
        query = Query(
            measured.key_result.metric,
            current_quarter().window,
            scope=Scope("platform"),
            statistic=measured.key_result.statistic or None,  # type: ignore[arg-type]
        )
        (answer,) = visible_totals(
            [query], as_(MANAGER)
        )  # to others Platform tells of Search by subtraction, and is hidden
        assert measured.value == answer.total[0].value


def test_a_count_is_compared_at_its_rate(delivered: Org) -> None:
    """36 so far are 64.9 at this rate; the spring had 6.  Of the way from 6 to 60 that is 109 %."""
    (measured,) = measure(objective(key_results=(pickup(metric="pr.throughput", target_kind="absolute", target=60.0),)))
    assert (measured.value, measured.baseline) == (36, 6)
    assert measured.pace == pytest.approx(36 / PASSED)
    assert measured.progress == pytest.approx((36 / PASSED - 6) / 54)
    assert measured.forecast is not None
    assert measured.forecast.low >= 36, "what is counted stays counted"
    assert "which comes to 64.9 at this rate" in measured.why


@pytest.mark.parametrize(
    ("better_than", "holds", "status"),
    [
        (14.0, True, ObjectiveStatus.ON_TRACK),
        (13.5, True, ObjectiveStatus.ON_TRACK),
        (13.0, False, ObjectiveStatus.OFF_TRACK),
    ],
)
def test_a_guardrail_holds_or_is_broken(
    delivered: Org, better_than: float, holds: bool, status: ObjectiveStatus
) -> None:
    limit = pickup(target_kind="guardrail", target=better_than * HOUR, change_percent=None, baseline=10 * HOUR)
    written = objective(key_results=(by_hand(), limit))
    aim, _ = written.key_results.all()
    check_in(as_(MANAGER), written, confidence="high", key_result=aim.pk, value=4.2)
    (progress,) = progress_of([written], as_(EXECUTIVE), today=TODAY)
    reached, guardrail = progress.key_results
    assert (guardrail.holds, guardrail.standing, guardrail.progress) == (holds, status, None)
    assert reached.standing == ObjectiveStatus.ON_TRACK
    assert progress.computed == (ObjectiveStatus.ON_TRACK if holds else ObjectiveStatus.AT_RISK), "at risk at least"
    assert progress.progress == 1.0, "guardrails are no part of it"
    assert ("Guardrail broken: Reviews start sooner" in progress.why) is not holds
    assert objective_line(progress, TODAY).status_was_overridden is not holds


def test_an_override_is_shown_in_place_of_what_is_computed(delivered: Org) -> None:
    written = objective(key_results=(pickup(),))
    override_status(as_(MANAGER), written, "at_risk", "Half of the team is away")
    written.refresh_from_db()
    (progress,) = progress_of([written], as_(EXECUTIVE), today=TODAY)
    assert (progress.computed, progress.shown) == (ObjectiveStatus.ON_TRACK, ObjectiveStatus.AT_RISK)


def test_two_weeks_are_too_early_to_judge(delivered: Org) -> None:
    written = objective(key_results=(pickup(),))
    for day, is_judged in ((13, False), (14, True)):
        with time_machine.travel(datetime(2026, 7, day, 12, tzinfo=UTC), tick=False):
            measure_objectives()
        (measured,) = measure(written)
        assert measured.value is not None
        assert (measured.standing != ObjectiveStatus.UNKNOWN) is is_judged
        assert ("Judged once 14 days" in measured.why) is not is_judged


def test_a_quarter_that_is_over_is_final(delivered: Org) -> None:
    written = objective(key_results=(pickup(), pickup(metric="pr.throughput", target_kind="absolute", target=60.0)))
    measure_objectives(today=date(2026, 10, 1))
    level, count = measure(written)
    assert (level.standing, count.standing) == (ObjectiveStatus.AT_RISK, ObjectiveStatus.AT_RISK)
    assert "It was not reached." in level.why
    assert level.forecast is None
    assert count.pace == 36, "nothing more comes"


def test_a_quarter_that_has_not_started_has_no_value(delivered: Org) -> None:
    from programs.quarters.fiscal_quarters import following

    written = objective(key_results=(pickup(),), quarter=following(current_quarter()))
    (measured,) = measure(written)
    assert (measured.value, measured.why) == (None, "The quarter has not started.")
    assert (measured.key_result.baseline_from, measured.key_result.baseline_to) == (date(2026, 5, 20), TODAY), (
        "92 days to now"
    )
    assert measured.baseline == pytest.approx(13.5 * HOUR)


def test_hand_values_have_a_course_too(delivered: Org) -> None:
    """3.0, 3.2, 3.4 and 3.6, a week apart and the last one today: 0.2 a week, 5.86 weeks to the quarter's end: 4.77."""
    written = objective()
    (key_result,) = written.key_results.all()
    for weeks, value in ((3, 3.0), (2, 3.2), (1, 3.4), (0, 3.6)):
        at = timezone.make_aware(datetime.combine(TODAY - timedelta(weeks=weeks), datetime.min.time()))
        CheckIn.objects.create(objective=written, key_result=key_result, confidence="high", value=value, at=at)
    measure_task()
    (measured,) = measure(written)
    assert measured.value == 3.6
    assert measured.forecast is not None
    assert measured.forecast.value == pytest.approx(3.6 + 0.2 * 41 / 7)
    assert measured.standing == ObjectiveStatus.ON_TRACK
    assert [value for _, value in measured.points] == [3.0, 3.2, 3.4, 3.6]
    assert "4.771 of 5" in measured.why


def test_figures_of_few_people_are_withheld_also_when_they_are_stored(delivered: Org) -> None:
    """Search are two: its executive is shown nothing of them, Grace is one of the two."""
    written = objective(EXECUTIVE, unit="search", key_results=(pickup(target_kind="absolute", target=3.0 * HOUR),))
    (progress,) = progress_of([written], as_(EXECUTIVE), today=TODAY)
    (key_results,) = progress.key_results
    assert (key_results.value, key_results.points, key_results.forecast, key_results.progress) == (None, (), None, None)
    assert key_results.reason.startswith("Hidden: fewer than 5")
    assert (progress.computed, progress.progress) == (ObjectiveStatus.UNKNOWN, None)
    assert "9" not in progress.why + key_results.why + key_results.no_forecast
    (own,) = measure(written, OTHER_MEMBER)
    assert own.value == pytest.approx(9 * HOUR)


def test_messages_tell_nothing_that_is_withheld(delivered: Org) -> None:
    delivered.push("pull-requests", *(merged(900 + n, date(2026, 5, 4), author="lise", waits=5) for n in range(3)))
    with pytest.raises(Exception, match="hidden") as refused:
        objective(EXECUTIVE, unit="search", key_results=(pickup(target_kind="absolute", target=30.0 * HOUR),))
    assert "9" not in str(refused.value)


def test_what_is_above_a_team_is_read_without_its_figures(delivered: Org) -> None:
    written = objective(EXECUTIVE, unit="engineering", key_results=(pickup(),))
    assert Objective.objects.within(as_(MEMBER).visibility).filter(pk=written.pk).exists()
    (measured,) = measure(written, MEMBER)
    assert (measured.value, measured.baseline, measured.target) == (None, None, None)
    assert measured.reason == "You don't have access to the figures of Engineering."
    assert measure(written, EXECUTIVE)[0].value is not None


def test_the_status_of_a_goal_above_is_shown_without_its_figures(delivered: Org) -> None:
    """The status over eight people is shown; that over Search's two is not shown to viewers elsewhere."""
    above = objective(EXECUTIVE, unit="engineering", key_results=(pickup(),))
    (member,) = progress_of([above], as_(MEMBER), today=TODAY)
    (executive,) = progress_of([above], as_(EXECUTIVE), today=TODAY)
    assert executive.shown is not ObjectiveStatus.UNKNOWN
    assert (member.shown, member.progress) == (executive.shown, None)
    assert member.key_results[0].standing is ObjectiveStatus.UNKNOWN
    assert not any(digit in member.why for digit in "0123456789"), member.why
    few = objective(EXECUTIVE, unit="search", key_results=(pickup(target_kind="absolute", target=HOUR),))
    (progress_of_few,) = progress_of([few], as_(EXECUTIVE), today=TODAY)
    assert (progress_of_few.shown, progress_of_few.is_status_hidden) == (ObjectiveStatus.UNKNOWN, True)


def test_a_list_filters_by_what_it_shows(delivered: Org) -> None:
    """Whoever looks: each standing gives those objectives that are shown with it, and all together give all."""
    quarter = current_quarter()
    written = [
        objective(EXECUTIVE, unit="platform", key_results=(pickup(),), title="On track"),
        objective(EXECUTIVE, unit="platform", key_results=(pickup(change_percent=-80.0),), title="Off track"),
        objective(EXECUTIVE, unit="search", key_results=(pickup(target_kind="absolute", target=HOUR),), title="Few"),
        objective(EXECUTIVE, unit="engineering", key_results=(pickup(),), title="Above"),
        objective(EXECUTIVE, unit=None, key_results=(pickup(metric="ai.adoption_rate", change_percent=None,
            target_kind="absolute", target=50.0),), title="Everybody"),
        objective(EXECUTIVE, unit="search", key_results=(pickup(target_kind="absolute", target=HOUR),), title="Said"),
        objective(EXECUTIVE, title="By hand"),
    ]  # fmt: skip
    override_status(as_(EXECUTIVE), written[5], "off_track", "As Grace told me")
    for persona in (EXECUTIVE, ADMIN, MANAGER, MEMBER, OTHER_MEMBER):
        access = as_(persona)
        visible = list(ObjectiveFilters.of_quarter(quarter, {}, access, today=TODAY).qs)
        shown = {progress.objective.pk: progress.shown for progress in progress_of(visible, access, today=TODAY)}
        if persona is EXECUTIVE:
            assert {ObjectiveStatus.ON_TRACK, ObjectiveStatus.OFF_TRACK, ObjectiveStatus.UNKNOWN} <= set(shown.values())
        for status in ObjectiveStatus:
            objectives = ObjectiveFilters.of_quarter(quarter, {"standing": status}, access, today=TODAY).qs
            assert {progress.pk for progress in objectives} == {
                pk for pk, progress in shown.items() if progress == status
            }, persona.name


def test_lists_are_narrowed(delivered: Org) -> None:
    quarter, access = current_quarter(), as_(EXECUTIVE)
    one = objective(EXECUTIVE, title="Reviews start sooner", unit="platform")
    two = objective(EXECUTIVE, title="Fewer incidents", unit="search", owner=OTHER_MEMBER.email)
    three = objective(EXECUTIVE, title="A draft", unit="engineering", publish=False)
    for params, expected in (
        ({}, [one, two]),
        ({"unit": "search"}, [two]),
        ({"unit": "engineering"}, [one, two]),
        ({"q": "INCIDENTS"}, [two]),
        ({"q": "grace"}, [two]),
        ({"owner": "grace@example.com"}, [two]),
        ({"drafts": "yes"}, [three]),
        ({"quarter": preceding(quarter).start}, []),
    ):
        objectives = ObjectiveFilters(params, access, today=TODAY).qs
        assert sorted(entry.pk for entry in objectives) == sorted(entry.pk for entry in expected), params
    for name in ("unit", "q"):
        with pytest.raises(FieldError):
            ObjectiveFilters({name: "a\x00b"}, access, today=TODAY).chosen  # noqa: B018  # reads it
    with pytest.raises(UnknownUnitError):
        ObjectiveFilters.of_request({"unit": "nowhere"}, access, today=TODAY)


def test_figures_read_together_equal_those_read_one_by_one(delivered: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five objectives of three units, some of which ask the same, and one whose statistic there is not."""
    for unit in ("platform", "search", "engineering", None):
        objective(EXECUTIVE, unit=unit, title=f"Of {unit}", key_results=(
            pickup(target_kind="absolute", target=HOUR, change_percent=None, baseline=9.0 * HOUR),
            by_hand(),
        ))  # fmt: skip
    again = objective(EXECUTIVE, unit="platform", title="The same again", key_results=(pickup(),))
    KeyResult.objects.filter(objective=again).update(metric="dora.deployment_frequency", statistic="median")

    def measure() -> list[tuple[Any, ...]]:
        measure_objectives(today=TODAY)
        columns = ("key_result", "value", "reason", "people", "points", "pace", "progress", "standing", "why")
        return list(KeyResultMeasure.objects.order_by("key_result").values_list(*columns))

    together = measure()
    assert [row[1] for row in together if row[1] is not None]
    monkeypatch.setattr(measuring, "OBJECTIVES_AT_ONCE", 1)
    monkeypatch.setattr(measuring, "OBJECTIVES_READ_AT_ONCE", 10**9)
    monkeypatch.setattr(measuring, "_read_ahead", lambda *_args, **_said: None)
    assert measure() == together


def test_fifty_objectives_take_a_handful_of_queries(delivered: Org) -> None:
    for number in range(50):
        objective(EXECUTIVE, title=f"Objective {number}", key_results=(by_hand(), by_hand()))
    ticket(EXECUTIVE, objective=Objective.objects.earliest("pk").pk)
    access = as_(EXECUTIVE)
    listed = list(ObjectiveFilters({}, access, today=TODAY).qs)
    with CaptureQueriesContext(connection) as queries:
        progresses = progress_of(listed, access, today=TODAY)
    assert len(progresses) == 50
    assert len(queries) <= 6, [str(query["sql"])[:80] for query in queries]
    assert sum(progress.tickets_open for progress in progresses) == 1


def test_open_and_overdue_tickets_are_counted(delivered: Org) -> None:
    written = objective()
    ticket(objective=written.pk)
    ticket(objective=written.pk, starts_on=TODAY - timedelta(days=9), due_on=TODAY - timedelta(days=1))
    (progress,) = progress_of([written], as_(EXECUTIVE), today=TODAY)
    assert (progress.tickets_open, progress.tickets_overdue) == (2, 1)
    assert Ticket.objects.count() == 2


def test_check_ins_are_due_every_two_weeks(delivered: Org) -> None:
    written = objective()
    Objective.objects.filter(pk=written.pk).update(published_at=datetime(2026, 6, 1, tzinfo=UTC))
    stored = Objective.objects.select_related("quarter", "unit").get(pk=written.pk)
    (progress,) = progress_of([stored], as_(EXECUTIVE), today=TODAY)
    assert (progress.check_in_due, progress.confidence) == (date(2026, 7, 15), ""), "two weeks into the quarter"
    CheckIn.objects.create(objective=stored, confidence="low", at=datetime(2026, 8, 14, tzinfo=UTC))
    (progress,) = progress_of([stored], as_(EXECUTIVE), today=TODAY)
    assert (progress.check_in_due, progress.confidence) == (date(2026, 8, 28), "low")


def test_templates_bring_baselines_and_targets(delivered: Org) -> None:
    quarter = current_quarter()
    slugs = [template.slug for template in objective_templates()]
    assert slugs == ["lead-time", "quality", "planning", "velocity", "allocation"]
    for slug in slugs:
        new_draft = objective_from_template(slug, "platform", quarter, as_(MANAGER))
        assert new_draft["template"] == slug
        assert 3 <= len(new_draft["key_results"]) <= 5
        proposed = [result for result in new_draft["key_results"] if result["target"] is not None]
        add_objective(as_(MANAGER), {**new_draft, "key_results": proposed})
    velocity = objective_from_template("velocity", "platform", quarter, as_(MANAGER))
    (cycle,) = [result for result in velocity["key_results"] if result["metric"] == "pr.cycle_time"]
    stood = KeyResult.objects.filter(metric="pr.cycle_time").get()
    assert cycle["baseline"] == stood.baseline
    assert stood.baseline_people == 6, "what was computed stays known as computed"
    assert cycle["target"] == pytest.approx((cycle["baseline"] or 0) * 0.85)
    few = objective_from_template("velocity", "search", quarter, as_(EXECUTIVE))
    assert [result["baseline"] for result in few["key_results"] if result["metric"] == "pr.cycle_time"] == [None], (
        "of two people"
    )
