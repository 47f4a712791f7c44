"""Pilots: which teams are typical, what they stood at before and at the end, who sees it, and the next stage."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest

from core.write_errors import FieldError, MayNotWriteError
from insights.benchmarks.baselines import read_baseline
from insights.catalogue.registry import get
from insights.query.query import Scope, Window
from orgtree.models import Unit
from programs.experiments.queries import visible_figures
from programs.experiments.services.choosing import TeamDistance, teams_by_distance, typical
from programs.experiments.services.measuring import measure_experiments
from programs.experiments.services.pilots import ASPECTS, measure_pilots, widen
from programs.models import Experiment, ExperimentResult, ExperimentVerdict, PilotFigure, Ticket
from tests.experiments.test_experiments import (
    API,
    COMPARED,
    PAGE,
    PEOPLE,
    PICKUP,
    TREATED,
    WEEKS,
    draft,
    experiment,
    start,
    teams,
    this_monday,
)
from tests.personas import ADMIN, EXECUTIVE, MANAGER, MEMBER, signed_in
from tests.programs.tickets import as_

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("teams")]
__all__ = ["teams"]
TWO = [*TREATED[:2]]
OTHERS = [TREATED[2], *COMPARED]


def pilot(**fields: Any) -> Experiment:
    return experiment(**{"is_pilot": True, "treated": TWO, "compared": [*COMPARED], **fields})


def over() -> Experiment:
    made = pilot()
    measure_experiments()
    measure_pilots()
    return made


def test_two_teams_get_a_verdict_and_a_report_of_both_times() -> None:
    made = over()
    assert ExperimentResult.objects.get().verdict == ExperimentVerdict.BETTER
    page = signed_in(EXECUTIVE).get(f"{PAGE}{made.pk}/").content.decode()
    for aspect in ASPECTS:
        assert f"{aspect.name}: {aspect.question}" in page
    assert "The teams, and why" in page
    assert "data-print" in page
    assert "Which units take it up next?" in page


def test_the_figures_are_those_of_the_weeks_before_and_after() -> None:
    made = over()
    weeks = {False: Window(start() - timedelta(weeks=12), start()), True: Window(start(), this_monday())}
    for is_at_end, window in weeks.items():
        figure = PilotFigure.objects.get(experiment=made, unit="amber", metric=PICKUP, is_at_end=is_at_end)
        alone = read_baseline(PICKUP, Scope("amber"), window, None)
        assert (figure.value, figure.sample_size, figure.people) == (alone.value, alone.sample_size, PEOPLE)
        assert figure.sample_size == PEOPLE * (window.days // 7)
        assert figure.window == window
    before = PilotFigure.objects.get(experiment=made, unit="amber", metric=PICKUP, is_at_end=False)
    # A review came 4 hours after the opening, and later by 20 and by a mood of 0 to 2, whose median is 1.
    assert before.value == (4 + 20 + 1) * 3600
    assert before.low is not None
    assert before.high is not None
    assert before.low <= before.value <= before.high
    after = PilotFigure.objects.get(experiment=made, unit="amber", metric=PICKUP, is_at_end=True)
    assert after.value == (4 + 1) * 3600
    assert (after.low, after.reason) == (None, "No interval: it takes 8 of them with data.")


def test_a_baseline_is_taken_anew_until_the_start_and_then_kept() -> None:
    coming = pilot(starts_on=(this_monday() + timedelta(weeks=2)).isoformat())
    measure_pilots()
    taken = PilotFigure.objects.filter(experiment=coming)
    first = taken.get(unit="amber", metric=PICKUP).measured_at
    assert not taken.filter(is_at_end=True).exists()
    measure_pilots()
    assert taken.filter(unit="amber", metric=PICKUP).count() == 1
    assert taken.get(unit="amber", metric=PICKUP).measured_at > first
    Experiment.objects.filter(pk=coming.pk).update(starts_on=start(), ends_on=this_monday() + timedelta(weeks=1))
    kept = taken.get(unit="amber", metric=PICKUP).measured_at
    measure_pilots()
    assert taken.get(unit="amber", metric=PICKUP).measured_at == kept


def test_an_experiment_that_is_no_pilot_has_no_figures() -> None:
    made = experiment()
    measure_pilots()
    assert not PilotFigure.objects.exists()
    assert signed_in(EXECUTIVE).get(f"{API}{made.pk}/").json()["figures"] == []
    assert signed_in(EXECUTIVE).get(f"{API}?pilot=yes").json()["total"] == 0


def test_figures_are_for_those_who_may_see_the_unit_and_of_enough_people() -> None:
    made = over()
    document = signed_in(EXECUTIVE).get(f"{API}{made.pk}/").json()
    assert {figure["unit"] for figure in document["figures"]} == {*TWO}
    assert signed_in(MEMBER).get(f"{API}{made.pk}/").json()["figures"] == []
    assert "amber" not in signed_in(MEMBER).get(f"{PAGE}{made.pk}/").content.decode().lower()
    rows = signed_in(MEMBER).get(f"{PAGE}{made.pk}/figures.csv").getvalue().decode("utf-8-sig").splitlines()
    assert len(rows) == 1
    text = signed_in(EXECUTIVE).get(f"{PAGE}{made.pk}/figures.csv").getvalue().decode("utf-8-sig")
    assert {row["Unit"] for row in csv.DictReader(io.StringIO(text))} == {*TWO}
    PilotFigure.objects.filter(metric=PICKUP).update(people=PEOPLE - 1)
    for persona in (EXECUTIVE, ADMIN):
        shown = visible_figures([made], as_(persona))[made.pk]
        assert shown
        assert PICKUP not in {figure.metric for figure in shown}


def test_the_most_typical_teams_come_first_and_the_form_takes_two_of_them() -> None:
    listed = teams_by_distance(get(PICKUP), as_(EXECUTIVE), on=this_monday())
    assert {*TREATED, *COMPARED} <= {one.unit.slug for one in listed}
    known = [one for one in listed if not one.unknown]
    assert [one.distance for one in known] == sorted(one.distance for one in known)
    form = signed_in(EXECUTIVE).get(f"{PAGE}new/?pilot=1&metric={PICKUP}")
    initial = form.context["form"].initial
    assert initial["treated"] == [one.unit.slug for one in listed[:2]]
    assert not {*initial["treated"]} & {*initial["compared"]}
    assert "How typical each team is" in form.content.decode()
    named = signed_in(EXECUTIVE).get(f"{PAGE}new/?pilot=1&metric={PICKUP}&treated=fawn&treated=nowhere")
    assert named.context["form"].initial["treated"] == ["fawn"]


def test_a_distance_by_hand() -> None:
    """Of a size as the middle one's, a tenth of other work, and a value a half off: (0 + 0.1 + 0.5) / 3."""
    amber = TeamDistance(unit=Any, size=0, work=0.1, baseline=0.5, value=None)  # type: ignore[arg-type]
    assert amber.distance == pytest.approx(0.2)
    assert TeamDistance(unit=Any, size=0.4, work=None, baseline=0.2, value=None).distance == pytest.approx(0.3)  # type: ignore[arg-type]


