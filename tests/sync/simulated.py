"""The providers that are simulated over HTTP, as one list: each with a history of several pages, and what may go wrong.

Another provider is one more entry; test_provider_faults.py and test_kill_providers.py then hold for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db import models

from demo.plan.delivery import DeliveryEvent, DeliveryHistory, EventKind, Incident, Issue, Urgency
from demo.plan.vendor_usage import VendorUse
from demo.providers.anthropic_server import AnthropicServer
from demo.providers.azure_server import AzureServer
from demo.providers.bitbucket_server import BitbucketServer
from demo.providers.copilot_server import CopilotServer
from demo.providers.cursor_server import CursorServer
from demo.providers.gemini_server import GeminiServer
from demo.providers.gitea_server import GiteaServer
from demo.providers.github_access import Token
from demo.providers.github_server import GitHubServer
from demo.providers.gitlab_server import GitLabServer
from demo.providers.harness_server import HarnessServer
from demo.providers.jenkins_server import JenkinsServer
from demo.providers.jira_server import JiraServer
from demo.providers.linear_server import LinearServer
from demo.providers.openai_server import WORKSPACE, OpenAIServer
from demo.providers.pagerduty_server import PagerDutyServer
from demo.providers.servicenow_server import ServiceNowServer
from demo.providers.simulated_server import SimulatedServer
from demo.providers.sonarqube_server import SonarQubeServer
from integrations.connectors.base import ResourceDraft
from integrations.enums import ResourceKind
from integrations.intake.places import store_resource
from integrations.intake.tables import TABLES
from integrations.models import Connection
from integrations.sync.resources import discover_resources
from tests.connectors.gemini.service_account import service_account
from tests.connectors.github.histories import pull_request, with_deployments, with_pull_requests
from tests.connectors.github.histories import with_issues as with_pull_requests_and_issues
from tests.connectors.jenkins.conftest import busy_history
from tests.connectors.jenkins.reading import RULE, USER
from tests.connectors.jira.conftest import with_issues
from tests.demo.small_history import ADA, BEGIN, DAY, HOUR, MAX, SHOP, commit, small_history

TOKEN, EMAIL = "token_of_the_tests", "reader@example.com"
MINUTE = timedelta(minutes=1)
FEW_ROLLOUTS = 30
# What an incident repeats is another connection's: those of the tests all read one provider.
SKIPPED = {"id", "connection", "first_seen_at", "deleted_at", "duplicate_of"}


@dataclass(frozen=True)
class SimulatedProvider:
    """`lists` and `details` match the requests of its longest stream: pages, and what is read for a single record.

    `renamed` is a field of a page by its path, which has another name for once.  Between `before` and `after` a record
    changes that was read already, or is still to be; a duration counts from the beginning of today.
    """

    name: str
    slug: str
    serve: Callable[[], SimulatedServer]
    settings: Mapping[str, str]
    lists: str
    details: str
    renamed: str
    before: datetime | timedelta
    after: datetime | timedelta
    repository: str = ""  # that its records name, and another source knows
    first_page: int = 1  # among the requests for `lists`: the first one that is answered with records
    small_pages: Mapping[str, Any] = field(default_factory=dict)  # constants of its connector, for few records in some
    token: Callable[[SimulatedServer], str] = lambda server: TOKEN

    def moment(self, of: datetime | timedelta) -> datetime:
        return today() + of if isinstance(of, timedelta) else of

    def connect(self, server: SimulatedServer, name: str = "") -> Connection:
        """With everything picked; nothing is read yet."""
        connection = Connection.objects.create(
            provider=self.slug,
            name=name or self.name,
            settings={**self.settings, "base_url": server.url, "resources": {"match": ["*"]}},
            secrets={"token": self.token(server)},
        )
        if self.repository:
            remote = self.repository.partition("://")[2]
            draft = ResourceDraft(ResourceKind.REPOSITORY, self.repository, "acme/shop", remote=remote)
            store_resource(connection, draft)
        discover_resources(connection)
        return connection


def _github() -> SimulatedServer:
    """Three small pages of commits, and a pull request that is closed between `BEFORE` and `AFTER`."""
    closed = replace(pull_request(500), happenings=(DeliveryEvent(90_000, EventKind.CLOSED, AFTER - MINUTE, MAX),))
    commits = tuple(commit(f"Step {number}", BEGIN + number * HOUR) for number in range(25))
    history = small_history()
    history = replace(history, pull_requests=(*history.pull_requests, closed), commits={"shop": commits}, ends_at=AFTER)
    return GitHubServer(history, tokens=[Token(TOKEN, "ada")])


def _gitea() -> SimulatedServer:
    """Sixteen pull requests and issues, and a pull request that is closed between `BEFORE` and `AFTER`."""
    closed = replace(pull_request(500), happenings=(DeliveryEvent(90_000, EventKind.CLOSED, AFTER - MINUTE, MAX),))
    history = with_pull_requests_and_issues(16)
    history = replace(history, pull_requests=(closed, *history.pull_requests), ends_at=AFTER)
    return GiteaServer(history, token=TOKEN, page=7)


def _gitlab() -> SimulatedServer:
    """Sixteen merge requests, and two minutes more: GitLab's changes are read again until they are that old."""
    closed = replace(pull_request(500), happenings=(DeliveryEvent(90_000, EventKind.CLOSED, AFTER - MINUTE, MAX),))
    history = with_pull_requests(16)
    history = replace(history, pull_requests=(closed, *history.pull_requests), ends_at=SETTLED)
    return GitLabServer(history, token=TOKEN, page=7)


