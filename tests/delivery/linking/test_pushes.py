"""Lead times of teams that work without pull requests: what reaches the default branch directly is the change."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from insights.engine.connected import DIRECTLY, NOTHING
from insights.query.query import Statistic
from integrations.delivery.agreements.apply import apply_agreements
from integrations.delivery.linking.relink import place_waiting_commits, relink_everything
from integrations.models import DeployedPush, FactChange, WorkingAgreement
from tests.delivery.linking.delivery import Delivery, iso, sha_of
from tests.org import Org
from tests.personas import ADMIN, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(org: Org) -> Delivery:
    """acme/shop, of Cart, where ann commits to main."""
    org.tree("Company")
    org.unit("Cart", below="company")
    org.unit("Search", below="company")
    shop = Delivery()
    pushes(shop, "root", at="Mon 00:00")
    org.own("acme/shop", "cart")
    return shop


def pushes(shop: Delivery, sha: str, *, at: str, after: str = "", authored: str = "", **others: Any) -> None:
    """A commit of main; its parents are those named."""
    shop.push(
        "commits",
        repository=shop.repository,
        sha=sha_of(sha),
        parents=[sha_of(parent) for parent in after.split()],
        authored_at=iso(authored or at),
        committed_at=iso(at),
        **{"branch": "main", "message": f"work of {sha}", "author_email": "ann@example.com", **others},
    )


def agree(*words: str, unit: str = "cart", from_: str = "") -> None:
    call_command("agreement", unit, *words, *([f"--from={from_}"] if from_ else []), stdout=StringIO())
    apply_agreements()


def deployed(repository: str = "acme/shop") -> dict[str, tuple[str, str]]:
    """The deployment of each push and its method, by the push's subject."""
    place_waiting_commits()
    return {
        push.commit.subject.removeprefix("work of "): (push.deployment.external_id, push.method)
        for push in DeployedPush.objects.filter(repository__name=repository).select_related("commit", "deployment")
    }


def test_every_commit_of_main_is_a_change_that_the_first_deployment_at_or_above_it_brings(shop: Delivery) -> None:
    pushes(shop, "a", at="Mon 08:00", after="root")
    pushes(shop, "b", at="Mon 09:00", after="a")
    shop.deploys("d1", at="Mon 12:00", sha="b")
    assert deployed() == {}  # nobody agreed on it
    agree("trunk=yes")
    assert deployed() == {"root": ("d1", "chain"), "a": ("d1", "chain"), "b": ("d1", "chain")}
    pushes(shop, "c", at="Tue 09:00", after="b")
    shop.deploys("d2", at="Tue 10:00", sha="c")
    assert deployed()["c"] == ("d2", "chain")
    shop.takes_back("deployments", "d1")
    assert set(deployed().values()) == {("d2", "chain")}
    agree("trunk=no")
    assert deployed() == {}


def test_lead_time_is_the_commits_to_its_deployment_with_the_stages_that_a_push_has(shop: Delivery, org: Org) -> None:
    agree("trunk=yes", from_="2026-03-03")
    pushes(shop, "a", at="Tue 09:00", authored="Tue 08:00", after="root")
    shop.deploys("d1", at="Tue 12:00", sha="a")
    week: dict[str, Any] = {"from_": "2026-03-02", "to": "2026-03-09"}
    assert org.metric("dora.lead_time", **week).value == 4 * 3600
    assert org.metric("dora.lead_time_coding", **week).value == 3600
    assert org.metric("dora.lead_time_deploy", **week).value == 3 * 3600
    assert org.metric("dora.lead_time_review", **week).value is None
    assert org.metric("pr.throughput", **week).value in (0, None)
    assert org.metric("dora.lead_time", **week, work_type="other", method="chain", assistance="Non-AI").sample_size == 1
    assert org.metric("dora.lead_time", **week, agent="Non-AI").sample_size == 1


def test_rows_call_a_push_so_and_lead_to_no_pull_request(shop: Delivery) -> None:
    agree("trunk=yes")
    pushes(shop, "a", at="Tue 09:00", after="root")
    shop.deploys("d1", at="Tue 12:00", sha="a")
    page = signed_in(ADMIN).get("/insights/metrics/dora.lead_time/rows/?from=2026-03-02&to=2026-03-09").content.decode()
    assert f"acme/shop@{sha_of('a')[:10]}" in page
    assert "<small>push" in page
    assert "#-" not in page
    assert "/insights/pull-requests/" not in page


