"""The page that answers what a repository, pull request or work item cost."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from integrations.code.attribution.tasks import attribute_pending
from integrations.models import (
    AgentSession,
    AgentSessionDay,
    AttributionWork,
    Connection,
    Project,
    PullRequest,
    PullRequestFigures,
    Repository,
    SessionPlace,
    TelemetryPlace,
    WorkItem,
    WorkItemLink,
)
from orgtree.models import Identity, IndividualPolicy, MembersSee, Organisation
from tests.org import Org

pytestmark = pytest.mark.django_db
COSTS = "/insights/ai/costs/"


@pytest.fixture
def shop(org: Org) -> Repository:
    """Zoe's session of 3 dollars on a branch that was closed, and one of 0.30 on a branch that was merged."""
    repository = Repository.objects.create(name="acme/shop")
    connection = Connection.objects.create(provider="github", name="GitHub")
    ended = timezone.now()
    for number, branch, tokens, state in ((1, "feat/tea", 1_000_000, "closed"), (2, "feat/milk", 100_000, "merged")):
        day = timezone.localdate() - timedelta(days=6)
        name = org.session(by="zoe", on=day, tokens=tokens, requests=10)
        org.fold()
        zoe = Identity.objects.get(value="zoe@example.com")
        pull_request = PullRequest.objects.create(
            connection=connection,
            external_id=str(number),
            repository=repository,
            number=number,
            state=state,
            author=zoe,
            source_branch=branch,
            created_at=ended - timedelta(days=5),
            closed_at=ended,
            merged_at=ended if state == "merged" else None,
            title=f"Sell {branch}",
        )
        PullRequestFigures.objects.create(
            pull_request=pull_request,
            repository=repository,
            credited=zoe,
            exclusion_reason="",
            merged_at=pull_request.merged_at,
        )
        session = AgentSession.objects.get(external_id=name)
        place = TelemetryPlace.objects.create(key=uuid4(), named="acme/shop", branch=branch, repository=repository)
        SessionPlace.objects.create(
            session=session, place=place, first_at=session.started_at, last_at=session.ended_at, tokens=tokens
        )
        AgentSession.objects.filter(pk=session.pk).update(repository=repository, branch=branch)
        AttributionWork.objects.create(session=session)
    attribute_pending()
    return repository


def page(client: Client, **parameters: str) -> str:
    answer = client.get(COSTS, parameters)
    assert answer.status_code == 200, answer.content[:300]
    return " ".join(answer.content.decode().split())


def downloaded(client: Client, **parameters: str) -> list[dict[str, str]]:
    answer = client.get("/insights/ai/costs.csv", parameters, follow=True)
    return list(csv.DictReader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))


def test_it_lists_repositories_with_what_was_abandoned(shop: Repository, member: Client) -> None:
    html = page(member)
    assert "acme/shop" in html
    assert "$3.30" in html
    assert "$3.00" in html


def test_spend_without_a_repository_is_a_line_without_a_link(org: Org, member: Client) -> None:
    org.session(by="zoe", on=timezone.localdate() - timedelta(days=6), tokens=1_000_000)
    org.fold()
    html = page(member)
    assert "Unknown repository" in html
    assert "repository=unknown" not in html


def test_a_repository_says_what_became_of_its_spend(shop: Repository, member: Client) -> None:
    html = page(member, repository="acme/shop")
    assert "AI cost of acme/shop" in html
    assert "$3.30" in html
    assert "$3.00" in html
    assert "1 closed pull request" in html


def test_a_pull_request_says_what_it_cost(shop: Repository, member: Client) -> None:
    merged = PullRequest.objects.get(number=2)
    html = page(member, pull_request=str(merged.pk))
    assert "AI cost of acme/shop#2" in html
    assert "$0.30" in html
    assert "$3.00" not in html


