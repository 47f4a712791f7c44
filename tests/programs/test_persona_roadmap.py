"""The persona roadmap: whose metrics, with which figures, and what is not measured yet."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client
from django.test.utils import CaptureQueriesContext

from insights.catalogue.registry import metrics
from insights.query import windows
from insights.query.query import Window
from integrations.hand_kept.templates import TEMPLATES
from orgtree.models import Attribute, Person, PersonAttribute
from programs.models import Persona, PersonaMetric
from programs.roadmaps.built_in_personas import BUILT_IN
from programs.roadmaps.services.personas import own_persona, restore_personas, why_unmeasured
from tests.hand_kept.keeping import define, enter
from tests.org import Org
from tests.pages.delivering import merged
from tests.pages.recomputed import plain
from tests.personas import ADMIN, EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, signed_in
from tests.personas import Persona as Viewer
from tests.programs.agreements import HOUR, PICKUP, PLATFORM, agree
from tests.programs.objective_pages import MOST_QUERIES, SignIn, executed_sql, text
from tests.programs.tickets import as_
from tests.teams import create_teams

PERSONAS = "/programs/roadmap/personas/"
HAND_KEPT_PREFIX = "hand."
LATER = {"delivery.forecast"}  # of families that are not in the catalogue yet


@pytest.fixture
def sign_in(org: Org) -> SignIn:
    create_teams()
    return signed_in


def test_the_built_in_table_names_metrics_or_what_is_entered_by_hand() -> None:
    known = {metric.key for metric in metrics() if not metric.always_by}
    keys = {key for persona in BUILT_IN for cell in persona.quarters for _, key in cell}
    assert {key for key in keys - known if not key.startswith(HAND_KEPT_PREFIX)} <= LATER
    assert len(BUILT_IN) == 6
    assert all(cell for persona in BUILT_IN for cell in persona.quarters)
    assert {key.removeprefix(HAND_KEPT_PREFIX) for key in keys if key.startswith(HAND_KEPT_PREFIX)} <= set(TEMPLATES)


def test_an_installation_begins_with_the_six_personas(sign_in: SignIn) -> None:
    assert [persona.name for persona in Persona.objects.all()] == [persona.name for persona in BUILT_IN]
    page = text(sign_in(EXECUTIVE), PERSONAS)
    for persona in BUILT_IN:
        assert persona.name in page
        for cell in persona.quarters:
            for label, _ in cell:
                assert label in page


def test_whose_persona_somebody_has(sign_in: SignIn) -> None:
    def first(viewer: Viewer) -> str:
        return str(re.findall(r'data-persona="([\w-]+)"', text(sign_in(viewer), PERSONAS))[0])

    assert first(MEMBER) == "developer"
    assert first(MANAGER) == "engineering-manager"
    assert first(EXECUTIVE) == first(ADMIN) == "executive"
    role = Attribute.objects.get_or_create(slug="role", defaults={"name": "Role"})[0]
    ada = Person.objects.get(email="ada@example.com")
    PersonAttribute.objects.create(
        person=ada, attribute=role, value="Senior QA Engineer", during=DateRange(date(2025, 1, 1), None)
    )
    assert first(MEMBER) == "qa-engineer", "by the words of the role, the longest that fits"
    page = text(sign_in(MEMBER), f"{PERSONAS}?persona=product-manager")
    assert re.findall(r'data-persona="([\w-]+)"', page)[0] == "product-manager"
    assert "Yours" in page
    assert sign_in(MEMBER).get(f"{PERSONAS}?persona=nobody").status_code == 400
    assert own_persona([], as_(MEMBER)) is None


def quarters() -> tuple[Window, Window]:
    """The one before the last complete quarter, and that one."""
    last = windows.quarter_of(windows.quarter_of(windows.local_today()).start - timedelta(days=1))
    return windows.quarter_of(last.start - timedelta(days=1)), last


def test_a_cell_shows_value_trend_and_threshold_and_leads_to_the_metric(sign_in: SignIn, org: Org) -> None:
    before, last = quarters()
    for first, window, waits in ((1, before, 6.0), (100, last, 2.0)):
        days = [window.start + timedelta(days=7 + number) for number in range(len(PLATFORM))]
        org.push(
            "pull-requests",
            *(
                merged(first + number, day, author=author, waits=waits)
                for number, (day, author) in enumerate(zip(days, PLATFORM, strict=True))
            ),
        )
    Persona.objects.all().delete()
    persona = Persona.objects.create(slug="developer", name="Developer")
    PersonaMetric.objects.create(persona=persona, quarter=1, label="Reviews start", metric=PICKUP)
    agree()
    page = plain(text(sign_in(MANAGER), f"{PERSONAS}?unit=platform"))
    assert "Reviews start Pickup time 6.0 h −4.0 h (better) vs. previous quarter" in page
    assert "Threshold 8.0 h, target 6.0 h On target" in page
    link = f'/insights/metrics/{PICKUP}/?unit=platform&amp;range={windows.quarter_name(last.start)}"'
    assert link in text(sign_in(MANAGER), f"{PERSONAS}?unit=platform")
    document = sign_in(MANAGER).get("/api/v1/roadmap/personas/?unit=platform").json()
    [figure] = document["personas"][0]["metrics"]
    assert (figure["value"], figure["before"]) == (6 * HOUR, 10 * HOUR)
    assert (figure["threshold"], figure["target"]) == (8 * HOUR, 6 * HOUR)
    assert (document["unit"], document["from"], document["to"]) == ("platform", str(last.start), str(last.end))
    running = sign_in(MANAGER).get("/api/v1/roadmap/personas/?unit=platform&period=running").json()
    assert (running["from"], running["personas"][0]["metrics"][0]["before"]) == (str(last.end), 6 * HOUR)


def test_what_is_not_measured_says_what_it_takes(sign_in: SignIn) -> None:
    page = text(sign_in(EXECUTIVE), PERSONAS)
    assert "the hand-kept metric “customer satisfaction” is not set up" in page
    assert "/insights/hand-kept/new/?template=customer_satisfaction" in page
    assert "no connected tool provides this metric" in why_unmeasured("of.nothing")
    assert "/insights/hand-kept/new/" not in text(sign_in(MEMBER), PERSONAS), "members set nothing up"
    assert "but none overall" in why_unmeasured("ai.active_share_by_agent")
    document = sign_in(EXECUTIVE).get("/api/v1/roadmap/personas/").json()
    [manager] = [one for one in document["personas"] if one["slug"] == "engineering-manager"]
    assert next(one for one in manager["metrics"] if one["metric"] == "allocation.new_share")["value"] is None


def test_what_is_entered_by_hand_is_shown_and_marked(sign_in: SignIn) -> None:
    metric = define()
    enter(metric, "platform", str(quarters()[1].end - timedelta(days=1)), 82.0)
    page = plain(text(sign_in(EXECUTIVE), f"{PERSONAS}?unit=platform"))
    assert "Customer satisfaction Entered by hand 82.0 %" in page
    assert "“customer satisfaction” is not set up" not in page


def test_figures_of_small_groups_stay_hidden(sign_in: SignIn, org: Org) -> None:
    for number in range(3):
        org.session(by="grace", on=quarters()[1].start + timedelta(days=7 + number))
    org.fold()
    PersonaMetric.objects.create(
        persona=Persona.objects.get(slug="developer"), quarter=1, label="Agents in use", metric="ai.sessions"
    )
    document = sign_in(EXECUTIVE).get("/api/v1/roadmap/personas/?unit=search").json()
    [developer] = [one for one in document["personas"] if one["slug"] == "developer"]
    assert next(one for one in developer["metrics"] if one["label"] == "Agents in use")["value"] is None
    assert "Hidden" in text(sign_in(EXECUTIVE), f"{PERSONAS}?unit=search")
    assert sign_in(MEMBER).get(f"{PERSONAS}?unit=search").status_code == 404
    assert sign_in(MEMBER).get("/api/v1/roadmap/personas/?unit=search").status_code == 404


@pytest.mark.parametrize("query", ["period=soon", "period=%00", "unit=nowhere", "unit=%00", "persona=%00"])
def test_bad_parameters_are_named(sign_in: SignIn, query: str) -> None:
    client = sign_in(EXECUTIVE)
    assert client.get(f"{PERSONAS}?{query}").status_code in (400, 404)
    assert client.get(f"/api/v1/roadmap/personas/?{query}").status_code in (400, 404)


def test_all_cells_are_read_in_few_statements(sign_in: SignIn) -> None:
    client = sign_in(EXECUTIVE)
    client.get(PERSONAS)
    with CaptureQueriesContext(connection) as queries:
        text(client, f"{PERSONAS}?period=running")
    live = [query for query in queries.captured_queries if "COPY" in str(query["sql"])]  # no columns are built here
    assert len(queries) - len(live) <= MOST_QUERIES, executed_sql(queries)


def test_admins_edit_and_restore_personas(sign_in: SignIn) -> None:
    developer = Persona.objects.get(slug="developer")
    developer.metrics.all().delete()
    Persona.objects.create(slug="designer", name="Designer")
    client = sign_in(ADMIN)
    page = text(client, f"/admin/programs/persona/{Persona.objects.get(slug='qa-engineer').pk}/change/")
    assert "Flaky test rate" in page, "the metric's name stands beside its key"
    assert "hand-kept metric “test case coverage”" in page
    assert sign_in(EXECUTIVE).post(f"{PERSONAS}restore/").status_code == 403
    assert client.post(f"{PERSONAS}restore/").status_code == 302
    assert Persona.objects.get(slug="developer").metrics.count() == sum(map(len, BUILT_IN[2].quarters))
    assert Persona.objects.filter(slug="designer").exists()
    restored = Persona.objects.count()
    restore_personas()
    assert Persona.objects.count() == restored
    answer = client.post(
        "/admin/programs/persona/",
        {"action": "restore", "_selected_action": [str(Persona.objects.first().pk)]},  # type: ignore[union-attr]
    )
    assert answer.status_code == 302


def test_admin_takes_any_key_but_one_that_has_no_value_of_all(sign_in: SignIn) -> None:
    client = sign_in(ADMIN)
    usual = {
        "slug": "designer", "name": "Designer", "position": "70", "job_titles": "",
        "metrics-TOTAL_FORMS": "1", "metrics-INITIAL_FORMS": "0", "metrics-MIN_NUM_FORMS": "0",
        "metrics-MAX_NUM_FORMS": "40", "metrics-0-quarter": "2", "metrics-0-position": "1", "metrics-0-label": "X",
    }  # fmt: skip
    refused = client.post("/admin/programs/persona/add/", {**usual, "metrics-0-metric": "ai.active_share_by_agent"})
    assert "Choose another" in refused.content.decode()
    bad_quarter = {**usual, "metrics-0-metric": "pr.size", "metrics-0-quarter": "5"}
    assert client.post("/admin/programs/persona/add/", bad_quarter).status_code == 200
    assert client.post("/admin/programs/persona/add/", {**usual, "metrics-0-metric": "hand.delight"}).status_code == 302
    assert Persona.objects.get(slug="designer").metrics.get().metric == "hand.delight"


def test_without_personas_an_admin_is_offered_the_template(sign_in: Callable[[Viewer], Client]) -> None:
    Persona.objects.all().delete()
    assert "Use template" in text(sign_in(ADMIN), PERSONAS)
    assert "An admin sets them up" in text(sign_in(OTHER_MEMBER), PERSONAS)
