"""Forms and smaller parts of the program's pages, through the API."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client

from insights.query import windows
from integrations.models import PullRequest
from orgtree.models import Organisation, TokenScope
from orgtree.organisation.cached_settings import cache_settings
from programs.first_templates import add_first_templates
from programs.key_results.services.reading import baseline_window
from programs.models import Notice, Objective, Quarter, Ticket
from programs.quarters.fiscal_quarters import current_quarter, following, preceding
from tests.org import Org
from tests.pages.delivering import day_before, merged
from tests.personas import ADMIN, EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, Persona
from tests.programs.agreements import agree
from tests.programs.api_pages import bearer, got, got_of_few_queries, problem, sent
from tests.programs.objectives import by_hand, objective
from tests.programs.test_overview import PLATFORM, deliver
from tests.programs.tickets import ticket
from tests.teams import create_teams

SignIn = Callable[[Persona], Client]
PHILOSOPHY, OBJECTIVES, TICKETS = "/api/v1/philosophy/", "/api/v1/objectives/", "/api/v1/tickets/"


@pytest.fixture(autouse=True)
def teams(org: Org) -> Org:
    create_teams()
    return org


def test_a_baseline_is_looked_at_before_it_is_written(sign_in: SignIn, teams: Org) -> None:
    client, address = sign_in(MANAGER), f"{OBJECTIVES}baseline/"
    window = baseline_window(current_quarter().window, windows.local_today())
    days = [window.start + timedelta(days=3 + number) for number in range(len(PLATFORM))]
    teams.push("pull-requests", *(merged(n, days[n], author=name) for n, name in enumerate(PLATFORM)))
    preview = got(client, address, metric="pr.size", unit="platform")
    assert (preview["value"], preview["sample_size"], preview["unit_of_measure"]) == (50.0, len(PLATFORM), "lines")
    assert (preview["from"], preview["to"], preview["reason"]) == (f"{window.start}", f"{window.end}", None)
    written = sent(client, "POST", OBJECTIVES, {
        "title": "Smaller", "unit": "platform",
        "key_results": [{"title": "Size", "metric": "pr.size", "better": "lower", "target": 40.0}],
    }, 201)  # fmt: skip
    assert written["key_results"][0]["baseline"] == preview["value"]
    assert written["key_results"][0]["baseline_from"] == preview["from"]
    before = Quarter.objects.count()
    today = windows.local_today()
    ahead = got(client, address, metric="pr.size", unit="platform", quarter=f"{today + timedelta(days=100)}")
    assert ahead["to"] == f"{today}", "of a quarter that has not begun, up to today"
    assert Quarter.objects.count() == before, "asking makes none"
    for params, parameter in (
        ({"metric": "dora.luck"}, "metric"),
        ({}, "metric"),
        ({"metric": "pr.size", "statistic": "mode"}, "statistic"),
        ({"metric": "pr.size", "quarter": "soon"}, "quarter"),
    ):
        assert problem(got(client, address, 400, **{"unit": "platform", **params}))[0] == parameter
    assert got(client, address, 404, metric="pr.size", unit="search")
    assert got(client, address, 403, metric="pr.size"), "of the whole organisation she sees none"
    assert got(sign_in(MEMBER), address, 403, metric="pr.size", unit="platform")


def test_what_can_be_served_and_planned(sign_in: SignIn) -> None:
    whole = objective(EXECUTIVE, title="Of all", unit=None)
    above = objective(EXECUTIVE, title="Of Engineering", unit="engineering")
    own = objective(title="Of Platform")
    other = objective(EXECUTIVE, title="Of Search", unit="search")
    params: dict[str, Any] = {"unit": "platform"}

    def titles_of(persona: Persona, address: str, **parameters: Any) -> list[tuple[int, str]]:
        documents = got_of_few_queries(sign_in(persona), address, **parameters)["objectives"]
        return [(document["id"], document["of"]) for document in documents]

    parents = [(above.pk, "above"), (whole.pk, "organisation")]
    assert titles_of(MANAGER, f"{OBJECTIVES}parents/", **params, objective=own.pk) == parents
    assert titles_of(EXECUTIVE, f"{OBJECTIVES}parents/") == [], "the whole organisation serves nothing"
    plans = [(own.pk, "unit"), *parents]
    assert titles_of(MANAGER, f"{TICKETS}plans/", **params) == plans
    assert titles_of(EXECUTIVE, f"{TICKETS}plans/", **params) == [*plans, (other.pk, "others")]
    for address in (f"{OBJECTIVES}parents/", f"{TICKETS}plans/"):
        assert got(sign_in(MEMBER), address, 403)
        assert got(sign_in(MANAGER), address, 400, colour="red")
    assert got(sign_in(MANAGER), f"{OBJECTIVES}parents/", 404, unit="platform", objective=4711)


def test_objectives_stand_below_those_that_they_serve(sign_in: SignIn) -> None:
    whole = objective(EXECUTIVE, title="Of all", unit=None)
    own = objective(title="Of Platform", parent=whole.pk)
    client, address = sign_in(EXECUTIVE), f"{OBJECTIVES}alignment/"
    other = objective(EXECUTIVE, title="Of Search", unit="search")
    answer = got_of_few_queries(client, address)
    assert [(entry["id"], entry["depth"]) for entry in answer["objectives"]] == [
        (whole.pk, 0),
        (own.pk, 1),
        (other.pk, 0),
    ]
    page = client.get("/programs/objectives/?view=tree").context["rows"]
    assert [(entry.line.objective.pk, entry.depth) for entry in page] == [
        (e["id"], e["depth"]) for e in answer["objectives"]
    ]
    second = got(client, address, size=1, page=2)
    assert (second["total"], [entry["id"] for entry in second["objectives"]]) == (3, [own.pk])
    alone = got(client, address, unit="platform")["objectives"]
    assert [(entry["id"], entry["depth"]) for entry in alone] == [(own.pk, 0)], "what it serves is not listed"
    assert got(client, address, quarter="2001-01-01") == {"total": 0, "objectives": []}
    assert other.pk not in {entry["id"] for entry in got(sign_in(MEMBER), address)["objectives"]}


def test_a_template_is_filled_in_for_a_unit(sign_in: SignIn) -> None:
    add_first_templates(using="default")
    client = sign_in(MANAGER)
    slug = got(client, f"{OBJECTIVES}templates/")["templates"][0]["template"]
    filled = got(client, f"{OBJECTIVES}templates/{slug}/", unit="platform")
    assert (filled["unit"], filled["quarter"]) == ("platform", f"{current_quarter().start}")
    targets = [{**entry, "target": entry["target"] or 1.0, "baseline": entry["baseline"] or 2.0, "change_percent": None,
                "target_kind": "absolute", "better": "lower"} for entry in filled["key_results"]]  # fmt: skip
    assert sent(client, "POST", OBJECTIVES, {**filled, "key_results": targets}, 201)["template"] == slug
    assert got(client, f"{OBJECTIVES}templates/guessed/", 404)
    assert problem(got(client, f"{OBJECTIVES}templates/{slug}/", 400, unit="search"))[0] == "unit"
    assert got(sign_in(MEMBER), f"{OBJECTIVES}templates/{slug}/", 403, unit="platform")


def test_a_draft_is_published(sign_in: SignIn) -> None:
    new_objective = objective(publish=False)
    address = f"{OBJECTIVES}{new_objective.pk}/publish/"
    assert sent(sign_in(MEMBER), "POST", address, {}, 404), "nobody else knows of it"
    assert problem(sent(sign_in(MANAGER), "POST", address, {"when": "now"}, 400))[0] == "when"
    assert sent(sign_in(MANAGER), "POST", address, {})["published_at"]
    assert sent(sign_in(MEMBER), "POST", address, {}, 403)
    assert got(sign_in(MEMBER), f"{OBJECTIVES}{new_objective.pk}/")["carry_over"] == "undecided"
    sent(
        sign_in(MANAGER),
        "POST",
        f"{OBJECTIVES}{new_objective.pk}/ending/",
        {"carry_over": "carry", "retrospective": "Soon"},
    )
    answer = got(sign_in(MEMBER), f"{OBJECTIVES}{new_objective.pk}/")
    assert (answer["carry_over"], answer["retrospective"], answer["carried_from"]) == ("carry", "Soon", None)


def test_for_whom_one_writes(sign_in: SignIn) -> None:
    address = "/api/v1/writing-for/"
    answer = got_of_few_queries(sign_in(MANAGER), address)
    assert (answer["whole_organisation"], [entry["unit"] for entry in answer["units"]]) == (False, ["platform"])
    assert "ada@example.com" in {entry["email"] for entry in answer["owners"]}
    assert "grace@example.com" not in {entry["email"] for entry in answer["owners"]}, "of another team"
    everything = got(sign_in(EXECUTIVE), address)
    assert everything["whole_organisation"] is True
    assert {"platform", "search", "engineering"} <= {entry["unit"] for entry in everything["units"]}
    nothing = {"whole_organisation": False, "units": [], "owners": []}
    assert got(sign_in(MEMBER), address) == got(bearer(None, TokenScope.READ), address) == nothing


def test_a_quarter_is_looked_at_before_it_is_closed(sign_in: SignIn) -> None:
    quarter = preceding(current_quarter())
    client, address = sign_in(EXECUTIVE), f"/api/v1/quarters/{quarter.start}/"
    new_objective = objective(EXECUTIVE, title="Published", quarter=quarter, unit="platform")
    draft = objective(EXECUTIVE, title="A draft", quarter=quarter, unit="platform", publish=False)
    answer = got_of_few_queries(client, f"{address}closing/")
    assert [(entry["id"], entry["is_draft"]) for entry in answer["objectives"]] == [
        (new_objective.pk, False),
        (draft.pk, True),
    ]
    assert (answer["total"], answer["drafts_total"], answer["undecided"], answer["blocks"]) == (1, 1, 1, [])
    [result] = answer["without_value"]
    assert (result["objective"], answer["without_value_total"]) == (new_objective.pk, 1)
    assert "final value" in answer["needs_reason"][0]
    assert set(answer["teams_without_objective"]) <= {"platform", "search"}
    body = {
        "decisions": {new_objective.pk: "carry"},
        "retrospectives": {new_objective.pk: "Ask earlier"},
        "retrospective": "We learned",
    }
    assert sent(client, "POST", f"{address}keep/", body) == {"kept": 1}
    answer = got(client, f"{address}closing/", size=1)
    assert (answer["undecided"], answer["retrospective"]) == (0, "We learned")
    [objectives] = answer["objectives"]
    assert (objectives["carry_over"], objectives["retrospective"]) == ("carry", "Ask earlier")
    assert sent(client, "POST", f"{address}keep/", {"decisions": {draft.pk: "end"}}) == {"kept": 1}
    assert got(client, f"{address}closing/")["retrospective"] == "We learned", "what is not named stays"
    assert problem(sent(client, "POST", f"{address}keep/", {"decisions": {4711: "carry"}}, 400))[0] == "decisions"
    assert (
        problem(sent(client, "POST", f"{address}keep/", {"decisions": {new_objective.pk: "luck"}}, 400))[0]
        == f"decisions.{new_objective.pk}"
    )
    assert problem(sent(client, "POST", f"{address}keep/", {"forced_because": "x"}, 400))[0] == "forced_because"
    for persona in (MANAGER, MEMBER):
        assert got(sign_in(persona), f"{address}closing/", 403)
        assert sent(sign_in(persona), "POST", f"{address}keep/", body, 403)
    assert sent(client, "POST", f"{address}close/", {"forced_because": "Nothing was asked"})["document"][
        "retrospective"
    ]
    assert got(client, f"{address}closing/")["blocks"], "it is closed"
    carried = Objective.objects.get(carried_from=new_objective.pk)
    assert got(client, f"{OBJECTIVES}{carried.pk}/")["carried_from"] == new_objective.pk
    Objective.objects.filter(pk=carried.pk).update(carried_from=objective(EXECUTIVE, unit="search", publish=False).pk)
    assert got(sign_in(MANAGER), f"{OBJECTIVES}{carried.pk}/")["carried_from"] is None, "one that she may not see"
    ahead = following(current_quarter())
    assert problem(got(client, f"/api/v1/quarters/{ahead.start}/closing/", 400))[0] == "quarter"
    assert got(client, "/api/v1/quarters/soon/closing/", 404)


def test_the_fiscal_calendar_is_in_the_api(sign_in: SignIn) -> None:
    answer = got_of_few_queries(sign_in(MEMBER), "/api/v1/fiscal-calendar/")
    whole = windows.quarter_of(windows.local_today())
    assert (answer["first_month"], answer["quarter"]["from"]) == (1, f"{whole.start}")
    assert answer["quarter"]["to"] == answer["following"]["from"] == f"{whole.end}"
    assert not Quarter.objects.exists(), "asking makes none"
    organisation = Organisation.current()
    organisation.fiscal_year_start_month = 2
    organisation.save()
    cache_settings(organisation)
    moved = got(sign_in(MEMBER), "/api/v1/fiscal-calendar/")
    assert moved["first_month"] == 2
    assert (date.fromisoformat(moved["quarter"]["from"]).month - 2) % 3 == 0


def test_versions_of_the_philosophy_stay_readable(sign_in: SignIn) -> None:
    client = sign_in(EXECUTIVE)
    assert got(client, f"{PHILOSOPHY}versions/") == {"versions": []}
    sent(client, "POST", PHILOSOPHY, {"text": "One\n\nTwo", "reason": "First", "number": 0}, 201)
    sent(client, "POST", PHILOSOPHY, {"text": "One\n\nThree", "reason": "Better", "number": 1}, 201)
    versions = got_of_few_queries(sign_in(MEMBER), f"{PHILOSOPHY}versions/")["versions"]
    assert [(version["number"], version["reason"]) for version in versions] == [(2, "Better"), (1, "First")]
    page = sign_in(MEMBER).get("/programs/philosophy/").context
    assert [version["written_by"] for version in versions] == [
        page["names"][line.written_by_id] for line in page["versions"]
    ]
    second = got(sign_in(MEMBER), f"{PHILOSOPHY}versions/2/")
    assert [(line["kind"], line["text"]) for line in second["lines"] if line["text"]] == [
        ("same", "One"), ("removed", "Two"), ("added", "Three"),
    ]  # fmt: skip
    assert second["text"] == "One\n\nThree"
    assert got(client, f"{PHILOSOPHY}versions/3/", 404)


def test_how_many_acknowledged_is_for_those_who_publish(sign_in: SignIn) -> None:
    """As on the page."""
    for persona, can_see in ((EXECUTIVE, True), (ADMIN, True), (MANAGER, False), (MEMBER, False)):
        answer = got(sign_in(persona), PHILOSOPHY)
        assert (answer["accounts"] is not None, answer["acknowledged_by"] is not None) == (can_see, can_see)


def test_a_notice_is_unread_again(sign_in: SignIn) -> None:
    client = sign_in(MEMBER)
    ticket()
    [notice] = got(client, "/api/v1/notices/")["notices"]
    assert sent(client, "POST", "/api/v1/notices/read/", {"notices": [notice["id"]]}) == {"read": 1}
    assert sent(sign_in(MANAGER), "POST", "/api/v1/notices/unread/", {"notices": [notice["id"]]}) == {"unread": 0}
    assert got(client, "/api/v1/notices/")["total"] == 0
    assert sent(client, "POST", "/api/v1/notices/unread/", {"notices": [notice["id"], 4711]}) == {"unread": 1}
    assert Notice.objects.get(pk=notice["id"]).read_at is None
    for body in ({}, {"notices": "all"}, {"notices": ["a"]}, {"notices": [1], "read": True}):
        assert sent(client, "POST", "/api/v1/notices/unread/", body, 400)


def test_units_below_stand_side_by_side(sign_in: SignIn, teams: Org) -> None:
    deliver(teams)
    agree(EXECUTIVE, unit="", metric="pr.size", threshold=60.0, target=40.0)
    agree(EXECUTIVE, unit="platform", metric="pr.size", threshold=55.0, target=45.0)
    address = "/api/v1/benchmarks/pr.size/units/"
    answer = got(sign_in(EXECUTIVE), address, unit="engineering")
    below = {entry["unit"]: entry for entry in answer["units"]}
    assert answer["total"] == len(below) >= 2
    assert (below["platform"]["benchmark"]["threshold"], below["platform"]["is_inherited"]) == (55.0, False)
    assert (below["search"]["benchmark"]["threshold"], below["search"]["is_inherited"]) == (60.0, True)
    assert below["platform"]["stands"]["value"] == 50.0
    page = sign_in(EXECUTIVE).get("/programs/benchmarks/pr.size/?unit=engineering").context["units"]
    assert [name for name, _ in page] == [entry["name"] for entry in answer["units"]]
    assert got(sign_in(EXECUTIVE), address, unit="engineering", size=1)["total"] == answer["total"]
    assert [entry["unit"] for entry in got(sign_in(MANAGER), address, unit="platform")["units"]] == []
    assert got(sign_in(MANAGER), address, 404, unit="search")
    assert got(sign_in(MANAGER), "/api/v1/benchmarks/dora.luck/units/", 404)
    here = got(sign_in(MANAGER), "/api/v1/benchmarks/pr.size/suggestions/", unit="platform", better="lower")["here"]
    assert here["value"] == 50.0


def test_pull_requests_are_named_as_people_name_them(sign_in: SignIn, teams: Org) -> None:
    teams.push("pull-requests", merged(1, day_before(9)), merged(2, day_before(8)))
    linked, client = ticket(), sign_in(MANAGER)
    name = PullRequest.objects.select_related("repository")[0].repository.name
    changed = sent(client, "PATCH", f"{TICKETS}{linked.pk}/", {"pull_requests": [f"{name}#1"], "version": 1})
    [first] = changed["pull_requests"]
    both = sent(client, "PATCH", f"{TICKETS}{linked.pk}/", {"pull_requests": [first, f"{name}#2"], "version": 2})
    assert len(both["pull_requests"]) == 2
    wrong = {"shop#404": "pull_requests", "a\nb": "pull_requests", None: "pull_requests", "a\x00b": "pull_requests[0]"}
    for one, blamed in wrong.items():
        body = {"pull_requests": [one], "version": 3}
        assert problem(sent(client, "PATCH", f"{TICKETS}{linked.pk}/", body, 400))[0] == blamed
    assert Ticket.objects.get().pull_requests.count() == 2
    assert changed["effect_reason"] == "No metric is linked, so its effect is not measured."


def test_teams_that_lack_theirs_are_listed_with_who_leads_them(sign_in: SignIn) -> None:
    answer = got_of_few_queries(sign_in(EXECUTIVE), f"{OBJECTIVES}missing/")
    current_quarter()
    answer = got(sign_in(EXECUTIVE), f"{OBJECTIVES}missing/")
    page = sign_in(EXECUTIVE).get("/programs/objectives/?view=gaps").context["teams"]
    assert [(entry["name"], entry["above"] or "", entry["leader"] or "") for entry in answer["teams"]] == [
        (team.name, above, team.leader.full_name if team.leader else "") for team, above in page
    ]
    assert got(sign_in(OTHER_MEMBER), f"{OBJECTIVES}missing/")["teams"] == []


def test_several_values_are_said_at_once_or_none(sign_in: SignIn) -> None:
    new_objective = objective(key_results=(by_hand(), by_hand(title="Interviews", baseline=0.0, target=10.0)))
    client, address = sign_in(MANAGER), f"{OBJECTIVES}{new_objective.pk}/check-ins/"
    first, second = (entry["id"] for entry in got(client, f"{OBJECTIVES}{new_objective.pk}/")["key_results"])
    body = {"confidence": "high", "note": "As asked", "values": {first: 3.5, second: 4}}
    answer = sent(client, "POST", address, body, 201)
    assert (answer["key_result"], answer["value"], answer["note"]) == (first, 3.5, "As asked")
    listed = {entry["key_result"]: (entry["value"], entry["note"]) for entry in got(client, address)["check_ins"]}
    assert listed == {first: (3.5, "As asked"), second: (4.0, "")}
    for values, parameter in (
        ({first: 3.6, 4711: 1}, "key_result"),
        ({first: "much"}, f"values.{first}"),
        ({first: None}, f"values.{first}"),
        ({"a": 1}, "values.a"),
        ({}, "values"),
        ([1], "values"),
    ):
        assert problem(sent(client, "POST", address, {**body, "values": values}, 400))[0] == parameter
    assert problem(sent(client, "POST", address, {**body, "value": 3.6}, 400))[0] == "values"
    assert len(got(client, address)["check_ins"]) == 2, "nothing of it was stored"
    assert sent(sign_in(MEMBER), "POST", address, body, 403)
