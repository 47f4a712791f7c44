"""The address of a page, copied from a browser, in place of the API's."""

from __future__ import annotations

import pytest

from integrations.connectors.registered import connectors


@pytest.mark.parametrize(
    ("provider", "pasted", "base_url"),
    [
        ("github", "https://github.com/acme", "https://api.github.com"),
        ("github", "https://github.com/orgs/acme/repositories", "https://api.github.com"),
        ("github", "https://www.github.com/acme/shop/pulls", "https://api.github.com"),
        ("github", "https://acme.ghe.com/acme/shop", "https://api.acme.ghe.com"),
        ("github", "https://api.github.com", "https://api.github.com"),
        ("github", "https://api.acme.ghe.com", "https://api.acme.ghe.com"),
        ("github", "https://github.example.com/api/v3", "https://github.example.com/api/v3"),
        (
            "harness",
            "https://app.harness.io/ng/#/account/abc/cd/orgs/default/projects/shop/pipelines",
            "https://app.harness.io",
        ),
        ("harness", "https://app.harness.io/ng/account/abc/module/cd/home", "https://app.harness.io"),
        ("harness", "https://acme.harness.io/gateway", "https://acme.harness.io"),
        ("harness", "https://tools.example.com/harness/ng/account/abc", "https://tools.example.com/harness"),
        ("jira", "https://acme.atlassian.net/jira/software/projects/SHOP/boards/1", "https://acme.atlassian.net"),
        ("jira", "https://acme.atlassian.net", "https://acme.atlassian.net"),
        ("jira", "https://api.atlassian.com/ex/jira/1a2b", "https://api.atlassian.com/ex/jira/1a2b"),
        ("jira", "https://tools.example.com/jira/browse/SHOP-1", "https://tools.example.com/jira"),
        ("jira", "https://jira.example.com/secure/Dashboard.jspa", "https://jira.example.com"),
        ("jenkins", "https://ci.example.com/jenkins/job/acme/job/shop/", "https://ci.example.com/jenkins"),
        ("jenkins", "https://ci.example.com/login?from=%2F", "https://ci.example.com"),
        ("gitea", "https://gitea.example.com/api/v1", "https://gitea.example.com"),
        ("gitea", "https://gitea.example.com/explore/repos", "https://gitea.example.com"),
        ("gitlab", "https://gitlab.com/acme/shop/-/merge_requests/12", "https://gitlab.com"),
        ("gitlab", "https://gitlab.com/groups/acme/-/issues", "https://gitlab.com"),
        ("gitlab", "https://gitlab.example.com/api/v4", "https://gitlab.example.com"),
        ("gitlab", "https://tools.example.com/gitlab/-/profile", "https://tools.example.com/gitlab"),
        ("azure", "https://dev.azure.com/acme/shop/_git/web/pullrequest/12", "https://dev.azure.com/acme"),
        ("azure", "https://acme.visualstudio.com/DefaultCollection/shop/_git/web", "https://dev.azure.com/acme"),
        ("azure", "https://azure.example.com/tfs/Acme/_git/web", "https://azure.example.com/tfs/Acme"),
        ("bitbucket", "https://bitbucket.org/acme/shop/pull-requests/12", "https://api.bitbucket.org"),
        ("bitbucket", "https://api.bitbucket.org/2.0", "https://api.bitbucket.org"),
        ("linear", "https://linear.app/acme/team/SHOP/active", "https://api.linear.app"),
        ("linear", "https://api.linear.app/graphql", "https://api.linear.app"),
        ("pagerduty", "https://acme.pagerduty.com/incidents", "https://api.pagerduty.com"),
        ("pagerduty", "https://acme.eu.pagerduty.com/service-directory", "https://api.eu.pagerduty.com"),
        ("pagerduty", "https://api.eu.pagerduty.com", "https://api.eu.pagerduty.com"),
        ("servicenow", "https://acme.service-now.com/nav_to.do?uri=incident.do", "https://acme.service-now.com"),
        ("servicenow", "https://acme.service-now.com/now/nav/ui/classic/params/x", "https://acme.service-now.com"),
        ("servicenow", "https://acme.service-now.com/api/now/table/incident", "https://acme.service-now.com"),
        ("servicenow", "https://acme.service-now.com", "https://acme.service-now.com"),
        ("sonarqube", "https://sonar.example.com/dashboard?id=acme_shop", "https://sonar.example.com"),
        ("sonarqube", "https://tools.example.com/sonar/projects", "https://tools.example.com/sonar"),
        ("sonarqube", "https://sonarcloud.io/organizations/acme/projects", "https://sonarcloud.io"),
    ],
)
def test_a_pages_address_leads_to_the_api(provider: str, pasted: str, base_url: str) -> None:
    understood = connectors()[provider].understood({"base_url": pasted})
    assert understood["base_url"].rstrip("/") == base_url


@pytest.mark.parametrize(
    "provider",
    [
        "github",
        "jira",
        "jenkins",
        "gitea",
        "gitlab",
        "azure",
        "bitbucket",
        "harness",
        "linear",
        "pagerduty",
        "servicenow",
        "sonarqube",
    ],
)
@pytest.mark.parametrize("odd", ["", "acme", "https://[", "file:///etc/passwd", "https://github.com.example.com/acme"])
def test_what_is_no_page_of_theirs_stays(provider: str, odd: str) -> None:
    assert connectors()[provider].understood({"base_url": odd})["base_url"] == odd


def test_the_owner_in_the_address_is_the_organisation_or_group_unless_one_is_named() -> None:
    github = connectors()["github"]
    assert github.understood({"base_url": "https://github.com/acme/shop"})["owners"] == "acme"
    assert github.understood({"base_url": "https://github.com/acme", "owners": "other"})["owners"] == "other"
    gitlab = connectors()["gitlab"]
    assert gitlab.understood({"base_url": "https://gitlab.com/groups/acme/-/issues"})["groups"] == "acme"
    assert gitlab.understood({"base_url": "https://gitlab.com/-/profile"})["groups"] == ""
    bitbucket = connectors()["bitbucket"]
    assert bitbucket.understood({"base_url": "https://bitbucket.org/acme/shop/src"})["workspace"] == "acme"
    assert bitbucket.understood({"base_url": "https://bitbucket.org/account/settings"})["workspace"] == ""
    azure = connectors()["azure"]
    assert azure.understood({"base_url": "https://dev.azure.com/acme/shop/_git/web"})["projects"] == "shop"
    assert azure.understood({"base_url": "https://dev.azure.com/acme/_settings"})["projects"] == ""
    harness = connectors()["harness"]
    page = "https://app.harness.io/ng/#/account/abc/cd/orgs/default/projects/shop"
    assert {**harness.understood({"base_url": page}), "base_url": ""} == {
        "base_url": "",
        "account": "abc",
        "organisations": "default",
    }
    assert harness.understood({"base_url": page, "account": "other"})["account"] == "other"