def test_an_item_costs_its_part_of_its_pull_requests(shop: Repository, member: Client) -> None:
    """#1 and #2 are of SHOP-1; #2 of SHOP-2, too: 3.00 + 0.15."""
    connection = Connection.objects.get(name="GitHub")
    project = Project.objects.create(connection=connection, external_id="p", key="SHOP", name="Shop")
    items = [
        WorkItem.objects.create(connection=connection, external_id=key, project=project, key=key)
        for key in ("SHOP-1", "SHOP-2")
    ]
    for number, item in ((1, items[0]), (2, items[0]), (2, items[1])):
        pull_request = PullRequest.objects.get(number=number)
        WorkItemLink.objects.create(pull_request=pull_request, key=item.key, method="branch", work_item=item)
    assert "$3.15" in page(member, work_item=str(items[0].pk))
    assert "$0.15" in page(member, work_item=str(items[1].pk))


def test_every_subject_says_with_which_agent(shop: Repository, member: Client) -> None:
    """#1 was written with Codex, and #2 with Claude Code."""
    closed = AgentSession.objects.get(branch="feat/tea")
    AgentSession.objects.filter(pk=closed.pk).update(agent="codex")
    AgentSessionDay.objects.filter(session=closed).update(agent="codex")
    assert "Claude Code $0.30, Codex $3.00" in page(member)
    [line] = downloaded(member)
    assert (line["Claude Code (USD)"], line["Codex (USD)"]) == ("0.3", "3.0")
    for subject in ({"repository": "acme/shop"}, {"pull_request": str(PullRequest.objects.get(number=1).pk)}):
        assert ">Agents</h2>" in page(member, **subject)
        assert "Codex" in page(member, **subject)
    assert "Claude Code" not in page(member, pull_request=str(PullRequest.objects.get(number=1).pk))


def test_delivered_items_are_added_up_by_epic(org: Org, shop: Repository, member: Client) -> None:
    """SHOP-1 and SHOP-2 of one epic cost 3.15 and 0.15."""
    day = (timezone.localdate() - timedelta(days=2)).isoformat()
    org.push(
        "work-items",
        *(
            {
                "id": key,
                "project": "SHOP",
                "title": title,
                "type": kind,
                "parent": parent,
                "status_category": "done" if parent else "todo",
                "created_at": f"{day}T08:00:00Z",
                **({"resolved_at": f"{day}T10:00:00Z"} if parent else {}),
            }
            for key, title, kind, parent in (
                ("SHOP-9", "Sell drinks", "Epic", None),
                ("SHOP-1", "Sell tea", "Story", "SHOP-9"),
                ("SHOP-2", "Sell milk", "Story", "SHOP-9"),
            )
        ),
    )
    for number, key in ((1, "SHOP-1"), (2, "SHOP-1"), (2, "SHOP-2")):
        pull_request = PullRequest.objects.get(number=number)
        item = WorkItem.objects.get(key=key)
        WorkItemLink.objects.create(pull_request=pull_request, key=key, method="branch", work_item=item)
    html = page(member)
    assert "Delivered work items by epic" in html
    assert "Sell drinks" in html
    assert re.search(
        r"Sell drinks</th><td class=\"num\">\$3.30</td><td class=\"num\">2</td><td class=\"num\">\$1.65", html
    )
    assert "by initiative" not in html


@pytest.mark.parametrize(("text", "parameter"), [("ACME/shop", "repository"), ("acme/shop#2", "pull_request")])
def test_the_search_leads_to_what_it_names(shop: Repository, member: Client, text: str, parameter: str) -> None:
    answer = member.get(COSTS, {"q": text})
    assert answer.status_code == 302
    assert f"{parameter}=" in answer["Location"]
    assert "No repository, pull request or work item" in page(member, q="nothing of this kind")