def test_an_agreement_counts_pushes_from_its_day_on(shop: Delivery) -> None:
    pushes(shop, "a", at="Mon 08:00", after="root")
    agree("trunk=yes", from_="2026-03-04")
    pushes(shop, "b", at="Wed 08:00", after="a")
    shop.deploys("d1", at="Thu 12:00", sha="b")
    assert deployed() == {"b": ("d1", "chain")}
    agree("trunk=no", from_="2026-03-05")
    pushes(shop, "c", at="Thu 13:00", after="b")
    shop.deploys("d2", at="Thu 14:00", sha="c")
    assert deployed() == {"b": ("d1", "chain")}


def test_the_nearest_unit_is_heard_and_another_owner_ends_it(shop: Delivery, org: Org) -> None:
    shop.deploys("d1", at="Thu 12:00", sha="root")
    agree("trunk=yes", unit="company")
    assert deployed() == {"root": ("d1", "chain")}
    agree("trunk=no")
    assert deployed() == {}
    org.own("acme/shop", "search")
    apply_agreements()
    assert deployed() == {"root": ("d1", "chain")}


def test_what_a_pull_request_brought_is_no_push_whichever_way_it_was_merged(shop: Delivery) -> None:
    agree("trunk=yes")
    listed = {"author_email": "ben@example.com", "committed_at": iso("Mon 07:00"), "parents": [sha_of("root")]}
    # A squash of another team's, one named by its number alone, and two commits after a rebase.
    pushes(shop, "squash", at="Mon 08:00", after="root")
    pushes(shop, "numbered", at="Mon 09:00", after="squash", message="Add milk (#2)")
    pushes(shop, "r1", at="Mon 10:00", authored="Mon 06:00", after="numbered", message="one")
    pushes(shop, "r2", at="Mon 10:00", authored="Mon 06:30", after="r1", message="two")
    pushes(shop, "direct", at="Mon 11:00", after="r2")
    shop.deploys("d1", at="Mon 12:00", sha="direct")
    assert len(deployed()) == 6
    shop.merges(1, at="Mon 08:00", sha="squash")
    shop.merges(2, at="Mon 09:00", sha="")
    commits = [
        {**listed, "sha": sha_of("x1"), "authored_at": iso("Mon 06:00"), "message": "one"},
        {**listed, "sha": sha_of("x2"), "authored_at": iso("Mon 06:30"), "message": "two"},
    ]
    shop.merges(3, at="Mon 10:00", sha="r2", commits=commits)
    assert set(deployed()) == {"root", "direct"}
    assert shop.deployed(1) == ("d1", "chain")
    shop.takes_back("pull-requests", "acme/shop#1")
    assert set(deployed()) == {"root", "squash", "direct"}


def test_a_branch_that_is_merged_by_hand_is_one_push_from_its_first_commit(shop: Delivery, org: Org) -> None:
    agree("trunk=yes", from_="2026-03-03")
    pushes(shop, "b1", at="Tue 02:00", after="root", branch="wip")
    pushes(shop, "b2", at="Tue 03:00", after="b1", branch="wip")
    pushes(shop, "a", at="Tue 04:00", after="root")
    pushes(shop, "merge", at="Tue 05:00", after="a b2")
    shop.deploys("d1", at="Tue 12:00", sha="merge")
    assert set(deployed()) == {"a", "merge"}
    figure = org.metric("dora.lead_time", from_="2026-03-02", to="2026-03-09")
    assert (figure.sample_size, figure.value) == (2, 9 * 3600)  # 8 and 10 hours


def test_a_merge_by_hand_of_pull_requests_alone_counts_no_second_time(shop: Delivery) -> None:
    agree("trunk=yes")
    pushes(shop, "m1", at="Mon 02:00", after="root", branch="develop")
    shop.merges(1, at="Mon 02:00", sha="m1", target_branch="develop")
    pushes(shop, "release", at="Mon 03:00", after="root m1")
    shop.deploys("d1", at="Mon 12:00", sha="release")
    assert set(deployed()) == {"root"}
    assert shop.deployed(1) is not None


def test_bots_push_no_changes_and_a_revert_is_one(shop: Delivery, org: Org) -> None:
    agree("trunk=yes", from_="2026-03-03")
    pushes(shop, "bump", at="Tue 08:00", after="root", author_email="49699333+dependabot[bot]@users.noreply.github.com")
    pushes(shop, "a", at="Tue 09:00", after="bump")
    pushes(shop, "revert", at="Tue 10:00", after="a", message=f'Revert "work of a"\n\nThis reverts {sha_of("a")}.')
    shop.deploys("d1", at="Tue 12:00", sha="revert")
    figure = org.metric("dora.lead_time", from_="2026-03-02", to="2026-03-09", statistic=Statistic.MEAN)
    assert (figure.sample_size, figure.value) == (2, 2.5 * 3600)


