"""No combination of shown values is the figure of one to four people: random organisations, viewers and requests."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest
import time_machine
from django.db.backends.postgresql.psycopg_any import DateRange

from insights.catalogue.registry import get
from insights.privacy import evidence, suppression, visible
from insights.privacy.families import Family
from insights.privacy.suppression import Cell, Cells, Minimum, Rule
from insights.privacy.visible import UnitQueries, visible_together, visible_totals
from insights.query.query import Dimension, Query, Scope, Window
from orgtree.access.access import Access, access_of
from orgtree.models import Grant, IndividualPolicy, Membership, Organisation, OrgTree, Person, Role, Unit, UnitPlace
from orgtree.trees.placements import rebuild_placements
from tests.engine.facts import AGENTS, PRICED, World, create_world
from tests.engine.organisations import PARENTS, VALUES, add_organisation
from tests.personas import ADMIN, EXECUTIVE, Persona, create_user
from tests.privacy.auditor import Auditor, Shown
from tests.seeds import seeds
from tests.stored_once import StoreOnce

NOW = datetime(2026, 3, 22, 15, 30, tzinfo=UTC)  # a Sunday
DAYS = [NOW.date() - timedelta(days=n) for n in range(27, -1, -1)]
WINDOWS = (Window(DAYS[0], date(2026, 3, 23)), Window(DAYS[14], date(2026, 3, 23)))
KEYS = ("ai.tokens", "ai.spend", "ai.sessions", "ai.error_rate", "ai.committed_code_share", "ai.spend_per_developer")
MANAGERS = {"a": Persona("manages-a"), "b": Persona("manages-b")}
GUILD = "guild"
CHAPTERS = ("chapters", "north", "south")
TREES = {"engineering": ("root", "red", "blue"), "squads": tuple(PARENTS), GUILD: (GUILD,), "chapters": CHAPTERS}
FACETS = {Dimension.AGENT: AGENTS, Dimension.MODEL: PRICED, Dimension.REPOSITORY: ("shop", "site", "tools")}
SPLITS = ((), (Dimension.AGENT,), (Dimension.MODEL,), (Dimension.REPOSITORY,), (Dimension.AGENT, Dimension.MODEL))
REQUESTS = 20

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("world")]


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture(scope="module", params=seeds())
def world(request: pytest.FixtureRequest, stored_once: StoreOnce) -> Iterator[World]:
    with stored_once(lambda: made(request.param), at=NOW) as world:
        yield world


@pytest.fixture(scope="module")
def auditor(world: World) -> Auditor:
    return Auditor(world)


def made(seed: int) -> World:
    """About sixty people in two trees, of whom some move, leave, or are in no unit, three in another one, and all but
    a few of a tree's teams are together in a fourth."""
    protected = datetime(2026, 1, 1, tzinfo=UTC)
    Organisation.objects.update_or_create(pk=1, defaults={"protected_since": protected})
    world = create_world(seed, days=DAYS, people=60, sessions=300)
    root = Unit.objects.get(slug="root")
    for unit in Unit.objects.filter(tree=root.tree):
        parent = None if unit == root else root
        UnitPlace.objects.create(unit=unit, parent=parent, during=DateRange(date(2025, 1, 1), None))
    add_organisation(world, seed, DAYS)
    add_guild(world)
    add_chapters(world)
    Person.objects.update(found_in_data=False)
    ever = DateRange(date(2025, 1, 1), None)
    Grant.objects.create(user=create_user(EXECUTIVE), role=Role.EXECUTIVE, during=ever)
    for slug, persona in MANAGERS.items():
        unit = Unit.objects.get(slug=slug)
        Grant.objects.create(user=create_user(persona), role=Role.MANAGER, unit=unit, during=ever)
    return world


def add_guild(world: World) -> None:
    """A tree of one unit with three people: what it leaves of everybody is of many."""
    people = list(Person.objects.order_by("pk").values_list("pk", flat=True))
    add_tree(world, GUILD, {GUILD: people[1:4]})


def add_chapters(world: World) -> None:
    """A tree of two units: all of Red but one person, and all of Blue but two."""
    people = list(Person.objects.order_by("pk").values_list("pk", flat=True))[:-1]
    north, south = people[1::2], people[2::2]
    add_tree(world, "chapters", {"chapters": [], "north": north[1:], "south": south[:-2]})


def add_tree(world: World, slug: str, members: Mapping[str, Sequence[int]]) -> None:
    """A tree whose first unit is above all others, with these people from the start."""
    tree = OrgTree.objects.create(name=slug.title(), slug=slug)
    during = DateRange(date(2025, 1, 1), None)
    units = {name: Unit.objects.create(tree=tree, name=name.title(), slug=name) for name in members}
    for name, unit in units.items():
        UnitPlace.objects.create(unit=unit, parent=None if name == slug else units[slug], during=during)
        for person in members[name]:
            Membership.objects.create(tree=tree, person_id=person, unit=unit, during=during)
            world.placements += [(person, above, during.lower, None) for above in dict.fromkeys((name, slug))]
    world.units[slug] = list(members)
    rebuild_placements(tree_ids=[tree.pk])