@pytest.mark.parametrize(
    ("parameters", "status"),
    [
        ({"repository": "nowhere"}, 404),
        ({"pull_request": "4711"}, 404),
        ({"pull_request": "x"}, 400),
        ({"work_item": "9" * 30}, 400),
        ({"repository": "acme/shop", "pull_request": "1"}, 400),
        ({"repository": "a\x00b"}, 400),
    ],
)
def test_bad_parameters_are_refused(shop: Repository, member: Client, parameters: dict[str, str], status: int) -> None:
    assert member.get(COSTS, parameters).status_code == status


def test_the_rows_sum_to_the_figure(shop: Repository, member: Client) -> None:
    closed = PullRequest.objects.get(number=1)
    [row] = downloaded(member, pull_request=str(closed.pk))
    assert float(row["Spend"]) == pytest.approx(3.0)
    assert row["State"] == "Closed without a merge"
    rows = downloaded(member, repository="acme/shop")
    assert sum(float(row["Contribution"]) for row in rows) == pytest.approx(3.3)
    [repository] = downloaded(member)
    assert (repository["Repository"], repository["Spend (USD)"], repository["Abandoned (USD)"]) == (
        "acme/shop",
        "3.3",
        "3.0",
    )


def test_the_section_of_the_ai_page_names_repositories(shop: Repository, member: Client) -> None:
    def part(name: str) -> str:
        return member.get(f"/insights/ai/parts/{name}/", headers={"HX-Request": "true"}).content.decode()

    assert "acme/shop" in part("spend_by_repository")
    assert "lines rewritten within 21 days" in part("fate")


def test_of_too_few_people_others_see_nothing(shop: Repository, member: Client) -> None:
    """Both sessions are of one person, and five are the fewest."""
    policy = {"individual_policy": IndividualPolicy.PSEUDONYMS, "minimum_group_size": 5}
    seen = {"members_see": MembersSee.EVERYTHING, "protected_since": timezone.now()}
    Organisation.objects.update_or_create(pk=1, defaults={**policy, **seen})
    for parameters in ({"repository": "acme/shop"}, {"pull_request": str(PullRequest.objects.get(number=1).pk)}, {}):
        html = page(member, **parameters)
        assert "$3.30" not in html
        assert "$3.00" not in html
    assert "repository hidden: too few people" in page(member)


@pytest.mark.parametrize("record", ["pull_request", "work_item"])
def test_nobody_and_one_person_are_answered_equally(shop: Repository, member: Client, record: str) -> None:
    """Otherwise everybody could read whether the author of a pull request used an agent."""
    policy = {"individual_policy": IndividualPolicy.PSEUDONYMS, "minimum_group_size": 5}
    seen = {"members_see": MembersSee.EVERYTHING, "protected_since": timezone.now()}
    Organisation.objects.update_or_create(pk=1, defaults={**policy, **seen})
    pull_request = PullRequest.objects.get(number=1)
    pk = pull_request.pk if record == "pull_request" else item_of(pull_request).pk
    routes = [COSTS, "/insights/ai/costs.csv"]

    def answers() -> list[tuple[int, bytes]]:
        found = [member.get(route, {record: pk}) for route in routes]
        found.append(member.get(f"/insights/{record.replace('_', '-')}s/{pk}/"))
        return [(answer.status_code, without_tokens(answer.getvalue())) for answer in found]

    of_one = answers()
    assert b"fewer than 5 people" in of_one[0][1]
    AgentSession.objects.filter(branch="feat/tea").delete()
    assert answers() == of_one


def item_of(pull_request: PullRequest) -> WorkItem:
    project = Project.objects.create(connection=pull_request.connection, external_id="p", key="SHOP", name="Shop")
    item = WorkItem.objects.create(connection=pull_request.connection, external_id="1", project=project, key="SHOP-1")
    WorkItemLink.objects.create(pull_request=pull_request, key=item.key, method="branch", work_item=item)
    return item


def without_tokens(body: bytes) -> bytes:
    """Without what differs between any two requests."""
    return re.sub(rb'(csrfmiddlewaretoken" value|X-CSRFToken"|nonce)[^>]*', b"", body)