def test_a_first_import_lies_before_the_first_deployment_and_is_left_out(shop: Delivery, org: Org) -> None:
    agree("trunk=yes")
    parent = "root"
    for number in range(30):
        pushes(shop, f"old{number}", at="Mon+-9 08:00", after=parent)
        parent = f"old{number}"
    pushes(shop, "new", at="Tue 08:00", after=parent)
    shop.deploys("d1", at="Tue 12:00", sha="new")
    figure = org.metric("dora.lead_time", from_="2026-03-02", to="2026-03-09")
    assert (figure.sample_size, figure.left_out) == (2, 30)  # new, and root of Monday


def test_a_fix_that_was_picked_to_a_release_branch_is_deployed_by_that(shop: Delivery) -> None:
    agree("trunk=yes")
    pushes(shop, "fix", at="Mon 08:00", after="root")
    pushes(shop, "b", at="Mon 09:00", after="fix")
    message = f"work of picked\n\n(cherry picked from commit {sha_of('fix')})"
    pushes(shop, "picked", at="Mon 10:00", after="root", branch="release/1", message=message)
    shop.deploys("d1", at="Mon 12:00", sha="picked")
    shop.deploys("d2", at="Tue 12:00", sha="b")
    assert deployed() == {"root": ("d1", "chain"), "fix": ("d1", "pick"), "b": ("d2", "chain")}


def test_two_repositories_are_linked_independently(shop: Delivery, org: Org) -> None:
    agree("trunk=yes")
    models = Delivery("acme/models")
    pushes(models, "m0", at="Mon 00:00")
    own = {"sha": sha_of("m0"), "author_email": "ben@example.com", "authored_at": iso("Mon 00:00")}
    models.merges(1, at="Mon 00:30", sha="m0", commits=[{**own, "committed_at": iso("Mon 00:00"), "parents": []}])
    pushes(models, "m1", at="Mon 01:00", after="m0")
    models.deploys("dm", at="Mon 12:00", sha="m1")
    org.own("acme/models", "cart")
    apply_agreements()
    assert set(deployed("acme/models")) == {"m1"}
    assert models.deployed(1) == ("dm", "chain")
    assert org.metric("dora.lead_time", from_="2026-03-02", to="2026-03-09", repository="acme/models").sample_size == 2


def test_whatever_came_first_the_same_pushes_come_out_and_nothing_changes_twice(shop: Delivery) -> None:
    shop.deploys("d2", at="Tue 12:00", sha="c")
    agree("trunk=yes")
    pushes(shop, "c", at="Tue 08:00", after="b")
    pushes(shop, "b", at="Mon 09:00", after="a")
    shop.deploys("d1", at="Mon 12:00", sha="b")
    pushes(shop, "a", at="Mon 08:00", after="root")
    known = deployed()
    assert known == dict.fromkeys(("root", "a", "b"), ("d1", "chain")) | {"c": ("d2", "chain")}
    FactChange.objects.all().delete()
    apply_agreements()
    relink_everything()
    assert deployed() == known
    assert not FactChange.objects.exists()


def test_without_pull_requests_the_reason_says_so_until_the_team_does(shop: Delivery, org: Org) -> None:
    pushes(shop, "a", at="Mon 08:00", after="root")
    week: dict[str, Any] = {"from_": "2026-03-02", "to": "2026-03-09"}
    shop.deploys("d0", at="Mon 00:30", sha="", environment="staging")
    directly = org.metric("dora.lead_time", **week)
    assert directly.reason == DIRECTLY
    assert org.metric("dora.lead_time", **week, repository="acme/shop").reason == DIRECTLY
    assert org.metric("dora.lead_time", **week, repository="acme/other").reason == NOTHING
    assert org.metric("dora.lead_time", **week, unit="cart").reason == NOTHING  # ann is in no unit
    assert org.metric("dora.lead_time", from_="2026-03-09", to="2026-03-16").reason == NOTHING
    shop.deploys("d1", at="Tue+1 12:00", sha="a")
    agree("trunk=yes")
    assert org.metric("dora.lead_time", **week).reason == NOTHING
    agree("trunk=no")
    shop.merges(1, at="Tue 08:00", sha="")
    assert org.metric("dora.lead_time", **week).reason == NOTHING


@pytest.mark.parametrize("word", ["trunk=maybe", "trunk=yes,no", "trunks=yes"])
def test_another_word_is_refused_and_changes_nothing(shop: Delivery, word: str) -> None:
    with pytest.raises(CommandError, match="trunk"):
        agree(word)
    assert not WorkingAgreement.objects.exists()
