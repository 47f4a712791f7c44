"""Results of Test connection for a controller."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from demo.providers import faults
from demo.providers.faults import Fault
from demo.providers.jenkins_server import JenkinsServer
from integrations.connectors.base import CheckedPermission
from integrations.connectors.errors import CredentialRefusedError
from integrations.connectors.http import ConnectionHttp
from tests.connectors.jenkins.conftest import busy_history
from tests.connectors.jenkins.reading import ROLLOUT, RULE, connector
from tests.connectors.reading import QUICK


def checks_of(jenkins: JenkinsServer, **settings: str) -> dict[str, CheckedPermission]:
    """The checks by the first words of their subjects."""
    of = connector(jenkins, **settings)
    with ConnectionHttp(of, patience=QUICK) as http:
        return {check.what.partition(":")[0].partition(",")[0]: check for check in of.check(http)}


def test_everything_works_and_is_shown_with_examples(jenkins: JenkinsServer) -> None:
    checks = checks_of(jenkins, deployments=RULE)
    assert all(check.works for check in checks.values()), checks
    assert checks["Overall/Read"].what == "Overall/Read, signed in as reader, Jenkins 2.528.3"
    assert checks["Jobs and multibranch projects"].what.endswith(": 3")
    repositories = checks["Repositories of builds"].what
    assert "acme/shop-rollout #123 is of https://github.com/acme/shop" in repositories
    (rule,) = (check.what for check in checks.values() if check.what.startswith("Rule"))
    assert "acme/shop-rollout #123: environment prod, service cart" in rule


def test_a_rule_without_a_match_says_what_there_is(jenkins: JenkinsServer) -> None:
    checks = checks_of(jenkins, deployments="acme/shop-rollout: environment={REGION}\nother/*: environment=prod")
    refused = [check.remedy for check in checks.values() if not check.works]
    assert "ENVIRONMENT, HOTFIX, SERVICE" in " ".join(refused)


def test_a_rule_is_proposed_for_a_parameter_that_is_called_like_an_environment(jenkins: JenkinsServer) -> None:
    proposals = [check.what for check in checks_of(jenkins).values() if check.what.startswith("Without a rule")]
    assert proposals
    assert proposals[0].endswith("A rule for it: acme/shop-rollout: environment={ENVIRONMENT}")


def test_a_library_that_is_taken_for_the_repository_of_a_build_is_to_be_named(jenkins: JenkinsServer) -> None:
    repositories = checks_of(jenkins, libraries="")["Repositories of builds"]
    assert not repositories.works
    assert "acme/shop-rollout #123 is of https://github.com/acme/jenkins-library" in repositories.what
    assert repositories.remedy.endswith("name it under libraries, as */jenkins-library.")


def test_missing_plugins_are_named(jenkins: JenkinsServer) -> None:
    jenkins.has_stages = False
    stages = checks_of(jenkins)["Stages"]
    assert not stages.works
    assert "Pipeline: REST API" in stages.remedy


def test_refused_jobs_and_folders_are_named_with_the_permission(jenkins: JenkinsServer) -> None:
    jenkins.rename(ROLLOUT, "secret/shop-rollout")
    jenkins.refused = {"secret", "acme/shop-ci"}
    checks = checks_of(jenkins)
    assert (checks["Folders"].what, checks["Folders"].works) == ("Folders: secret", False)
    builds = checks["Builds of acme/shop-ci"]
    assert builds.remedy.startswith("Jenkins does not let this user read acme/shop-ci: Job/Read is missing. Grant")


def test_a_clock_that_is_wrong_is_shown(jenkins: JenkinsServer) -> None:
    jenkins.clock_ahead = timedelta(hours=3, minutes=2)
    clock = checks_of(jenkins)["Clock"]
    assert not clock.works
    assert "3 h 2 min ahead of" in clock.remedy
    jenkins.clock_ahead = -timedelta(minutes=5)
    assert "5 min behind" in checks_of(jenkins)["Clock"].remedy


def test_an_anonymous_user_is_refused(jenkins: JenkinsServer) -> None:
    jenkins.faults = [Fault(faults.changed("anonymous", True), path="whoAmI")]
    with pytest.raises(CredentialRefusedError, match="anonymous"):
        checks_of(jenkins)


def test_a_user_who_sees_no_job_learns_what_to_grant(jenkins: JenkinsServer) -> None:
    jenkins.show(replace(busy_history(), runs=(), deployments=()))
    jobs = checks_of(jenkins)["Jobs and multibranch projects"]
    assert (jobs.works, jobs.remedy) == (False, "None is visible. Grant the user Job/Read on what Headway is to read.")
