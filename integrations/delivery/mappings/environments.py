"""The default environment of a name, used until an admin maps it: of environments, pipelines, jobs and runs.

There are three answers: certainly production, certainly not, and a proposal, which counts once an admin confirms it.
Names are split into words at separators, digits and capitals, and the position of a word decides what it means:
`test-results-prod` and `Production – docs` name a service and its environment, whereas `prod-plan` and `Test
deployment` name something else.  A name that contains prod, production, live or deploy is always proposed rather than
dropped, unless it also has a word that excludes them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from integrations.enums import Environment


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


PRODUCTION = _set("production prod prd live")
_STAGING = _set("staging stage stg uat acceptance acc preprod preproduction prelive nonprod nonproduction")
_NOT_YET = _set("pre non not no pseudo quasi semi near")  # pre-production, non-prod
# Environments, whatever else is in the name; the other words also name what services do: integration hub.
_PLAINLY_ELSEWHERE = _set("dev develop development sit qa tst sandbox ephemeral nightly")
_ELSEWHERE = _PLAINLY_ELSEWHERE | _set(
    "int integration testing perf performance load demo beta alpha training lab local feature branch"
)
# Jobs and environments whose results reach no user.
_COMMANDS = _set(
    "plan approve check checks validate verify lint diff cleanup undeploy teardown destroy dryrun dry noop"
)
_NO_ROLLOUT = _COMMANDS | _set(
    "plans planning preview previews test tests rehearsal simulation approval approvals gate validation"
)
_STEPS = _set(
    "test tests testing check checks validate validation verify lint plan approve approval build ci package release"
)
# A copy of production is another environment: prod-copy.
_LIKENESS = _set("like copy clone mirror replica mock fake")
_NO_SERVICE = _set("docs doc documentation storybook pages package packages npm pypi nuget review coverage changelog")
# In a name without a word for production, these exclude it, wherever they are.
_PLAINLY_NO_SERVICE = _set("pr prs reviewapp githubpages dryrun")
_NO_SERVICE |= _PLAINLY_NO_SERVICE
_EXCLUDING = _STAGING | _NOT_YET | _ELSEWHERE | _NO_ROLLOUT | _LIKENESS
_DEPLOYING_NOUNS = _set("deployment deployments rollout")
_DEPLOYING_VERBS = _set("deploy deploys deploying cd promote")
_DEPLOYS = _DEPLOYING_NOUNS | _DEPLOYING_VERBS
_AROUND = _set("pre post")  # post-deploy: the steps that follow it
_AND = _set("and then or")
_TOWARDS = _set("to into onto")
_THINGS = _set(
    "service services app apps application applications api apis web backend frontend server servers worker workers "
    "function functions lambda container containers"
)
# Words for the manner, origin or destination of a deployment, not for its content or audience.
_NEUTRAL = (
    _THINGS
    | _AND
    | _TOWARDS
    | _set("a an the on in of from for with via by all auto automatic automated manual continuous delivery merge only")
    | _set("workflow workflows pipeline pipelines job run release build ci yml yaml github gitlab git actions action")
    | _set("jenkins push main master trunk tag version latest image images docker helm chart charts argo argocd")
    | _set("kubernetes cluster k ecs eks gke aks iks openshift aws azure gcp google cloud amazon heroku fly render")
    | _set("digitalocean io supabase hetzner linode scaleway dokku coolify firebase beanstalk nomad swarm compose")
    | _set("serverless cdk sst kamal capistrano ansible ssh rsync vps")
    | _set("netlify vercel railway stack eu us uk ap apac emea na asia europe global east west north south central")
    | _set("call called caller reusable shared common template invoke")
    | _set("region regions environment env node nodejs js net dotnet python php java ruby go rust")
)
# Tasks that a job may do for an environment without rolling out: build (production).
_BUILDS = _set("build ci image images")
_PLACE_ALONE = PRODUCTION | _STAGING | _NOT_YET | _PLAINLY_ELSEWHERE | (_NEUTRAL - _THINGS - _AND - _BUILDS)
_KNOWN = PRODUCTION | _EXCLUDING | _NO_SERVICE | _DEPLOYS | _AROUND | _NEUTRAL
_COMPOUNDS = {
    ("dry", "run"): "dryrun",
    ("github", "pages"): "githubpages",
    ("review", "app"): "reviewapp",
    ("review", "apps"): "reviewapp",
    ("pull", "request"): "pr",
    ("merge", "request"): "pr",
    ("check", "in"): "checkin",
    ("check", "out"): "checkout",
    ("clean", "up"): "cleanup",
    ("tear", "down"): "teardown",
    ("continuous", "delivery"): "cd",
    # The branch that production is deployed from, not a sibling of it.
    **{(branch, "branch"): branch for branch in ("main", "master", "release")},
    ("default", "branch"): "main",
}
_MIGRATES = _set("migrate migrates migration migrations")
_PREPARES = _MIGRATES | _set("plan plans planning dry dryrun preview approval approvals approve")
_ROLLS_OUT = _set("deploy deploys cd rollout promote release apply publish ship upgrade")
_NO_TASK = _PREPARES | _set(
    "lock locks locking unlock noop seed seeding teardown destroy undeploy delete stop cleanup maintenance validate"
)
_PLAIN_PLACES = PRODUCTION | _STAGING | _PLAINLY_ELSEWHERE
_PLACES = _PLAIN_PLACES | _ELSEWHERE | _NO_ROLLOUT | _NO_SERVICE
_COMMON = _set("feature branch local load performance")  # of commits and releases, too
_AFTER_PLACE = _set("by from of for with via on after before without if when unless while using skip")
# Words in the name of a pipeline that are followed by a manner or time, not a place: Deploy to production after
# staging.
_QUALIFIES = _set("from with without after before if when unless while using skip skipping no")
_TIMES = _set("nightly")  # an environment, or when it deploys
_ARROW = re.compile(r"[-=]>|→")
_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_PLACE = re.compile(r"\b(?:to|into|onto)\s+[\"'`(\[]?([\w.-]*\w)", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+", re.UNICODE)
# Words for production, live and deploying in other languages, without accents: proposals for the admin, never answers.
_FOREIGN = re.compile(
    r"\bproduccion|\bproducao\b|\bproduzion|\bprodukti|\bprodukcj|\bproductie|\bd[ei]splieg|\bdesplega|\bimplant(a|ac)|\bdeploie|\bdeployer\b"
    r"|\bdeployen|\bbereitstell|\bausroll|\bausliefer|\buitrol|\bwdroz|\bwdraz|\brilasci|\bdistribuzion"
    r"|(?<!un)deploy"  # within a word of its own: redeploy
    r"|прод|депло|развер|выкат|本番|デプロイ|リリース|部署|发布|發佈|生产环境|生產|上线|배포|운영",
    re.IGNORECASE,
)
_END_TO_END = re.compile(r"(?<![^\W\d_])e2e(?![^\W\d_])", re.IGNORECASE)  # a test, not two letters around a digit
_JOINED_BY_SIGN = re.compile(r"[&+,;]")
_ONE_PLACE = "|".join(_PLAIN_PLACES)
# prod/staging of a pipeline, and not .github/deploy.yml
_BETWEEN_PLACES = re.compile(rf"(?<![^\W_])({_ONE_PLACE})\s*[/|]\s*(?=(?:{_ONE_PLACE})(?![^\W_]))", re.IGNORECASE)
# A branch's environment, as GitLab names review apps: review/prod-fix.
_OF_BRANCH = re.compile(
    r"(?:^|\s)(?:review|review[-_ ]?apps?|previews?|branch(?:es)?|feature|pull|prs?|mrs?|merge[-_]requests?)/(.+)",
    re.IGNORECASE,
)
_DRY_RUN = re.compile(
    r"(?P<no>\b(?:no|not|without) )?\bdry[-_ ]?run\b(?P<off>[:= ]*(?:false|no|off|0)\b)?", re.IGNORECASE
)
# A branch by its prefix, whose other words are those of a change: feature/prod-banner.
_BRANCH = re.compile(
    r"(?<![\w/])(feature|features|feat|fix|bugfix|hotfix|chore|refactor|dependabot|renovate|release)/[^\s)\]]+",
    re.IGNORECASE,
)
_SEGMENTS = re.compile(r"\s[-–—]+\s|[–—:/|·»>→]+")
_CLAUSES_OF_TITLE = re.compile(r"\s[-–—]+\s|[–—|·»;]|:(?=\s)")  # Deploy to prod: add tests
_DIGIT = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class Verdict:
    """The environment that a name implies.  `proposed`: it may be production, and does not count until an admin
    confirms it.

    `environment` is None if the name is of anything but a rollout of a service; `named`: a word of the name says where.
    """

    environment: Environment | None
    proposed: bool = False
    named: bool = True


_YES = Verdict(Environment.PRODUCTION)
_PROPOSED = Verdict(Environment.OTHER, proposed=True)
_OTHER = Verdict(Environment.OTHER)
_NO_DEPLOYMENT = Verdict(None)


def default_environment(name: str) -> Environment:
    """The environment by its name: prod-eu and docs-prod are production, pre-prod staging, production-plan other."""
    return _of_environment_named(name).environment or Environment.OTHER


def proposed_environment(name: str) -> Environment | None:
    """The environment that an admin is asked to confirm for a name; None: nothing to confirm."""
    return Environment.PRODUCTION if _of_environment_named(name).proposed else None


def default_deploying(name: str) -> Environment | None:
    """The environment that a pipeline deploys to by its name: "Deploy" means production.

    None if it deploys no service, or if its name leaves that open.
    """
    verdict = judge_deploying(name)
    return None if verdict.proposed else verdict.environment


def proposed_deploying(name: str) -> Environment | None:
    """The environment proposed for a pipeline whose name leaves open where it deploys to; or None."""
    return Environment.PRODUCTION if judge_deploying(name).proposed else None


def environment_of_title(title: str) -> Environment | None:
    """The environment that the title of a run names (Deploy v1.2 to production); None if it names none for certain.

    The first of its clauses that names one decides; clauses in brackets come last, since words of commits or releases
    follow the place or stand alone.  Words after the place give the manner, origin or audience.  A label in front that
    is a place decides before words that contain none: [staging] Deploy prod fix.
    """
    title = _BRANCH.sub(r"\1/topic", _ARROW.sub(" to ", title))
    if any(not found["no"] and not found["off"] for found in _DRY_RUN.finditer(title)):
        return Environment.OTHER
    title = _DRY_RUN.sub(" ", title)
    clauses = _CLAUSES_OF_TITLE.split(_BRACKETS.sub(" ", title))
    in_brackets = [text[1:-1] for text in _BRACKETS.findall(title)]
    label = in_brackets[:1] if title.lstrip()[:1] in ("[", "(") and not _TOWARDS & set(_words(title)) else []
    in_order = (*filter(_is_place_alone, label), *clauses, *in_brackets)
    verdicts = (_of_clause_of_title(clause) for clause in in_order)
    verdict = next((verdict for verdict in verdicts if verdict is not None), _PROPOSED)
    return None if verdict.proposed else verdict.environment


def _is_place_alone(text: str) -> bool:
    words = _words(text)
    return not _PLAIN_PLACES.isdisjoint(words) and all(word in _PLACE_ALONE for word in words)


def _of_clause_of_title(text: str) -> Verdict | None:
    """The environment that a clause names: after `to`, next to a word for deploying, alone, or at its end; None if
    there is none.
    """
    all_words = _words(text)
    words = _until_qualified(all_words)
    rest = all_words[len(words) :]
    there = rest[1:] if rest[:1] in (["on"], ["for"]) and not _DEPLOYS.isdisjoint(words) else []
    for place, known in ((_target(all_words) or [], _PLACES), (there, _PLAIN_PLACES)):
        target = _until_qualified(place)
        if not known.isdisjoint(target):
            return _of_environment([target])
    content = [word for word in words if word not in _NEUTRAL | _DEPLOYS]
    last = "".join(content[-1:])
    if not _DEPLOYS.isdisjoint(words):
        before_slash = _content(_words(text.partition("/")[0])) if "/" in text else []
        is_branch = len(before_slash) == 1 and before_slash[0] in _PLACES - _COMMON  # preview/new-cart
        if is_branch and _is_of_branch(_OF_BRANCH.search(text)):
            return _OTHER
        names_place = is_branch or last in _PLACES or not _PLAIN_PLACES.isdisjoint(content)
    else:
        is_alone = not _DIGIT.search(text) and all(word in _PLACES - _COMMON for word in content)
        names_place = last in _PLAIN_PLACES or (bool(content) and is_alone)
    if not names_place:
        return None
    segments = _segments_until_qualified(text)
    return _of_environment([[word for word in segment if word not in _DEPLOYS] for segment in segments])


def _segments_until_qualified(text: str) -> list[list[str]]:
    """The segments before the title goes on to say how: only the first of Deploy staging from feature/prod-banner."""
    segments = []
    for segment in _segments(text):
        segments.append(_until_qualified(segment))
        if len(segments[-1]) < len(segment):
            break
    return segments


def _until_qualified(words: Sequence[str]) -> list[str]:
    """The words before the title goes on to say how; a list of places continues: staging and prod."""
    for position, word in enumerate(words):
        goes_on = word in _AND and not _PLAIN_PLACES.isdisjoint(words[position:])
        if position and word in _AFTER_PLACE | _AND and not goes_on:
            return list(words[:position])
    return list(words)


def place_in(title: str) -> str:
    """The words after `to` in the title of a run, as written: main-cluster, from Deploy v1.2 to main-cluster."""
    found = _PLACE.findall(title)
    return found[-1] if found else ""


def only_prepares(name: str) -> bool:
    """Whether a job of this name plans, approves or migrates without rolling out: Terraform plan, but not
    plan-apply.
    """
    words = _words(name)
    return not _PREPARES.isdisjoint(words) and _ROLLS_OUT.isdisjoint(words)


def task_rolls_out(task: str) -> bool:
    """Whether a deployment with this task is a rollout: migrate-and-deploy is, deploy:migrations and lock are not."""
    words = _words(task)
    does_both = not _AND.isdisjoint(words) and not _ROLLS_OUT.isdisjoint(words)
    return _NO_TASK.isdisjoint(words) or does_both


def judge_deploying(name: str) -> Verdict:
    """The environment that the name of a pipeline, or of one of its jobs, deploys to."""
    words = _words(name)
    if qualified := _without_qualification(name, words):
        verdict = _judge(name, qualified)
        is_open = verdict.environment is Environment.PRODUCTION and not verdict.named
        return _PROPOSED if is_open else verdict
    return _judge(name, words)


def _without_qualification(name: str, words: Sequence[str]) -> list[str]:
    """The words before those for manner or time, if such words would exclude production; empty if there are none."""
    aside = [_words(text) for text in _BRACKETS.findall(name)]
    if any(not _excludes(part) and not _EXCLUDING.isdisjoint(part) for part in aside):
        outside = _words(_BRACKETS.sub(" ", name))
        return _without_qualification("", outside) or outside
    for position, word in enumerate(words):
        before, after = words[:position], words[position + 1 :]
        is_said = not (_DEPLOYS | PRODUCTION).isdisjoint(before) and (PRODUCTION | _TOWARDS).isdisjoint(after)
        would_exclude = not (_EXCLUDING | _NO_SERVICE).isdisjoint(after) and _PLAINLY_NO_SERVICE.isdisjoint(after)
        if word in _QUALIFIES and is_said and would_exclude:
            return list(before)
    return []


def _excludes(words: Sequence[str]) -> bool:
    """Whether all of these words exclude production: (plan) does, (manual approval) and (no tests) do not."""
    return _QUALIFIES.isdisjoint(words) and all(word in _EXCLUDING for word in words)


def _judge(name: str, words: Sequence[str]) -> Verdict:
    clauses = _clauses(words)
    position = next((n for n, clause in enumerate(clauses) if not _DEPLOYS.isdisjoint(clause)), None)
    if position is None:
        verdict = _without_deploying(words)
        return _PROPOSED if verdict == _NO_DEPLOYMENT and _FOREIGN.search(_without_accents(name)) else verdict
    verdict = _of_clause(clauses[position])
    before = [word for clause in clauses[:position] for word in clause]
    after = [word for clause in clauses[position + 1 :] for word in clause]
    if verdict.environment is Environment.PRODUCTION and not verdict.named:
        # Build docs and deploy; Deploy and test staging: the content, or the destination, is beside it
        of_another = _head(before) in _NO_SERVICE | (_ELSEWHERE - _STEPS) | {"preview", "previews"}
        is_elsewhere = PRODUCTION.isdisjoint(after) and not (_STAGING | _PLAINLY_ELSEWHERE).isdisjoint(after)
        return _PROPOSED if of_another or is_elsewhere else verdict
    if verdict.environment is not Environment.PRODUCTION:
        return verdict if PRODUCTION.isdisjoint(before + after) else _PROPOSED  # Deploy to staging and production
    others = [clause for n, clause in enumerate(clauses) if n != position]
    return _PROPOSED if any(map(_is_another_place, others)) else verdict  # Deploy to production and staging


def _is_another_place(clause: Sequence[str]) -> bool:
    """Whether these words name a place other than production, and nothing that is done there."""
    places = [word for word in clause if word not in _NEUTRAL]
    return bool(places) and all(word in _STAGING | _PLAINLY_ELSEWHERE for word in places)


def judge_job(name: str) -> Verdict | None:
    """The environment that a job of a deploying pipeline deploys to; None if its name says that it does not deploy.

    A job named after an environment alone deploys to it.  A job that mentions a deployment and leaves its task open
    (Notify deployment) is no deploying job.
    """
    words = _words(name)
    verdict = judge_deploying(name)
    if _DEPLOYS.isdisjoint(words):
        of_place = _of_environment(_segments(name))
        is_place = bool(words) and all(word in _PLACE_ALONE for word in words) and not of_place.proposed
        return of_place if is_place else None
    if verdict.proposed:
        return None if _DEPLOYING_VERBS.isdisjoint(words) else Verdict(None, proposed=True, named=False)
    return None if verdict.environment is None else verdict


def judge_job_alone(pipeline: str, name: str) -> Verdict:
    """The environment to which a job deploys by its name, if its pipeline's name does not say that it deploys.

    A place that the job names counts, and is only proposed if the pipeline is named after something else (Docs).  A job
    named just Deploy does so for a pipeline of neutral words (CI, Build and test); else both names are judged as one.
    """
    verdict = judge_deploying(name)
    words = _words(pipeline)
    if verdict.proposed or verdict.environment is None:
        return verdict
    if not verdict.named:
        is_neutral = all(word in _NEUTRAL | _STEPS for word in words) and not (words and _excludes(words))
        return verdict if is_neutral else judge_deploying(f"{pipeline} {name}")
    is_of_another = not (_EXCLUDING - _STEPS | _NO_SERVICE | _DEPLOYS).isdisjoint(words)
    return _PROPOSED if is_of_another and verdict.environment is Environment.PRODUCTION else verdict


def _without_deploying(words: Sequence[str]) -> Verdict:
    """The environment of a pipeline without a word for deploying: Release to prod may have one, Test production has
    none.
    """
    if PRODUCTION.isdisjoint(words):
        return _NO_DEPLOYMENT
    verdict = _of_environment([words])
    content = _content(words)
    at = max(n for n, word in enumerate(words) if word in PRODUCTION)
    governed = content[:1] + list(words[max(at - 1, 0) : at])
    if not _NO_ROLLOUT.isdisjoint(governed) or not (verdict.proposed or verdict.environment is Environment.PRODUCTION):
        return _NO_DEPLOYMENT
    return _PROPOSED


def _of_clause(words: Sequence[str]) -> Verdict:
    """The environment named by a clause that has a word for deploying."""
    at = next(n for n, word in enumerate(words) if word in _DEPLOYS)
    before, after = list(words[:at]), [word for word in words[at + 1 :] if word not in _DEPLOYS]
    if before and before[-1] in _AROUND | _NOT_YET:
        return _NO_DEPLOYMENT
    steps = [word for word in before if word in _STEPS]
    if steps and all(word in _STEPS or word in _NEUTRAL for word in before):
        is_test = not _NO_ROLLOUT.isdisjoint(steps)
        if is_test and words[at] in _DEPLOYING_NOUNS:
            return _NO_DEPLOYMENT  # Test deployment
        if is_test and len(steps) == 1:
            return _PROPOSED  # test-deploy: a test of it, or both; build-test-deploy is a chain
        before = []
    rest = [*before, *after]
    return _of_deployed(rest) if PRODUCTION.isdisjoint(rest) else _of_deployed_to_production(rest)


def _of_deployed_to_production(words: Sequence[str]) -> Verdict:
    """The environment of a name with production next to the deployed thing: Deploy docs to production is proposed."""
    content = _content(words)
    verdict = _of_environment([words])
    if verdict.environment is Environment.PRODUCTION:
        is_service = _NO_SERVICE.isdisjoint(content) and _head(words) not in _MIGRATES
        return verdict if is_service else _PROPOSED
    is_no_rollout = not (_NO_ROLLOUT | _NO_SERVICE | _LIKENESS).isdisjoint(content)
    return _NO_DEPLOYMENT if is_no_rollout and not verdict.proposed else verdict


def _of_deployed(words: Sequence[str]) -> Verdict:
    """The environment of a deploying name without a word for production, by its content and destination."""
    content = _content(words)
    if not content:
        return Verdict(Environment.PRODUCTION, named=False)
    if not _STAGING.isdisjoint(content):
        return Verdict(Environment.STAGING)
    target = _target(words) or []
    outside = [word for word in words[: len(words) - len(target)] if word not in _TIMES]
    for part in (target, outside):
        head, of_part = _head(part), _content(part)
        if head in _NO_ROLLOUT | _NO_SERVICE | _LIKENESS or not _PLAINLY_NO_SERVICE.isdisjoint(of_part):
            return _NO_DEPLOYMENT
        if head in _ELSEWHERE or not _PLAINLY_ELSEWHERE.isdisjoint(of_part[-1:]):  # qa-portal names a service
            return _OTHER
    return _PROPOSED


def _of_environment_named(name: str) -> Verdict:
    """The environment of an environment's name; one named after a branch reaches no user, unless it has only production
    in it.
    """
    return _OTHER if _is_of_branch(_OF_BRANCH.match(name)) else _of_environment(_segments(name))


def _is_of_branch(branch: re.Match[str] | None) -> bool:
    return branch is not None and bool(_content(_words(branch[1])))


def _of_environment(segments: Sequence[Sequence[str]]) -> Verdict:
    """The environment of an environment's name, in segments: Production – docs has two, production-docs one."""
    words = [word for segment in segments for word in segment]
    if not words:
        return _OTHER
    if any(word in PRODUCTION and before in _NOT_YET for before, word in zip(["", *words], words, strict=False)):
        return Verdict(Environment.STAGING)
    target = _target(words)
    if target and not (PRODUCTION | _EXCLUDING).isdisjoint(target):  # staging-to-prod
        segments, words = [target], target
    if PRODUCTION.isdisjoint(words):
        return _of_unnamed(words)
    own = max(n for n, segment in enumerate(segments) if not PRODUCTION.isdisjoint(segment))
    at = max(n for n, word in enumerate(segments[own]) if word in PRODUCTION)
    verdicts = [
        _before(segments[own][:at]),
        _behind(segments[own][at + 1 :], segments[own][at]),
        *(_set_apart(segment) for n, segment in enumerate(segments) if n != own),
    ]
    certain = next((verdict for verdict in verdicts if not verdict.proposed and verdict != _YES), None)
    return certain or (_PROPOSED if _PROPOSED in verdicts else _YES)


