"""Pages of objectives: who sees which, what a list shows, one objective, and that nothing that was written runs."""

from __future__ import annotations

import csv
import io
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orgtree.models import Membership, OrgTree, Unit, UnitPlace
from orgtree.trees.placements import rebuild_placements
from programs.key_results.services.measuring import measure_objectives
from programs.models import CheckIn, Objective, ObjectiveStatus
from programs.objectives.services.check_ins import check_in
from programs.objectives.services.writing import change_objective, override_status
from programs.quarters.fiscal_quarters import current_quarter, following
from tests.org import Org
from tests.pages.delivering import day_before
from tests.pages.recomputed import plain
from tests.personas import ADMIN, AUDITOR, EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, PERSONAS, signed_in
from tests.programs.objective_pages import LIST, MOST_QUERIES, SignIn, executed_sql, fill, text
from tests.programs.objectives import by_hand, draft, objective, stored
from tests.programs.tickets import as_, ticket
from tests.teams import create_teams


@pytest.fixture
def sign_in(org: Org) -> SignIn:
    create_teams()
    return signed_in


def test_who_sees_which_objectives(sign_in: SignIn) -> None:
    of_platform = objective(title="Of Platform")
    of_search = objective(EXECUTIVE, title="Of Search", unit="search")
    of_all = objective(EXECUTIVE, title="Of everybody", unit=None)
    above = objective(EXECUTIVE, title="Of Engineering", unit="engineering")
    a_draft = objective(title="A draft of Platform", publish=False)
    everything = {of_platform, of_search, of_all, above, a_draft}
    seen = {
        ADMIN: everything,
        EXECUTIVE: everything,
        MANAGER: {of_platform, of_all, above, a_draft},
        MEMBER: {of_platform, of_all, above},
        OTHER_MEMBER: {of_search, of_all, above},
        AUDITOR: {of_all},
    }
    assert set(seen) == set(PERSONAS)
    for persona, theirs in seen.items():
        client = sign_in(persona)
        listed = text(client, LIST) + text(client, f"{LIST}?drafts=1")
        tree = text(client, f"{LIST}?view=tree")
        for url in everything:
            may = url in theirs
            shown = f'href="{reverse("objective", args=[url.pk])}"'
            assert (shown in listed) == may, (persona.name, url.title)
            if url != a_draft:
                assert (shown in tree) == may, (persona.name, url.title)
            result = url.key_results.get()
            for name, rest in (("objective", []), ("objective_history", []), ("key_result_chart", [result.pk])):
                status = client.get(reverse(name, args=[url.pk, *rest])).status_code
                assert status == (200 if may else 404), (persona.name, name, url.title)
            if not may:
                assert client.get(reverse("objective_edit", args=[url.pk])).status_code == 404
                for name in ("check_in", "publish", "override", "drop"):
                    assert client.post(reverse(f"objective_{name}", args=[url.pk])).status_code == 404


def test_who_may_write(sign_in: SignIn) -> None:
    written = objective(title="Of Platform")
    form = {"confidence": "high", "note": "Fine."}
    for persona in (MEMBER, AUDITOR):
        client = sign_in(persona)
        assert client.get(reverse("objective_new")).status_code == 403
        assert client.get(reverse("objective_baseline")).status_code == 403
        assert reverse("objective_new") not in text(client, LIST)
    client = sign_in(MEMBER)
    assert client.get(reverse("objective_edit", args=[written.pk])).status_code == 403
    assert client.post(reverse("objective_check_in", args=[written.pk]), form).status_code == 403
    assert client.post(reverse("objective_drop", args=[written.pk]), {"why": "x"}).status_code == 403
    page = text(client, reverse("objective", args=[written.pk]))
    assert "Check in" not in plain(page)
    assert "Drop it" not in page
    change_objective(
        as_(MANAGER),
        stored(written),
        draft(title="Of Platform", owner=MEMBER.email),
        of_version=1,
    )
    assert client.post(reverse("objective_check_in", args=[written.pk]), form).status_code == 302, "its owner"
    assert client.get(reverse("objective_edit", args=[written.pk])).status_code == 200
    for persona in (MEMBER, MANAGER, AUDITOR):
        closing = sign_in(persona).get(reverse("quarter_close", args=[current_quarter().start]))
        assert closing.status_code == 403, persona.name


