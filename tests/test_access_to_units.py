"""Every route with a scope, requested by every role for its own, a foreign, an unknown and no unit."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from django.http import HttpResponseNotFound
from django.test import Client

from orgtree.access.api_tokens import create_api_token
from tests.org import Org
from tests.pages.test_costs import without_tokens
from tests.personas import ADMIN, AUDITOR, EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, Persona, create_user
from tests.teams import Teams, create_teams

PAGES = (
    "/insights/ai/",
    "/insights/ai/parts/failing_tools/",
    "/insights/ai/charts/failing_tools.csv",
    "/insights/ai/charts/adoption/",
    "/insights/ai/charts/adoption.csv",
    "/insights/ai/units/",
    "/insights/ai/units/unassigned/",
    "/insights/ai/units.csv",
    "/insights/ai/parts/leaderboard/",
    "/insights/ai/leaderboard/",
    "/insights/ai/leaderboard/parts/models/",
    "/insights/ai/leaderboard.csv",
    "/insights/ai/sessions/",
    "/insights/ai/sessions/parts/models/",
    "/insights/ai/sessions.csv",
    "/insights/ai/prices/",
    "/insights/ai/parts/adoption_effect/",
    "/insights/ai/adoption/rows/",
    "/insights/ai/adoption/rows.csv",
    "/insights/ai/prices.csv",
    "/insights/ai/repositories/",
    "/insights/ai/repositories.csv",
    "/insights/delivery/",
    "/insights/delivery/parts/slowest/",
    "/insights/delivery/charts/stages/",
    "/insights/delivery/charts/stages.csv",
    "/insights/delivery/units/",
    "/insights/delivery/units/unassigned/",
    "/insights/delivery/units.csv",
    "/insights/compare/",
    "/insights/compare.csv",
    "/insights/metrics/ai.tokens/",
    "/insights/metrics/ai.tokens/charts/trend/",
    "/insights/metrics/ai.tokens/charts/trend.csv",
    "/insights/metrics/ai.tokens/parts/chain/",
    "/insights/metrics/ai.tokens/charts/chain.csv",
    "/insights/metrics/ai.tokens/charts/outliers.csv",
    "/insights/metrics/ai.tokens/parts/outliers/",
    "/insights/annotations/",
    "/insights/metrics/ai.tokens/how/",
    "/insights/metrics/ai.tokens/rows/",
    "/insights/metrics/ai.tokens/rows/first/",
    "/insights/metrics/ai.tokens/rows.csv",
    "/insights/metrics/ai.tokens/units/",
    "/insights/metrics/ai.tokens/units.csv",
)
# They have something to say without any figure: a definition, or that there is no unit below.
WITHOUT_FIGURES = (
    "/insights/ai/units/",
    "/insights/ai/units/unassigned/",
    "/insights/ai/units.csv",
    "/insights/delivery/units/",
    "/insights/delivery/units/unassigned/",
    "/insights/delivery/units.csv",
    "/insights/compare.csv",
    "/insights/metrics/ai.tokens/",
    "/insights/annotations/",
    "/insights/metrics/ai.tokens/units/",
    "/insights/metrics/ai.tokens/units.csv",
)
API = (
    *("/api/v1/metrics/ai.tokens/series/", "/api/v1/metrics/ai.tokens/distribution/"),
    *("/api/v1/overview/", "/api/v1/bottlenecks/"),
)
API_ROWS = "/api/v1/metrics/ai.tokens/rows/"
API_WITHOUT_PEOPLE = ("/api/v1/dora/", "/api/v1/annotations/")  # take a unit, and no person=
NOTES = "/api/v1/annotations/"  # without a unit those that one may read

UNITS = ("platform", "search", "nowhere", "unassigned:teams", "unassigned:nowhere", "")
# For whoever sees all units one is as good as another; for most others the like of "nowhere" is one more that they may
# not see.  The API, which takes its scope from the same place, is asked for all of them.
UNITS_OF_OTHERS = ("platform", "search", "nowhere", "unassigned:teams", "")
UNITS_BY_ROLE = {
    "admin": ("platform", "nowhere", "unassigned:teams", "unassigned:nowhere", ""),
    "executive": ("platform", "nowhere"),
    "other member": ("platform", "search"),
    "manager": ("platform", "search"),
}
HOME = {"": 200}  # pages begin with one's own unit, or with one's own data
REFUSED = {"": 403}
NOTHING = dict.fromkeys(UNITS, 404)
UNKNOWN = dict.fromkeys(("nowhere", "unassigned:nowhere"), 404)
EVERYTHING = {**dict.fromkeys(UNITS, 200), **UNKNOWN}

PAGES_BY_ROLE: dict[str, tuple[Persona, dict[str, int]]] = {
    "member": (MEMBER, {**NOTHING, **HOME, "platform": 200}),
    "other member": (OTHER_MEMBER, {**NOTHING, **HOME, "search": 200}),
    "manager": (MANAGER, {**NOTHING, **HOME, "platform": 200}),
    "auditor": (AUDITOR, {**NOTHING, **REFUSED}),
    "executive": (EXECUTIVE, EVERYTHING),
    "admin": (ADMIN, EVERYTHING),
}

pytestmark = pytest.mark.django_db


@pytest.fixture
def teams(org: Org) -> Teams:
    return create_teams()


@pytest.fixture
def plain_404(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip the page of a 404 where only the status matters: a thousand objects do not exist."""
    monkeypatch.setattr("config.urls.handler404", lambda *_, **__: HttpResponseNotFound(), raising=False)


