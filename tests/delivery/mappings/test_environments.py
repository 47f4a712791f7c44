"""Names that mean production by default: of environments, and of pipelines that deploy."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.delivery.mappings.environments import (
    default_deploying,
    default_environment,
    environment_of_title,
    judge_deploying,
    only_prepares,
    proposed_deploying,
    proposed_environment,
    task_rolls_out,
)
from integrations.enums import Environment

PRODUCTION, STAGING, OTHER = Environment.PRODUCTION, Environment.STAGING, Environment.OTHER
PROPOSED = "proposed"


def of_environment(name: str) -> str:
    return PROPOSED if proposed_environment(name) else default_environment(name)


def of_pipeline(name: str) -> str | None:
    return PROPOSED if proposed_deploying(name) else default_deploying(name)


# The ways in which hosts, build systems and charts name what they deploy to.
@pytest.mark.parametrize(
    ("answer", "names"),
    [
        # GitHub, Heroku, Render, Azure, Octopus, Argo CD, AWS regions
        (PRODUCTION, ("production", "Prod", "PRD", "live", "Production (EU)", "prod-eu-west-1", "prod2", "EUProd")),
        (
            PRODUCTION,
            ("shop/production", "argocd/prod-eu/shop", "aws-prod", "prod-k8s", "production.eu", "prod_us_east"),
        ),
        # Vercel, Netlify, Railway: the project beside the environment
        (PRODUCTION, ("Production – shop", "Production – docs", "Production – beta", "Production – preview-api")),
        (PRODUCTION, ("blog / production", "acme-portal / production", "production: acme-demo", "production/check-in")),
        # charts and Terraform workspaces: the service before the environment
        (PRODUCTION, ("checkout-production", "wiki-prod", "review-service-prod", "training_portal_prod", "shop-live")),
        (PRODUCTION, ("nightly-reports-prod", "local-search-production", "test-runner-prod", "alpha-api-prod-eu-1")),
        (PRODUCTION, ("prod-phoenix", "prod-performance-reports", "feature-store-prod", "staging-to-prod")),
        (STAGING, ("staging", "pre-prod", "non_prod", "NonProd", "nonprod2", "stage-2", "UAT", "preprod", "UatEu")),
        (STAGING, ("staging-load-balancer", "prod-staging", "Staging – docs", "checkout-stg", "prod-to-staging")),
        (
            OTHER,
            ("", "dev", "review/42", "github-pages", "dev2", "QA1", "perf", "sit-eu", "feature-flags-test", "prod-e2e"),
        ),
        (OTHER, ("Preview – docs-site", "deploy-preview-42", "shop-pr-12", "load-balancer-dev", "docs-preview")),
        (
            OTHER,
            (
                "review/prod-fix",
                "Review/live-chat-2",
                "preview/prod-banner",
                "mr/prod-12-cart",
                "feature/production-log",
            ),
        ),
        (PRODUCTION, ("review-service/prod", "reviews/prod-eu", "shop/prod-fix-service")),
        (OTHER, ("production-plan", "prod preview", "prod-test", "Prod (dry run)", "ProductionApproval", "live-demo")),
        (OTHER, ("prod-terraform-plan", "qa-prod-copy", "prod-like", "production-mirror", "copy-prod-to-dev")),
        (
            PROPOSED,
            ("blue", "product", "delivery", "main-cluster", "eu-west-1-phoenix", "deploy", "load-balancer-deploy"),
        ),
        (
            PROPOSED,
            ("test-prod", "qa-prod", "staging-prod", "plan-prod", "terraform-plan-prod", "destroy-cluster-prod"),
        ),
        (
            PROPOSED,
            (
                "prod-docs",
                "Production – plan",
                "Production – QA",
                "live-chat",
                "prod-plan-network",
                "not-for-production",
            ),
        ),
        # Two places, or what is said not to be one
        (PROPOSED, ("prod+staging", "production and staging", "prod or qa", "prod, dev", "staging/prod", "prod|dev")),
        (PROPOSED, ("not-used-prod", "prod (not used)", "not-yet-live", "pr-12-prod", "prod/pr-12", "review-app-prod")),
        (PRODUCTION, ("pr-bot-prod", "notes-prod", "wiki-live", "prod-blog")),
        (PROPOSED, ("prod-migration", "prod-db-migrations", "production (migrate)")),
        (PRODUCTION, ("prod-weu", "PRD-NEU-01", "prd-use1", "production / us-central1", "data-migration-prod")),
    ],
)
def test_an_environment_is_known_by_its_words_and_their_place(answer: str, names: tuple[str, ...]) -> None:
    assert {name: of_environment(name) for name in names} == dict.fromkeys(names, answer)


# The names of GitHub's starter workflows, of Azure's and Google's own, and of those that teams write.
@pytest.mark.parametrize(
    ("answer", "names"),
    [
        (
            PRODUCTION,
            ("Deploy", "CD", "CI/CD", "deploy-prod", ".github/workflows/deploy.yml", "Deploy Production (EU)"),
        ),
        (PRODUCTION, ("Deploy to production", "Deploy API", "Promote to prod", "Deploy to K8s", "DeployProd")),
        (
            PRODUCTION,
            ("Deploy to Amazon ECS", "Build and Deploy to GKE", "Build and Deploy to Cloud Run", "Fly Deploy"),
        ),
        (PRODUCTION, ("Deploy Node.js app to Azure", "Deploy to Render", "Continuous Deployment", "Deploy to Railway")),
        (
            PRODUCTION,
            ("Build and deploy", "Test and deploy", "Build, test & deploy", "build-test-deploy", "lint + deploy"),
        ),
        (PRODUCTION, ("Deploy and test", "Deploy and verify production", "Validate and deploy to production")),
        (
            PRODUCTION,
            (
                "checkout-prod-deploy",
                "Deploy phoenix to prod",
                "Deploy test-results to prod",
                "Promote staging to prod",
            ),
        ),
        (
            STAGING,
            ("Deploy to staging", "Deploy pre-prod", "Deploy to nonprod", "Deploy NonProd PaaS", "Deploy to UAT"),
        ),
        (OTHER, ("Deploy to dev", "Deploy to develop", "Deploy dev2", "Deploy QA1", "Deploy INT", "Deploy SIT")),
        (OTHER, ("Deploy sandbox", "Deploy perf", "Deploy load-eu2", "Deploy beta", "Deploy phoenix to dev")),
        (None, ("", "CI", "Build and test", "Deploy check", "Preview deployment", "Release notes", "Undeploy", "Test")),
        (
            None,
            (
                "Test deployment scripts",
                "Deploy to test2",
                "Deploy Prod (plan)",
                "Deploy dry-run",
                "Post-deploy checks",
            ),
        ),
        (None, ("Deploy Storybook", "Deploy docs to GitHub Pages", "pages-build-deployment", "Deploy npm package")),
        (None, ("Deploy Next.js site to Pages", "Deploy Jekyll with GitHub Pages dependencies preinstalled")),
        (
            None,
            (
                "Deploy preview",
                "Deploy review app",
                "Deploy PR environment",
                "Test deployment",
                "Smoke test production",
            ),
        ),
        (
            PROPOSED,
            ("Deploy phoenix", "Deploy feature flags", "Deploy load balancer", "Deploy review-service", "test-deploy"),
        ),
        (
            PROPOSED,
            ("Deploy to staging and production", "Deploy and test staging", "Build docs and deploy", "Production"),
        ),
        (
            PROPOSED,
            ("Build bicep prod", "Release to production", "Deploy docs to production", "Approval to deploy prod"),
        ),
        # What follows says when, how or from where
        (
            PRODUCTION,
            ("Deploy to production after staging", "Deploy to production (from staging)", "deploy-prod-after-test"),
        ),
        (
            PRODUCTION,
            ("Deploy production without tests", "Deploy to prod with approval", "Deploy to Prod if tests pass"),
        ),
        (PRODUCTION, ("Deploy to production (manual approval)", "Deploy from staging to production")),
        (
            PROPOSED,
            ("Deploy (no tests)", "Deploy without tests", "Deploy from dev", "Nightly deploy", "deploy nightly"),
        ),
        (PROPOSED, ("Deploy to staging before production", "Terraform Apply - Production", "Rollback production")),
        (OTHER, ("Deploy to nightly", "Deploy to QA with approval")),
        (STAGING, ("Deploy to staging without tests", "Deploy to staging (manual approval)")),
        # Several places, in any order and joined by any sign
        (PROPOSED, ("Deploy to prod/staging", "Deploy dev|prod", "Deploy prod + staging", "Deploy prod or QA")),
        (PROPOSED, ("Release to prod or staging", "Deploy to production, then staging", "Staging then prod deploy")),
        (PRODUCTION, ("Deploy to production and notify QA", "Test on staging, then deploy to prod", "build/deploy")),
        # Services that are called like places or documents, and what a service is not
        (PROPOSED, ("Deploy qa-portal", "Deploy sandbox-manager", "Deploy blog", "Deploy wiki", "deploy-dev-tools")),
        (PROPOSED, ("Deploy migrations to production", "Deploy prod database migrations")),
        (PRODUCTION, ("Deploy migration-service to prod", "Deploy main branch", "Deploy release branch")),
        (OTHER, ("Deploy feature branch", "Deploy checkout to sandbox", "Deploy dev API", "Deploy checkout dev")),
        # A word of its own that holds deploy
        (PROPOSED, ("redeploy", "k8sdeploy", "autodeploy.yml")),
        (PRODUCTION, ("Re-deploy production", "WebDeploy", "🚀 Deploy")),
        # Words for calling a reusable workflow, hosts and tools say nothing about the place
        (PRODUCTION, ("call / deploy", "call-deploy / deploy", "shared / deploy", "reusable / deploy-prod")),
        (STAGING, ("call-workflow / deploy (staging)",)),
        (PROPOSED, ("phoenix / deploy",)),
        (PRODUCTION, ("Deploy to Fly.io", "Deploy to DigitalOcean Kubernetes", "Deploy via SSH", "CDK deploy")),
        (PRODUCTION, ("Serverless deploy", "Kamal deploy", "Deploy Supabase functions", "Continuous Delivery")),
        (STAGING, ("CDK deploy (staging)", "Serverless deploy to uat")),
        (None, ("Clean up deployments", "Tear down production", "Clean up prod")),
    ],
)
def test_a_pipeline_that_deploys_a_service_says_so_and_where(answer: str | None, names: tuple[str, ...]) -> None:
    assert {name: of_pipeline(name) for name in names} == dict.fromkeys(names, answer)


# Every word that may exclude production, written down apart from the product's own lists.
def test_names_in_other_languages_are_proposed() -> None:
    names = (
        *("Desplegar a producción", "Despliegue a Producción", "Implantação produção", "Déploiement en production"),
        *("Déployer", "Bereitstellung Produktion", "Ausrollen", "In productie uitrollen", "Wdrożenie produkcyjne"),
        *(
            "Деплой на прод",
            "Развертывание",
            "本番デプロイ",
            "本番環境へリリース",
            "部署到生产环境",
            "發佈",
            "프로덕션 배포",
        ),
    )
    silent = {name for name in names if not (default_deploying(name) or proposed_deploying(name))}
    assert not silent
    others = ("Product tests", "Producer", "Release notes", "Produktsuche testen", "Lint", "Tests unitaires", "テスト")
    assert not {name for name in others if default_deploying(name) or proposed_deploying(name)}


EXCLUDING = frozenset(
    re.findall(
        r"\w+",
        """
        staging stage stg uat acceptance acc preprod preproduction prelive nonprod nonproduction pre non not no pseudo
        quasi semi near post dev develop development sit qa tst sandbox ephemeral nightly int integration testing perf
        performance load demo beta alpha training lab local feature branch plan plans planning approve approval
        approvals check checks validate validation verify lint diff cleanup undeploy teardown destroy dryrun dry noop
        preview previews test tests rehearsal simulation gate like copy clone mirror replica mock fake docs doc
        documentation storybook pages wiki blog package packages npm pypi nuget review coverage changelog pr prs pull
        merge
        """,
    )
)
OTHERS = "checkout shop phoenix api service eu west web to and for the release build app cart results flags hub in run"
NAMES = st.tuples(
    st.lists(st.sampled_from([*sorted(EXCLUDING), *OTHERS.split()]), max_size=3),
    st.sampled_from(["prod", "production", "live", "Prod", "PRODUCTION", "Deploy", "deploy"]),
    st.lists(st.sampled_from([*sorted(EXCLUDING), *OTHERS.split()]), max_size=3),
    st.sampled_from(["-", "_", " ", "/", " – ", ".", ": ", " and "]),
).map(lambda parts: parts[3].join([*parts[0], parts[1], *parts[2]]))


@given(NAMES)
def test_no_name_that_holds_production_or_deploying_is_dropped_without_a_question(name: str) -> None:
    excluded = not EXCLUDING.isdisjoint(re.findall("[a-z]+", name.lower()))
    assert excluded or of_environment(name) in (PRODUCTION, PROPOSED)
    assert excluded or of_pipeline(name) in (PRODUCTION, PROPOSED)


@given(
    st.sampled_from(sorted(EXCLUDING)),
    st.sampled_from(["store", "gateway", "metrics"]),
    st.sampled_from(["-", "_", " "]),
)
def test_a_service_called_after_what_it_does_is_in_production(word: str, thing: str, sign: str) -> None:
    """Or an admin is asked, where the word is a command or another environment."""
    assert of_environment(sign.join([word, thing, "production"])) in (PRODUCTION, PROPOSED)
    assert of_environment(f"Production – {word}{sign}{thing}") in (PRODUCTION, PROPOSED)
    assert of_pipeline(f"Deploy {word} {thing} to prod") in (PRODUCTION, PROPOSED)


@given(st.text(max_size=80))
def test_every_name_has_one_answer(name: str) -> None:
    assert proposed_environment(name) is None or default_environment(name) is OTHER
    assert proposed_deploying(name) is None or default_deploying(name) is None
    assert environment_of_title(name) in (None, *Environment)
    assert judge_deploying(name) == judge_deploying(name.replace("&", " and "))
    task_rolls_out(name)


@pytest.mark.parametrize(
    ("environment", "titles"),
    [
        (
            PRODUCTION,
            ("Deploy to production", "Deploy v1.2 to prod by @ann", "production", "Deploy feature-x to production"),
        ),
        (
            PRODUCTION,
            ("Release 1.2 [prod]", "Deploy staging → production", "api@v2 -> prod-eu", "Deploy 1.2 to Production (EU)"),
        ),
        (
            STAGING,
            (
                "Deploy to staging",
                "Deploy main to staging (prod data)",
                "Deploy - UAT",
                "Deploy to staging for production test",
            ),
        ),
        (
            OTHER,
            ("Deploy to qa", "Deploy to preview of pull request 12", "Deploy preview for PR 12", "Deploy main to dev"),
        ),
        (OTHER, ("Deploy preview/new-cart", "Deploy review/ann-fix", "Deploy pr/12", "deploy dev/alice")),
        (OTHER, ("Deploy review/prod-fix", "Deploying preview/live-banner", "deploy pr/prod-12-cart by @ann")),
        (PRODUCTION, ("Deploy review/prod-fix to production", "Deploy review-service/prod")),
        (None, ("", "Deploy 1.2.3", "Deploy to phoenix", "Deploy to test-prod", "Fix the basket")),
        (None, ("Deploy feature/new-cart", "Deploy to prod/staging", "Deploy main to prod or qa")),
        # The clause that names the place decides, not what was changed
        (PRODUCTION, ("Deploy to production: add tests", "deploy(prod): bump docs", "Deploy to prod | add preview")),
        (PRODUCTION, ("prod: Deploy abc1234", "[production] Merge branch 'test'", "Deploy to production, skip tests")),
        (PRODUCTION, ("Deploy to production after testing", "Deploy build 77 on production", "Hotfix 1.2 production")),
        (
            PRODUCTION,
            ("production · v1.4.2 · by @ann", "api / production / v1.2", "Production release 4.2 (test plan)"),
        ),
        (STAGING, ("Staging deploy: fix prod outage", "Deploy to staging: prepare production", "main → staging")),
        (STAGING, ("Deploy build 77 on staging", "Deploy build 77 for staging", "Despliegue a staging")),
        (OTHER, ("Deploy to dev: production config", "[dev] deploy main", "qa ← main", "test")),
        # A label in front that is a place, beside words of a commit that name one
        (STAGING, ("[staging] Deploy prod fix", "(uat) fix: live banner", "[staging-eu] Merge branch 'acme/prod'")),
        # Where it comes from is a branch, whose words are those of a change
        (
            STAGING,
            (
                "Deploy staging from feature/prod-banner",
                "staging deploy of feature/prod",
                "Deploy staging @ fix/prod-1",
            ),
        ),
        (OTHER, ("Deploy qa with branch feature/live-chat", "Deploy to feature/x")),
        (None, ("Deploy feature/prod-fix", "Deploy hotfix/prod-x", "Deploy feature/new-cart")),
        (PRODUCTION, ("Deploy release/2026.11 to PROD", "Deploy production from hotfix/pay")),
        (OTHER, ("Deploy to production (dry run)", "Dry-run: deploy prod", "Deploy prod, dry_run=true")),
        (
            PRODUCTION,
            ("Deploy to production (dry run: false)", "Deploy to prod, no dry run", "Deploy prod dry_run=false"),
        ),
        (PRODUCTION, ("[prod] Deploy staging fix", "[staging] Deploy to production", "[skip ci] Deploy prod")),
        # Releases and commits speak of tests and environments, too
        (None, ("Testing improvements 2.0", "v2.0 beta", "Add tests for deploy", "Fix staging bug", "Better docs")),
        (
            None,
            ("Add feature flags", "Deploy v1 from staging", "Promote v2 from staging", "Deploy to staging and prod"),
        ),
    ],
)
def test_a_title_names_the_environment_of_a_run(environment: Environment | None, titles: tuple[str, ...]) -> None:
    assert {title: environment_of_title(title) for title in titles} == dict.fromkeys(titles, environment)


def test_a_job_that_only_plans_or_migrates_prepares_a_rollout() -> None:
    assert all(only_prepares(name) for name in ("plan", "Terraform plan (prod)", "migrate", "db-migrations", "Approve"))
    assert not any(
        only_prepares(name) for name in ("release", "deploy", "Migrate and deploy", "plan-apply", "test", "")
    )


def test_a_task_that_migrates_or_locks_is_no_rollout() -> None:
    assert not any(
        task_rolls_out(task) for task in ("deploy:migrations", "migrate", "lock", "unlock", "db:seed", "noop")
    )
    assert all(
        task_rolls_out(task) for task in ("", "deploy", "deploy:prod", "rollback", "promote", "migrate-and-deploy")
    )