def viewers(world: World) -> Sequence[Access]:
    somebody = Person.objects.exclude(pk__in=world.left).order_by("pk")[4]
    member = Persona((somebody.email or "").removesuffix("@example.com"))
    return [access_of(create_user(persona)) for persona in (EXECUTIVE, ADMIN, *MANAGERS.values(), member)]


def queries(draw: random.Random, scope: Scope, window: Window) -> list[Query]:
    """The queries of a page for a scope: with and without a filter, split and unsplit."""
    found = []
    for key in draw.sample(KEYS, 2):
        known = {*get(key).facets}
        if key == "ai.error_rate":  # which session's part of a repository a call is, the auditor does not know
            known.discard(Dimension.REPOSITORY)
        names = draw.sample(
            [name for name in FACETS if name in known], draw.choice((0, 0, 1, 2)) if len(known) > 1 else 0
        )
        facets = {name: tuple(draw.sample(FACETS[name], draw.choice((1, 2)))) for name in names}
        for split in draw.sample(SPLITS, 2):
            if {*split} <= {*get(key).segments} & known:
                found.append(Query(key, window, scope=scope, facets=facets, segments=split))
        found.append(Query(key, window, scope=scope))
    return found


def scopes(draw: random.Random, access: Access, tree: str) -> Scope:
    where = draw.choice(
        ({}, {}, {}, {"site": ("Pune",)}, {"role": ("senior",)}, {"site": ("Oslo",), "role": ("junior",)})
    )
    words = [slug for slug in TREES[tree] if access.visibility.can_see(Unit.objects.get(slug=slug).pk)]
    words = words or [str(next(iter(access.visibility.slugs)))]
    if access.visibility.whole:
        words += ["", f"unassigned:{tree}"]
    return Scope.of_unit(draw.choice(words), where=where)


def answered(draw: random.Random, access: Access, auditor: Auditor, tree: str) -> list[Shown]:
    """All that one answer shows: of one or two scopes, and of units side by side."""
    window = draw.choice(WINDOWS)
    series = [query for _ in range(draw.choice((1, 2))) for query in queries(draw, scopes(draw, access, tree), window)]
    totals = queries(draw, scopes(draw, access, tree), window)
    units = list(Unit.objects.filter(tree__slug=tree))
    beside = UnitQueries(queries(draw, Scope(), window)[:3], [unit.pk for unit in units])
    answers = visible_together(access, series=series, totals=totals, units=[beside])
    shown = [value for answer in (*answers.series, *answers.totals) for value in auditor.shown(answer)]
    slugs = {unit.pk: unit.slug for unit in units}
    for unit, of_unit in answers.units[0].items():
        shown += [value for answer in of_unit for value in auditor.shown(answer, slugs[unit])]
    return shown


def of_all_trees(draw: random.Random, access: Access, auditor: Auditor, tree: str) -> list[Shown]:
    """A metric of everybody, of the units of all trees, and of who is in none of each."""
    window, key = draw.choice(WINDOWS), draw.choice(KEYS[:3])
    words = ["", *(f"unassigned:{slug}" for slug in TREES)] if access.visibility.whole else []
    totals = [Query(key, window, scope=Scope.of_unit(word)) for word in words]
    slugs = {unit.pk: unit.slug for unit in Unit.objects.filter(tree__slug__in=TREES)}
    answers = visible_together(access, totals=totals, units=[UnitQueries([Query(key, window)], [*slugs])])
    shown = [value for answer in answers.totals for value in auditor.shown(answer)]
    for unit, of_unit in answers.units[0].items():
        shown += [value for answer in of_unit for value in auditor.shown(answer, slugs[unit])]
    return shown


def of_filters(draw: random.Random, access: Access, auditor: Auditor, tree: str) -> list[Shown]:
    """A metric of one scope without filters, and by values of each filter: some, one of them, all others, and all."""
    window, scope = draw.choice(WINDOWS), scopes(draw, access, tree)
    key, dimension = draw.choice(KEYS[:3]), draw.choice([*FACETS])
    parts = [{dimension: values} for values in subsets(draw, (*FACETS[dimension], "homegrown", "unknown"))]
    queries_of_filters = [Query(key, window, scope=scope, facets=facets) for facets in ({}, *parts)]
    for attribute, values in VALUES.items():
        held = [{attribute: some} for some in subsets(draw, values)]
        queries_of_filters += [
            Query(key, window, scope=replace(scope, where=where), facets=queries_of_filters[1].facets) for where in held
        ]
        queries_of_filters += [Query(key, window, scope=replace(scope, where=where)) for where in held]
    for site, role in product(subsets(draw, VALUES["site"])[:2], subsets(draw, VALUES["role"])[:2]):
        wheres = ({"site": site}, {"role": role}, {"site": site, "role": role})
        queries_of_filters += [Query(key, window, scope=replace(scope, where=where)) for where in wheres]
    return [value for answer in visible_totals(queries_of_filters, access) for value in auditor.shown(answer)]


