"""Which environment a name means as long as no admin says otherwise: of environments, and of pipelines that deploy.

Names are cut into words at separators, digits and capitals: prod-eu-1, NonProd and QA2 name production, what is not
yet production, and a test system.  A name with an unknown word is a proposal: it counts once an admin confirms it.
"""

from __future__ import annotations

import re

from integrations.enums import Environment

PRODUCTION = frozenset({"production", "prod", "prd", "live"})
_STAGING = frozenset(
    {"staging", "stage", "stg", "uat", "acceptance", "acc", "preprod", "preproduction", "nonprod", "nonproduction"}
)
_NOT_YET = frozenset({"pre", "non", "not", "no", "pseudo"})  # pre-production, non-prod
_ELSEWHERE = frozenset(
    {
        "dev",
        "develop",
        "development",
        "int",
        "integration",
        "sit",
        "qa",
        "tst",
        "testing",
        "perf",
        "performance",
        "load",
    }
    | {"sandbox", "demo", "beta", "alpha", "nightly", "training", "lab", "local", "ephemeral", "feature", "branch"}
)
# Beside production, too: what such a job does reaches no user.
_NO_ROLLOUT = frozenset(
    {"plan", "plans", "planning", "preview", "previews", "test", "tests", "dry", "dryrun", "rehearsal", "simulation"}
    | {
        "approval",
        "approvals",
        "approve",
        "gate",
        "check",
        "checks",
        "validate",
        "validation",
        "verify",
        "lint",
        "diff",
    }
    | {"cleanup", "undeploy", "teardown", "destroy"}
)
_NO_SERVICE = frozenset(
    {
        "docs",
        "doc",
        "documentation",
        "storybook",
        "pages",
        "wiki",
        "blog",
        "package",
        "packages",
        "npm",
        "pypi",
        "nuget",
    }
    | {"review", "pr", "prs", "coverage", "changelog"}
)
_DEPLOYS = frozenset({"deploy", "deploys", "deployment", "deployments", "deploying", "cd", "rollout", "promote"})
# Of a pipeline that deploys, words that say how, from where or to which place, and not what or for whom.
_NEUTRAL = frozenset(
    {
        "a",
        "the",
        "to",
        "on",
        "in",
        "of",
        "from",
        "for",
        "and",
        "with",
        "via",
        "by",
        "all",
        "auto",
        "automatic",
        "manual",
    }
    | {
        "workflow",
        "workflows",
        "pipeline",
        "pipelines",
        "job",
        "run",
        "release",
        "build",
        "ci",
        "yml",
        "yaml",
        "github",
    }
    | {"gitlab", "git", "actions", "action", "jenkins", "push", "main", "master", "trunk", "tag", "version", "latest"}
    | {"service", "services", "app", "apps", "application", "applications", "api", "apis", "web", "backend", "frontend"}
    | {"server", "servers", "worker", "workers", "function", "functions", "lambda", "container", "containers", "image"}
    | {
        "images",
        "docker",
        "helm",
        "chart",
        "charts",
        "argo",
        "argocd",
        "kubernetes",
        "cluster",
        "k",
        "ecs",
        "eks",
        "gke",
    }
    | {
        "aks",
        "aws",
        "azure",
        "gcp",
        "google",
        "cloud",
        "amazon",
        "heroku",
        "fly",
        "render",
        "netlify",
        "vercel",
        "stack",
    }
    | {"eu", "us", "uk", "ap", "apac", "emea", "na", "asia", "europe", "global", "east", "west", "north", "south"}
    | {"central", "region", "regions", "environment", "env"}
)
_KNOWN = PRODUCTION | _STAGING | _NOT_YET | _ELSEWHERE | _NO_ROLLOUT | _NO_SERVICE | _DEPLOYS | _NEUTRAL
_PREPARES = frozenset(
    {"plan", "plans", "planning", "dry", "dryrun", "preview", "approval", "approvals", "approve"}
    | {"migrate", "migrates", "migration", "migrations"}
)
_ROLLS_OUT = frozenset(
    {"deploy", "deploys", "cd", "rollout", "promote", "release", "apply", "publish", "ship", "upgrade"}
)
_WORD = re.compile(r"[^\W\d_]+", re.UNICODE)


def default_environment(name: str) -> Environment:
    """The environment by its name: prod-eu is production, pre-prod staging, review/42 and production-plan other."""
    words = words_of(name)
    if not _STAGING.isdisjoint(words):
        return Environment.STAGING
    for before, word in zip(["", *words], words, strict=False):
        if word in PRODUCTION and before in _NOT_YET:
            return Environment.STAGING
    if PRODUCTION.isdisjoint(words) or _names_another(words):
        return Environment.OTHER
    return Environment.PRODUCTION


def default_deploying(name: str) -> Environment | None:
    """The environment that a pipeline deploys to by its name: "Deploy" means production.

    None if it deploys no service, or if its name has unknown words.
    """
    words = words_of(name)
    if not _deploys_service(words):
        return None
    named = default_environment(name)
    if named != Environment.OTHER or _names_another(words):
        return named
    return Environment.PRODUCTION if _KNOWN.issuperset(words) else None


def proposed_environment(name: str) -> Environment | None:
    """What an admin is asked to confirm of an environment that no known word places; None: nothing."""
    words = words_of(name)
    unplaced = words and default_environment(name) == Environment.OTHER and not _names_another(words)
    return Environment.PRODUCTION if unplaced else None


def proposed_deploying(name: str) -> Environment | None:
    """The environment proposed for a pipeline whose name has unknown words, for an admin to confirm; or None."""
    proposed = _deploys_service(words_of(name)) and default_deploying(name) is None
    return Environment.PRODUCTION if proposed else None


def only_prepares(name: str) -> bool:
    """Whether a job of this name plans, approves or migrates, and rolls nothing out: Terraform plan, not plan-apply."""
    words = words_of(name)
    return not _PREPARES.isdisjoint(words) and _ROLLS_OUT.isdisjoint(words)


def words_of(name: str) -> list[str]:
    """The words of a name, in lower case; a chunk of letters that is a known word stays whole: GitHub, DevOps."""
    words: list[str] = []
    for chunk in _WORD.findall(name):
        words.extend([chunk.lower()] if chunk.lower() in _KNOWN else _cut_at_capitals(chunk))
    return words


def _cut_at_capitals(chunk: str) -> list[str]:
    """QAProd → qa, prod; a single letter says nothing: K8s, S3."""
    starts = [0]
    for position in range(1, len(chunk)):
        follows_small = chunk[position - 1].islower()
        if chunk[position].isupper() and (follows_small or chunk[position + 1 : position + 2].islower()):
            starts.append(position)
    parts = [chunk[start:end].lower() for start, end in zip(starts, [*starts[1:], len(chunk)], strict=True)]
    return [part for part in parts if len(part) > 1]


def _deploys_service(words: list[str]) -> bool:
    return not _DEPLOYS.isdisjoint(words) and (_NO_ROLLOUT | _NO_SERVICE).isdisjoint(words)


def _names_another(words: list[str]) -> bool:
    return not (_ELSEWHERE | _NO_ROLLOUT | _NO_SERVICE).isdisjoint(words)