def test_figures_of_a_unit_that_is_not_ones_own_are_hidden(sign_in: SignIn) -> None:
    of_all = objective(
        EXECUTIVE,
        unit=None,
        title="For all of us",
        key_results=(
            {"title": "Fewer hours of waiting", "metric": "pr.review_time", "target": 36_000, "baseline": 72_000},
        ),
    )
    key_result = of_all.key_results.get()
    measure_objectives()
    assert "20.0 h" in plain(text(sign_in(EXECUTIVE), reverse("objective", args=[of_all.pk])))
    page = plain(text(sign_in(MEMBER), reverse("objective", args=[of_all.pk])))
    assert "have access to the figures" in page
    assert "Hidden" in page
    chart = sign_in(MEMBER).get(reverse("key_result_chart", args=[of_all.pk, key_result.pk])).json()
    assert not any(value is not None for series in chart["datasets"] for value in series["data"])
    history = plain(text(sign_in(MEMBER), reverse("objective_history", args=[of_all.pk])))
    assert "20.0 h" not in history
    assert "Fewer hours of waiting" in history


def test_the_list_shows_bars_standings_and_what_is_below(sign_in: SignIn) -> None:
    one = objective(title="Just one measure", key_results=(by_hand(title="Happy customers"),))
    two = objective(
        title="Two measures", key_results=(by_hand(title="First"), by_hand(title="Second"), by_hand(
            title="Not slower", target_kind="guardrail", target=2.5, baseline=3.0))
    )  # fmt: skip
    check_in(as_(MANAGER), stored(one), confidence="medium", key_result=one.key_results.get().pk, value=3.5)
    override_status(as_(MANAGER), stored(two), "off_track", "The vendor left.")
    ticket(objective=two.pk, starts_on=day_before(9), due_on=day_before(2))
    page = text(sign_in(MANAGER), f"{LIST}?unit=platform")
    words = plain(page)
    assert "3 of 5 → 4 of 5 now 3.50 of 5" in words
    assert "Confidence: at risk" in words
    assert "Overridden" in words
    assert "The vendor left." in words
    assert "1 ticket, 1 overdue" in words
    assert 'width="50.00%"' in page, "half of the way"
    assert "Happy customers" not in words, "its bar is the objective's own"
    assert "Second" in words
    assert "at least 2.50 of 5" in words


def test_the_list_is_narrowed_and_counts_what_there_is(sign_in: SignIn) -> None:
    client = sign_in(EXECUTIVE)
    late = objective(title="The late one")
    override_status(as_(MANAGER), stored(late), "off_track", "Late.")
    objective(EXECUTIVE, title="The owned one", unit="search", owner="grace@example.com")
    objective(title="The draft one", publish=False)
    words = plain(text(client, LIST))
    assert "Off track 1" in words
    shown = {
        "": {"late", "owned"},
        "standing=off_track": {"late"},
        "standing=on_track": set(),
        "q=owned": {"owned"},
        "q=grace": {"owned"},
        "drafts=1": {"draft"},
        "unit=platform": {"late"},
        "unit=engineering": {"late", "owned"},
        f"quarter={following(current_quarter()).start}": set(),
        "view=tree&q=late": {"late"},
    }
    for address, titles in shown.items():
        page = text(client, f"{LIST}?{address}")
        assert {word for word in ("late", "owned", "draft") if f"The {word} one" in page} == titles, address
    mine = text(sign_in(OTHER_MEMBER), f"{LIST}?mine=1")
    assert "The owned one" in mine


def test_the_csv_has_a_row_per_key_result_and_runs_no_formula(sign_in: SignIn) -> None:
    objective(title="=1+1", key_results=(by_hand(title="One"), by_hand(title="Two, 🚀")))
    objective(EXECUTIVE, title="Of Search", unit="search")
    content = sign_in(MANAGER).get(reverse("objectives_csv")).getvalue().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(content)))
    assert [(row["Objective"], row["Key result"], row["Baseline"], row["Target"]) for row in rows] == [
        ("'=1+1", "One", "3.0", "4.0"),
        ("'=1+1", "Two, 🚀", "3.0", "4.0"),
    ]
    assert sign_in(MANAGER).get(reverse("objectives_csv"), {"standing": "lost"}).status_code == 400


