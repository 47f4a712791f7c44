"""Each page of a record answers others equally, in status, words and bytes, whether nobody or one person used an agent
for it: otherwise it would say so of a colleague.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from difflib import unified_diff

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from integrations.code.attribution.tasks import attribute_pending
from integrations.models import (
    AgentSession,
    Commit,
    DeployedPullRequest,
    Deployment,
    Incident,
    PullRequest,
    Repository,
)
from orgtree.models import IndividualPolicy, MembersSee, Organisation
from tests.org import Org
from tests.pages.test_costs import item_of, shop, without_tokens

__all__ = ["shop"]

pytestmark = pytest.mark.django_db
RECORDS = {"pull_request", "work_item", "deployment", "incident", "ai_session", "attributed_commit"}
OTHERS = {
    *("annotation", "annotation_remove"),  # notes that people write
    "finding_decide",  # of a unit
    "finding_comment",
    "api_finding_comments",
    "api_finding_history",
    "work_type_correct",  # of the tracker, as it shows it, without agents
    *("planning_sprint_csv", "planning_sprint_days", "planning_sprint_days_csv"),  # as their tools show, without agents
}
OF_A_REPOSITORY = ("ai.spend", "ai.sessions", "ai.committed_code_share")


@pytest.fixture
def routes(shop: Repository, org: Org) -> list[str]:
    """Every address of a record that Zoe's sessions are behind; others use agents elsewhere."""
    pull_request = PullRequest.objects.get(number=1)
    item = item_of(pull_request)
    day = timezone.localdate() - timedelta(days=6)
    for number in range(6):
        org.session(by=f"other-{number}", on=day, tokens=1000)
    org.session(by="zoe", on=day, at="09:00", tokens=1000, lines=80, minutes=30)
    org.commit(by="zoe", on=day, at="09:20", lines=30)
    org.fold()
    attribute_pending()
    now = timezone.now()
    of_tool = {"connection": pull_request.connection, "repository": shop}
    deployment = Deployment.objects.create(**of_tool, external_id="1", finished_at=now, environment="production")
    DeployedPullRequest.objects.create(
        deployment=deployment, pull_request=pull_request, deployed_at=now, deployed_on=timezone.localdate()
    )
    incident = Incident.objects.create(**of_tool, external_id="2", started_at=now)
    commit = Commit.objects.get()
    session = AgentSession.objects.get(branch="feat/tea")
    policy = {"individual_policy": IndividualPolicy.PSEUDONYMS, "minimum_group_size": 5}
    seen = {"members_see": MembersSee.EVERYTHING, "protected_since": now}
    Organisation.objects.update_or_create(pk=1, defaults={**policy, **seen})
    subjects = {"pull_request": pull_request.pk, "work_item": item.pk, "repository": shop.name}
    costs = [f"/insights/ai/costs{page}?{kind}={pk}" for page in ("/", ".csv") for kind, pk in subjects.items()]
    metrics = [
        address
        for key in OF_A_REPOSITORY
        for address in (
            f"/insights/metrics/{key}/?repository={shop.name}",
            f"/insights/metrics/{key}/rows/?repository={shop.name}",
            f"/insights/metrics/{key}/rows.csv?repository={shop.name}",
            f"/api/v1/metrics/{key}/series/?facet=repository={shop.name}",
            f"/api/v1/metrics/{key}/series/?facet=repository={shop.name}&segment=agent",
        )
    ]
    return [
        f"/insights/pull-requests/{pull_request.pk}/",
        f"/insights/work-items/{item.pk}/",
        f"/insights/deployments/{deployment.pk}/",
        f"/insights/incidents/{incident.pk}/",
        f"/insights/ai/sessions/{session.pk}/",
        f"/insights/ai/attribution/{commit.sha}/",
        f"/api/v1/commits/{commit.sha}/agent-trace/",
        "/insights/ai/attribution/?q=" + commit.sha[:8],
        *costs,
        *metrics,
    ]


def test_nobody_and_one_person_are_answered_equally(
    routes: list[str], member: Client, subtests: pytest.Subtests
) -> None:
    for _ in range(2):  # links of a page keep the filters of the one before
        of_one = {route: answer_of(member, route) for route in routes}
    AgentSession.objects.filter(identity__value="zoe@example.com").delete()
    for route in routes:
        with subtests.test(route):
            assert "\n".join(unified_diff(of_one[route], answer_of(member, route), n=0)) == ""


def answer_of(client: Client, route: str) -> list[str]:
    """Status and lines."""
    answer = client.get(route, follow=True)
    return [str(answer.status_code), *as_read(without_tokens(answer.getvalue())).decode().splitlines()]


def as_read(body: bytes) -> bytes:
    """Without the time at which it was read, and the number of people active in the whole organisation."""
    return re.sub(rb'"(computed_at|fresh_until)": ?"[^"]*"|<time.*?</time>|\d+ active<', b"", body)


def test_no_page_of_a_record_is_missing_here() -> None:
    names = {
        pattern.name
        for pattern in patterns(get_resolver().url_patterns)
        if (pattern.lookup_str.startswith("insights.pages."))
        and {"pk", "sha"} & pattern.pattern.converters.keys()
        and not pattern.lookup_str.startswith(("insights.pages.dashboards.", "insights.pages.hand_kept."))
    }
    assert names - OTHERS == RECORDS


def patterns(found: list[URLPattern | URLResolver]) -> Iterator[URLPattern]:
    for one in found:
        if isinstance(one, URLResolver):
            yield from patterns(one.url_patterns)
        else:
            yield one