def test_those_to_compare_with_are_near_and_three_at_least() -> None:
    class Named:
        def __init__(self, slug: str) -> None:
            self.slug = slug

    def at(slug: str, off: float) -> TeamDistance:
        return TeamDistance(Named(slug), size=off, work=off, baseline=off, value=None)  # type: ignore[arg-type]

    near = [at(slug, off) for slug, off in (("a", 0.1), ("b", 0.2), ("c", 0.3), ("d", 0.4), ("e", 0.5), ("f", 2.0))]
    assert typical(near, ["a", "b"]) == ["c", "d", "e"]
    far = [at(slug, off) for slug, off in (("a", 0.1), ("b", 0.2), ("c", 0.9), ("d", 1.4), ("e", 1.5), ("f", 2.0))]
    assert typical(far, ["a", "b"]) == ["c", "d", "e"]


def test_a_pilot_is_planned_on_its_form() -> None:
    sent = {**draft(treated=TWO), "step_weeks": 0, "owner": "", "learned": ""}
    saved = signed_in(EXECUTIVE).post(f"{PAGE}new/?pilot=1", sent)
    assert saved.status_code == 302, saved.content.decode()[:3000]
    made = Experiment.objects.get()
    assert (made.is_pilot, made.treated) == (True, TWO)
    listed = signed_in(EXECUTIVE).get(f"{PAGE}?pilot=yes").content.decode()
    assert "Reviews on the hour" in listed


def test_widening_makes_the_next_stage_and_its_ticket_in_one_step() -> None:
    made = over()
    Experiment.objects.filter(pk=made.pk).update(owner=Unit.objects.get(slug="platform").leader)
    answer = signed_in(EXECUTIVE).post(f"{PAGE}{made.pk}/widen/", {"units": ["dun"]})
    stage = Experiment.objects.get(widens=made)
    assert answer["Location"] == f"{PAGE}{stage.pk}/"
    assert (stage.treated, stage.compared) == (["dun"], ["ebony", "fawn"])
    assert (stage.is_pilot, stage.metric, stage.starts_on) == (True, PICKUP, this_monday() + timedelta(weeks=1))
    ticket = Ticket.objects.get()
    assert (ticket.pk, ticket.due_on, ticket.metric) == (stage.ticket_id, stage.ends_on, PICKUP)
    assert ticket.title == "Widen: Reviews on the hour shorten the wait"
    page = signed_in(EXECUTIVE).get(f"{PAGE}{made.pk}/").content.decode()
    assert f"{PAGE}{stage.pk}/" in page
    document = signed_in(EXECUTIVE).post(
        f"{API}{made.pk}/widen/", {"units": ["ebony"]}, content_type="application/json"
    )
    assert (document.status_code, document.json()["widens"]) == (201, made.pk)


def test_what_cannot_be_widened_says_why_and_stores_nothing() -> None:
    made = over()
    Experiment.objects.filter(pk=made.pk).update(owner=Unit.objects.get(slug="platform").leader)
    made.refresh_from_db()
    for units, words in (
        ([], "Choose the units"),
        ("dun", "Choose the units"),
        (["amber"], "has started already"),
        (["nowhere"], "There is no unit"),
        ([*COMPARED], "Leave units to compare with"),
    ):
        with pytest.raises(FieldError, match=words):
            widen(as_(EXECUTIVE), made, {"units": units})
    with pytest.raises(MayNotWriteError):
        widen(as_(MANAGER), made, {"units": ["dun"]})
    running = pilot(weeks=WEEKS + 1)
    with pytest.raises(FieldError, match="not over"):
        widen(as_(EXECUTIVE), running, {"units": ["dun"]})
    Experiment.objects.filter(pk=made.pk).update(owner=None)
    made.refresh_from_db()
    with pytest.raises(FieldError, match="Name an owner"):
        widen(as_(ADMIN), made, {"units": ["dun"]})
    assert not Ticket.objects.exists()
    assert not Experiment.objects.filter(widens=made).exists()


def test_the_guided_start_leads_to_a_pilot_of_its_teams() -> None:
    page = signed_in(EXECUTIVE).get("/programs/start/?unit=amber&unit=blue").content.decode()
    assert 'href="/programs/experiments/new/?pilot=1&amp;treated=amber&amp;treated=blue"' in page
