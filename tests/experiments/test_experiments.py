"""Experiments: what can be designed, who reads the verdict, and what it is worth."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from core.write_errors import ConflictError, FieldError, MayNotWriteError
from insights.findings.detectors import BY_KEY
from insights.formulas.difference_in_differences import Effect
from insights.models import Finding
from insights.query import windows
from insights.query.enums import Better
from insights.query.query import Granularity
from orgtree.access.access import aggregates_access
from orgtree.models import Unit
from programs.experiments.queries import visible_results
from programs.experiments.services.measuring import MOVED_BEFORE, measure_experiments, verdict_of
from programs.experiments.services.writing import add_experiment, change_experiment, remove_experiment
from programs.models import Experiment, ExperimentResult, ExperimentVerdict
from tests.org import Org
from tests.pages.delivering import merged
from tests.personas import ADMIN, EXECUTIVE, MANAGER, MEMBER, signed_in
from tests.programs.objectives import objective
from tests.programs.tickets import as_, ticket
from tests.stored_once import StoreOnce
from tests.teams import add_teams, create_teams

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("teams")]
PAGE, API = "/programs/experiments/", "/api/v1/experiments/"
TREATED, COMPARED = ("amber", "blue", "cyan"), ("dun", "ebony", "fawn")
PEOPLE = 5  # of each unit: as many as a figure needs to be shown
WEEKS = 5
PICKUP, SIZE = "pr.pickup_time", "pr.size"
WAITS = 20.0  # hours, until the change


def this_monday() -> date:
    return windows.whole_bucket(windows.local_today(), Granularity.WEEK).start


def start() -> date:
    return this_monday() - timedelta(weeks=WEEKS)


@pytest.fixture(scope="module")
def teams(stored_once: StoreOnce, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Org]:
    with stored_once(lambda: shop(Org(tmp_path_factory.mktemp))) as made:
        yield made


def shop(org: Org) -> Org:
    """Six teams with a pull request of each person a week; from its start on the treated ones review at once."""
    teams = create_teams()
    people = {unit: [f"{unit}{number}" for number in range(PEOPLE)] for unit in (*TREATED, *COMPARED)}
    add_teams(teams, people)
    records, number = [], 0
    for week in range(-12, WEEKS):
        for place, unit in enumerate((*TREATED, *COMPARED)):
            for day, person in enumerate(people[unit]):
                number += 1
                waits = 0.0 if unit in TREATED and week >= 0 else WAITS + place
                # A week's mood of each team, without which nothing would vary.
                waits += (week * 7 + place * 3) % 5 / 2
                on = start() + timedelta(weeks=week, days=day)
                records.append(merged(number, on, author=person, waits=waits))
    org.push("pull-requests", *records)
    return org


def draft(**fields: Any) -> dict[str, Any]:
    """Of engineering, over since this Monday."""
    usual = {
        "title": "Reviews on the hour shorten the wait",
        "change": "Everybody looks for open reviews at ten and at three.",
        "unit": "engineering",
        "metric": PICKUP,
        "guard_rails": [SIZE],
        "treated": [*TREATED],
        "compared": [*COMPARED],
        "starts_on": start().isoformat(),
        "weeks": WEEKS,
    }
    return {**usual, **fields}


def experiment(**fields: Any) -> Experiment:
    return add_experiment(as_(EXECUTIVE), draft(**fields))


def test_a_change_that_worked_is_better_and_guard_rails_come_first() -> None:
    made = experiment()
    assert measure_experiments() == 1
    result = ExperimentResult.objects.get()
    assert (result.verdict, result.people) == (ExperimentVerdict.BETTER, PEOPLE)
    # They waited 20 to 22 hours longer and wait no more; the others' weeks differ by two hours at most.
    assert result.effect == pytest.approx(-21 * 3600, abs=2 * 3600)
    assert result.high is not None
    assert result.high < -15 * 3600
    assert [rail["verdict"] for rail in result.guard_rails] == ["no_difference"]
    page = signed_in(EXECUTIVE).get(f"{PAGE}{made.pk}/").content.decode()
    assert page.index("Guard rails first") < page.index("in units that changed")
    assert "Better" in page
    assert "because" not in page.lower()
    assert "Whether the change caused it, the figures cannot show." in page
    chart = signed_in(EXECUTIVE).get(f"{PAGE}{made.pk}/chart/").json()
    assert len(chart["labels"]) == 12 + WEEKS
    assert measure_experiments() == 0


def test_the_log_is_searched_by_metric_and_verdict() -> None:
    made = experiment()
    other = experiment(title="Nothing changes", treated=[*COMPARED], compared=["platform", "search", "amber"])
    measure_experiments()
    reader = signed_in(EXECUTIVE)

    def listed(query: str) -> set[int]:
        return {one["id"] for one in reader.get(f"{API}?{query}").json()["experiments"]}

    assert listed("") == {made.pk, other.pk}
    assert listed("verdict=better") == {made.pk}
    assert listed(f"metric={PICKUP}&verdict=no_difference") == {other.pk}
    assert listed("metric=pr.size") == set()
    assert listed("state=over") == {made.pk, other.pk}
    assert listed("q=on+the+hour") == {made.pk}
    text = reader.get(f"{PAGE}experiments.csv?verdict=better").getvalue().decode("utf-8-sig")
    [row] = csv.DictReader(io.StringIO(text))
    assert (row["Verdict"], row["Number"]) == ("Better", str(made.pk))
    assert "Reviews on the hour" in reader.get(f"{PAGE}?verdict=better").content.decode()
    assert "Nothing changes" not in reader.get(f"{PAGE}?verdict=better").content.decode()


def test_a_verdict_is_for_those_who_may_see_all_its_units_and_of_enough_people() -> None:
    made = experiment()
    measure_experiments()
    # A member of Platform reads what engineering tries, and neither the verdict nor the other units.
    member = signed_in(MEMBER)
    document = member.get(f"{API}{made.pk}/").json()
    assert (document["result"], document["treated"], document["compared"]) == (None, [], [])
    assert member.get(f"{API}?verdict=better").json()["total"] == 0
    assert member.get(f"{PAGE}{made.pk}/chart/").status_code == 404
    page = member.get(f"{PAGE}{made.pk}/").content.decode()
    assert "units that you may not see" in page
    assert "amber" not in page.lower()
    ExperimentResult.objects.update(people=PEOPLE - 1)
    for persona in (EXECUTIVE, ADMIN, MANAGER):
        assert not visible_results([made], as_(persona))
    assert signed_in(EXECUTIVE).get(f"{API}?verdict=better").json()["total"] == 0


def test_the_design_is_checked() -> None:
    tuesday = (start() + timedelta(days=1)).isoformat()
    for fields, field, words in (
        ({"title": ""}, "title", "hypothesis"),
        ({"metric": "pr.nothing"}, "metric", "There is no metric"),
        ({"metric": None}, "metric", ""),
        ({"guard_rails": [PICKUP]}, "guard_rails", "no guard rail"),
        ({"guard_rails": ["no.metric"]}, "guard_rails", "There is no metric"),
        ({"treated": []}, "treated", "Choose the units"),
        ({"treated": ["nowhere"]}, "treated", "There is no unit “nowhere”"),
        ({"compared": ["amber", "dun", "fawn"]}, "compared", "both groups"),
        ({"starts_on": tuesday}, "starts_on", "Choose a Monday"),
        ({"weeks": 3}, "weeks", ""),
        ({"finding": 4711}, "finding", "There is no such finding"),
    ):
        with pytest.raises(FieldError) as refused:
            experiment(**fields)
        assert refused.value.field.split(".")[0] == field, fields
        assert words in refused.value.message
    with pytest.raises(FieldError, match="There is no unit “engineering”"):
        add_experiment(as_(MANAGER), draft())
    with pytest.raises(FieldError, match="There is no unit “amber”"):
        add_experiment(as_(MANAGER), draft(unit="platform"))  # units that the manager may not see


def test_the_order_of_a_staggered_roll_out_is_drawn_once() -> None:
    coming = (this_monday() + timedelta(weeks=2)).isoformat()
    made = experiment(starts_on=coming, step_weeks=2)
    assert sorted(made.treated) == sorted(TREATED)
    assert made.ends_on == date.fromisoformat(coming) + timedelta(weeks=2 * 2 + WEEKS)
    drawn = list(made.treated)
    changed = change_experiment(as_(EXECUTIVE), made, {"treated": sorted(drawn), "weeks": 8}, of_version=1)
    assert changed.treated == drawn
    assert changed.ends_on == date.fromisoformat(coming) + timedelta(weeks=2 * 2 + 8)
    with pytest.raises(ConflictError):
        change_experiment(as_(EXECUTIVE), made, {"weeks": 9}, of_version=1)
    orders = {tuple(experiment(starts_on=coming, step_weeks=1).treated) for _ in range(20)}
    assert len(orders) > 1


def test_once_started_the_design_is_fixed_and_the_log_keeps_it() -> None:
    made = experiment()
    with pytest.raises(FieldError, match="fixed"):
        change_experiment(as_(EXECUTIVE), made, {"weeks": 8}, of_version=1)
    learned = change_experiment(as_(EXECUTIVE), made, {"learned": "Two fixed hours are enough."}, of_version=1)
    assert learned.version == 2
    with pytest.raises(FieldError, match="stays in the log"):
        remove_experiment(as_(EXECUTIVE), made)
    planned = experiment(starts_on=(this_monday() + timedelta(weeks=1)).isoformat())
    remove_experiment(as_(EXECUTIVE), planned)
    assert not Experiment.objects.filter(pk=planned.pk).exists()
    with pytest.raises(MayNotWriteError):
        remove_experiment(as_(MANAGER), made)


def test_nothing_is_judged_before_its_end() -> None:
    made = experiment(weeks=WEEKS + 1)
    assert measure_experiments() == 0
    page = signed_in(EXECUTIVE).get(f"{PAGE}{made.pk}/").content.decode()
    assert "looking earlier finds differences by chance" in page


def test_a_planned_one_says_what_it_can_show() -> None:
    made = experiment(starts_on=(this_monday() + timedelta(weeks=1)).isoformat())
    page = signed_in(EXECUTIVE).get(f"{PAGE}{made.pk}/").content.decode()
    assert "is shown in 80% of such experiments" in page
    assert "(planned)" in page


def test_the_three_words() -> None:
    down, none = Effect(-5, -8, -2), Effect(1, -2, 4)
    assert verdict_of(Better.LOWER, down, none) == (ExperimentVerdict.BETTER, "")
    assert verdict_of(Better.HIGHER, down, none) == (ExperimentVerdict.WORSE, "")
    assert verdict_of(Better.LOWER, none, none) == (ExperimentVerdict.NO_DIFFERENCE, "")
    assert verdict_of(Better.LOWER, down, down) == (ExperimentVerdict.NO_DIFFERENCE, MOVED_BEFORE)
    assert verdict_of(Better.LOWER, None, None)[0] == ExperimentVerdict.NO_DIFFERENCE
    assert verdict_of(Better.NEITHER, down, none)[0] == ExperimentVerdict.NO_DIFFERENCE


def test_from_a_finding_to_the_verdict_beside_it() -> None:
    finding = Finding.objects.create(
        detector=next(key for key, detector in BY_KEY.items() if detector.metric == PICKUP),
        metric=PICKUP, unit=Unit.objects.get(slug="amber"), since=start(), until=this_monday(), before=36000,
        after=72000, low=18000, high=50400, chance=1e-5, sample=160,
        compared_with=["dun", "blue", "ebony", "cyan", "fawn"], found_on=this_monday(),
        minimum_people=aggregates_access().fewest_shown,
    )  # fmt: skip
    leader = signed_in(EXECUTIVE)
    form = leader.get(f"{PAGE}new/?finding={finding.pk}")
    assert form.context["form"].initial["treated"] == ["amber", "blue", "cyan"]
    assert form.context["form"].initial["compared"] == ["dun", "ebony", "fawn"]
    sent = {**draft(), "unit": "engineering", "step_weeks": 0, "owner": "", "learned": ""}
    saved = leader.post(f"{PAGE}new/?finding={finding.pk}", sent)
    assert saved.status_code == 302, saved.content.decode()[:3000]
    made = Experiment.objects.get()
    assert (made.finding_id, saved["Location"]) == (finding.pk, f"{PAGE}{made.pk}/")
    measure_experiments()
    beside = leader.get(f"/insights/findings/?finding={finding.pk}").content.decode()
    assert f"{PAGE}{made.pk}/" in beside
    assert "Better" in beside
    assert f"/insights/findings/?finding={finding.pk}" in leader.get(f"{PAGE}{made.pk}/").content.decode()
    member = signed_in(MEMBER).get(f"{API}{made.pk}/").json()
    assert member["finding"] is None


def test_a_finding_without_comparable_units_is_set_beside_typical_teams() -> None:
    finding = Finding.objects.create(
        detector=f"{PICKUP}.change", metric=PICKUP, unit=Unit.objects.get(slug="amber"), since=start(),
        until=this_monday(), before=36000, after=72000, low=18000, high=50400, chance=1e-5, sample=160,
        found_on=this_monday(), minimum_people=aggregates_access().fewest_shown,
    )  # fmt: skip
    initial = signed_in(EXECUTIVE).get(f"{PAGE}new/?finding={finding.pk}").context["form"].initial
    assert initial["treated"][0] == "amber"
    assert len(initial["compared"]) >= 2
    assert not {*initial["treated"]} & {*initial["compared"]}


def test_from_a_ticket_in_one_step() -> None:
    filed = ticket(metric=PICKUP, resolution="Review on the hour.")
    beside = signed_in(MANAGER).get(f"/programs/tickets/{filed.pk}/").content.decode()
    assert f"{PAGE}new/?ticket={filed.pk}" in beside
    initial = signed_in(MANAGER).get(f"{PAGE}new/?ticket={filed.pk}").context["form"].initial
    assert (initial["metric"], initial["change"], initial["ticket"]) == (PICKUP, "Review on the hour.", filed.pk)


def test_a_form_with_errors_says_them_and_another_version_is_not_lost() -> None:
    leader, made = signed_in(EXECUTIVE), experiment()
    sent = {**draft(), "step_weeks": 0, "owner": "", "learned": "", "starts_on": "2026-11-24"}
    assert "Choose a Monday" in leader.post(f"{PAGE}new/", sent).content.decode()
    values = {**sent, "starts_on": start().isoformat(), "learned": "Mine", "version": 1}
    assert leader.post(f"{PAGE}{made.pk}/edit/", values).status_code == 302
    assert leader.post(f"{PAGE}{made.pk}/edit/", {**values, "learned": "Theirs"}).status_code == 409
    assert signed_in(MEMBER).get(f"{PAGE}{made.pk}/edit/").status_code == 403
    assert signed_in(MEMBER).get(f"{PAGE}new/").status_code == 403


def test_it_starts_from_an_objective_and_the_search_finds_it() -> None:
    aim = objective(title="Reviews begin sooner")
    page = signed_in(EXECUTIVE).get(f"/programs/objectives/{aim.pk}/").content.decode()
    assert f'href="/programs/experiments/new/?objective={aim.pk}"' in page
    form = signed_in(EXECUTIVE).get(f"/programs/experiments/new/?objective={aim.pk}").content.decode()
    assert "Reviews begin sooner" in form
    assert "Start an experiment" not in signed_in(MEMBER).get(f"/programs/objectives/{aim.pk}/").content.decode()
    made = Experiment.objects.create(
        title="A rota shortens the wait", change="-", metric="pr.pickup_time", starts_on=start(),
        ends_on=start() + timedelta(weeks=8), unit=aim.unit,
    )  # fmt: skip
    found = signed_in(EXECUTIVE).get("/search/?q=rota+shortens").content.decode()
    assert f"/programs/experiments/{made.pk}/" in found