def _of_unnamed(words: Sequence[str]) -> Verdict:
    """The environment of a name without a word for production: proposed, unless one of its words is known to exclude
    production.
    """
    content = _content(words)
    if not _STAGING.isdisjoint(words):
        return Verdict(Environment.STAGING)
    excluded = not (_EXCLUDING | _NO_SERVICE).isdisjoint(content)
    if excluded and not _DEPLOYS.isdisjoint(words) and _head(words) not in _EXCLUDING | _NO_SERVICE:
        return _PROPOSED  # load-balancer-deploy
    return _OTHER if excluded else _PROPOSED


def _before(words: Sequence[str]) -> Verdict:
    """The verdict on words before production: those of a service, if they name one."""
    content = _content(words)
    is_command = not _COMMANDS.isdisjoint(content[:1])
    is_another = _head(words) in _EXCLUDING | _PLAINLY_NO_SERVICE or not _STAGING.isdisjoint(content)
    return _PROPOSED if is_command or is_another or "not" in content else _YES  # not-used-prod


def _set_apart(words: Sequence[str]) -> Verdict:
    """The verdict on words separated from production by punctuation, as hosts do with a project's name: Production –
    docs.
    """
    unclear = _before(words).proposed and _head(words) not in _ELSEWHERE - _PLAINLY_ELSEWHERE
    return _PROPOSED if unclear else _YES