def answers(client: Client, address: str, units: Sequence[str] = UNITS) -> dict[str, int]:
    return {unit: client.get(address, {"unit": unit} if unit else {}).status_code for unit in units}


@pytest.mark.usefixtures("plain_404")
@pytest.mark.parametrize("role", PAGES_BY_ROLE)
def test_pages(role: str, teams: Teams, sign_in: Callable[[Persona], Client]) -> None:
    persona, expected = PAGES_BY_ROLE[role]
    client = sign_in(persona)
    units = UNITS_BY_ROLE.get(role, UNITS_OF_OTHERS)
    wrong = {}
    for address in PAGES:
        expected_here = {**expected, **HOME} if address in WITHOUT_FIGURES else expected
        if (statuses := answers(client, address, units)) != {unit: expected_here[unit] for unit in units}:
            wrong[address] = statuses
    assert not wrong


def test_visitors_are_sent_to_sign_in_whatever_they_ask_for(teams: Teams) -> None:
    for address in PAGES:
        assert set(answers(Client(), address, ("platform", "nowhere", "")).values()) == {302}, address
    for address in (*API, API_ROWS, *API_WITHOUT_PEOPLE):
        assert set(answers(Client(), address).values()) == {401}, address


@pytest.mark.parametrize("role", PAGES_BY_ROLE)
def test_the_api(role: str, teams: Teams, sign_in: Callable[[Persona], Client]) -> None:
    persona, expected = PAGES_BY_ROLE[role]
    without_a_unit = 200 if expected == EVERYTHING else 403  # programs say whose figures they want
    client = sign_in(persona)
    for address in (*API, API_ROWS, *API_WITHOUT_PEOPLE):
        assert answers(client, address) == {**expected, "": 200 if address == NOTES else without_a_unit}, address


def test_a_token_sees_what_its_user_sees_and_without_a_user_aggregates(teams: Teams) -> None:
    _, own = create_api_token("own", user=create_user(MEMBER), expires_at=None)
    _, nobodys = create_api_token("nobody's", expires_at=None)
    for address in (*API, API_ROWS, *API_WITHOUT_PEOPLE):
        expected = {**NOTHING, "platform": 200, "": 200 if address == NOTES else 403}
        assert answers(bearer(own), address) == expected, address
    for address in (*API, *API_WITHOUT_PEOPLE):
        assert answers(bearer(nobodys), address) == EVERYTHING, address
    assert set(answers(bearer(nobodys), API_ROWS).values()) == {403}


def test_unknown_and_invisible_are_the_same_answer(teams: Teams, member: Client) -> None:
    for address in (*PAGES, *API, API_ROWS, *API_WITHOUT_PEOPLE):
        unknown, invisible = (
            without_tokens(member.get(address, {"unit": unit}).content) for unit in ("nowhere", "search")
        )
        assert unknown.replace(b"nowhere", b"search") == invisible, address


def test_a_foreign_unit_stays_unknown_beside_ones_own_data(teams: Teams, member: Client) -> None:
    for address in (*PAGES, *API, API_ROWS):
        assert member.get(address, {"unit": "search", "person": "me"}).status_code == 404, address
        assert member.get(address, {"unit": "platform", "person": "me"}).status_code == 200, address


def test_whose_figures_are_needed_is_said_with_units_of_ones_own(teams: Teams, member: Client) -> None:
    error = member.get(API[0]).json()["error"]
    assert error["parameter"] == "unit"
    assert "such as platform" in error["message"]
    assert "person=me" in error["message"]


def test_nobody_asks_for_somebody_else(teams: Teams, sign_in: Callable[[Persona], Client]) -> None:
    for persona in (MEMBER, MANAGER, EXECUTIVE, ADMIN):
        for address in (*API, API_ROWS):
            assert sign_in(persona).get(address, {"person": "grace@example.com"}).status_code == 400


def bearer(secret: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {secret}"})