def test_a_score_tells_nothing_of_figures_that_are_withheld(sign_in: SignIn) -> None:
    measured = {"title": "Fewer hours of waiting", "metric": "pr.review_time", "target": 36_000, "baseline": 72_000}
    of_all = objective(EXECUTIVE, unit=None, title="For all of us", key_results=(measured,))
    Objective.objects.filter(pk=of_all.pk).update(score=0.37)
    for address in (LIST, reverse("objective", args=[of_all.pk])):
        assert "0.37" in plain(text(sign_in(EXECUTIVE), address))
        assert "0.37" not in plain(text(sign_in(MEMBER), address))


@pytest.mark.parametrize("wrong", ["standing=lost", "view=pie", "quarter=1066-10-14", "quarter=soon"])
def test_what_an_address_cannot_mean_is_named(sign_in: SignIn, wrong: str) -> None:
    answer = sign_in(EXECUTIVE).get(f"{LIST}?{wrong}")
    assert answer.status_code == 400
    assert wrong.partition("=")[0] in answer.content.decode()


def test_leadership_sees_which_teams_lack_an_objective_and_begins_one(sign_in: SignIn) -> None:
    objective(is_mandatory=True)
    page = text(sign_in(EXECUTIVE), LIST)
    assert "1 team without an objective" in plain(page)
    gaps = text(sign_in(EXECUTIVE), f"{LIST}?view=gaps")
    assert "Search" in plain(gaps)
    new_url = f"{reverse('objective_new')}?unit=search&amp;quarter={current_quarter().start}&amp;mandatory=1"
    assert new_url in gaps
    form = text(sign_in(EXECUTIVE), f"{new_url.replace('&amp;', '&')}&template=blank")
    assert 'value="search" selected' in form
    assert 'name="is_mandatory" id="id_is_mandatory" checked' in form
    assert "without an objective" not in plain(text(sign_in(MANAGER), LIST)), "hers has one"
    assert "without an objective" not in plain(text(sign_in(OTHER_MEMBER), LIST))
    assert "Search" not in plain(text(sign_in(OTHER_MEMBER), f"{LIST}?view=gaps")).partition("Teams without one")[2]


def test_where_a_unit_has_none_the_same_people_in_another_tree_are_named(sign_in: SignIn) -> None:
    tree = OrgTree.objects.create(name="Products", slug="products")
    twins = Unit.objects.create(tree=tree, name="Twins", slug="twins")
    UnitPlace.objects.create(unit=twins, during=DateRange(date(2020, 1, 1), None))
    for one in Membership.objects.filter(unit__slug="platform"):
        Membership.objects.create(tree=tree, person=one.person, unit=twins, during=one.during)
    rebuild_placements()
    sentence = ">Platform</a> (Engineering, Teams), which has 1."
    client = sign_in(EXECUTIVE)
    pages = (f"{LIST}?unit=twins", f"{LIST}?unit=twins&view=tree", "/programs/parts/work/?unit=twins")
    assert all(sentence not in text(client, page) for page in pages), "neither has any"
    objective(title="Of Platform")
    for page in pages:
        assert sentence in text(client, page), page
        assert sentence not in text(client, page.replace("twins", "platform"))
    assert "The same people" not in text(client, f"{LIST}?unit=search")
    text(sign_in(OTHER_MEMBER), f"{LIST}?unit=twins", status=404)


def test_the_page_tells_of_key_results_check_ins_tickets_and_what_serves_it(sign_in: SignIn) -> None:
    above = objective(EXECUTIVE, title="All of Engineering", unit="engineering")
    new_objective = objective(title="Platform's part", parent=above.pk, description="Because **waiting** costs.")
    result = new_objective.key_results.get()
    check_in(as_(MANAGER), stored(new_objective), confidence="low", note="We *wait*.", key_result=result.pk, value=3.2)
    ticket(objective=new_objective.pk, title="Rota for reviews")
    client = sign_in(MANAGER)
    page = text(client, reverse("objective", args=[new_objective.pk]))
    words = plain(page)
    for expected in ("All of Engineering", "Rota for reviews", "Off track", "3.20 of 5"):
        assert expected in words
    assert "<strong>waiting</strong>" in page
    assert "<em>wait</em>" in page
    assert f"{reverse('ticket_new')}?objective={new_objective.pk}&amp;unit=platform" in page
    assert "Platform&#x27;s part" in text(sign_in(EXECUTIVE), reverse("objective", args=[above.pk]))
    history = plain(text(client, reverse("objective_history", args=[new_objective.pk])))
    assert "Created" in history
    assert "Edith" in history
    chart = client.get(reverse("key_result_chart", args=[new_objective.pk, result.pk])).json()
    assert [line["label"] for line in chart["benchmarks"]] == ["Baseline", "Target"]
    assert any(value == 3.2 for value in chart["datasets"][0]["data"])
    assert client.get(reverse("key_result_chart_csv", args=[new_objective.pk, result.pk])).status_code == 200
    assert client.get(reverse("key_result_chart", args=[above.pk, result.pk])).status_code == 404