def _behind(words: Sequence[str], production: str) -> Verdict:
    """The verdict on words that directly follow production: prod-plan excludes it, prod-performance-reports
    does not.
    """
    content = _content(words)
    if not content:
        return _YES
    if words[0] in _AND or "not" in content:  # prod and staging; prod (not used)
        return _PROPOSED
    head = _head(words)
    if head in _EXCLUDING:
        return Verdict(Environment.STAGING) if head in _STAGING else _OTHER
    unclear = (
        head in _NO_SERVICE | _MIGRATES or content[0] in _COMMANDS or production == "live"
    )  # live-chat names a service
    return _PROPOSED if unclear else _YES


def _content(words: Sequence[str]) -> list[str]:
    """The words that carry content."""
    return [word for word in words if word not in _NEUTRAL and word not in _DEPLOYS and word not in PRODUCTION]


def _head(words: Sequence[str]) -> str:
    """The last noun, which the words before it qualify: hub in integration hub."""
    things = (word for word in reversed(words) if word in _THINGS or word not in _NEUTRAL | _DEPLOYS | PRODUCTION)
    return next(things, "")


def _target(words: Sequence[str]) -> list[str] | None:
    """The words after the last `to`; None if there is none."""
    at = max((n for n, word in enumerate(words) if word in _TOWARDS), default=None)
    return None if at is None else list(words[at + 1 :])