def _azure() -> SimulatedServer:
    """Sixteen pull requests that ended soon, and one that is abandoned between `BEFORE` and `AFTER`."""
    history = with_pull_requests(16)
    requests = (
        replace(record, happenings=(DeliveryEvent(90_000 + record.id, EventKind.CLOSED, at, MAX),))
        for record, at in ((pull_request(500), AFTER - MINUTE), *((one, BEGIN + DAY) for one in history.pull_requests))
    )
    history = replace(history, pull_requests=tuple(requests), ends_at=AFTER)
    return AzureServer(history, token=TOKEN, page=7)


def _bitbucket() -> SimulatedServer:
    """Sixteen pull requests, and one that is declined between `BEFORE` and `AFTER`."""
    closed = replace(pull_request(500), happenings=(DeliveryEvent(90_000, EventKind.CLOSED, AFTER - MINUTE, MAX),))
    history = with_pull_requests(16)
    history = replace(history, pull_requests=(closed, *history.pull_requests), ends_at=AFTER)
    return BitbucketServer(history, token=TOKEN, page=7)


def _jira(email: str = EMAIL) -> SimulatedServer:
    history = with_issues(16)
    done = DeliveryEvent(90_000, EventKind.CLOSED, AFTER - MINUTE, MAX, text="completed")
    lasting = Issue(90_001, 999, SHOP, ADA, "Lasts", "", BEGIN, happenings=(done,))
    history = replace(history, issues=(*history.issues, lasting), ends_at=AFTER)
    return JiraServer(history, email=email, token=TOKEN, page=7)


def _linear() -> SimulatedServer:
    """The issues of Jira's history: sixteen, and one that is done between `BEFORE` and `AFTER`."""
    history = with_issues(16)
    done = DeliveryEvent(90_000, EventKind.CLOSED, AFTER - MINUTE, MAX, text="completed")
    lasting = Issue(90_001, 999, SHOP, ADA, "Lasts", "", BEGIN, happenings=(done,))
    return LinearServer(replace(history, issues=(*history.issues, lasting), ends_at=AFTER), token=TOKEN, page=7)


def _pagerduty() -> SimulatedServer:
    return PagerDutyServer(_with_incidents(), token=TOKEN, page=7)


def _servicenow() -> SimulatedServer:
    return ServiceNowServer(_with_incidents(), token=TOKEN)


def _sonarqube() -> SimulatedServer:
    """Three small pages of analyses, and an issue that is fixed between `BEFORE` and `AFTER`."""
    commits = tuple(commit(f"Step {number}", BEGIN + number * HOUR) for number in range(25))
    history = small_history()
    fixed = replace(history.alerts[0], number=9, fixed_at=AFTER - MINUTE)
    history = replace(history, commits={"shop": commits}, alerts=(*history.alerts, fixed), ends_at=AFTER)
    return SonarQubeServer(history, token=TOKEN)


