"""Which names are production as long as nobody says otherwise: of environments, and of pipelines that deploy."""

from __future__ import annotations

import pytest

from integrations.delivery.mappings.environments import (
    default_deploying,
    default_environment,
    only_prepares,
    proposed_deploying,
    proposed_environment,
)
from integrations.enums import Environment

PRODUCTION, STAGING, OTHER = Environment.PRODUCTION, Environment.STAGING, Environment.OTHER


@pytest.mark.parametrize(
    ("environment", "names"),
    [
        (
            PRODUCTION,
            ("production", "Prod", "prod-eu-1", "live", "shop/production", "prod2", "EUProd", "Production (EU)"),
        ),
        (STAGING, ("staging", "pre-prod", "non_prod", "NonProd", "nonprod2", "stage-2", "UAT", "preprod", "UatEu")),
        (OTHER, ("", "dev", "review/42", "product", "delivery", "github-pages", "dev2", "QA1", "perf", "sit-eu")),
        (OTHER, ("production-plan", "prod preview", "prod-test", "Prod (dry run)", "ProductionApproval", "docs-prod")),
    ],
)
def test_an_environment_is_known_by_the_words_of_its_name(environment: Environment, names: tuple[str, ...]) -> None:
    assert {name: default_environment(name) for name in names} == dict.fromkeys(names, environment)


@pytest.mark.parametrize(
    ("environment", "names"),
    [
        (PRODUCTION, ("Deploy", "CD", "deploy-prod", ".github/workflows/deploy.yml", "Deploy Production (EU)")),
        (PRODUCTION, ("Deploy to production", "Deploy API", "Promote to prod", "Deploy to K8s", "DeployProd")),
        (
            STAGING,
            ("Deploy to staging", "Deploy pre-prod", "Deploy to nonprod", "Deploy NonProd PaaS", "Deploy to UAT"),
        ),
        (OTHER, ("Deploy to dev", "Deploy to develop", "Deploy dev2", "Deploy QA1", "Deploy INT", "Deploy SIT")),
        (OTHER, ("Deploy sandbox", "Deploy perf", "Deploy load-eu2", "Deploy beta")),
        (None, ("", "CI", "Build and test", "Deploy check", "Preview deployment", "Release notes", "Undeploy")),
        (
            None,
            ("Build bicep prod", "Test deployment scripts", "Deploy to test2", "Deploy Prod (plan)", "Deploy dry-run"),
        ),
        (None, ("Deploy Storybook", "Deploy docs to GitHub Pages", "pages-build-deployment", "Deploy npm package")),
        (None, ("Deploy preview", "Deploy review app", "Deploy PR environment", "Approval to deploy prod")),
    ],
)
def test_a_pipeline_that_deploys_a_service_says_so_and_where(
    environment: Environment | None, names: tuple[str, ...]
) -> None:
    assert {name: default_deploying(name) for name in names} == dict.fromkeys(names, environment)


def test_a_name_with_a_word_that_nobody_knows_is_proposed_and_does_not_count() -> None:
    assert (default_deploying("Deploy phoenix"), proposed_deploying("Deploy phoenix")) == (None, PRODUCTION)
    assert (default_environment("blue"), proposed_environment("blue")) == (OTHER, PRODUCTION)
    known = ("Deploy", "Deploy docs", "Deploy to dev", "CI", "Tests of phoenix")
    assert [proposed_deploying(name) for name in known] == [None] * len(known)
    environments = ("", "42", "prod", "staging-blue", "dev", "review/phoenix", "github-pages")
    assert [proposed_environment(name) for name in environments] == [None] * len(environments)


def test_a_job_that_only_plans_or_migrates_prepares_a_rollout() -> None:
    assert all(only_prepares(name) for name in ("plan", "Terraform plan (prod)", "migrate", "db-migrations", "Approve"))
    assert not any(
        only_prepares(name) for name in ("release", "deploy", "Migrate and deploy", "plan-apply", "test", "")
    )
