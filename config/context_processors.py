"""Context of every page: navigation, trial notice and the account's role."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from config.documentation import doc_pages
from core.page_links import address, url_with
from insights.pages.guided_start import way_back
from insights.privacy.scope_access import access_in
from insights.ui.filters import SCOPE_PARAMETERS, context_of
from orgtree.access.access import Access
from orgtree.access.search_sources import Takes
from orgtree.access.trust import trial_state


@dataclass(frozen=True)
class Entry:
    """A navigation entry: URL name, label and icon.

    It is current for pages below its URL, and below those of `also`.  `hint` holds further words by which the search
    finds it.
    """

    url_name: str
    label: str
    icon: str
    staff_only: bool = False
    finance_only: bool = False
    also: tuple[str, ...] = ()
    counts_unread: bool = False
    takes: Takes = "context"  # what its link has of the page's context
    hint: str = ""

    def is_for(self, access: Access | None) -> bool:
        """Whether the viewer may open it; None: nobody is signed in."""
        is_staff = access is not None and bool(getattr(access.viewer, "is_staff", False))
        is_finance = access is not None and access.visibility.reads_capitalisation
        return (is_staff or not self.staff_only) and (is_finance or not self.finance_only)


NavigationLink = tuple[Entry, str, bool]  # with its URL, and whether it is current


@dataclass(frozen=True)
class NavigationGroup:
    """The entries of a section that its reader needs most, and the others, which are folded."""

    title: str
    links: Sequence[NavigationLink]
    folded: Sequence[NavigationLink]

    @property
    def folded_title(self) -> str:
        """The title of the folded entries; empty if none are folded."""
        return "" if not self.folded else f"More {self.title.lower()}" if self.links else self.title

    @property
    def is_current_folded(self) -> bool:
        return any(is_current for _, _, is_current in self.folded)


NAVIGATION: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    (
        "",
        (
            Entry("home", "Home", "home"),
            Entry("inbox", "Inbox", "bell", also=("digests",), hint="notices", counts_unread=True, takes=""),
        ),
    ),
    (
        "Insights",
        (
            Entry("ai", "AI", "sparkles", hint="adoption, impact, spend, usage of agents"),
            Entry("ai_costs", "AI costs", "coins", hint="what a repository, pull request or ticket cost"),
            Entry("reconciliation", "Reconciliation", "list-details", hint="vendor, bill, invoice, difference"),
            Entry("budgets", "AI budgets", "calendar-due", also=("charge_back",), takes=""),
            Entry("ai_repositories", "AI readiness", "shield-check", hint="repositories, context files"),
            Entry("attribution", "Attribution", "git-commit", hint="commits of agents"),
            Entry("delivery", "Delivery", "git-merge", hint="DORA, lead time, bottleneck, quality"),
            Entry("planning", "Planning", "calendar-stats", hint="sprints, commitment, scope creep, flow, backlog"),
            Entry("allocation", "Allocation", "chart-donut", hint="investment, categories, effort, targets"),
            Entry("capacity", "Capacity", "clock", hint="after hours, weekend, focus, work in progress, load"),
            Entry(
                "capitalisation",
                "Capitalisation",
                "list-numbers",
                finance_only=True,
                hint="eligible, finance, ASU 2025-06, IAS 38, periods",
                takes="",
            ),
            Entry("findings", "Findings", "bulb", hint="changes, bottlenecks, what to look at", takes=""),
            Entry(
                "report",
                "Report",
                "presentation",
                hint="executive report, quarter in five minutes, highlights, recommendations",
                takes="scope",
            ),
            Entry("dashboards", "Dashboards", "layout-dashboard", hint="own pages, templates, cards", takes=""),
            Entry("compare", "Compare units", "table", hint="units side by side"),
            Entry("metric_catalogue", "Metrics", "chart-line", hint="catalogue, definitions, formulas", takes=""),
            Entry("hand_kept", "Hand-kept metrics", "writing", hint="values entered by hand", takes=""),
        ),
    ),
    (
        "Program",
        (
            Entry("program", "Overview", "layout-dashboard", hint="improvement program", takes="scope"),
            Entry("objectives", "Objectives", "target", hint="OKR, key results", also=("quarters",), takes="scope"),
            Entry("roadmap", "Roadmap", "layout-kanban", hint="objectives by team and quarter", takes="scope"),
            Entry("tickets", "Action plans", "list-check", hint="action tickets", takes="scope"),
            Entry(
                "experiments",
                "Experiments",
                "arrows-diff",
                hint="try a change, verdict, what worked",
                takes="scope",
            ),
            Entry("reviews", "Monthly reviews", "checks", hint="agenda, decisions, sign-off", takes="scope"),
            Entry("meetings", "Meetings", "calendar", hint="schedules, invitations", takes="scope"),
            Entry("qbrs", "QBR", "presentation", hint="business reviews", takes=""),
            Entry(
                "benchmarks",
                "Benchmarks",
                "ruler-measure",
                hint="baseline, threshold, target",
                also=("focus",),
                takes="scope",
            ),
            Entry("alerts", "Alerts", "bell", hint="limits of metrics", takes=""),
            Entry("agreements", "Agreements", "git-pull-request", hint="working agreements, limits", takes="scope"),
            Entry("philosophy", "Philosophy", "book", hint="why and how we measure", takes=""),
        ),
    ),
    (
        "Organisation",
        (
            Entry("people", "People", "user", also=("people_import",), takes=""),
            Entry("access", "Who sees what", "eye", hint="policy, access, roles, privacy", takes=""),
        ),
    ),
    (
        "Setup",
        (
            Entry("trees", "Org Trees", "sitemap", hint="units, teams", takes=""),
            Entry("integrations", "Integrations", "plug-connected", hint="connections, health, sync", takes=""),
            Entry("ownership", "Ownership", "key", hint="who owns repositories and services", takes=""),
            Entry("connect_agent", "Connect an agent", "plug", hint="telemetry, ingest tokens", takes=""),
            Entry("connect_repository", "Repositories", "binary-tree-2", hint="clones on disk, Git", takes=""),
            Entry(
                "identities", "Identities", "users", hint="accounts and addresses of people", staff_only=True, takes=""
            ),
            Entry("admin:index", "Admin", "settings", staff_only=True, takes=""),
        ),
    ),
)

ENTRIES = tuple(entry for _, entries in NAVIGATION for entry in entries)

MORE_PAGES = (  # that the search finds, and others link to
    Entry("ai_leaderboard", "Leaderboard", "list-details", hint="developers by AI code, spend or wastage"),
    Entry("ai_sessions", "Agent sessions", "terminal-2", hint="list of sessions"),
    Entry("ai_prices", "Model prices", "coins", takes="", hint="tokens, seats, price book"),
    Entry("charge_back", "Charge-back", "coins", takes="", hint="spend by unit and month"),
    Entry("review_waits", "Why reviews wait", "hourglass", takes="", hint="causes of long waits, by team"),
    Entry("saved_views", "Saved views", "pin", takes="", hint="pages with a unit, a window and filters"),
    Entry("annotations", "Notes on charts", "flag", takes="", hint="annotations, events"),
    Entry("context", "Context", "info-circle", takes="scope", hint="greenfield or legacy, language, comparable teams"),
    Entry("work_types", "Work types", "info-circle", takes="", hint="predicted types of items without a label"),
    Entry("badges", "Badges", "share", takes="", hint="figures for READMEs and wikis"),
    Entry("digests", "Digests", "mail", takes="", hint="what moved, weekly, by quarter, e-mail"),
    Entry("focus", "Focus", "focus-2", takes="scope", hint="metric and indicators of a unit"),
    Entry("quarters", "Quarters", "calendar", takes="", hint="closed quarters"),
    Entry("persona_roadmap", "Metrics by persona", "users", takes="scope", hint="which metrics matter to whom"),
    Entry("ticket_new", "Create ticket", "plus", takes="", hint="action plan"),
    Entry("objective_new", "Set an objective", "plus", takes="", hint="new objective"),
    Entry("collector", "Collector", "device-desktop", takes="", hint="install it on your machine"),
    Entry("fleet", "Machines", "device-desktop", staff_only=True, takes="", hint="machines with the collector"),
    Entry("usage_files", "Usage files", "file-type-csv", takes="", hint="import usage of agents"),
    Entry("account", "My account", "user", takes="", hint="password, API tokens, calendar feed"),
    Entry("notifications", "Notifications", "mail", takes="", hint="e-mail, quiet hours"),
    Entry("guided_start", "Guided start", "rocket", staff_only=True, takes="", hint="set up Headway, first steps"),
    Entry("docs", "Documentation", "book", takes="", hint="help, guides, reference"),
)


MOST_OPEN = 12
# The entries that stand open for each role, by URL name: at most MOST_OPEN.  Readers find the others in folds, and in
# the search.
OPEN_FOR: Mapping[str, Sequence[str]] = {
    "Member": (
        *("home", "inbox", "ai", "delivery", "planning", "dashboards", "metric_catalogue", "objectives", "roadmap"),
        *("tickets", "access", "connect_agent"),
    ),
    "Manager": (
        *("home", "inbox", "ai", "delivery", "planning", "findings", "dashboards", "objectives", "roadmap", "tickets"),
        *("reviews", "benchmarks"),
    ),
    "Executive": (
        *("home", "inbox", "ai", "delivery", "planning", "findings", "report", "program", "objectives", "tickets"),
        *("reviews", "qbrs"),
    ),
    "Auditor": (
        *("home", "inbox", "ai", "delivery", "planning", "dashboards", "metric_catalogue", "objectives", "qbrs"),
        *("people", "access"),
    ),
    "Finance": (
        *("home", "inbox", "capitalisation", "budgets", "dashboards", "metric_catalogue", "objectives", "qbrs"),
        "access",
    ),
    "Admin": (
        *("home", "inbox", "ai", "delivery", "dashboards", "objectives", "people", "access", "trees", "integrations"),
        *("identities", "admin:index"),
    ),
}

# The page of docs/ that explains a page and those below it, by URL name.
DOCS: Mapping[str, str] = {
    **{"home": "program", "inbox": "reminders", "notifications": "reminders", "search": "search"},
    **{"guided_start": "first-hour"},
    **{"ai": "ai-impact", "ai_costs": "ai-costs", "ai_leaderboard": "leaderboard", "ai_sessions": "sessions"},
    **{"ai_prices": "spend", "reconciliation": "reconciliation"},
    **{"ai_repositories": "attribution", "attribution": "attribution"},
    **{"budgets": "budgets", "charge_back": "budgets", "usage_files": "agents/ccusage"},
    **{"delivery": "delivery", "compare": "delivery", "planning": "planning", "dashboards": "dashboards"},
    **{"allocation": "allocation", "allocation_rules": "allocation", "allocation_targets": "allocation"},
    **{"metric_catalogue": "glossary", "findings": "findings", "review_waits": "findings"},
    **{
        "finding_thresholds": "findings",
        "context": "context",
        "comparable_rule": "context",
        "work_types": "work-types",
    },
    **{"capacity": "capacity", "capitalisation": "capitalisation"},
    **{"saved_views": "dashboards", "hand_kept": "hand-kept", "annotations": "annotations", "badges": "access"},
    **{"program": "program", "objectives": "objectives", "objective_new": "objectives", "quarters": "objectives"},
    **{"roadmap": "roadmaps", "persona_roadmap": "roadmaps", "tickets": "action-plans", "ticket_new": "action-plans"},
    **{"reviews": "reviews", "meetings": "meetings", "qbrs": "qbr", "benchmarks": "benchmarks", "focus": "benchmarks"},
    **{"experiments": "experiments", "report": "report"},
    **{"agreements": "agreements", "alerts": "digests", "digests": "digests"},
    **{"philosophy": "philosophy", "people": "people", "people_import": "people", "access": "access"},
    **{"account": "access", "trees": "org-trees", "integrations": "connecting", "ownership": "ownership"},
    **{"collector": "collector", "fleet": "collector"},
    **{"connect_agent": "connecting", "connect_repository": "connectors/git", "identities": "identities"},
}
RECORDS_DOC = "records"
RECORD_FOLDERS = ("pull-requests", "work-items", "deployments", "incidents")  # below /insights/


def shell(request: HttpRequest) -> dict[str, Any]:
    """`navigation`, and lazy texts that query the database only if a page prints them."""
    return {
        "navigation": navigation(request),
        "help_url": help_url(request),
        "search_url": url_with(address("search"), context_by_part(request)["context"]),
        "trial_notice": SimpleLazyObject(lambda: _trial_notice(request)),
        "way_back": SimpleLazyObject(lambda: way_back(request)),
        "account_role": SimpleLazyObject(lambda: access_in(request).role),
    }


def _trial_notice(request: HttpRequest) -> str:
    """The notice of trial access, from what the page has read already; error pages may have no account."""
    return (access_in(request).trial if hasattr(request, "user") else trial_state()).notice


def navigation(request: HttpRequest) -> list[NavigationGroup]:
    """The links that the user may open, by section; those that their role seldom needs are folded."""
    is_signed_in = hasattr(request, "user") and request.user.is_authenticated
    access = access_in(request) if is_signed_in else None
    sections = [(title, [entry for entry in entries if entry.is_for(access)]) for title, entries in NAVIGATION]
    entry_by_url = {
        address(name): entry for _, entries in sections for entry in entries for name in (entry.url_name, *entry.also)
    }
    current = entry_by_url.get(_current_url(request.path, entry_by_url))
    context = context_by_part(request)
    is_open = OPEN_FOR[access.role if access else "Member"]

    def links(entries: Iterable[Entry]) -> list[NavigationLink]:
        return [(entry, url_with(address(entry.url_name), context[entry.takes]), entry is current) for entry in entries]

    return [
        NavigationGroup(
            title,
            links(entry for entry in entries if entry.url_name in is_open),
            links(entry for entry in entries if entry.url_name not in is_open),
        )
        for title, entries in sections
    ]


def help_url(request: HttpRequest) -> str:
    """The documentation page that explains this page, or else the list of documentation pages."""
    if any(request.path.startswith(f"/insights/{folder}/") for folder in RECORD_FOLDERS):
        return address("doc", RECORDS_DOC)
    names = {address(entry.url_name): entry.url_name for entry in (*ENTRIES, *MORE_PAGES)}
    doc = DOCS.get(names.get(_current_url(request.path, names), ""), "")
    return address("doc", doc) if doc in doc_pages() else address("docs")


def context_by_part(request: HttpRequest) -> Mapping[Takes, Sequence[tuple[str, str]]]:
    """The page's context, reduced to what each kind of link takes."""
    given = context_of(request)
    scope = [pair for pair in given if pair[0] in SCOPE_PARAMETERS]
    return {"": [], "scope": scope, "window": [pair for pair in given if pair not in scope], "context": given}


def _current_url(path: str, urls: Iterable[str]) -> str:
    """The longest URL that is a prefix of `path`; the home page only matches itself."""
    above = [url for url in urls if path == url or (url != "/" and path.startswith(url))]
    return max(above, key=len, default="")
