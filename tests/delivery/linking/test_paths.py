"""Several services in one repository: a pull request is deployed when a service is whose paths it touches."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from django.test import Client
from django.urls import reverse

from insights.engine.read import read_series
from insights.query.query import Dimension, Query, Window
from integrations.delivery.linking.relink import relink_everything, relink_paths, relink_pull_requests
from integrations.delivery.linking.service_paths import rules_of, services_of
from integrations.models import Commit, CommitFile, PullRequest, Repository, ServicePaths, TouchedService
from tests.delivery.linking.delivery import Delivery, sha_of
from tests.personas import ADMIN, Persona

pytestmark = pytest.mark.django_db
WEEK = Window(date(2026, 3, 2), date(2026, 3, 9))


@pytest.fixture
def shop() -> Delivery:
    """A repository of two services; #1 touches the cart, #2 the search, #3 both, and #4 neither."""
    shop = Delivery()
    touched = {1: ["cart/a.py"], 2: ["search/b.py"], 3: ["cart/a.py", "search/b.py"], 4: ["README.md"]}
    for number, paths in touched.items():
        shop.commit(f"m{number}", parents=["start"], branch="elsewhere")
        shop.merges(number, at="Mon 10:00", commits=[{"sha": sha_of(f"m{number}")}])
        commit = Commit.objects.get(sha=sha_of(f"m{number}"))
        CommitFile.objects.bulk_create(CommitFile(commit=commit, path=path, file_type="code") for path in paths)
    repository = Repository.objects.get(name="acme/shop")
    for service in ("cart", "search"):
        ServicePaths.objects.create(repository=repository, service=service, patterns=[f"{service}/"])
    relink_paths(repository.pk)
    return shop


def test_it_is_deployed_with_a_service_whose_paths_it_touches(shop: Delivery) -> None:
    shop.deploys("docs", at="Mon 11:00", service="docs")
    shop.deploys("search", at="Mon 12:00", service="search")
    shop.deploys("cart", at="Mon 13:00", service="cart")
    assert [shop.deployed(number) for number in (1, 2, 3, 4)] == [
        ("cart", "time"),
        ("search", "time"),
        ("search", "time"),
        ("docs", "time"),
    ]


def test_an_unknown_sha_is_new_to_every_service(shop: Delivery) -> None:
    """CI tells short shas: the same one goes to the cart, and ten minutes later to the search."""
    for number in (1, 2, 3, 4):
        shop.merges(number, at="Mon 10:00", sha=f"m{number}", commits=[{"sha": sha_of(f"m{number}")}])
    shop.deploys("cart", at="Mon 11:00", service="cart", sha="short")
    shop.deploys("search", at="Mon 11:10", service="search", sha="short")
    first = [("cart", "time"), ("search", "time"), ("cart", "time"), ("cart", "time")]
    assert [shop.deployed(number) for number in (1, 2, 3, 4)] == first
    shop.deploys("again", at="Mon 12:00", service="search", sha="short")
    relink_everything()
    assert [shop.deployed(number) for number in (1, 2, 3, 4)] == first


def test_a_sha_contains_nothing_that_was_merged_after_any_service_had_it(shop: Delivery) -> None:
    shop.merges(2, at="Mon 11:05", sha="m2", commits=[{"sha": sha_of("m2")}])
    shop.deploys("cart", at="Mon 11:00", service="cart", sha="short")
    shop.deploys("search", at="Mon 11:10", service="search", sha="short")
    assert shop.deployed(2) is None
    shop.deploys("next", at="Mon 13:00", service="search", sha="next")
    assert shop.deployed(2) == ("next", "time")


def test_it_counts_for_every_service_that_it_touches_and_once_in_all(shop: Delivery) -> None:
    shop.deploys("docs", at="Mon 11:00", service="docs")  # where no paths are told apart, who deployed it

    def counted(*segments: Dimension, **facets: str) -> dict[tuple[str, ...], float | None]:
        picked = {Dimension(name): (value,) for name, value in facets.items()}
        [answer] = read_series([Query("pr.throughput", WEEK, segments=segments, facets=picked)])
        return {tuple(figure.segment[segment.value] for segment in segments): figure.value for figure in answer.total}

    assert counted(Dimension.SERVICE) == {("cart",): 2, ("search",): 2, ("docs",): 1}
    assert counted() == {(): 4}
    assert counted(service="cart") == {(): 2}
    both = (Dimension.AGENT, Dimension.SERVICE)
    assert counted(*both) == {("Non-AI", "cart"): 2, ("Non-AI", "search"): 2, ("Non-AI", "docs"): 1}
    assert counted(Dimension.AGENT, service="cart") == {("Non-AI",): 2}


def test_a_deployment_that_names_no_service_deploys_all(shop: Delivery) -> None:
    shop.deploys("all", at="Mon 11:00")
    assert {shop.deployed(number) for number in (1, 2, 3, 4)} == {("all", "time")}


def test_what_a_commit_tells_of_paths_later_is_followed(shop: Delivery) -> None:
    shop.deploys("docs", at="Mon 11:00", service="docs")
    shop.deploys("cart", at="Mon 12:00", service="cart")
    CommitFile.objects.filter(commit__sha=sha_of("m4")).update(path="cart/c.py")
    relink_pull_requests(PullRequest.objects.filter(number=4).values_list("pk", flat=True))
    assert shop.deployed(4) == ("cart", "time")


def test_an_admin_edits_the_rules_and_links_follow(shop: Delivery, sign_in: Callable[[Persona], Client]) -> None:
    admin = sign_in(ADMIN)
    shop.deploys("docs", at="Mon 11:00", service="docs")
    repository = Repository.objects.get(name="acme/shop")
    form = {"repository": repository.pk, "service": "docs", "patterns": "*.md, docs/"}
    assert admin.post(reverse("admin:integrations_servicepaths_add"), form).status_code == 302
    assert TouchedService.objects.get(pull_request__number=4).service == "docs"

    everything = ServicePaths.objects.values_list("pk", flat=True)
    chosen = {"action": "delete_selected", "_selected_action": [str(pk) for pk in everything], "post": "yes"}
    assert admin.post(reverse("admin:integrations_servicepaths_changelist"), chosen).status_code == 302
    assert not TouchedService.objects.exists()
    assert shop.deployed(1) == ("docs", "time"), "without rules any service will do"


def test_a_pattern_that_cannot_be_read_is_refused(shop: Delivery, sign_in: Callable[[Persona], Client]) -> None:
    form = {"repository": Repository.objects.get(name="acme/shop").pk, "service": "x", "patterns": "!"}
    answer = sign_in(ADMIN).post(reverse("admin:integrations_servicepaths_add"), form)
    assert "is not a pattern" in answer.content.decode()


def test_patterns_are_those_of_a_gitignore_file() -> None:
    rules = {"cart": rules_of(["cart/", "libs/**/*.py", "!libs/docs/**"]), "docs": rules_of(["*.md"])}
    assert services_of(["cart/deep/a.py"], rules) == {"cart"}
    assert services_of(["libs/x/a.py", "README.md"], rules) == {"cart", "docs"}
    assert services_of(["libs/docs/a.py"], rules) == set()
    assert services_of(["other/a.py"], rules) == set()
