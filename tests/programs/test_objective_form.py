"""The form of an objective: without a script, what is wrong beside its field, and two edits of one."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.urls import reverse

from orgtree.models import Person
from programs.models import Objective
from programs.objectives.services.writing import change_objective
from programs.quarters.fiscal_quarters import current_quarter
from tests.org import Org
from tests.pages.recomputed import plain
from tests.personas import EXECUTIVE, MANAGER, MEMBER, signed_in
from tests.programs.objective_pages import SignIn, form_of, text
from tests.programs.objectives import by_hand, draft, objective, stored
from tests.programs.tickets import as_
from tests.teams import create_teams


@pytest.fixture
def sign_in(org: Org) -> SignIn:
    create_teams()
    return signed_in


def test_an_objective_is_written_by_form(sign_in: SignIn) -> None:
    client = sign_in(MANAGER)
    rows: tuple[dict[str, str], ...] = (
        {"title": "Satisfaction", "target": "4", "baseline": "3", "better": "higher", "unit_of_measure": "of 5"},
        {"metric": "pr.review_time", "target": "10 h", "baseline": "20 h"},
        {"metric": "dora.change_failure_rate", "target_kind": "guardrail", "target": "15%", "baseline": "12%"},
        {},
        {"metric": "pr.cycle_time", "target_kind": "relative", "target": "−20%", "baseline": "5 days"},
    )
    answer = client.post(reverse("objective_new"), form_of(*rows, owner="ada@example.com", is_mandatory="on"))
    new_objective = Objective.objects.get()
    assert answer["Location"] == reverse("objective", args=[new_objective.pk])
    assert new_objective.published_at is not None
    assert (new_objective.is_mandatory, new_objective.owner) == (True, Person.objects.get(email="ada@example.com"))
    amounts = {result.title: (result.target, result.baseline) for result in new_objective.key_results.all()}
    assert amounts == {
        "Satisfaction": (4, 3),
        "Review time: 10.0 h or less": (36_000, 72_000),
        "Change failure rate: stays at 15.0% or less": (15, 12),
        "Cycle time: −20%": (pytest.approx(345_600), 432_000),
    }
    response = client.post(reverse("objective_new"), form_of(title="Later", publish=None, keep="1"))
    assert response.status_code == 302
    assert Objective.objects.get(title="Later").published_at is None


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"metric": "pr.review_time", "target": "10", "baseline": "20 h"}, "duration with its unit"),
        ({"metric": "pr.review_time", "target": ""}, "Enter what you want to achieve"),
        ({"metric": "pr.review_time", "target": "30 h", "baseline": "20 h"}, "baseline"),
        ({"metric": "no.such_metric", "target": "3"}, "is not one of the available choices"),
        ({"title": "", "target": "4", "better": "higher"}, "Enter what is measured"),
        ({"title": "Satisfaction", "target": "4 apples", "better": "higher"}, "is not a number"),
        ({"title": "Satisfaction", "target": "2", "baseline": "3", "better": "higher"}, "baseline"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_lost(
    sign_in: SignIn, row: dict[str, str], message: str
) -> None:
    form = form_of(
        {"title": "Fine", "target": "4", "baseline": "3", "better": "higher"}, {}, row, title="Keep my words"
    )
    answer = sign_in(MANAGER).post(reverse("objective_new"), form)
    page = answer.content.decode()
    assert answer.status_code == 400
    assert not Objective.objects.exists()
    assert 'value="Keep my words"' in page
    third = page.partition("Key result 3</b>")[2].partition("Key result 4</b>")[0]
    assert message in plain(third), "in its row"
    assert 'class="errorlist"' in third
    for name in ("target", "title"):
        assert f'value="{row.get(name) or ""}"' in third or not row.get(name)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"owner": "nobody@example.com"}, "Nobody with the address"),
        ({"title": ""}, "This field is required"),
        ({"unit": "search"}, "is not one of the available choices"),
        ({"quarter": "1999-01-01"}, "is not one of the available choices"),
        ({"parent": "4711"}, "is not one of the available choices"),
        ({"key_results-TOTAL_FORMS": "9999"}, "at most"),
    ],
)
def test_what_the_form_does_not_offer_is_refused(sign_in: SignIn, fields: dict[str, str], message: str) -> None:
    answer = sign_in(MANAGER).post(reverse("objective_new"), form_of(**fields))
    assert answer.status_code == 400
    assert message in plain(answer.content.decode())
    assert not Objective.objects.exists()


def test_two_mandatory_objectives_are_refused_at_their_field(sign_in: SignIn) -> None:
    objective(is_mandatory=True)
    answer = sign_in(MANAGER).post(reverse("objective_new"), form_of(is_mandatory="on"))
    assert answer.status_code == 400
    assert "A team has one per quarter" in plain(answer.content.decode())


def test_baselines_are_looked_up_without_storing_anything(sign_in: SignIn) -> None:
    client = sign_in(MANAGER)
    form = form_of({"metric": "pr.review_time", "target": "10 h"}, look="1", publish=None)
    answer = client.post(reverse("objective_new"), form)
    assert answer.status_code == 200
    assert "Lower is better" in plain(answer.content.decode())
    assert not Objective.objects.exists()
    requested = {
        "row": "2", "unit": "platform", "quarter": str(current_quarter().start),
        "key_results-2-metric": "pr.review_time", "key_results-2-statistic": "p90",
    }  # fmt: skip
    part = client.get(reverse("objective_baseline"), requested)
    assert "Lower is better" in part.content.decode()
    for wrong in ({"row": "x"}, {"unit": "nowhere"}, {"quarter": "never"}, {"key_results-2-metric": "no.such"}):
        assert client.get(reverse("objective_baseline"), {**requested, **wrong}).status_code == 200


def test_a_metric_leads_to_an_objective_for_whoever_may_write_one(sign_in: SignIn) -> None:
    address = "/insights/metrics/pr.review_time/?unit=platform"
    link = f"{reverse('objective_new')}?metric=pr.review_time&amp;unit=platform"
    assert link in text(sign_in(MANAGER), address)
    assert "Set an objective" not in text(sign_in(MEMBER), address)
    form = text(sign_in(MANAGER), link.replace("&amp;", "&"))
    assert 'value="pr.review_time" selected' in form
    assert 'value="platform" selected' in form


def as_shown(page: str) -> dict[str, str]:
    """The form that a browser would send unchanged."""
    form = page.partition("hw-obj-form")[2]
    values: dict[str, str] = dict(re.findall(r'<input[^>]*? name="([^"]+)" value="([^"]*)"', form))
    values |= dict.fromkeys(re.findall(r'<input type="checkbox" name="([^"]+)"[^>]* checked', form), "on")
    for name, body in re.findall(r'<select name="([^"]+)".*?>(.*?)</select>', form, re.DOTALL):
        values[name] = next(iter(re.findall(r'<option value="([^"]*)" selected', body)), "")
    for name, body in re.findall(r'<textarea name="([^"]+)".*?>(.*?)</textarea>', form, re.DOTALL):
        values[name] = body.removeprefix("\n")
    return {name: html.unescape(value) for name, value in values.items()}


def test_a_form_that_is_sent_as_it_came_changes_nothing(sign_in: SignIn) -> None:
    def metric(**fields: Any) -> dict[str, Any]:
        return {"title": "Faster", "metric": "pr.review_time", **fields}

    new_objective = objective(
        description="Two\nlines, “quoted” & <bold>",
        is_mandatory=True,
        key_results=(
            by_hand(target=4.123456789),
            metric(target=35_999.999, baseline=72_000.3),
            metric(target_kind="relative", change_percent=-12.5, baseline=123_456.7),
            metric(target_kind="guardrail", target=200_000.4, baseline=123_456.7),
            metric(target_kind="guardrail", change_percent=10.0, baseline=123_456.7),
        ),
    )
    before = list(new_objective.key_results.values_list())
    client, edit = sign_in(MANAGER), reverse("objective_edit", args=[new_objective.pk])
    page = text(client, edit)
    assert 'value="10 h"' in page, "rounded as people write"
    assert 'value="-12.5%"' in page
    form = {**as_shown(page), "keep": "1"}
    answer = client.post(edit, form)
    assert answer.status_code == 302, plain(answer.content.decode())
    assert stored(new_objective).version == 1
    assert list(stored(new_objective).key_results.values_list()) == before
    removed = client.post(edit, {**form, "key_results-1-remove": "on"})
    assert removed.status_code == 302
    assert [result.change_percent for result in stored(new_objective).key_results.all()] == [None, -12.5, None, 10.0]


def test_the_second_edit_sees_both_texts_and_can_be_saved(sign_in: SignIn) -> None:
    new_objective, client = objective(), sign_in(MANAGER)
    result = new_objective.key_results.get()
    change_objective(
        as_(EXECUTIVE),
        stored(new_objective),
        draft(title="Reviews within a day", key_results=(by_hand(id=result.pk, target=4.5),)),
        of_version=1,
    )
    edit = reverse("objective_edit", args=[new_objective.pk])
    mine = {"id": result.pk, "title": "Satisfaction", "target": "5", "baseline": "3", "better": "higher",
            "unit_of_measure": "of 5"}  # fmt: skip
    form = form_of(mine, {"title": "Another", "target": "9", "baseline": "1", "better": "higher"}, title="Mine")
    answer = client.post(edit, form)
    assert answer.status_code == 409
    words = plain(answer.content.decode())
    assert "Objective Reviews within a day Mine" in words
    assert "Key result 1: Target 4.5 5" in words
    assert "Key result 2 – Another" in words
    assert stored(new_objective).title == "Reviews within a day"
    assert 'name="version" value="2"' in answer.content.decode()
    assert client.post(edit, {**form, "version": "2"}).status_code == 302
    assert stored(new_objective).title == "Mine"
    assert [key_result.target for key_result in stored(new_objective).key_results.all()] == [5, 9]
