"""The commit that a deployment names, however it is written, and whenever the commit becomes known."""

from __future__ import annotations

from datetime import date

import pytest

from integrations.facts.left_out import UNKNOWN_COMMITS, left_out, unknown_commits
from integrations.models import Connection, Deployment, PipelineRun, Release, Repository
from tests.delivery.linking.delivery import Delivery, iso

pytestmark = pytest.mark.django_db

A, B, C = "a" * 8 + "1" * 32, "a" * 8 + "2" * 32, "c0ffee" * 6 + "cafe"


@pytest.fixture
def shop() -> Delivery:
    return Delivery()


def comes(shop: Delivery, sha: str, *parents: str, repository: str = "") -> None:
    shop.push(
        "commits",
        repository=repository or shop.repository,
        sha=sha,
        parents=list(parents),
        branch="main",
        author_email="ada@example.com",
        committed_at=iso("Mon 00:00"),
    )


def deploys(shop: Delivery, id_: str, named: str, *, at: str = "Tue 10:00", repository: str = "") -> None:
    shop.push(
        "deployments",
        id=id_,
        repository=repository or shop.repository,
        environment="production",
        status="success",
        finished_at=iso(at),
        sha=named,
    )


def commit_of(id_: str = "d") -> str:
    return Deployment.objects.get(external_id=id_).sha


def unknown() -> int:
    return left_out(date(2026, 3, 1), date(2026, 4, 1)).get(UNKNOWN_COMMITS, 0)


@pytest.mark.parametrize(
    ("named", "is_found"),
    [
        (C, True),
        (C.upper(), True),
        (C[:7], True),
        (C[:7].upper(), True),
        (C[:12], True),
        (C[:6], False),  # too short to name anything
        (f"v1.2.3-4-g{C[:7]}", True),
        (f"v1.2.3-4-g{C[:7].upper()}", True),
        (f"release/2026-03-0-g{C[:10]}-dirty", True),
        (f"{C[:8]}-dirty", True),
        (f"{C[:8]}-broken", True),
        (f"sha-{C[:7]}", True),  # of an image
        (f"main-{C[:7]}", True),
        (f"MAIN-{C[:8].upper()}", True),
        (f"feature/new-cart-{C[:8]}", True),
        (f"registry.example.com:5000/shop:main-{C[:12]}", True),
        (f"main-{C[:6]}", False),
        (f"main-{C[:7]}1", False),
        (f"main-{C[:8]}-1764500000", True),  # when the image was built
        (f"2026.11.28-{C[:9]}", True),
        (f"1.4.2+{C[:8]}", True),
        (f"main-1.2.{C[:7]}", True),
        (f"g{C[:8]}", True),
        (f"shop@1.4.2-5-g{C[:7]}", True),
        (f"https://github.com/acme/shop/commit/{C}", True),
        (f"ghcr.io/acme/shop:{C[:7]}@sha256:{'ab12' * 16}", True),
        (f"sha256:{'ab12' * 16}", False),
        (f"x{C[:7]}", False),
        (f"{C[:7]}-rc{C[:7]}x", True),
        (f" {C}\n", True),
        (f"v1.2.3-4-g{C}", True),
        (f"v1.2.3-4-{C[:7]}", True),
        (f"{C[:7]}1", False),
        ("", False),
    ],
)
def test_the_ways_of_naming_it(shop: Delivery, named: str, is_found: bool) -> None:
    comes(shop, C)
    deploys(shop, "d", named)
    assert (commit_of() == C) == is_found
    assert unknown() == (0 if is_found or not named else 1)


def test_a_commit_that_comes_later_and_one_that_makes_it_ambiguous(shop: Delivery) -> None:
    shop.push(
        "pull-requests", id="1", repository=shop.repository, number=1, author="ada@example.com", state="merged",
        created_at=iso("Mon 08:00"), merged_at=iso("Mon 12:00"), merge_sha=A,
        commits=[{"sha": "e" * 40, "authored_at": iso("Mon 07:00")}],
    )  # fmt: skip
    deploys(shop, "d", "aaaaaaaa")
    assert commit_of() == A, "a pull request says so"
    comes(shop, "f" * 40)
    comes(shop, A, "f" * 40)
    assert (commit_of(), unknown(), shop.deployed(1)) == (A, 0, ("d", "chain"))
    comes(shop, B, A)
    assert (commit_of(), unknown(), shop.deployed(1)) == ("aaaaaaaa", 1, ("d", "time"))
    shop.takes_back("commits", B)
    assert commit_of() == A


