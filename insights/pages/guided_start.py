"""The guided start: six steps from an empty installation to the first dashboard.  docs/first-hour.md

Whether a step is done is read from the stored data each time, so a tick is never out of date.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.contrib.auth.models import User
from django.db.models import Count, Max, Min, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from core import sql
from core.page_links import url_with
from core.views import action_view, record_view
from insights.catalogue.agents import agent_name, in_agent_order
from insights.dashboards.templates import TEMPLATES
from insights.models import Dashboard
from insights.pages.ai.tabs import AI_PAGE
from insights.pages.answers import of_tiles
from insights.pages.integrations.needs import need_lines
from insights.pages.integrations.page import STATE_LABELS
from insights.ui import wording
from insights.ui.filters import Filters, filters_of
from insights.ui.tiles import Link, Tile
from integrations.delivery.completeness import completeness
from integrations.models import AgentSession, Connection, RepositorySource
from integrations.models.connections import PUSH
from integrations.sync.health import sync_health
from orgtree.access.permissions import admins_only
from orgtree.access.policy import Philosophy, current_philosophy
from orgtree.models import Grant, Invitation, Organisation, OrgTree, Person, Reporting, TreeKind, Unit

LEFT = "guided_start_left"  # in the session, so the guided start is back in the next one
LATELY = timedelta(hours=24)
FIRST_TILES = ("ai.sessions", "ai.committed_code_share")
NAMED = 3  # connections, trees
TOOLS_LISTED = 4  # without the links between pull requests and items, which need no connection
NOTHING_YET = "Nothing received yet"
TITLES: Mapping[str, str] = {
    "agent": "Connect an agent",
    "people": "Add people",
    "tree": "Build the tree",
    "tools": "Connect tools",
    "access": "Decide who sees what",
    "dashboard": "Open your first dashboard",
}


@dataclass(frozen=True)
class SetupFact:
    """A part of a step of the guided start in its current state; `is_decided` is None if any value will do."""

    label: str
    text: str
    url: str
    is_decided: bool | None = None


@dataclass(frozen=True)
class Choice:
    """A way to complete a step."""

    label: str
    text: str
    icon: str
    url: str


@dataclass(frozen=True)
class Step:
    """A step; `detail` is its state or purpose; `link` is the only button of a folded step."""

    key: str
    title: str
    is_done: bool
    detail: str
    link: Link
    icon: str
    minutes: int = 0
    choices: Sequence[Choice] = ()
    facts: Sequence[SetupFact] = ()


@dataclass(frozen=True)
class GuidedStart:
    steps: Sequence[Step]

    @property
    def done(self) -> int:
        return sum(step.is_done for step in self.steps)

    @property
    def current(self) -> Step | None:
        return next((step for step in self.steps if not step.is_done), None)

    @property
    def share(self) -> float:
        return self.done / len(self.steps)


@record_view
@admins_only
def guided_start(request: HttpRequest) -> HttpResponse:
    """The guided start at an address of its own, where it can be resumed and stays when all is done."""
    request.session.pop(LEFT, None)
    return start_page(request)


@admins_only
@action_view
def leave_guided_start(request: HttpRequest) -> HttpResponse:
    request.session[LEFT] = True
    return redirect("home")


def is_shown_at_home(request: HttpRequest) -> bool:
    """Whether the guided start replaces the home page: for admins, until they leave it or it is done."""
    return bool(request.user.is_superuser) and not request.session.get(LEFT) and not is_set_up()


def is_left_unfinished(request: HttpRequest) -> bool:
    return bool(request.user.is_superuser and request.session.get(LEFT)) and not is_set_up()


def is_set_up() -> bool:
    return all(progress())


def start_page(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    done = progress()
    start = GuidedStart([step(now, is_done) for step, is_done in zip(STEPS, done, strict=True)])
    filters = filters_of(request, facets=())
    context = {
        "start": start,
        "total": len(start.steps),
        "arriving": _arriving(now),
        "tiles": _first_tiles(filters),
        "templates": TEMPLATES,
    }
    return render(request, "insights/guided_start.html", context)


def _arriving(now: datetime) -> list[tuple[str, str, str, str, str]]:
    """Agents, the code host and the tracker: name, last arrival, and the tag's tone, icon and words."""
    last = AgentSession.objects.aggregate(last=Max("ended_at"))["last"]
    agents = ("Coding agents", NOTHING_YET, "", "minus", "Step 1")
    if last is not None:
        tag = ("good", "check", "Receiving") if now - last < LATELY else ("watch", "clock-exclamation", "Quiet")
        agents = ("Coding agents", f"Latest event {wording.ago(last, now)}", *tag)
    tools = [
        (line.title, line.detail, line.tone, "check" if line.is_met else "alert-triangle", line.state)
        if line.tone
        else (line.title, NOTHING_YET, "", "minus", "Step 4")
        for line in need_lines(completeness(), now, for_admin=True)[:TOOLS_LISTED]
    ]
    return [agents, *tools]


