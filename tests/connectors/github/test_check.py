"""Test connection: a plain answer for each permission, with what to grant."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from demo.providers.faults import Answer, Fault, forbidden, instead, not_found
from demo.providers.github_access import Token
from demo.providers.github_server import GitHubServer
from integrations.connectors.base import CheckedPermission
from integrations.connectors.errors import CredentialRefusedError, PermanentError
from integrations.enums import Kind
from tests.connectors.github.reading import TOKEN, client, connector, read, resource_at
from tests.demo.small_history import small_history

WHAT = {
    "pull_requests": "Pull requests and reviews",
    "contents": "Commits and releases",
    "issues": "Issues",
    "actions": "Workflow runs and jobs",
    "deployments": "Deployments",
    "repository_hooks": "Registering webhooks",
}


def checks(github: GitHubServer, **settings: str) -> dict[str, CheckedPermission]:
    of = connector(github, **settings)
    with client(of) as http:
        return {answer.what: answer for answer in of.check(http)}


@pytest.fixture
def limited() -> Iterator[GitHubServer]:
    """Its token may see the repository, and nothing in it."""
    with GitHubServer(small_history(), tokens=[Token(TOKEN, "ada", lacks=frozenset(WHAT))]) as server:
        yield server


def test_everything_works(github: GitHubServer) -> None:
    answers = checks(github)
    assert set(answers) == {"Repositories of acme", *WHAT.values(), "GraphQL, which saves requests"}
    assert all(answer.works and not answer.remedy for answer in answers.values())


def test_every_missing_permission_is_named_as_githubs_form_calls_it(limited: GitHubServer) -> None:
    answers = checks(limited)
    assert {what for what, answer in answers.items() if not answer.works} == set(WHAT.values())
    assert "“Pull requests: read”" in answers["Pull requests and reviews"].remedy
    assert "acme/shop" in answers["Pull requests and reviews"].remedy
    assert "“Webhooks: read and write”" in answers["Registering webhooks"].remedy


def test_the_check_of_a_classic_token_names_scopes(limited: GitHubServer) -> None:
    usual = Answer.of({"login": "ada", "id": 11}, headers={"X-OAuth-Scopes": "read:user"})
    limited.faults = [Fault(instead(usual), path=r"/user\?", times=None)]
    answers = checks(limited)
    assert "the scope repo." in answers["Deployments"].remedy
    assert "the scope admin:repo_hook." in answers["Registering webhooks"].remedy


def test_an_organisation_that_is_not_there_is_said_and_the_others_are_tried(github: GitHubServer) -> None:
    answers = checks(github, owners="acme, nobody")
    assert not answers["Repositories of nobody"].works
    assert "resource owner" in answers["Repositories of nobody"].remedy
    assert answers["Deployments"].works


def test_the_check_of_a_token_without_repositories_says_what_to_do() -> None:
    with GitHubServer(small_history(), tokens=[Token(TOKEN, "ada", repositories=frozenset())]) as github:
        (answer,) = checks(github).values()
    assert not answer.works
    assert "None is visible" in answer.remedy


def test_a_refused_token_is_an_error(github: GitHubServer) -> None:
    github.access.revoke(TOKEN)
    with pytest.raises(CredentialRefusedError):
        checks(github)


def test_graphql_that_is_not_there_can_be_done_without(github: GitHubServer) -> None:
    github.faults = [Fault(not_found(), path="/graphql", times=None)]
    answers = checks(github)
    assert not answers["GraphQL, which saves requests"].works
    assert "Switch GraphQL off" in answers["GraphQL, which saves requests"].remedy
    assert "GraphQL, which saves requests" not in checks(github, use_graphql="false")


def test_a_graphql_that_knows_less_is_found_before_it_is_needed(github: GitHubServer) -> None:
    older = Answer.of({"errors": [{"message": "Fragment on Bot can't be spread inside RequestedReviewer"}]})
    github.faults = [Fault(instead(older), path="/graphql", times=None)]
    answer = checks(github)["GraphQL, which saves requests"]
    assert not answer.works
    assert "differs from the expected one" in answer.remedy


def test_an_empty_repository_can_be_read(github: GitHubServer) -> None:
    empty = instead(Answer.of({"message": "Git Repository is empty."}, status=409))
    github.faults = [Fault(empty, path="/commits", times=None)]
    assert checks(github)["Commits and releases"].works
    assert read(github, Kind.COMMIT).drafts == []


def test_a_refusal_while_reading_names_the_permission(github: GitHubServer) -> None:
    github.faults = [Fault(forbidden("pull_requests=read"), path="/pulls", times=None)]
    with pytest.raises(PermanentError, match="lacks Pull requests: read") as refused:
        read(github, Kind.PULL_REQUEST)
    assert "press Test connection" in refused.value.what_to_do


def test_single_sign_on_is_said_by_its_name(github: GitHubServer) -> None:
    header = {"X-GitHub-SSO": "required; url=https://github.com/orgs/acme/sso"}
    refusal = Answer.of({"message": "Resource protected by organization SAML enforcement."}, status=403, headers=header)
    github.faults = [Fault(instead(refusal), path="/pulls", times=None)]
    with pytest.raises(PermanentError, match="single sign-on") as refused:
        read(github, Kind.PULL_REQUEST)
    assert "Configure SSO" in refused.value.what_to_do


# Webhooks --------------------------------------------------------------------------------------------------------


def test_a_webhook_is_registered_once_and_signs_with_the_latest_secret(github: GitHubServer) -> None:
    of, address = connector(github), "https://headway.example.com/hooks/github/1/"
    with client(of) as http:
        resource = resource_at(http, of)
        first = of.register_hook(http, resource, address, "one secret")
        second = of.register_hook(http, resource, address, "another secret")
        (hook,) = github.hooks
        assert (str(hook.id), hook.address, hook.secret) == (second, address, "another secret")
        assert first != second
        assert {"pull_request", "workflow_job", "push", "deployment_status"} <= set(hook.events)
        of.remove_hook(http, resource, second)
        of.remove_hook(http, resource, second)
    assert list(github.hooks) == []