def _clauses(words: Sequence[str]) -> list[list[str]]:
    clauses: list[list[str]] = [[]]
    for word in words:
        if word in _AND:
            clauses.append([])
        else:
            clauses[-1].append(word)
    return clauses


def _segments(name: str) -> list[list[str]]:
    return [_words(segment) for segment in _SEGMENTS.split(name)]


def _without_accents(name: str) -> str:
    decomposed = unicodedata.normalize("NFD", name)
    return unicodedata.normalize("NFC", "".join(sign for sign in decomposed if not "\u0300" <= sign <= "\u036f"))


def _words(name: str) -> list[str]:
    """The words of a name, in lower case; a known word stays whole despite its capitals: GitHub, DevOps."""
    words: list[str] = []
    name = _BETWEEN_PLACES.sub(r"\1 and ", _JOINED_BY_SIGN.sub(" and ", _END_TO_END.sub("test", name)))
    for chunk in _WORD.findall(name):
        for word in [chunk.lower()] if chunk.lower() in _KNOWN else _cut_at_capitals(chunk):
            compound = _COMPOUNDS.get((words[-1], word)) if words else None
            words[-1:] = [compound] if compound else [*words[-1:], word]
    return words


def _cut_at_capitals(chunk: str) -> list[str]:
    """The words of a chunk, cut at capitals: QAProd → qa, prod; a single letter means nothing: K8s, S3."""
    starts = [0]
    for position in range(1, len(chunk)):
        follows_small = chunk[position - 1].islower()
        if chunk[position].isupper() and (follows_small or chunk[position + 1 : position + 2].islower()):
            starts.append(position)
    parts = [chunk[start:end].lower() for start, end in zip(starts, [*starts[1:], len(chunk)], strict=True)]
    return [part for part in parts if len(part) > 1]