def _first_tiles(filters: Filters) -> list[Tile]:
    answers = AI_PAGE.read(filters, of_tiles(*FIRST_TILES))
    return [answers.tile(key) for key in FIRST_TILES]


# Whether a step is done -----------------------------------------------------------------------------------------


class Progress(NamedTuple):
    """Whether each step is done, in order."""

    agent: bool
    people: bool
    tree: bool
    tools: bool
    access: bool
    dashboard: bool

    @property
    def next(self) -> str:
        """The key of the first step that is not done; empty if all are."""
        return next((key for key, is_done in self._asdict().items() if not is_done), "")


def progress() -> Progress:
    """Reads from the stored data, in one query, which steps are done.

    People found in data are a by-product of other steps, so only people who were entered or imported count.  A tool
    counts once it was read or sent something: a connection that was only saved proves nothing.  Access is done once an
    admin chose the rules or kept them, somebody besides one admin can sign in, and somebody has a role, by a grant or
    by leading a unit.
    """
    (row,) = sql.rows(
        """
        SELECT EXISTS (SELECT FROM integrations_agentsession),
               EXISTS (SELECT FROM orgtree_person WHERE NOT found_in_data),
               EXISTS (SELECT FROM orgtree_unit unit JOIN orgtree_orgtree tree ON tree.id = unit.tree_id
                       WHERE tree.archived_at IS NULL),
               EXISTS (SELECT FROM integrations_stream WHERE succeeded_at IS NOT NULL)
                   OR EXISTS (SELECT FROM integrations_repositorysource WHERE synced_at IS NOT NULL)
                   OR EXISTS (SELECT FROM integrations_pushedrecord),
               EXISTS (SELECT FROM orgtree_organisation WHERE rules_decided_at IS NOT NULL)
                   AND (EXISTS (SELECT FROM auth_user WHERE is_active OFFSET 1)
                   OR EXISTS (SELECT FROM orgtree_invitation
                              WHERE accepted_at IS NULL AND withdrawn_at IS NULL AND expires_at > %(now)s))
                   AND (EXISTS (SELECT FROM orgtree_grant WHERE during @> %(today)s::date)
                        OR EXISTS (SELECT FROM orgtree_unit unit JOIN orgtree_orgtree tree ON tree.id = unit.tree_id
                                   WHERE unit.leader_id IS NOT NULL AND tree.archived_at IS NULL)),
               EXISTS (SELECT FROM insights_dashboard)
        """,
        {"now": timezone.now(), "today": timezone.localdate()},
    )
    return Progress(*row)


# The way back from the pages of a step --------------------------------------------------------------------------

PAGES_OF_STEPS: Mapping[str, Sequence[str]] = {  # prefixes of the names of their routes
    "agent": ("connect_agent", "agent_arrival"),
    "people": ("people", "person", "orgtree_person_"),
    "tree": ("trees", "new_tree", "tree"),
    "tools": ("integrations", "connect_repository", "integrations_connection_"),
    "access": ("access", "invitations", "philosophy"),
    "dashboard": ("dashboard",),
}


@dataclass(frozen=True)
class WayBack:
    """The bar above a page of a step: the step, its number, whether it is done, and the next step."""

    title: str
    number: int
    is_done: bool
    next_key: str
    next_title: str


def way_back(request: HttpRequest) -> WayBack | None:
    """The way back to the guided start, for admins on a page of a step; None once it is done or left."""
    match = request.resolver_match
    user = getattr(request, "user", None)
    if match is None or not getattr(user, "is_superuser", False) or request.session.get(LEFT):
        return None
    name = match.url_name or ""
    key = next((key for key, begins in PAGES_OF_STEPS.items() if name.startswith(tuple(begins))), "")
    if not key:
        return None
    done = progress()
    if not done.next:
        return None
    number = list(PAGES_OF_STEPS).index(key) + 1
    return WayBack(TITLES[key], number, getattr(done, key), done.next, TITLES[done.next])


