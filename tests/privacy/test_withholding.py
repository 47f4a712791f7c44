"""Small groups: no figure of fewer people than the minimum, in no answer and under no other name."""

from __future__ import annotations

import ast
import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from insights.catalogue.registry import get, metrics
from insights.engine.distribution import Bin, DistributionAnswer
from insights.engine.read import read_series
from insights.pages.metric.page import routes_of
from insights.privacy.visible import visible_rows, visible_series
from insights.privacy.withhold import is_withheld, withheld_distribution
from insights.query import windows
from insights.query.query import Dimension, Query, Scope
from insights.ui import wording
from integrations.models import AgentSession, Repository
from orgtree.access.access import access_of
from orgtree.models import IndividualPolicy, Organisation
from tests.every_route import ROUTES
from tests.org import Org
from tests.pages.delivering import merged
from tests.personas import ADMIN, EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, Persona, create_user
from tests.servers import PROJECT_DIR
from tests.stored_once import StoreOnce
from tests.teams import OTHERS_IN_PLATFORM, create_teams

PLANTED = 7_654_321  # tokens of Grace, the only one of her team with a session
DIGITS_THAT_TELL = 5  # shorter numbers stand in pages by chance: keys of records, in a long run of tests

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("teams")]


@pytest.fixture(scope="module")
def teams(stored_once: StoreOnce, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Org]:
    with stored_once(lambda: tell_of_teams(Org(tmp_path_factory.mktemp))) as made:
        yield made


