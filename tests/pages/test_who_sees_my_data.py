"""The page *Who sees what* says of each role what a session of that role gets, under each policy."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.auth.models import User
from django.test import Client

from insights.privacy.withhold import rounded
from integrations.code.attribution.tasks import attribute_pending
from orgtree.access.role_sight import NAMED_SAMPLE, PSEUDONYMOUS_SAMPLE
from orgtree.access.trust import RowKind
from orgtree.models import (
    Grant,
    IndividualPolicy,
    Membership,
    MembersSee,
    Organisation,
    OrgTree,
    Person,
    Placement,
    Role,
    Unit,
    UnitPlace,
)
from orgtree.trees.placements import rebuild_placements
from tests.org import Org
from tests.pages.delivering import day_before, merged
from tests.personas import ADMIN, AUDITOR, EXECUTIVE, FINANCE, MANAGER, MEMBER, Persona
from tests.programs.objectives import draft, objective
from tests.stored_once import StoreOnce
from tests.teams import ALWAYS, OTHERS_IN_PLATFORM, create_teams, join

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
    """Everybody in Platform has a session, a commit from it and a pull request; on one day Ada alone has.

    Each of the two teams has an objective.
    """
    create_teams()
    for unit in ("platform", "search"):
        objective(ADMIN, unit=unit)
    org.session(by="ada", on=alone(), at="09:00", tokens=500, minutes=30)
    org.push("pull-requests", merged(99, alone(), author="ada"))
    for number, name in enumerate(("ada", *OTHERS_IN_PLATFORM), start=1):
        org.session(by=name, on=day_before(6), at="09:00", tokens=1000 * number, lines=100, minutes=30)
        org.commit(by=name, on=day_before(6), at="09:20", lines=100)
        org.push("pull-requests", merged(number, day_before(6), author=name))
    org.fold()
    attribute_pending()


def alone() -> date:
    """The day on which Ada alone did something."""
    return day_before(20)


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


@pytest.fixture(params=[False, True], ids=["board off", "board on"])
def board(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.mark.parametrize("members_see", MembersSee)
@pytest.mark.parametrize("policy", IndividualPolicy)
def test_every_sentence_is_what_the_role_gets(
    teams: None, sign_in: SignIn, policy: IndividualPolicy, members_see: MembersSee, board: bool
) -> None:
    Organisation.objects.update(individual_policy=policy, members_see=members_see, leaderboard=board)
    join(
        Unit.objects.get(slug="platform"),
        Unit.objects.get(slug="engineering"),
        EXECUTIVE.name,
        AUDITOR.name,
        FINANCE.name,
    )
    with_the_same_people("platform")
    wrong = []
    for role, persona in ROLES.items():
        client, said = sign_in(persona), sentences(sign_in(MEMBER), role)
        assert said
        for key, value in said.items():
            found = PROBES[key](client)
            wrong += [(role, key, value, found)] if found != value else []
    assert not wrong


def with_the_same_people(slug: str) -> None:
    """The unit Twins of another tree, with exactly the people of this one."""
    lines = OrgTree.objects.create(name="Lines", slug="lines")
    twins = Unit.objects.create(tree=lines, name="Twins", slug="twins")
    UnitPlace.objects.create(unit=twins, during=ALWAYS)
    for membership in Membership.objects.filter(unit__slug=slug):
        Membership.objects.create(tree=lines, person=membership.person, unit=twins, during=membership.during)
    rebuild_placements()


def sentences(client: Client, role: str) -> Mapping[str, str]:
    page = client.get(PAGE, {"as": role}).content.decode()
    return dict(re.findall(r'data-sight="(\w+)" data-value="(\w+)"', page))


def figure(client: Client, key: str, **query: str) -> tuple[int, bool]:
    """The status, and whether there is a value."""
    answer = client.get(f"/api/v1/metrics/{key}/series/", {"from": str(day_before(40)), **query})
    return answer.status_code, answer.status_code == 200 and answer.json()["total"][0]["value"] is not None


def totals(client: Client) -> str:
    if figure(client, "ai.sessions")[0] == 200:
        return "all"
    return "own" if figure(client, "ai.sessions", unit="platform")[0] == 200 else "none"


def other_totals(client: Client) -> str:
    return "none" if figure(client, "ai.sessions", unit="search")[0] == 404 else "all"


def same_people(client: Client) -> str:
    """Whether Twins shows the rows that Platform shows."""
    of_twins, of_platform = (
        client.get("/api/v1/metrics/ai.spend/rows/", {"unit": unit, "from": str(day_before(40))})
        for unit in ("twins", "platform")
    )
    assert of_twins.status_code == of_platform.status_code == 200
    assert len(of_twins.json()["rows"]) == len(of_platform.json()["rows"])
    return "shown"


def of_one_person(client: Client, key: str) -> str:
    day = {"from": str(alone()), "to": str(alone() + timedelta(days=1)), "unit": "platform"}
    return "shown" if figure(client, key, **day)[1] else "hidden"


def rows_of(client: Client, of: RowKind) -> str:
    return got(client, of)


def other_delivery(client: Client) -> str:
    """Search has no rows; whoever may ask for them may see them."""
    answer = client.get("/api/v1/metrics/pr.throughput/rows/", {"unit": "search"})
    return "named" if answer.status_code == 200 else "none"


def leaderboard(client: Client) -> str:
    page = client.get("/insights/ai/leaderboard/", {"unit": "platform"}).content.decode()
    answer = client.get("/insights/ai/leaderboard.csv", {"unit": "platform"})
    if answer.status_code == 404:
        assert "The leaderboard is off" in page
        assert (
            "The leaderboard is off"
            in client.get("/insights/ai/parts/leaderboard/", {"unit": "platform"}).content.decode()
        )
        return "off"
    others = len(answer.getvalue().decode().splitlines()) > 2  # beside the heading and one's own
    return "rows" if others else "own"


def objectives(client: Client) -> str:
    listed = client.get("/api/v1/objectives/").json()["objectives"]
    units = {objective["unit"] for objective in listed}
    return "all" if units >= {"platform", "search"} else "own" if "platform" in units else "none"


def writes(client: Client) -> str:
    if client.get("/programs/objectives/new/").status_code == 403:
        return "none"
    answer = client.post("/api/v1/objectives/", draft(unit="search"), content_type="application/json")
    return "all" if answer.status_code == 201 else "own"


ROLES = {
    **{"executive": EXECUTIVE, "manager": MANAGER, "member": COLLEAGUE, "admin": ADMIN, "auditor": AUDITOR},
    "finance": FINANCE,
}
PROBES: Mapping[str, Callable[[Client], str]] = {
    "totals": totals,
    "other_totals": other_totals,
    "same_people": same_people,
    "small_groups": lambda client: of_one_person(client, "ai.sessions"),
    "small_delivery": lambda client: of_one_person(client, "pr.throughput"),
    "delivery": lambda client: rows_of(client, RowKind.DELIVERY),
    "agents_in_delivery": lambda client: rows_of(client, RowKind.AGENTS_IN_DELIVERY),
    "telemetry": lambda client: rows_of(client, RowKind.TELEMETRY),
    "other_delivery": other_delivery,
    "leaderboard": leaderboard,
    "program": objectives,
    "writes": writes,
    "audit_log": lambda client: "read" if client.get("/orgtree/access/log/").status_code == 200 else "none",
    "capitalisation": lambda client: "read" if client.get("/insights/capitalisation/").status_code == 200 else "none",
    "configuration": lambda client: "all" if client.get("/orgtree/access/invitations/").status_code == 200 else "none",
}


def test_units_of_the_same_people_are_one_choice_and_show_the_same_rows(teams: None, sign_in: SignIn) -> None:
    """Edith leads Platform; in another tree the same six people are below her as a unit that she does not lead."""
    platform = Unit.objects.get(slug="platform")
    lines = OrgTree.objects.create(name="Lines", slug="lines")
    everybody, hers = (Unit.objects.create(tree=lines, name=name, slug=name.lower()) for name in ("Lines", "Ediths"))
    UnitPlace.objects.create(unit=everybody, during=ALWAYS)
    UnitPlace.objects.create(unit=hers, parent=everybody, during=ALWAYS)
    rows = "/insights/metrics/ai.spend/rows/"
    manager = sign_in(MANAGER)
    assert manager.get(rows, {"unit": "ediths"}).status_code == 404, "nobody is in it yet"
    for membership in Membership.objects.filter(unit=platform):
        Membership.objects.create(tree=lines, person=membership.person, unit=hers, during=membership.during)
    Placement.objects.filter(tree=platform.tree).delete()
    rebuild_placements()
    of_platform, of_hers = (sorted(seen_rows(manager, unit)) for unit in ("platform", "ediths"))
    assert len(of_platform) == len(of_hers) == 6
    for unit in ("ediths", "platform"):
        page = manager.get("/insights/ai/", {"unit": unit, "range": "4w"}).content.decode()
        tiles = re.findall(r'<a class="hw-tree" href="([^"]+)"( aria-current="true")?', page)
        assert tiles == [("/insights/ai/?unit=platform&amp;range=4w", ' aria-current="true"')]
    found = manager.get("/insights/units/", {"to": "/insights/ai/", "q": "t"}).content.decode()
    assert "the people of Ediths" in found
    executive = sign_in(EXECUTIVE)
    assert "Lines" in executive.get("/insights/units/", {"to": "/insights/ai/"}).content.decode(), "a root is its tree"
    assert {"lines", "platform"} <= offered(executive, "").keys()
    assert "ediths" not in offered(executive, "")
    assert offered(executive, "ediths")["ediths"] == " selected", "a link that names it"
    page = executive.get(rows).content.decode()
    assert "you may see aggregates here" in page
    assert "Rows of Platform" not in page
    platform.leader = Person.objects.create(full_name="Chief", email=EXECUTIVE.email)
    platform.save()
    page = executive.get(rows).content.decode()
    assert "you may see aggregates here" not in page, "Lines has all people who did anything, and they are Platform's"


def offered(client: Client, unit: str) -> Mapping[str, str]:
    """The units that the form of a ticket offers."""
    page = client.get("/programs/tickets/new/", {"unit": unit}).content.decode()
    [select] = re.findall(r'<select name="unit".*?</select>', page, re.DOTALL)
    return dict(re.findall(r'<option value="([\w-]+)"( selected)?', select))


def test_whoever_sees_the_rows_of_all_parts_sees_those_of_the_whole(teams: None, sign_in: SignIn, org: Org) -> None:
    """Edith leads Platform, one of Engineering's two teams; the executive has grants.  Rows are Platform's six."""
    rebuild_placements()
    engineering = Unit.objects.get(slug="engineering")
    executive, manager = sign_in(EXECUTIVE), sign_in(MANAGER)
    everybody: dict[str, str] = {}
    assert places_with_rows(manager, {"unit": "engineering"}) == {}
    assert places_with_rows(executive, everybody) == places_with_rows(executive, {"unit": "engineering"}) == NOWHERE
    give(EXECUTIVE, "platform")
    assert places_with_rows(executive, {"unit": "platform"}) == EVERYWHERE
    assert places_with_rows(executive, {"unit": "engineering"}) == NOWHERE
    page = executive.get("/insights/metrics/ai.spend/rows/", {"unit": "engineering"}).content.decode()
    assert "you may see aggregates here" in page
    assert "No rows match" not in page
    assert 'hx-get="/insights/metrics/ai.spend/units/?unit=engineering' in page, "the teams below, as aggregates"
    [platform] = re.findall(r'href="([^"]+)">Rows of Platform</a>', page)
    assert "you may see aggregates here" not in executive.get(platform.replace("&amp;", "&")).content.decode()
    for persona in (EXECUTIVE, MANAGER):
        give(persona, "search")
        assert places_with_rows(sign_in(persona), {"unit": "engineering"}) == EVERYWHERE
    assert places_with_rows(executive, everybody) == EVERYWHERE, "nobody did anything who is in no team"
    assert manager.get("/api/v1/metrics/ai.spend/rows/").status_code == 403
    org.session(by="stranger", on=day_before(6), at="09:00", tokens=7000, minutes=30)
    org.fold()
    assert places_with_rows(executive, everybody) == NOWHERE, "the stranger is in no team"
    join(engineering, engineering, "stranger")
    rebuild_placements()
    assert places_with_rows(executive, {"unit": "engineering"}) == NOWHERE, "somebody is in neither team"
    assert places_with_rows(manager, {"unit": "engineering"}) == {}


EVERYWHERE = {"rows": True, "csv": True, "api": True, "leaderboard": True, "leaderboard csv": True}
NOWHERE = dict.fromkeys(EVERYWHERE, False)


def give(persona: Persona, unit: str) -> None:
    """Let the persona manage a unit from now on."""
    user = User.objects.get(email=persona.email)
    Grant.objects.create(user=user, role=Role.MANAGER, unit=Unit.objects.get(slug=unit), during=ALWAYS)


def places_with_rows(client: Client, scope: Mapping[str, str]) -> Mapping[str, bool]:
    """Whether each page, file and answer lists other people in that scope; empty where none is open."""
    answer = client.get("/api/v1/metrics/ai.spend/rows/", {**scope, "from": str(day_before(40))})
    if answer.status_code != 200:
        for path in ("metrics/ai.spend/rows/", "metrics/ai.spend/rows.csv", "ai/leaderboard/", "ai/leaderboard.csv"):
            assert client.get(f"/insights/{path}", scope).status_code == 404
        return {}
    weeks = {**scope, "range": "12w"}
    files = [
        len(b"".join(client.get(f"/insights/{path}", weeks)).splitlines()) > 2
        for path in ("metrics/ai.spend/rows.csv", "ai/leaderboard.csv")
    ]
    return {
        "rows": "Developer " in client.get("/insights/metrics/ai.spend/rows/", weeks).content.decode(),
        "csv": files[0],
        "api": len(answer.json()["rows"]) > 1,
        "leaderboard": "Developer " in client.get("/insights/ai/leaderboard/", weeks).content.decode(),
        "leaderboard csv": files[1],
    }


def seen_rows(client: Client, unit: str) -> list[str]:
    """The rows of spend, without the pseudonyms, which are others for each unit."""
    content = client.get("/insights/metrics/ai.spend/rows.csv", {"unit": unit})
    rows = csv.DictReader(io.StringIO(b"".join(content).decode("utf-8-sig")))
    return [str({name: value for name, value in row.items() if name != "Developer"}) for row in rows]


def test_the_preview_shows_invented_rows_as_the_role_gets_real_ones(teams: None, sign_in: SignIn) -> None:
    for named, pseudonymous in zip(NAMED_SAMPLE, PSEUDONYMOUS_SAMPLE, strict=True):
        for exact, shown in ((named.sessions, pseudonymous.sessions), (named.spend, pseudonymous.spend)):
            assert rounded(float(exact.lstrip("$"))) == float(shown.lstrip("$"))
    rows = {"named": NAMED_SAMPLE, "totals": PSEUDONYMOUS_SAMPLE, "own": ()}
    for policy in IndividualPolicy:
        Organisation.objects.update(individual_policy=policy)
        for role in ("executive", "manager", "member"):
            page = sign_in(MEMBER).get(PAGE, {"as": role}).content.decode()
            names = re.findall(r'<tr data-sample><th scope="row" class="stick">([^<]+)</th>', page)
            assert names == [*(row.name for row in rows[sentences(sign_in(MEMBER), role)["telemetry"]]), "You"]


def test_an_admin_previews_one_account(teams: None, sign_in: SignIn) -> None:
    admin = sign_in(ADMIN)
    for persona, role, words in (
        (MANAGER, "manager", "Figures of 1 unit, 1 of them managed. Units: Platform (Teams)."),
        (MEMBER, "member", "Figures of 1 unit. Units: Platform (Teams)."),
        (EXECUTIVE, "executive", "Figures of the whole organisation and of every unit"),
        (AUDITOR, "auditor", "no figures of others"),
        (ADMIN, "admin", "Figures of the whole organisation and of every unit"),
    ):
        sign_in(persona)
        page = admin.get(PAGE, {"of": persona.email}).content.decode()
        assert f"</b>, {role}. " in page
        assert words in page
        assert dict(re.findall(r'data-sight="(\w+)" data-value="(\w+)"', page)) == sentences(admin, role)
    assert "There is no active account" in admin.get(PAGE, {"of": "nobody"}).content.decode()
    assert "Preview as" not in sign_in(MANAGER).get(PAGE, {"of": MEMBER.email}).content.decode(), "admins alone"


def test_auditors_read_who_changed_what(teams: None, sign_in: SignIn) -> None:
    admin, _ = sign_in(ADMIN), sign_in(MEMBER)
    admin.post("/orgtree/access/rules/", {
        "individual_policy": "named", "minimum_group_size": "5", "members_see": "own_units", "leaderboard": "",
    })  # fmt: skip
    admin.post("/orgtree/access/roles/", {
        "account": MEMBER.email, "role": "executive", "first_day": "2026-01-01", "reason": "Stands in",
    })  # fmt: skip
    platform = Unit.objects.get(slug="platform")
    records = LogEntry.objects.log_actions(
        User.objects.get(email=ADMIN.email).pk, [platform], ADDITION, single_object=True
    )
    assert records
    auditor = sign_in(AUDITOR)
    log = "/orgtree/access/log/"
    assert "/orgtree/access/log/" in auditor.get(PAGE).content.decode()
    entries = {
        "rules": "Individual data: pseudonyms → named",
        "roles": "is executive from 2026-01-01: Stands in",
        "admin": "Added unit “Platform”",
    }
    page = auditor.get(log).content.decode()
    assert all(text in page for text in entries.values())
    for kind, text in entries.items():
        page = auditor.get(log, {"kind": kind}).content.decode()
        assert [other for other in entries.values() if other in page] == [text]
    assert sign_in(MANAGER).get(log).status_code == 404
