"""Objectives are begun from templates: the method's five, and what admins make of them."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from core.write_errors import FieldError
from insights.catalogue.registry import get
from insights.query.enums import Better
from programs.models import ObjectiveTemplate, TemplateKeyResult
from programs.models.objectives import MOST_KEY_RESULTS
from programs.objectives.services.templates import objective_from_template, objective_templates
from programs.quarters.fiscal_quarters import current_quarter
from tests.org import Org
from tests.personas import EXECUTIVE, MANAGER
from tests.programs.tickets import as_
from tests.teams import create_teams

ADDRESS = "/admin/programs/objectivetemplate/"


@pytest.fixture(autouse=True)
def teams(org: Org) -> None:
    create_teams()


def test_the_five_are_those_of_the_method() -> None:
    assert [template.title for template in objective_templates()] == [
        "Improve DORA lead time",
        "Improve quality",
        "Better planning",
        "Scale velocity",
        "Optimize resource allocation",
    ]


def test_every_outcome_is_bound_to_a_metric_in_its_direction_or_says_that_it_is_by_hand() -> None:
    for template in objective_templates():
        outcomes = list(template.key_results.all())
        assert 3 <= len(outcomes) <= MOST_KEY_RESULTS
        for outcome in outcomes:
            if outcome.metric:
                metric = get(outcome.metric)
                assert metric.better in (Better.NEITHER, outcome.better), outcome.title
                assert not metric.always_by
            else:
                assert outcome.unit_of_measure
                assert "by hand" in template.description, template.slug


def test_without_data_a_template_proposes_no_target_in_percent() -> None:
    filled = objective_from_template("lead-time", "platform", current_quarter(), as_(MANAGER))
    assert [result["baseline"] for result in filled["key_results"]] == [None] * 5
    assert filled["owner"] == MANAGER.email
    for slug, unit in (("luck", "platform"), ("a\x00", None), ("quality", "nowhere")):
        with pytest.raises(FieldError):
            objective_from_template(slug, unit, current_quarter(), as_(EXECUTIVE))


def form(template: ObjectiveTemplate, **fields: Any) -> dict[str, Any]:
    """The admin form of a template with one key result."""
    outcome = {"title": "Fewer escape", "metric": "bug.escaped", "better": "lower", "target_kind": "relative"}
    row = {**outcome, "change_percent": "-20", "position": "0", "id": "", "template": template.pk, **fields}
    return {
        **{name: getattr(template, name) for name in ("name", "slug", "meaning", "title", "description", "position")},
        "is_offered": "on",
        "key_results-TOTAL_FORMS": "1",
        "key_results-INITIAL_FORMS": "0",
        "key_results-MIN_NUM_FORMS": "0",
        "key_results-MAX_NUM_FORMS": "5",
        **{f"key_results-0-{name}": value for name, value in row.items()},
    }


def test_admins_add_and_hide_templates(admin: Client) -> None:
    assert admin.get(ADDRESS).status_code == 200
    template = ObjectiveTemplate.objects.create(slug="own", name="Our own", meaning="x", title="Ours", position=1)
    page = f"{ADDRESS}{template.pk}/change/"
    assert admin.get(page).status_code == 200
    assert admin.post(page, form(template)).status_code == 302
    stored = TemplateKeyResult.objects.get(template=template)
    assert (stored.metric, stored.change_percent) == ("bug.escaped", -20)
    assert objective_templates()[0] == template
    ObjectiveTemplate.objects.filter(pk=template.pk).update(is_offered=False)
    assert template not in objective_templates()
    with pytest.raises(FieldError):
        objective_from_template("own", None, current_quarter(), as_(EXECUTIVE))


@pytest.mark.parametrize(
    "fields",
    [
        {"better": "higher"},
        {"metric": "ai.committed_breakdown"},
        {"change_percent": ""},
        {"target_kind": "absolute"},
        {"statistic": "p90"},
        {"metric": "dora.luck"},
    ],
)
def test_admins_see_what_is_wrong(admin: Client, fields: dict[str, str]) -> None:
    template = ObjectiveTemplate.objects.create(slug="own", name="Our own", meaning="x", title="Ours")
    assert admin.post(f"{ADDRESS}{template.pk}/change/", form(template, **fields)).status_code == 200
    assert not TemplateKeyResult.objects.filter(template=template).exists()