def test_a_beginning_that_is_a_number(shop: Delivery) -> None:
    comes(shop, "1234567" + "0" * 33)
    shop.push(
        "deployments", id="d", repository=shop.repository, environment="production", status="success",
        finished_at=iso("Tue 10:00"), sha=1234567,
    )  # fmt: skip
    assert commit_of() == "1234567" + "0" * 33


@pytest.mark.parametrize("number", ["20261128", "202611281530", "1764288000"])
def test_a_date_or_time_in_the_tag_of_an_image_is_no_commit(shop: Delivery, number: str) -> None:
    comes(shop, number + "0" * (40 - len(number)))
    deploys(shop, "d", f"main-{number}")
    assert commit_of() == f"main-{number}"


def test_a_known_tag_is_itself_though_it_could_be_the_tag_of_an_image(shop: Delivery) -> None:
    comes(shop, C)
    comes(shop, A, C)
    name = f"edge-{A[:7]}"
    Release.objects.create(
        connection=Connection.objects.get(), external_id="1", repository=Repository.objects.get(), tag=name, target=C
    )
    deploys(shop, "d", name)
    assert commit_of() == C


def test_commits_of_another_repository_are_others(shop: Delivery) -> None:
    comes(shop, C, repository="acme/other")
    deploys(shop, "d", C[:9])
    assert commit_of() == C[:9]
    deploys(shop, "elsewhere", C[:9], repository="acme/other")
    assert commit_of("elsewhere") == C


def test_a_deployment_that_names_another_one_later_or_none(shop: Delivery) -> None:
    comes(shop, C)
    comes(shop, A, C)
    for named, commit in ((C[:7], C), (A, A), ("", ""), (A[:9], A)):
        deploys(shop, "d", named)
        assert commit_of() == commit


class TestTags:
    def test_of_a_release_that_names_its_commit(self, shop: Delivery) -> None:
        comes(shop, C)
        deploys(shop, "d", "refs/tags/v1.2.3")
        assert commit_of() == "refs/tags/v1.2.3"
        connection = Connection.objects.get()
        Release.objects.create(
            connection=connection, external_id="1", repository=Repository.objects.get(), tag="v1.2.3", target=C.upper()
        )
        deploys(shop, "d", "v1.2.3")
        assert (commit_of(), unknown()) == (C, 0)

    def test_of_the_one_commit_that_pipelines_ran_for_it(self, shop: Delivery) -> None:
        comes(shop, C)
        deploys(shop, "d", "v2")
        self._runs(shop, "1", "v2", C)
        assert commit_of() == C
        self._runs(shop, "2", "v2", A)
        assert commit_of() == "v2", "a branch, or a tag that was moved"
        assert PipelineRun.objects.count() == 2

    @staticmethod
    def _runs(shop: Delivery, id_: str, branch: str, sha: str) -> None:
        shop.push(
            "pipeline-runs", id=id_, repository=shop.repository, name="Test", status="success", sha=sha, branch=branch,
            started_at=iso("Mon 10:00"), finished_at=iso("Mon 10:10"),
        )  # fmt: skip


def test_unknown_commits_are_counted_by_repository_and_service(shop: Delivery) -> None:
    comes(shop, C)
    for number, named in enumerate((C, "b" * 40, "main-17")):
        deploys(shop, f"d{number}", named)
    deploys(shop, "other", "b" * 40, repository="acme/other")
    march = date(2026, 3, 1), date(2026, 4, 1)
    assert unknown() == 3
    assert unknown_commits(*march, repositories=[shop.repository], services=None) == 2
    assert unknown_commits(*march, repositories=["acme/other"], services=["cart"]) == 0
    comes(shop, "b" * 40, C)
    assert unknown() == 2