# The steps in words ---------------------------------------------------------------------------------------------


def _agent(now: datetime, is_done: bool) -> Step:
    of_sessions = AgentSession.objects.aggregate(
        first=Min("started_at"), last=Max("ended_at"), people=Count("identity", distinct=True)
    )
    agents = in_agent_order(AgentSession.objects.order_by().values_list("agent", flat=True).distinct())
    detail = "Point a coding agent at Headway. Its sessions, tokens and spend appear within seconds of its first event."
    if is_done and of_sessions["first"] and of_sessions["last"]:
        names = wording.listed([agent_name(agent) for agent in agents])
        people = wording.count(of_sessions["people"], "account")
        detail = (
            f"{names} of {people}. First event {wording.moment(of_sessions['first'])}, "
            f"latest {wording.ago(of_sessions['last'], now)}."
        )
    label = "Connect another" if is_done else "Connect an agent"
    return Step("agent", TITLES["agent"], is_done, detail, Link(label, reverse("connect_agent")), "plug", 3)


def _people(_now: datetime, is_done: bool) -> Step:
    known = Person.objects.aggregate(
        all=Count("pk", filter=Q(found_in_data=False)),
        reachable=Count("pk", filter=Q(found_in_data=False, email__isnull=False)),
        found=Count("pk", filter=Q(found_in_data=True)),
    )
    found = f" {_people_words(known['found'])} found in data so far." if known["found"] else ""
    detail = f"Who works here, with managers, teams and addresses, so that figures count for the right people.{found}"
    if is_done:
        detail = f"{_people_words(known['all'])}, {known['reachable']:,} with an e-mail address.{found}"
    return Step(
        "people",
        TITLES["people"],
        is_done,
        detail,
        Link("Open people", reverse("people")),
        "users",
        3,
        choices=(
            Choice(
                "Import a file",
                "A CSV file of your HR system; you see a preview first",
                "upload",
                reverse("people_import"),
            ),
            Choice(
                "One by one", "Names and addresses, entered in admin", "writing", reverse("admin:orgtree_person_add")
            ),
        ),
    )


def _people_words(number: int) -> str:
    return wording.count(number, "person", "people")


def _tree(now: datetime, is_done: bool) -> Step:
    trees = list(OrgTree.objects.filter(archived_at=None).order_by("created_at", "pk"))
    detail = "Units decide whose figures a page shows. One tree is enough to begin; you can change it any time."
    if is_done:
        units = Unit.objects.filter(tree__in=trees).count()
        named = [tree.name for tree in trees[:NAMED]] + (["others"] if len(trees) > NAMED else [])
        detail = f"{wording.listed(named)}, with {wording.count(units, 'unit')}."
    today = timezone.localtime(now).date()
    reporting = Reporting.objects.filter(during__contains=today)
    people = Person.objects.count()
    led = reporting.values("person").distinct().count()
    teams = reporting.values("manager").distinct().count()
    by_manager = f"{led:,} of {_people_words(people)} have a manager: {wording.count(teams, 'team')}, ready to check"
    if not led:
        by_manager = "No manager is known: import people with the column manager_email"
    new = reverse("new_tree")
    return Step(
        "tree",
        TITLES["tree"],
        is_done,
        detail,
        Link("Open Org Trees", reverse("trees")),
        "sitemap",
        2,
        choices=(
            Choice("By manager", by_manager, "users", url_with(new, [("kind", TreeKind.MANAGERS)])),
            Choice(
                "By attributes",
                "Site, department, team, as people have them",
                "list-details",
                url_with(new, [("kind", TreeKind.ATTRIBUTES)]),
            ),
            Choice(
                "By hand", "Name the units, then move people in", "tool", url_with(new, [("kind", TreeKind.HAND_BUILT)])
            ),
        ),
    )