def subsets(draw: random.Random, values: Sequence[str]) -> Sequence[tuple[str, ...]]:
    """Some of the values, one of these, all others, and all."""
    some = tuple(draw.sample(values, draw.randrange(1, len(values))))
    return [some, some[:1], tuple(value for value in values if value not in some), tuple(values)]


KINDS_OF_ANSWERS = (answered, answered, of_all_trees, of_filters)


def requests(world: World, auditor: Auditor, number: int) -> Iterator[tuple[str, list[Shown]]]:
    """So many random requests: by whom, and what they were shown."""
    draw = random.Random(len(world.sessions))
    for _ in range(number):
        policy = draw.choice((IndividualPolicy.PSEUDONYMS, IndividualPolicy.SELF_ONLY))
        Organisation.objects.update(individual_policy=policy)
        access = draw.choice(viewers(world))
        yield str(access.viewer), draw.choice(KINDS_OF_ANSWERS)(draw, access, auditor, draw.choice([*TREES]))


def test_no_combination_of_shown_values_is_of_few_people(world: World, auditor: Auditor) -> None:
    """All values of an answer, and up to four of any answers to the same viewer that name the same scope."""
    made = [*requests(world, auditor, REQUESTS)]
    for viewer, shown in made:
        assert auditor.leaks(shown) == [], viewer
    assert sum(len(shown) for _, shown in made) > 7 * REQUESTS, "and not everything is hidden"
    for (viewer, scope), values in by_scope(made).items():
        assert [*auditor.leaks_of_four(values)] == [], (viewer, scope)


def by_scope(made: Iterable[tuple[str, Sequence[Shown]]]) -> Mapping[tuple[str, str], Sequence[Shown]]:
    """What each viewer was shown of each unit, with any filters, in the longer window and its weeks: windows chosen at
    will are not compared (docs/access.md)."""
    of_scope: dict[tuple[str, str], list[Shown]] = defaultdict(list)
    for viewer, shown in made:
        for value in shown:
            if value.window != WINDOWS[1]:
                of_scope[viewer, repr(value.scope.unit_word)].append(value)
    return of_scope


def only_few(cells: Cells, minimum: Minimum, hidden: Set[Cell] = frozenset(), *, rows: object = None) -> object:
    return dict.fromkeys(suppression.few(cells, minimum) | hidden, Rule.PRIMARY)


def nothing(*_: object) -> set[Cell]:
    return set()


PLANTED: Mapping[str, Sequence[tuple[object, str, object]]] = {
    "figures of few people": [(suppression, "few", nothing), (evidence, "_of_few", nothing)],
    "what is beside them": [(evidence, "suppressed", only_few)],
    "units beside one another": [
        (visible, "family_of", lambda units, *_, **__: Family([unit for unit in units if isinstance(unit, int)]))
    ],
    "who is in no unit": [(visible, "units_by_word", lambda _: {})],
    "buckets of a window": [(evidence, "_beside_buckets", nothing)],
    "filters": [(evidence.Question, "_beside_filters", nothing)],
}


@pytest.mark.parametrize("rule", PLANTED)
def test_a_rule_that_is_switched_off_is_found(
    rule: str, world: World, auditor: Auditor, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place, name, instead in PLANTED[rule]:
        monkeypatch.setattr(place, name, instead)
    assert any(auditor.is_leaking(shown) for _, shown in requests(world, auditor, 2 * REQUESTS))


OF_ONE_SCOPE = ("figures of few people", "what is beside them", "buckets of a window", "filters")


@pytest.mark.parametrize("rule", OF_ONE_SCOPE)
def test_a_rule_that_is_switched_off_is_found_in_four_values(
    rule: str, world: World, auditor: Auditor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In answers that name the same scope."""
    for place, name, instead in PLANTED[rule]:
        monkeypatch.setattr(place, name, instead)
    made = []
    for viewer, shown in requests(world, auditor, 2 * REQUESTS):
        made.append((viewer, shown))
        of_scopes = by_scope(made)
        if any(leak for key in by_scope(made[-1:]) for leak in auditor.leaks_of_four(of_scopes[key])):
            return
    pytest.fail(f"nothing leaked in {2 * REQUESTS} answers")
