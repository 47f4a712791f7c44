"""The page *Who can see my data* says of each role what a session of that role gets, under each policy."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from django.test import Client

from integrations.code.attribution.tasks import attribute_pending
from orgtree.access.trust import RowKind
from orgtree.models import IndividualPolicy, Organisation
from tests.org import Org
from tests.pages.delivering import day_before, merged
from tests.personas import ADMIN, EXECUTIVE, MANAGER, MEMBER, Persona
from tests.stored_once import StoreOnce
from tests.teams import OTHERS_IN_PLATFORM, create_teams

PAGE = "/orgtree/access/"
METRIC = {
    RowKind.DELIVERY: "pr.throughput",
    RowKind.AGENTS_IN_DELIVERY: "ai.lines_committed",
    RowKind.TELEMETRY: "ai.spend",
}
COLLEAGUE = Persona(OTHERS_IN_PLATFORM[0])
SignIn = Callable[[Persona], Client]

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def teams(stored_once: StoreOnce, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with stored_once(lambda: tell_of_teams(Org(tmp_path_factory.mktemp))):
        yield


def tell_of_teams(org: Org) -> None:
    """Everybody in Platform has a session, a commit from it and a pull request."""
    create_teams()
    for number, name in enumerate(("ada", *OTHERS_IN_PLATFORM), start=1):
        org.session(by=name, on=day_before(6), at="09:00", tokens=1000 * number, lines=100, minutes=30)
        org.commit(by=name, on=day_before(6), at="09:20", lines=100)
        org.push("pull-requests", merged(number, day_before(6), author=name))
    org.fold()
    attribute_pending()


def visibility(client: Client) -> list[Mapping[str, str]]:
    """For the unit's members and managers, and for those who see its figures only: kind of rows → how they stand."""
    page = client.get(PAGE).content.decode()
    pairs = re.findall(r'data-rows-of="(\w+)" data-shown="(\w+)"', page)
    return [dict(pairs[: len(RowKind)]), dict(pairs[len(RowKind) :])]


def got(client: Client, of: RowKind) -> str:
    """The form of Ada's rows in the responses to this session."""
    answer = client.get(f"/api/v1/metrics/{METRIC[of]}/rows/", {"unit": "platform", "from": str(day_before(40))})
    rows: list[dict[str, Any]] = answer.json()["rows"]
    if any(row["person"] == "Ada" for row in rows):
        return "named"
    return "totals" if len(rows) > 1 else "own"


@pytest.mark.parametrize("policy", IndividualPolicy)
def test_the_page_says_what_every_role_sees(teams: None, sign_in: SignIn, policy: IndividualPolicy) -> None:
    Organisation.objects.update(individual_policy=policy)
    unit, others = visibility(sign_in(MEMBER))
    for persona, words in ((COLLEAGUE, unit), (MANAGER, unit), (EXECUTIVE, others), (ADMIN, others)):
        client = sign_in(persona)
        for of in RowKind:
            name = got(client, of)
            assert words[of.value] in ({"with_names", "as_in_tools"} if name == "named" else {name}), (persona, of)
    assert sign_in(Persona("lise")).get("/api/v1/metrics/ai.spend/rows/", {"unit": "platform"}).status_code == 404