def _tools(now: datetime, is_done: bool) -> Step:
    detail = "Code, issues and incidents turn sessions into outcomes. Each connection is tested before it is saved."
    healths = sync_health(now)
    states = [f"{health.connection.name}: {STATE_LABELS[health.state][-1].lower()}" for health in healths[:NAMED]]
    on_disk = RepositorySource.objects.filter(connection__removed_at=None).count()
    if on_disk and not healths:
        states = [f"{wording.count(on_disk, 'repository')} on this machine"]
    if Connection.objects.filter(provider=PUSH, removed_at=None).exists():
        states.append("records are pushed")
    if states:
        detail = f"{'; '.join(states)}."
        if not is_done:
            detail += " Nothing was read yet."
    failing = next((health.connection for health in healths if health.connection.problem), None)
    link = Link("Connect another" if is_done else "Connect", reverse("admin:integrations_connection_add"))
    if failing is not None and not is_done:
        link = Link("Mend the connection", reverse("admin:integrations_connection_change", args=[failing.pk]))
    return Step(
        "tools",
        TITLES["tools"],
        is_done,
        detail,
        link,
        "plug-connected",
        5,
        choices=(
            Choice(
                "GitHub, Jira and others",
                "With a token that you create there; the form says which permissions",
                "plug-connected",
                reverse("admin:integrations_connection_add"),
            ),
            Choice(
                "Repositories on this machine", "By their path; no token", "git-commit", reverse("connect_repository")
            ),
            Choice(
                "Anything else",
                "Pipelines and tools push records with one line",
                "terminal-2",
                f"{reverse('integrations')}#push-api",
            ),
        ),
    )


def _readers(_now: datetime, is_done: bool) -> Step:
    organisation = Organisation.current()
    accounts, invited, roles = _other_accounts(), _open_invitations(), _roles()
    detail = "Individual data, minimum group, leaderboard and roles, and who is invited to look."
    if organisation.protected_since is None:
        detail += (
            f" You are in trial mode: until {organisation.minimum_group_size} people are active, everybody with an "
            "account sees everything."
        )
    if is_done:
        detail = f"{wording.count(accounts, 'other account')}, {wording.count(roles, 'role')} in force. " + detail
    page = reverse("access")
    facts = (
        SetupFact(
            "Policy",
            f"Individual data: {organisation.get_individual_policy_display().lower()}; figures of fewer than "
            f"{organisation.minimum_group_size} people are hidden"
            + ("" if organisation.rules_decided_at else ". Choose, or keep these rules, on the page"),
            page,
            organisation.rules_decided_at is not None,
        ),
        *([_philosophy(philosophy)] if (philosophy := current_philosophy()) else []),
        SetupFact("Leaderboard", "On" if organisation.leaderboard else "Off for everybody", page),
        SetupFact(
            "Roles",
            f"{wording.count(roles, 'role')}, granted or by leading a unit"
            if roles
            else "Nobody is executive or manager",
            f"{page}#roles",
            roles > 0,
        ),
        SetupFact(
            "Invitations",
            f"{wording.count(accounts, 'other account')}, {wording.count(invited, 'open invitation')}"
            if accounts or invited
            else "Nobody else can sign in",
            reverse("invitations"),
            accounts + invited > 0,
        ),
    )
    link = Link("Who sees what" if is_done else "Decide", page)
    return Step("access", TITLES["access"], is_done, detail, link, "eye", 4, facts=facts)


def _philosophy(philosophy: Philosophy) -> SetupFact:
    published = philosophy.published_at is not None
    text = (
        f"Version {philosophy.version} is published" if published else "Headway’s text is shown until you publish one"
    )
    return SetupFact("Philosophy", text, philosophy.url, published or None)


def _other_accounts() -> int:
    """The number of active accounts besides one admin's."""
    active = User.objects.filter(is_active=True)
    return max(active.count() - 1, 0)


def _open_invitations() -> int:
    return Invitation.objects.filter(accepted_at=None, withdrawn_at=None, expires_at__gt=timezone.now()).count()


def _roles() -> int:
    granted = Grant.objects.filter(during__contains=timezone.localdate()).count()
    return granted + Unit.objects.filter(leader__isnull=False, tree__archived_at=None).count()


def _dashboard(_now: datetime, is_done: bool) -> Step:
    detail = "Choose a template; it becomes a draft of your own that you can change and publish."
    if is_done:
        number = Dashboard.objects.count()
        detail = f"{wording.count(number, 'dashboard')}, the latest “{Dashboard.objects.latest('pk').title}”."
    return Step(
        "dashboard",
        TITLES["dashboard"],
        is_done,
        detail,
        Link("Open dashboards", reverse("dashboards")),
        "layout-dashboard",
        1,
    )


STEPS: Sequence[Callable[[datetime, bool], Step]] = (_agent, _people, _tree, _tools, _readers, _dashboard)