def tell_of_teams(org: Org) -> Org:
    create_teams()
    yesterday = windows.local_today() - timedelta(days=1)
    for number, name in enumerate(("ada", *OTHERS_IN_PLATFORM)):
        org.session(by=name, on=yesterday, tokens=1000 + number, lines=10, tool_calls={"Bash": 10})
    org.session(
        by="grace", on=yesterday, tokens=PLANTED, output=45_678, cache_read=98_761, requests=3, lines=4_567,
        tool_calls={"Bash": 8_123 // 1000}, failures={"Planted": 1},
    )  # fmt: skip
    org.fold()
    return org


def query(key: str = "ai.tokens", unit: str | None = "search", **more: object) -> Query:
    return Query(key, windows.trailing(12), scope=Scope(unit), **more)  # type: ignore[arg-type]


def seen(persona: Persona, metric_query: Query) -> float | None:
    [answer] = visible_series([metric_query], access_of(create_user(persona)))
    return answer.total[0].value


def test_a_small_group_is_hidden_from_others_with_the_reason(teams: Org) -> None:
    for persona in (EXECUTIVE, ADMIN):
        [answer] = visible_series([query()], access_of(create_user(persona)))
        for figure in (*answer.total, *(point for point in answer.series if point.withheld)):
            assert (figure.value, figure.numerator, figure.denominator, figure.sample_size) == (None, None, None, 0)
            assert (figure.people, figure.withheld) == (0, True)
            assert "fewer than 5 people" in (figure.reason or "")


def test_a_group_of_enough_people_is_shown(teams: Org) -> None:
    assert seen(EXECUTIVE, query(unit=None)) is not None
    assert seen(EXECUTIVE, query(unit="platform")) is None, "all others are one person"
    assert seen(MEMBER, query(unit="platform")) == sum(range(1000, 1006))


def test_nobody_is_no_group(teams: Org) -> None:
    assert seen(EXECUTIVE, query("ai.tool_refusals")) == 0


@pytest.mark.parametrize(("people", "hidden"), [(0, False), (1, True), (4, True), (5, False)])
def test_the_minimum_group_size_is_the_least_that_is_shown(teams: Org, people: int, hidden: bool) -> None:
    assert is_withheld(query(unit=None), people, access_of(create_user(EXECUTIVE))) is hidden


def test_ones_own_figures_are_ones_own(teams: Org) -> None:
    access = access_of(create_user(OTHER_MEMBER))
    own = Query("ai.tokens", windows.trailing(12), scope=Scope(person_id=access.visibility.person_id))
    [answer] = visible_series([own], access)
    assert answer.total[0].value == PLANTED + 45_678 + 98_761


@pytest.mark.parametrize("policy", [IndividualPolicy.SELF_ONLY, IndividualPolicy.PSEUDONYMS])
def test_segments_of_few_people_are_hidden_where_the_whole_is_shown(teams: Org, policy: IndividualPolicy) -> None:
    Organisation.objects.update(individual_policy=policy)
    by_tool = query("ai.tool_failures", unit=None, segments=(Dimension.TOOL,))
    [answer] = visible_series([by_tool], access_of(create_user(EXECUTIVE)))
    assert [(figure.segment["tool"], figure.value) for figure in answer.total] == [("Planted", None)]


@pytest.mark.parametrize(
    "narrowed",
    [
        {"scope": Scope("platform", where={"role": ("lead",)})},
        {"facets": {Dimension.REPOSITORY: ("acme/notes-of-ada",)}},
        {"facets": {Dimension.AGENT: ("claude_code",)}},
        {"segments": (Dimension.ASSISTANCE,)},
    ],
    ids=["an attribute", "a repository that names a person", "an agent", "a split by assistance"],
)
def test_a_filter_in_ones_own_unit_that_leaves_few_is_hidden(teams: Org, narrowed: dict[str, Any]) -> None:
    yesterday = windows.local_today() - timedelta(days=1)
    teams.people({"full_name": "Ada", "email": "ada@example.com", "role": "lead"})
    for number, name in enumerate(("ada", *OTHERS_IN_PLATFORM[:2])):
        change = merged(number + 1, yesterday, author=name)
        teams.push("pull-requests", change | {"repository": "acme/notes-of-ada"} if name == "ada" else change)
    teams.fold()
    for persona in (MANAGER, MEMBER):
        assert seen(persona, query("pr.cycle_time", "platform")) is not None  # a unit's own delivery, at any size
        metric_query = replace(query("pr.cycle_time", "platform"), **narrowed)
        [answer] = visible_series([metric_query], access_of(create_user(persona)))
        assert [figure.value for figure in answer.total] == [None] * len(answer.total)
        listed = {row["person"] for row in visible_rows(metric_query, access_of(create_user(persona))).rows}
        assert listed <= ({"Ada"} if persona is MEMBER else set())


def test_a_quotient_is_hidden_where_few_people_make_its_numerator(teams: Org) -> None:
    """Else a small sum could be read beside a large one: seven people call tools, one of them fails."""
    assert seen(EXECUTIVE, query("ai.tool_failures", unit=None)) is None
    assert seen(EXECUTIVE, query("ai.error_rate", unit=None)) is None


def test_the_policy_named_and_the_trial_show_everything(teams: Org) -> None:
    Organisation.objects.update(individual_policy=IndividualPolicy.NAMED)
    assert seen(EXECUTIVE, query()) is not None
    Organisation.objects.update(
        individual_policy=IndividualPolicy.PSEUDONYMS, protected_since=None, minimum_group_size=99
    )
    assert seen(MEMBER, query()) is not None


def test_rows_of_a_small_group_are_ones_own(teams: Org) -> None:
    own = visible_rows(query(), access_of(create_user(OTHER_MEMBER)))
    assert [row["person"] for row in own.rows] == ["Grace"]
    assert own.total == 1
    others = visible_rows(query(), access_of(create_user(Persona("lise"))))
    assert (others.rows, others.total) == ([], 0)
    assert "only your own are listed" in others.note


def test_rows_of_a_unit_are_for_its_members_and_managers(teams: Org) -> None:
    metric_query = query(unit="platform")
    assert visible_rows(metric_query, access_of(create_user(MANAGER))).total == 6
    assert visible_rows(metric_query, access_of(create_user(MEMBER))).total == 6
    for persona in (EXECUTIVE, ADMIN):
        page = visible_rows(metric_query, access_of(create_user(persona)))
        assert (page.total, page.note) == (
            0,
            "Only your own rows are listed: you may see aggregates here, not the rows of others.",
        )


def of_the_small_team() -> list[Query]:
    """Each metric, whole and by each of its segments."""
    window = windows.trailing(12)
    return [
        Query(metric.key, window, scope=Scope("search"), segments=split)
        for metric in metrics()
        for split in ((), *((dimension,) for dimension in metric.segments))
    ]


def identifying_numbers() -> Iterator[str]:
    """Every figure of the small team, in each way in which a page, a CSV or the API prints numbers."""
    queries = of_the_small_team()
    for query, answer in zip(queries, read_series(queries), strict=True):
        for figure in answer.total:
            for value in filter(None, (figure.value, figure.numerator, figure.denominator)):
                printed = str(wording.reading(value, get(query.key).unit))
                yield from (printed, wording.exact(value), repr(value), f"{value:,.0f}", f"{value:.0f}")


def walked() -> list[str]:
    """Each route of the application, each part of a metric's page, and the API with a metric of each segment."""
    pages = [access.address for route, access in ROUTES.items() if not route.startswith(("accounts/", "^v1/"))]
    of_metric = routes_of("ai.spend")
    parts = [f"/insights/metrics/ai.spend/parts/{part}/" for part in of_metric.parts]
    files = [f"/insights/metrics/ai.spend/charts/{name}.csv" for name in (*of_metric.charts, *of_metric.tables)]
    split = {dimension: metric.key for metric in metrics() for dimension in metric.segments}
    series = [f"/api/v1/metrics/{key}/series/?segment={dimension}" for dimension, key in split.items()]
    return [*pages, *parts, *files, *series]


def addresses_by_metric(kind: str) -> list[str]:
    """The addresses of this kind for each metric; series are read together, without addresses of their own."""
    return [f"/api/v1/metrics/{metric.key}/{kind}/" for metric in metrics()]


@pytest.mark.parametrize(
    ("name", "by_metric"),
    [
        ("lise", ["rows"]),
        ("mary", ["distribution"]),
        ("admin", []),
        *(pytest.param(name, ["rows", "distribution"], marks=pytest.mark.soak) for name in ("lise", "mary", "admin")),
    ],
)
def test_no_answer_tells_a_withheld_figure(
    teams: Org, name: str, by_metric: list[str], sign_in: Callable[[Persona], Client]
) -> None:
    persona = Persona(name, is_admin=name == "admin")
    client = sign_in(persona)
    planted = {text for text in identifying_numbers() if len(re.sub(r"\D", "", text)) >= DIGITS_THAT_TELL}
    assert f"{PLANTED + 45_678 + 98_761:,}" in planted
    begins = "".join({re.escape(text[0]) for text in planted})  # tried first, as most characters of a page begin none
    tells = re.compile(rf"(?<![\d.,])(?=[{begins}])(?:{'|'.join(map(re.escape, planted))})(?!\d)")
    leaks = {}
    for address in [*walked(), *(address for kind in by_metric for address in addresses_by_metric(kind))]:
        joined = "&" if "?" in address else "?"
        answer = client.get(f"{address}{joined}unit=search")
        body = answer.getvalue().decode(errors="replace")
        if leaked := set(tells.findall(body)):
            leaks[address] = leaked
    assert not leaks
    seen = visible_series(of_the_small_team(), access_of(create_user(persona)))
    assert not {(answer.query.key, answer.query.segments) for answer in seen if tells.search(repr(answer))}


def test_views_and_the_api_read_figures_for_a_viewer() -> None:
    """insights.privacy.visible is their only way: whoever reads whole answers shows them to anybody."""
    readers = {"insights.engine.read", "insights.engine.contributions", "insights.engine.distribution"}
    through_visible_page = PROJECT_DIR / "insights/pages/ai/sessions/listing.py"
    for folder in ("pages", "api"):
        for path in (PROJECT_DIR / "insights" / folder).rglob("*.py"):
            for statement in ast.walk(ast.parse(path.read_text())):
                if path == through_visible_page:
                    continue
                if isinstance(statement, ast.ImportFrom) and statement.module in readers:
                    assert not [name.name for name in statement.names if name.name.startswith("read_")], path


def test_sessions_of_a_repository_are_hidden_of_few_in_ones_own_unit_too(
    teams: Org, sign_in: Callable[[Persona], Client]
) -> None:
    """The attack: the table of repositories took them for delivery, which a unit sees of itself at any size."""
    teams.commit(by="grace", on=windows.local_today() - timedelta(days=1), at="10:05")
    teams.fold()
    AgentSession.objects.update(repository=Repository.objects.get())
    answer = sign_in(OTHER_MEMBER).get("/insights/ai/repositories.csv", {"unit": "search", "range": "4w"})
    rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))
    assert {(row["Sessions"], row["Spend (USD)"]) for row in rows} == {("", "")}


def test_a_distribution_with_a_single_bar_is_shown(teams: Org) -> None:
    spread = DistributionAnswer(query(), 7, 3.0, 3.0, 3.0, {"p50": 3.0}, [Bin(3.0, 3.0, 7)], None)
    (total,) = read_series([query(unit="platform")])[0].total
    shown = withheld_distribution(spread, total, access_of(create_user(EXECUTIVE)))
    assert [bar.count for bar in shown.histogram] == [7]