def _jenkins() -> SimulatedServer:
    """Two small pages of rollouts."""
    history = busy_history()
    rollouts = history.deployments[:FEW_ROLLOUTS]
    return JenkinsServer(replace(history, deployments=rollouts, ends_at=AFTER), user=USER, token=TOKEN)


def _harness() -> SimulatedServer:
    """Sixteen rollouts, and one that ends between `BEFORE` and `AFTER`."""
    history = with_deployments([BEGIN + number * HOUR for number in range(1, 17)])
    (first, *_) = history.deployments
    (began, ended) = first.statuses
    lasting = replace(
        first, id=49_999, created_at=BEGIN, statuses=(replace(began, at=BEGIN), replace(ended, at=AFTER - MINUTE))
    )
    return HarnessServer(
        replace(history, deployments=(lasting, *history.deployments), ends_at=AFTER), token=TOKEN, page=7
    )


def today() -> datetime:
    """The beginning of the day of our own clock, on which it depends what vendors are asked for."""
    return datetime.combine(datetime.now(UTC), time(), UTC)


def _vendor_uses(agent: str) -> list[VendorUse]:
    """Nine days of three accounts; the last day of one of them is complete after today has begun."""
    uses = [
        VendorUse(
            (day := today() - number * DAY).date(),
            day + HOUR,
            account,
            agent,
            "claude-sonnet-4-5",
            email=email,
            uncached_input=1000 + number,
            output=50,
            cache_read=7000,
            requests=3,
            sessions=2,
            lines_added=30,
            lines_removed=4,
            accepted=5,
            rejected=1,
            cost=Decimal("1.125") * number,
            list_cost=Decimal("1.25") * number,
        )
        for number in range(1, 10)
        for account, email in (("user_1", ADA.email), ("user_2", MAX.email), ("apikey_1", ""))
    ]
    return [*uses, replace(uses[0], model="claude-opus-4-5", known_at=today() + MINUTE)]


def _anthropic() -> SimulatedServer:
    return AnthropicServer(_vendor_uses("claude_code"), token=TOKEN, page=10, at=today() + HOUR)


def _cursor() -> SimulatedServer:
    return CursorServer(_vendor_uses("cursor"), token=TOKEN, page=2, at=today() + HOUR)


def _copilot() -> SimulatedServer:
    teams = {"everyone": ("ada", "ben", "cem", "dan", "eve"), "small": ("ada",)}
    return CopilotServer(_vendor_uses("copilot"), token=TOKEN, page=2, at=today() + HOUR, teams=teams)


def _openai() -> SimulatedServer:
    return OpenAIServer(_vendor_uses("codex"), token=TOKEN, page=3, at=today() + HOUR)


def _gemini() -> SimulatedServer:
    return GeminiServer(_vendor_uses("gemini"), at=today() + HOUR)


def _with_incidents() -> DeliveryHistory:
    """Three a day; one of them is resolved between `BEFORE` and `AFTER`."""
    incidents = [
        Incident(number, SHOP, f"Crates are late {number}", Urgency.HIGH, at, at + HOUR, at + 2 * HOUR)
        for number, at in ((number, BEGIN + number * 8 * HOUR) for number in range(20))
    ]
    lasting = Incident(99, SHOP, "Still late", Urgency.CRITICAL, BEGIN, BEGIN + HOUR, AFTER - MINUTE)
    return replace(small_history(), incidents=(*incidents, lasting), ends_at=AFTER)


