"""Pages of one pull request, work item, deployment and incident: a week's story as each of them tells it.

Mon 08:00  item SHOP-1 created, 12:00 in progress by Ada
Tue 09:00  Ada's first commit, 11:00 opens #1 for SHOP-1
Tue 15:00  Grace comments, Wed 10:00 approves, 12:00 merged
Wed 13:00  run of CI, Thu 09:00 → 09:30 deployed as d1 (service cart)
Thu 11:00  incident i1 on cart, resolved 14:00; 12:00 d2 rolls d1 back
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from integrations.connectors.drafts import JobDraft, PipelineRunDraft, ProvidedParts
from integrations.enums import RunStatus
from integrations.intake.resolve import renamed_services
from integrations.models import Deployment, Incident, Owned, Ownership, PullRequest, WorkItem, WorkItemChange
from orgtree.models import IndividualPolicy, Organisation
from tests.delivery.linking.delivery import Delivery, iso, moment, sha_of
from tests.intake.conftest import SHOP, Tell
from tests.intake.test_other_facts import MONDAY
from tests.org import Org
from tests.personas import ADMIN, AUDITOR, EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, Persona
from tests.teams import Teams, create_teams

MOST_QUERIES = 30
HOSTILE = "<script>alert('x')</script>"
SignIn = Callable[[Persona], Client]


@pytest.fixture
def shop(org: Org) -> Delivery:
    return Delivery()


def tell_the_week(shop: Delivery) -> None:
    shop.push(
        "work-items",
        id="SHOP-1",
        project="shop",
        title="Sell tea",
        type="Story",
        status_category="done",
        created_at=iso("Mon 08:00"),
        assignee="ada@example.com",
        transitions=[
            {"at": iso("Mon 12:00"), "from": "To do", "to": "Doing", "category": "in_progress"},
            {"at": iso("Thu 15:00"), "from": "Doing", "to": "Shipped", "category": "done"},
        ],
        assignees=[{"at": iso("Mon 12:00"), "assignee": "ada@example.com"}],
        url="https://tracker.example.com/SHOP-1",
    )
    shop.merges(
        1,
        at="Wed 12:00",
        sha="m1",
        opened="Tue 11:00",
        first_commit="Tue 09:00",
        title="Sell tea",
        work_items=["SHOP-1"],
        merged_by="edith@example.com",
        additions=30,
        deletions=10,
        url="https://code.example.com/shop/1",
        reviews=[
            {"author": "ada@example.com", "state": "commented", "submitted_at": iso("Tue 12:00")},
            {"author": "grace@example.com", "state": "commented", "submitted_at": iso("Tue 15:00")},
            {"author": "grace@example.com", "state": "approved", "submitted_at": iso("Wed 10:00")},
        ],
    )
    shop.push(
        "pipeline-runs",
        id="run-1",
        repository=shop.repository,
        name="Test",
        status="success",
        sha=sha_of("m1"),
        started_at=iso("Wed 12:50"),
        finished_at=iso("Wed 13:00"),
    )
    shop.deploys("d1", started="Thu 09:00", at="Thu 09:30", sha="m1", service="cart", url="https://cd.example.com/d1")
    shop.deploys("d2", at="Thu 12:00", service="cart", rollback_of="d1")
    shop.incident("i1", at="Thu 11:00", resolved="Thu 14:00", service="cart", title="Cart is empty", severity="high")


def address(external_id: str) -> str:
    if external_id.startswith("#"):
        return f"/insights/pull-requests/{PullRequest.objects.get(number=int(external_id[1:])).pk}/"
    for model, path in ((WorkItem, "work-items"), (Deployment, "deployments"), (Incident, "incidents")):
        found = model.objects.filter(external_id=external_id).first()
        if found is not None:
            return f"/insights/{path}/{found.pk}/"
    raise AssertionError(external_id)


def page(client: Client, external_id: str) -> str:
    answer = client.get(address(external_id))
    assert answer.status_code == 200, answer.content[:500]
    return " ".join(answer.content.decode().split())


def text(html: str) -> str:
    """The content that a reader sees."""
    main = html[html.index("<main") : html.index("</main>")]
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


def stages(html: str) -> dict[str, str]:
    """Name of each stage → how long, or why not."""
    found = re.findall(r"<dt>([^<]+)<span>.*?<dd>(.*?)</dd>", html)
    return {name: " ".join(re.sub(r"<span class=\"vh\">.*?</span>|<[^>]+>", " ", rest).split()) for name, rest in found}


def test_a_pull_request_tells_its_way_to_production(shop: Delivery, member: Client) -> None:
    tell_the_week(shop)
    html = page(member, "#1")
    assert stages(html) == {
        "Backlog": "4.0 h",
        "Planning": "21.0 h",
        "Coding": "2.0 h",
        "Pickup": "4.0 h",
        "Review": "19.0 h",
        "Merge": "2.0 h",
        "Deploy": "21.5 h",
        "Cycle time": "25.0 h",
        "Lead time": "2.0 days",
    }
    said = text(html)
    order = [
        "committed",
        "opened it",
        "Ada reviewed with comments not part of any stage",
        "Grace reviewed with comments",
    ]
    order += ["Grace approved it", "Edith merged it"]
    order += ["Pipeline run", "Deployed to production:", "An incident began", "Repaired by", "Resolved:"]
    places = [said.index(step, said.index("Timeline")) for step in order]
    assert places == sorted(places)
    assert "https://code.example.com/shop/1" in html


def test_links_go_both_ways_and_name_their_method(shop: Delivery, member: Client) -> None:
    tell_the_week(shop)
    for here, there, method in (
        ("#1", "SHOP-1", "reported by the provider"),
        ("SHOP-1", "#1", "reported by the provider"),
        ("#1", "d1", "first deployment that started after the merge"),
        ("d1", "#1", "first deployment that started after the merge"),
        ("d1", "i1", "started during it or soon after"),
        ("i1", "d1", "started during it or soon after"),
        ("d1", "d2", "rolled back"),
        ("d2", "d1", "rolled back"),
        ("#1", "i1", "started during it or soon after"),
        ("SHOP-1", "d1", "first deployment that started after the merge"),
    ):
        html = page(member, here)
        assert f'href="{address(there)}"' in html, (here, there)
        assert method in text(html), (here, there)


def test_a_revert_tells_by_which_sign_it_is_known(shop: Delivery, member: Client) -> None:
    shop.merges(1, at="Mon 10:00", title="Sell tea")
    shop.merges(2, at="Tue 10:00", title='Revert "Sell tea"', source_branch="revert-1-sell-tea")
    for here, there in (("#1", "#2"), ("#2", "#1")):
        html = page(member, here)
        assert f'href="{address(there)}"' in html
        assert "number in the branch of the revert" in text(html)


def test_a_work_item_tells_who_had_it_and_what_became_of_it(shop: Delivery, member: Client) -> None:
    tell_the_week(shop)
    html = page(member, "SHOP-1")
    found = stages(html)
    assert (found["Backlog"], found["Cycle time"], found["Lead time"]) == ("4.0 h", "3.1 days", "3.3 days")
    said = text(html)
    for part in ("Assigned to Ada", "Doing", "Shipped", "opened the pull request", "Deployed to production:"):
        assert part in said


def test_a_work_item_shows_its_versions_and_what_changed_of_it(shop: Delivery, member: Client) -> None:
    tell_the_week(shop)
    item = WorkItem.objects.get()
    WorkItem.objects.update(versions=["1.1", "2.0"], release_on=date(2026, 4, 1))
    for field, before, after in (("version", "", "1.1"), ("priority", "Low", "High"), ("estimate", "3", "")):
        WorkItemChange.objects.create(work_item=item, at=moment("Tue 09:00"), field=field, before=before, after=after)
    said = text(page(member, "SHOP-1"))
    for part in ("Versions 1.1, 2.0 Release 1 Apr 2026", "Version none → 1.1", "Priority Low → High"):
        assert part in said
    assert "Estimate 3 → none" in said


def test_a_deployment_tells_what_it_brought_and_broke(shop: Delivery, member: Client) -> None:
    tell_the_week(shop)
    html = page(member, "d1")
    assert stages(html) == {"Rollout": "30 min", "Recovery": "4.5 h"}
    said = text(html)
    for part in ("failed", "Contains 1 pull request", "Owner none yet", "Cart is empty", "Service restored"):
        assert part in said
    assert "No failure is linked to it." in text(page(member, "d2"))


def test_an_incident_tells_how_long_it_took(shop: Delivery, member: Client) -> None:
    tell_the_week(shop)
    html = page(member, "i1")
    assert stages(html) == {
        "Until it began": "1.5 h",
        "Acknowledgement": "Nobody acknowledged it.",
        "Resolution": "3.0 h",
    }


def test_a_stage_that_is_left_out_says_why(shop: Delivery, member: Client) -> None:
    shop.merges(1, at="Wed 12:00", opened="Tue 11:00")
    found = stages(page(member, "#1"))
    assert found["Coding"] == "None of its own commits are known."
    assert found["Pickup"] == "Nobody else reviewed it before the merge."
    assert found["Merge"] == "Nobody else approved it before the merge."
    assert found["Deploy"] == "No successful production deployment is known that contains it."
    shop.push("pull-requests", id="2", repository=shop.repository, number=2, author="ada", created_at=iso("Mon 09:00"),
              state="open")  # fmt: skip
    found = stages(page(member, "#2"))
    assert found["Merge"] == "Not merged yet."
    shop.deploys("d1", at="Thu 09:00")
    assert stages(page(member, "#1"))["Deploy"] == "21.0 h"


def test_a_record_with_nothing_known_of_it_still_has_a_page(shop: Delivery, member: Client) -> None:
    shop.push("work-items", id="SHOP-9", project="shop", title="t", type="Bug", status_category="todo",
              created_at=iso("Mon 09:00"))  # fmt: skip
    shop.incident("i9", at="Mon 10:00")
    shop.push("deployments", id="d9", repository=shop.repository, environment="staging", status="running")
    for external_id in ("SHOP-9", "i9", "d9"):
        assert "Timeline" in page(member, external_id)
    assert "No other record refers to it" in text(page(member, "i9"))


def test_commits_show_what_agents_wrote_where_one_may_see_it(shop: Delivery, member: Client) -> None:
    tell_the_week(shop)
    assert sha_of("c1")[:10] in page(member, "#1")


def test_the_number_of_queries_does_not_grow_with_the_parts(shop: Delivery, member: Client) -> None:
    Organisation.current()
    Organisation.objects.update(protected_since=moment("Mon 00:00"))  # the many who review would end the trial
    tell_the_week(shop)

    def queries() -> dict[str, int]:
        counts = {}
        for external_id in ("#1", "SHOP-1", "d1", "i1"):
            renamed_services.clear()
            with CaptureQueriesContext(connection) as executed:
                page(member, external_id)
            counts[external_id] = len(executed)
        return counts

    few = queries()
    for number in range(2, 12):
        shop.merges(number, at="Wed 12:30", opened="Tue 11:00", first_commit="Tue 08:00", work_items=["SHOP-1"])
    for number in range(2, 8):
        shop.incident(f"i{number}", at=f"Thu 10:{number:02}", service="cart")
    reviews = [
        {"author": f"r{n}@example.com", "state": "commented", "submitted_at": iso(f"Tue 13:{n:02}")} for n in range(50)
    ]
    commits = [
        {"sha": sha_of(f"x{n}"), "author_email": f"p{n}@example.com", "authored_at": iso(f"Tue 09:{n:02}")}
        for n in range(50)
    ]
    shop.merges(
        1, at="Wed 12:00", sha="m1", opened="Tue 11:00", work_items=["SHOP-1"], reviews=reviews, commits=commits
    )
    assert queries() == few
    assert max(few.values()) <= MOST_QUERIES


def test_a_long_timeline_says_that_it_is_cut(shop: Delivery, member: Client) -> None:
    start = moment("Tue 09:00")
    commits = [
        {
            "sha": sha_of(f"x{n}"),
            "author_email": "ada@example.com",
            "authored_at": (start + timedelta(minutes=n)).isoformat(),
        }
        for n in range(320)
    ]
    shop.merges(1, at="Wed 12:00", commits=commits)
    html = page(member, "#1")
    assert "Only the first 300 commits are listed." in html
    assert "made 300 commits" in text(html)


def test_an_incident_says_why_its_named_cause_does_not_count(shop: Delivery, member: Client) -> None:
    shop.deploys("d1", at="Thu 09:00", environment="staging")
    shop.incident("i1", at="Thu 10:00", caused_by="d1")
    assert "Deployment &#x27;d1&#x27; went to staging, which is not production." in page(member, "i1")
    shop.deploys("d1", started="Thu 08:00", at="Thu 11:00", status="failure")
    html = page(member, "i1")
    assert "is not production" not in html
    assert stages(html)["Until it began"] == "It began during the rollout."


def test_what_a_tool_says_runs_nowhere(shop: Delivery, member: Client) -> None:
    shop.merges(1, at="Wed 12:00", title=HOSTILE, url="javascript:alert(1)", source_branch=HOSTILE,
                commits=[{"sha": sha_of("c"), "authored_at": iso("Tue 09:00"), "message": HOSTILE}])  # fmt: skip
    shop.deploys("d1", at="Thu 09:00", url="javascript:alert(1)", service=HOSTILE)
    shop.incident("i1", at="Thu 10:00", title=HOSTILE, service=HOSTILE, url="javascript:alert(1)", caused_by="d1")
    for external_id in ("#1", "d1", "i1"):
        html = page(member, external_id)
        assert "<script>alert" not in html
        assert "javascript:" not in html


def test_what_was_taken_back_is_not_there(shop: Delivery, member: Client) -> None:
    shop.incident("i1", at="Mon 10:00")
    here = address("i1")
    shop.takes_back("incidents", "i1")
    assert member.get(here).status_code == 404
    for path in ("pull-requests", "work-items", "deployments", "incidents"):
        assert member.get(f"/insights/{path}/4711/").status_code == 404
        assert Client().get(f"/insights/{path}/4711/").status_code == 302


@pytest.fixture
def teams(org: Org) -> Teams:
    return create_teams(IndividualPolicy.PSEUDONYMS)


def may_open(client: Client, *external_ids: str) -> set[str]:
    return {name for name in external_ids if client.get(address(name)).status_code == 200}


EVERYTHING = {"#1", "SHOP-1", "d1", "d2", "i1"}
# Ada, of platform, wrote #1 and had SHOP-1; nobody owns cart.  What is linked directly to #1 opens with it.
MAY_OPEN: dict[Persona, set[str]] = {
    MEMBER: {"#1", "SHOP-1", "d1", "i1"},
    MANAGER: {"#1", "SHOP-1", "d1", "i1"},
    OTHER_MEMBER: {"#1", "SHOP-1", "d1", "i1"},  # Grace, of search, reviewed it
    AUDITOR: set(),
    EXECUTIVE: EVERYTHING,
    ADMIN: EVERYTHING,
}


@pytest.mark.parametrize("persona", MAY_OPEN, ids=lambda persona: persona.name)
def test_who_may_open_what(teams: Teams, shop: Delivery, sign_in: SignIn, persona: Persona) -> None:
    tell_the_week(shop)
    assert may_open(sign_in(persona), *EVERYTHING) == MAY_OPEN[persona]


def test_an_owner_opens_what_runs_on_what_they_own(teams: Teams, shop: Delivery, sign_in: SignIn) -> None:
    shop.deploys("d1", at="Thu 09:30", service="cart")
    shop.incident("i1", at="Thu 11:00", service="cart")
    shop.deploys("d2", at="Thu 09:30", service="pay")
    assert may_open(sign_in(OTHER_MEMBER), "d1", "i1", "d2") == set()
    give(teams.search, "cart")
    assert may_open(sign_in(OTHER_MEMBER), "d1", "i1", "d2") == {"d1", "i1"}
    assert may_open(sign_in(MEMBER), "d1", "i1", "d2") == set()
    assert "Owner Search" in text(page(sign_in(OTHER_MEMBER), "d1"))


def test_an_owner_of_a_project_opens_what_stood_in_it_then(teams: Teams, shop: Delivery, sign_in: SignIn) -> None:
    """Search owned the project in the second week; what was done before, and what came later, is not theirs to see."""
    for key, created, done in (
        ("SHOP-1", "Mon 08:00", "Fri 08:00"),
        ("SHOP-2", "Mon 08:00", "Mon+1 08:00"),
        ("SHOP-3", "Wed+1 08:00", "Wed+4 08:00"),
        ("SHOP-4", "Mon+2 08:00", "Tue+2 08:00"),
        ("SHOP-5", "Mon+2 09:00", ""),
    ):
        transition = {"at": iso(done), "from": "Doing", "to": "Done", "category": "done"} if done else None
        shop.push(
            "work-items",
            **{"id": key, "project": "shop", "title": "Tea", "type": "Story", "created_at": iso(created)},
            status_category="done" if done else "todo",
            transitions=[transition] if transition else [],
        )
    keys = [f"SHOP-{number}" for number in range(1, 6)]
    assert may_open(sign_in(OTHER_MEMBER), *keys) == set()
    project = Owned.objects.get(kind="project")
    second_week = (moment("Mon+1 00:00").date(), moment("Mon+2 00:00").date())
    Ownership.objects.create(owned=project, tree=teams.search.tree, unit=teams.search, during=second_week)
    assert may_open(sign_in(OTHER_MEMBER), *keys) == {"SHOP-2", "SHOP-3"}
    assert may_open(sign_in(MEMBER), *keys) == set()


def give(unit: Any, service: str) -> None:
    owned = Owned.objects.get(kind="service", name=service)
    Ownership.objects.create(owned=owned, tree=unit.tree, unit=unit, during=(None, None))


def test_what_may_not_be_opened_is_named_without_a_link(teams: Teams, shop: Delivery, sign_in: SignIn) -> None:
    tell_the_week(shop)
    html = page(sign_in(MEMBER), "d1")
    assert "d2" in text(html)
    assert f'href="{address("d2")}"' not in html
    assert f'href="{address("d2")}"' in page(sign_in(EXECUTIVE), "d1")


@pytest.mark.parametrize(
    ("branch", "named", "sentences"),
    [
        (
            "main",
            ("", ""),
            ("production, by the pipeline's name", "no job deploys by its name, and it ran on the default"),
        ),
        ("main", ("Deploy to staging", ""), ("staging, named by the run's title",)),
        ("v1.2.3", ("", ""), ("no job deploys by its name, and it ran on a tag",)),
        ("feature", ("", "deploy"), ("its deploying job ran",)),
        ("main", ("", "deploy-staging"), ("staging, named by its deploying job", "its deploying job ran")),
    ],
)
def test_the_page_of_a_deployment_says_which_rule_decided(
    tell: Tell, member: Client, branch: str, named: tuple[str, str], sentences: tuple[str, ...]
) -> None:
    title, job = named
    jobs = [JobDraft(external_id="J", name=job, status=RunStatus.SUCCESS, native_status="", finished_at=MONDAY)]
    tell(
        PipelineRunDraft(
            external_id="1",
            repository=SHOP,
            run="1",
            name="Deploy",
            title=title,
            branch=branch,
            status=RunStatus.SUCCESS,
            updated_at=MONDAY,
            finished_at=MONDAY,
            jobs=ProvidedParts(jobs if job else []),
        )
    )
    said = unescape(text(page(member, "run:1")))
    assert [sentence for sentence in sentences if sentence not in said] == []