def test_what_serves_an_objective_unseen_is_not_named(sign_in: SignIn) -> None:
    above = objective(EXECUTIVE, title="A secret draft", unit="engineering", publish=False)
    new_objective = objective(EXECUTIVE, title="Platform's part", parent=above.pk)
    page = text(sign_in(MEMBER), reverse("objective", args=[new_objective.pk]))
    assert "A secret draft" not in page
    assert "that you may not see" in page


def test_actions_on_the_page(sign_in: SignIn) -> None:
    new_objective = objective(publish=False)
    result, client = new_objective.key_results.get(), sign_in(MANAGER)

    def post(name: str, **word: str) -> Any:
        return client.post(reverse(f"objective_{name}", args=[new_objective.pk]), word)

    assert post("check_in", confidence="high").status_code == 400, "a draft takes none"
    assert post("publish").status_code == 302
    assert post("check_in", confidence="high", note="Well.", **{f"value-{result.pk}": "3.5"}).status_code == 302
    said = CheckIn.objects.get()
    assert (said.value, said.note, said.key_result_id) == (3.5, "Well.", result.pk)
    wrong = post("check_in", confidence="high", note="Kept text.", **{f"value-{result.pk}": "lots"})
    assert wrong.status_code == 400
    assert "Kept text." in wrong.content.decode()
    assert "is not a number" in plain(wrong.content.decode())
    assert post("check_in", confidence="sure").status_code == 400
    assert CheckIn.objects.count() == 1
    assert post("override", standing="on_track", reason="").status_code == 400
    assert post("override", standing="melted", reason="x").status_code == 400
    assert post("override", standing="on_track", reason="We know more.").status_code == 302
    assert stored(new_objective).override == ObjectiveStatus.ON_TRACK
    assert post("override", standing="", reason="").status_code == 302
    assert stored(new_objective).override == ""
    assert post("drop", why=" ").status_code == 400
    assert post("drop", why="Another product.").status_code == 302
    page = text(client, reverse("objective", args=[new_objective.pk]))
    assert "Another product." in page
    assert "Drop it" not in page
    assert post("check_in", confidence="high").status_code in (400, 403)


def test_what_is_written_never_runs(sign_in: SignIn) -> None:
    hostile = "<script>alert(1)</script> [x](javascript:alert(1)) <img src=x onerror=alert(1)>"
    new_objective = objective(
        title=hostile, description=hostile, key_results=(by_hand(title=hostile, unit_of_measure="<b>"),)
    )
    check_in(as_(MANAGER), stored(new_objective), confidence="low", note=hostile)
    override_status(as_(MANAGER), stored(new_objective), "at_risk", hostile)
    client = sign_in(MANAGER)
    pages = [
        LIST,
        f"{LIST}?view=tree",
        *(reverse(name, args=[new_objective.pk]) for name in ("objective", "objective_history")),
    ]
    for address in [*pages, reverse("objective_edit", args=[new_objective.pk])]:
        page = text(client, address)
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert 'href="javascript' not in page


ADDRESSES = ("", "?view=tree", "?view=gaps", "?standing=at_risk", "?page=20", "?q=Objective", "?unit=engineering")


def test_five_hundred_objectives_take_few_queries(sign_in: SignIn) -> None:
    fill(500)
    client = sign_in(EXECUTIVE)
    for address in ADDRESSES:
        text(client, f"{LIST}{address}")
        with CaptureQueriesContext(connection) as queries:
            text(client, f"{LIST}{address}")
            assert len(queries) <= MOST_QUERIES, f"{address}\n{executed_sql(queries)}"


def test_one_objective_takes_few_queries(sign_in: SignIn) -> None:
    fill(30)
    first = Objective.objects.order_by("pk")[0]
    ticket(EXECUTIVE, objective=first.pk)
    client = sign_in(EXECUTIVE)
    for name in ("objective", "objective_history"):
        address = reverse(name, args=[first.pk])
        text(client, address)
        with CaptureQueriesContext(connection) as queries:
            text(client, address)
            assert len(queries) <= MOST_QUERIES, f"{name}\n{executed_sql(queries)}"
