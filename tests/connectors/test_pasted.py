"""Addresses that people paste where a resource is to be named."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import pytest

from integrations.connectors.pasted import is_address, leads_to, owner_in
from integrations.enums import ResourceKind


@dataclass
class Listed:
    """A resource as a connector lists it."""

    kind: str
    external_id: str
    url: str
    keys: Collection[str] = ()


SHOP = Listed(ResourceKind.REPOSITORY, "78", "https://github.com/acme/shop")
NESTED = Listed(ResourceKind.REPOSITORY, "12", "https://gitlab.example/g/sub/p")
PROJECT = Listed(ResourceKind.PROJECT, "10001", "https://acme.atlassian.net/browse/ABC", ("ABC",))
BOARD = Listed(ResourceKind.BOARD, "12", "", ("ABC",))
JOB = Listed(ResourceKind.PIPELINE, "web/deploy", "https://ci.example.com/jenkins/job/web/job/deploy/")
TEAM = Listed(ResourceKind.PROJECT, "7f3c", "https://linear.app/acme/team/ENG/active", ("ENG", "ENG · Web"))
SERVICE = Listed(ResourceKind.SERVICE, "PIJ90N7", "https://acme.pagerduty.com/service-directory/PIJ90N7")
AZURE = Listed(ResourceKind.PROJECT, "a1", "https://dev.azure.com/acme/Web%20Shop")
AZURE_REPOSITORY = Listed(ResourceKind.REPOSITORY, "b2", "https://dev.azure.com/acme/Web%20Shop/_git/shop")
SONAR = Listed(ResourceKind.PIPELINE, "acme:shop", "https://sonar.example.com/dashboard?id=acme%3Ashop")
HARNESS = Listed(ResourceKind.PIPELINE, "o/p", "https://app.harness.io/ng/#/account/A1/cd/orgs/o/projects/p")
SYSTEM = Listed(ResourceKind.SERVICE, "5f1a", "https://acme.service-now.com/cmdb_ci_service.do?sys_id=5f1a")

LEAD = [
    ("https://github.com/acme/shop", SHOP),
    ("http://github.com/acme/shop", SHOP),
    ("HTTPS://GitHub.com/Acme/Shop/", SHOP),
    ("https://github.com/acme/shop.git", SHOP),
    ("git@github.com:acme/shop.git", SHOP),
    ("ssh://git@github.com:22/acme/shop.git", SHOP),
    ("github.com/acme/shop", SHOP),
    ("https://github.com/acme/shop/pull/78/files?w=1#diff", SHOP),
    ("https://github.com/acme/*", SHOP),
    ("https://gitlab.example/g/sub/p", NESTED),
    ("https://gitlab.example/g/sub/p/-/merge_requests/3", NESTED),
    ("https://gitlab.example/g/sub/p/-/tree/main/src", NESTED),
    ("https://acme.atlassian.net/browse/ABC", PROJECT),
    ("https://acme.atlassian.net/browse/ABC-12", PROJECT),
    ("https://acme.atlassian.net/projects/ABC/issues/ABC-1?filter=allopenissues", PROJECT),
    ("https://acme.atlassian.net/jira/software/c/projects/ABC/boards/12", PROJECT),
    ("https://acme.atlassian.net/jira/software/c/projects/ABC/boards/12/backlog?epics=visible", BOARD),
    ("https://acme.atlassian.net/projects/ABC", BOARD),
    ("https://jira.example.com/secure/RapidBoard.jspa?rapidView=12&projectKey=ABC", BOARD),
    ("https://acme.atlassian.net/secure/RapidBoard.jspa?rapidView=12&projectKey=ABC", PROJECT),
    ("https://ci.example.com/jenkins/job/web/job/deploy", JOB),
    ("https://ci.example.com/jenkins/job/web/job/deploy/42/console", JOB),
    ("https://ci.example.com/jenkins/view/All/job/web/view/Prod/job/deploy/", JOB),
    ("https://ci.example.com/jenkins/blue/organizations/jenkins/web%2Fdeploy/activity", JOB),
    ("https://linear.app/acme/team/ENG/all", TEAM),
    ("https://linear.app/acme/issue/ENG-12/pay-by-card", TEAM),
    ("https://acme.pagerduty.com/services/PIJ90N7", SERVICE),
    ("https://acme.pagerduty.com/service-directory/PIJ90N7/activity", SERVICE),
    ("https://dev.azure.com/acme/Web%20Shop", AZURE),
    ("https://acme@dev.azure.com/acme/Web%20Shop/_git/shop", AZURE_REPOSITORY),
    ("https://sonar.example.com/project/issues?id=acme%3Ashop", SONAR),
    ("https://sonar.example.com/dashboard?id=acme%3Ashop&branch=main", SONAR),
    ("https://app.harness.io/ng/#/account/A1/cd/orgs/o/projects/p/pipelines", HARNESS),
    ("https://acme.service-now.com/nav_to.do?sys_id=5f1a", SYSTEM),
]
ASTRAY = [
    ("https://github.com/acme/shop2", SHOP),
    ("https://github.com/acme", SHOP),
    ("https://github.com/other/repo/pull/78", SHOP),
    ("https://gitlab.com/acme/shop", SHOP),
    ("https://github.com/other/*", SHOP),
    ("https://gitlab.example/g/sub", NESTED),
    ("https://gitlab.example/g/sub/p2", NESTED),
    ("https://acme.atlassian.net/browse/ABCD-12", PROJECT),
    ("https://acme.atlassian.net", PROJECT),
    ("https://acme.atlassian.net/jira/software/c/projects/ABC/boards/13", BOARD),
    ("https://acme.atlassian.net/projects/XYZ/boards/13", BOARD),
    ("https://ci.example.com/jenkins/job/web", JOB),
    ("https://ci.example.com/jenkins/job/web/job/deploy/job/main", JOB),
    ("https://ci.example.com/jenkins/job/web/job/deploy-docs/", JOB),
    ("https://linear.app/acme/team/OPS/all", TEAM),
    ("https://acme.pagerduty.com/services/PXXXXXX", SERVICE),
    ("https://dev.azure.com/acme/Web%20Shop/_git/shop", AZURE),
    ("https://dev.azure.com/acme/Web%20Shop", AZURE_REPOSITORY),
    ("https://sonar.example.com/dashboard?id=acme%3Ashop-web", SONAR),
    ("https://acme.service-now.com/cmdb_ci_service.do?sys_id=77", SYSTEM),
    ("https://[", SHOP),
]


@pytest.mark.parametrize(("address", "listed"), LEAD)
def test_the_address_of_a_page_leads_to_its_resource(address: str, listed: Listed) -> None:
    assert is_address(address)
    assert leads_to(address, listed)


@pytest.mark.parametrize(("address", "listed"), ASTRAY)
def test_the_address_of_another_page_leads_elsewhere(address: str, listed: Listed) -> None:
    assert not leads_to(address, listed)


def test_names_and_patterns_are_no_addresses() -> None:
    for name in ("acme/shop", "acme/*", "ABC", "78", "acme.shop", "web/deploy", "ABC · Shop", "*"):
        assert not is_address(name), name


def test_owners_are_read_from_addresses_of_their_pages() -> None:
    assert owner_in("acme") == "acme"
    assert owner_in("acme/platform") == "acme/platform"
    assert owner_in("https://github.com/acme", most=1) == "acme"
    assert owner_in("https://github.com/orgs/acme/repositories", most=1) == "acme"
    assert owner_in("https://github.com/acme/shop", most=1) == "acme"
    assert owner_in("acme.org/platform") == "acme.org/platform"
    assert owner_in("https://gitlab.example/groups/acme/platform/-/issues") == "acme/platform"
    assert owner_in("https://gitlab.example/acme/platform/") == "acme/platform"
    assert owner_in("https://dev.azure.com/acme/Web%20Shop/_git/shop", skip=1, most=1) == "Web Shop"
    assert owner_in("https://github.com/", most=1) == "https://github.com/"