BEFORE, AFTER = BEGIN + 20 * DAY - MINUTE, BEGIN + 20 * DAY + MINUTE
SETTLED = AFTER + 2 * MINUTE
GITHUB = SimulatedProvider(
    name="github",
    slug="github",
    serve=_github,
    settings={"use_graphql": "false", "read_code_scanning": "true"},
    lists="/commits\\?.*sha=",
    details="/pulls/",
    renamed="3.commit",
    before=BEFORE,
    after=AFTER,
    small_pages={f"integrations.connectors.github.{module}.PER_PAGE": 10 for module in ("lists", "commits")},
)
GITEA = SimulatedProvider(
    name="gitea",
    slug="gitea",
    serve=_gitea,
    settings={},
    lists="type=pulls",
    details="/reviews",
    renamed="3.number",
    before=BEFORE,
    after=AFTER,
)
GITLAB = SimulatedProvider(
    name="gitlab",
    slug="gitlab",
    serve=_gitlab,
    settings={},
    lists="/merge_requests\\?",
    details="/notes",
    renamed="3.iid",
    before=BEFORE,
    after=SETTLED,
)
AZURE = SimulatedProvider(
    name="azure",
    slug="azure",
    serve=_azure,
    settings={},
    lists="/pullrequests\\?",
    details="/threads",
    renamed="value.3.creationDate",
    before=BEFORE,
    after=AFTER,
    small_pages={f"integrations.connectors.azure.{module}.PER_PAGE": 7 for module in ("lists", "pull_requests")},
)
BITBUCKET = SimulatedProvider(
    name="bitbucket",
    slug="bitbucket",
    serve=_bitbucket,
    settings={"workspace": "acme"},
    lists="/pullrequests\\?",
    details="/pullrequests/\\d+/activity",
    renamed="values.3.created_on",
    before=BEFORE,
    after=AFTER,
)
JIRA = SimulatedProvider(
    name="jira",
    slug="jira",
    serve=_jira,
    settings={"email": EMAIL},
    lists="/search/jql",
    details="/changelog",
    renamed="issues.3.fields.created",
    before=BEFORE,
    after=AFTER,
)
JIRA_DATA_CENTER = replace(
    JIRA,
    name="jira-data-center",
    serve=lambda: _jira(email=""),
    settings={"email": ""},
    lists="/api/2/search\\?.*startAt",
    details="/api/2/status",  # a search has whole changelogs
)
LINEAR = SimulatedProvider(
    name="linear",
    slug="linear",
    serve=_linear,
    settings={},
    lists="/graphql/Issues",
    details="/graphql/Details",
    renamed="data.issues.nodes.3.updatedAt",
    before=BEFORE,
    after=AFTER,
)
PAGERDUTY = SimulatedProvider(
    name="pagerduty",
    slug="pagerduty",
    serve=_pagerduty,
    settings={},
    lists="/incidents\\?",
    details="/log_entries",
    renamed="incidents.3.created_at",
    before=BEFORE,
    after=AFTER,
    first_page=2,  # nothing happened in the last half year
)
SERVICENOW = SimulatedProvider(
    name="servicenow",
    slug="servicenow",
    serve=_servicenow,
    settings={"user": "reader", "deployments": "*: environment=production"},
    lists="/table/incident",
    details="/table/incident",  # its rows are whole
    renamed="result.3.opened_at",
    before=BEFORE,
    after=AFTER,
    repository="https://github.com/acme/shop",
    small_pages={"integrations.connectors.servicenow.tables.PER_PAGE": 7},
)
SONARQUBE = SimulatedProvider(
    name="sonarqube",
    slug="sonarqube",
    serve=_sonarqube,
    settings={},
    lists="/project_analyses/",
    details="/measures/",
    renamed="analyses.3.date",
    before=BEFORE,
    after=AFTER,
    repository="https://github.com/acme/shop",
    small_pages={"integrations.connectors.sonarqube.lists.PER_PAGE": 10},
)
JENKINS = SimulatedProvider(
    name="jenkins",
    slug="jenkins",
    serve=_jenkins,
    settings={"user": USER, "deployments": RULE, "libraries": "jenkins-library"},
    lists=r"rollout.*allBuilds.*\{(0|15),",
    details="wfapi",
    renamed="allBuilds.3.number",
    before=BEFORE,
    after=AFTER,
    repository="https://github.com/acme/shop",
    small_pages={"integrations.connectors.jenkins.read_builds.PER_PAGE": 20},
)
HARNESS = SimulatedProvider(
    name="harness",
    slug="harness",
    serve=_harness,
    settings={"account": "acme", "deployments": "*: environment={environment}, repository={image}, sha={tag}"},
    lists="/execution/summary",
    details="/execution/v2/",
    renamed="data.content.3.planExecutionId",
    before=BEFORE,
    after=AFTER,
    repository="https://github.com/acme/shop",
)
ANTHROPIC = SimulatedProvider(
    name="anthropic",
    slug="anthropic",
    serve=_anthropic,
    settings={"organisation": "console"},
    lists=r"/analytics/usage\?",
    details="/analytics/cost",
    renamed="data.3.usage",
    before=timedelta(),
    after=HOUR,
    small_pages={"integrations.connectors.anthropic.connector.HISTORY": {"usage_and_cost": 15, "claude_code": 9}},
)
CURSOR = SimulatedProvider(
    name="cursor",
    slug="cursor",
    serve=_cursor,
    settings={},
    lists="/filtered-usage-events",
    details="/daily-usage-data",
    renamed="usageEvents.1.userEmail",
    before=timedelta(),
    after=HOUR,
    small_pages={
        "integrations.connectors.cursor.connector.HISTORY": {"usage_events": 9, "daily_usage": 15, "commits": 9},
        "integrations.connectors.cursor.connector.AT_ONCE": {"usage_events": 3, "daily_usage": 5, "commits": 1},
        "integrations.connectors.cursor.connector.AGAIN": 1,
    },
)
COPILOT = SimulatedProvider(
    name="copilot",
    slug="copilot",
    serve=_copilot,
    settings={"organisations": "acme"},
    lists="/users-1-day",
    details="/files/",
    renamed="download_links",
    before=timedelta(),
    after=HOUR,
    small_pages={
        "integrations.connectors.copilot.connector.HISTORY": 9,
        "integrations.connectors.copilot.connector.AT_ONCE": 3,
    },
)
OPENAI = SimulatedProvider(
    name="openai",
    slug="openai",
    serve=_openai,
    settings={"product": "platform"},
    lists="/usage/completions",
    details="/organization/costs",
    renamed="data.1.results.1.input_tokens",
    before=timedelta(),
    after=HOUR,
    small_pages={"integrations.connectors.openai.connector.HISTORY": 9},
)
CODEX = replace(
    OPENAI,
    name="codex",
    settings={"product": "codex", "workspace": WORKSPACE},
    lists="/analytics/codex/",
    details="/analytics/codex/",
    renamed="data.1.totals",
    small_pages={
        "integrations.connectors.openai.connector.HISTORY": 9,
        "integrations.connectors.openai.connector.AT_ONCE": 5,
    },
)
CURSOR_COMMITS = replace(
    CURSOR,
    name="cursor-commits",
    settings={"api": "ai_code"},
    lists="/ai-code/commits",
    details="/ai-code/commits",
    renamed="items.1.commitHash",
)
GEMINI = SimulatedProvider(
    name="gemini",
    slug="gemini",
    serve=_gemini,
    settings={},
    lists="daily_active_users",
    details="chat_responses_count",
    renamed="timeSeries.0.points.1.value",
    before=timedelta(),
    after=HOUR,
    small_pages={
        "integrations.connectors.gemini.connector.HISTORY": 15,
        "integrations.connectors.gemini.connector.AT_ONCE": 3,
    },
    token=service_account,
)
VENDORS = (ANTHROPIC, COPILOT, CURSOR, CURSOR_COMMITS, GEMINI, OPENAI, CODEX)
PROVIDERS = (
    GITHUB,
    GITEA,
    GITLAB,
    AZURE,
    BITBUCKET,
    JIRA,
    JIRA_DATA_CENTER,
    LINEAR,
    PAGERDUTY,
    SERVICENOW,
    SONARQUBE,
    JENKINS,
    HARNESS,
    *VENDORS,
)


def tables_of(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Every record of the connection that is there, with its parts, by table; people and places by their names."""
    rows: dict[str, list[tuple[Any, ...]]] = {}
    for table in TABLES.values():
        records = table.model._default_manager.filter(connection=connection, deleted_at=None)
        rows[table.name] = _rows(table.model, records)
        for part in table.parts:
            rows[part.name] = _rows(part.model, part.model._default_manager.filter(**{f"{part.owner}__in": records}))
    return rows


def _rows(model: type[models.Model], records: models.QuerySet[Any]) -> list[tuple[Any, ...]]:
    columns = [column for column in model._meta.concrete_fields if column.name not in SKIPPED]
    related = [column.name for column in columns if column.is_relation]
    with_related = records.select_related(*related) if related else records
    return sorted((_row(record, columns) for record in with_related), key=str)


def _row(record: models.Model, columns: Sequence[models.Field[Any, Any]]) -> tuple[Any, ...]:
    values = (getattr(record, column.name) for column in columns)
    return tuple(str(value) if isinstance(value, models.Model) else value for value in values)
