"""Weeks of delivery for a generated organisation: pull requests, work items, sprints, runs, deployments, incidents.

Records are written by the database itself, as those of sessions (facts.py); the services of the intake derive the rest.
The same size and the same day give the same records.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import Model
from django.utils import timezone

from bench.authors import numbered_authors
from bench.bulk import references_unchecked, without_indexes
from bench.deployment_facts import DEPLOYMENTS, INCIDENTS, ROLLOUTS, RUNS, STATUSES
from bench.draws import create_draws
from bench.organisation import OrganisationSize, numbers_by_level, plan_organisation
from bench.organisation_rows import HAND_BUILT_TREE, write_organisation
from bench.pull_request_facts import (
    COMMITS,
    EVENTS,
    PULL_REQUESTS,
    REVIEWS,
    SQUASHES,
    SQUASHES_IN_REPOSITORIES,
    STORED_PULL_REQUESTS,
    TRAILERS,
)
from bench.sprint_facts import BOARDS, OWNED_BOARDS, SPRINT_CHANGES, SPRINTS
from bench.work_item_facts import (
    ASSIGNMENTS,
    EPIC_TRANSITIONS,
    EPICS,
    ITEMS,
    LINKS,
    PROJECTS,
    STORED_ITEMS,
    STORED_TRANSITIONS,
    TRANSITIONS,
)
from integrations.delivery.linking.relink import relink_everything
from integrations.delivery.mappings.effective import value_mappings_of
from integrations.delivery.ownership.give import Gift, give
from integrations.delivery.ownership.seen import note_named
from integrations.delivery.pipeline_runs.figures import recompute_run_figures
from integrations.delivery.pull_requests.figures import recompute_figures
from integrations.delivery.sprints.figures import recompute_sprints
from integrations.delivery.work_items.figures import recompute_item_figures
from integrations.enums import Kind
from integrations.models import (
    Connection,
    Deployment,
    Owned,
    OwnedKind,
    PipelineRun,
    PipelineRunFigures,
    ProviderFact,
    PullRequest,
    PullRequestFigures,
    Sprint,
    SprintFigures,
    WorkItem,
    WorkItemFigures,
)
from orgtree.models import OrgTree, Unit

NAME = "bench delivery"
PULL_REQUESTS_A_YEAR = 75  # per person: 1.5 million for 10,000 people in two years
PEOPLE_PER_REPOSITORY = 10
WEEKS_OF_A_YEAR = 52
FIRST_SETTLED = 1_000


@dataclass(frozen=True)
class DeliverySize:
    """The organisation's people and units, and how many weeks they deliver.

    `planning_only`: no runs, deployments, incidents, nor links between them and merges, which take most of the time.
    """

    people: int
    units: int
    weeks: int
    planning_only: bool = False

    @property
    def pull_requests(self) -> int:
        """The number of pull requests, without those of absent people and those in the future."""
        return self.people * self.weeks * PULL_REQUESTS_A_YEAR // WEEKS_OF_A_YEAR

    @property
    def repositories(self) -> int:
        return max(1, self.people // PEOPLE_PER_REPOSITORY)

    def __str__(self) -> str:
        without = ", without deployments" if self.planning_only else ""
        return f"{self.weeks} weeks of delivery with {PULL_REQUESTS_A_YEAR} pull requests a year and person{without}"


def generate_delivery_once(size: DeliverySize) -> None:
    """Generate the organisation and its delivery, unless an earlier entry of the same bench did."""
    if not OrgTree.objects.filter(slug=HAND_BUILT_TREE).exists():
        organisation = OrganisationSize(size.people, size.units, size.weeks)
        write_organisation(plan_organisation(organisation, today=timezone.localdate()))
    if not is_generated():
        generate_delivery(size)


def is_generated() -> bool:
    return Connection.objects.filter(name=NAME).exists()


def generate_delivery(size: DeliverySize) -> None:
    """Fill the tables for the organisation that is there, as the intake would have left them; the outbox is empty then.

    Repositories are others than those of code_facts.py, whose commits have no history.
    """
    with transaction.atomic():
        pushed_by = Connection.objects.create(provider="push", name=NAME, paused_at=timezone.now())
        with references_unchecked(), without_indexes(WRITTEN):
            _write(size, pushed_by)
        note_named(Kind.DEPLOYMENT, _ids(Deployment, pushed_by))
        _give_to_teams(size)
        with references_unchecked():
            _derive(pushed_by, size)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _write(size: DeliverySize, pushed_by: Connection) -> None:
    sizes = {
        "connection": pushed_by.pk,
        "people": size.people,
        "days": size.weeks * 7,
        "pull_requests": size.pull_requests,
        "repositories": size.repositories,
    }
    create_draws()
    with numbered_authors(), connection.cursor() as cursor:
        for statement in (
            *(REPOSITORIES, OWNED_REPOSITORIES, NUMBERED_REPOSITORIES, PULL_REQUESTS, "ANALYZE bench_pull_request"),
            *(STORED_PULL_REQUESTS, COMMITS, REVIEWS, EVENTS, SQUASHES, SQUASHES_IN_REPOSITORIES, TRAILERS),
            *(PROJECTS, "ANALYZE integrations_project", ITEMS, TRANSITIONS, STORED_ITEMS, EPICS),
            *(STORED_TRANSITIONS, EPIC_TRANSITIONS, ASSIGNMENTS, LINKS, BOARDS, OWNED_BOARDS, SPRINTS, SPRINT_CHANGES),
            *(
                ()
                if size.planning_only
                else (RUNS, ROLLOUTS, DEPLOYMENTS, STATUSES, INCIDENTS, "DROP TABLE bench_rollout")
            ),
        ):
            cursor.execute(statement, sizes)
        # Not the tables that services fill next: statistics that call them empty make plans for empty tables.
        cursor.execute(f"ANALYZE {', '.join(WRITTEN)}")
        for name in ("repository", "pull_request", "item", "transition", "board"):
            cursor.execute(f"DROP TABLE bench_{name}")


def _derive(pushed_by: Connection, size: DeliverySize) -> None:
    meanings = value_mappings_of(pushed_by)
    _recompute(recompute_figures, _ids(PullRequest, pushed_by), PullRequestFigures)
    _recompute(lambda ids: recompute_item_figures(meanings, ids), _ids(WorkItem, pushed_by), WorkItemFigures)
    _recompute(recompute_sprints, _ids(Sprint, pushed_by), SprintFigures)
    _recompute(recompute_run_figures, _ids(PipelineRun, pushed_by), PipelineRunFigures)
    if not size.planning_only:
        relink_everything()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM integrations_factchange")


def _recompute(settle: Callable[[list[int]], object], ids: list[int], figures: type[Model]) -> None:
    """Recompute with statistics after the first batch: plans made for an empty table never finish in a full one."""
    for some in (ids[:FIRST_SETTLED], ids[FIRST_SETTLED:]):
        settle(some)
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {figures._meta.db_table}")


def _give_to_teams(size: DeliverySize) -> None:
    """Assign repositories and boards to the team of the hand-built tree whose people work there (organisation.py
    distributes them the same way).
    """
    lowest = numbers_by_level(size.units)[-1]
    units = {unit.slug: unit for unit in Unit.objects.filter(tree__slug=HAND_BUILT_TREE)}
    repositories = Owned.objects.filter(kind=OwnedKind.REPOSITORY, repository__name__startswith="bench-service-")
    boards = Owned.objects.filter(kind=OwnedKind.BOARD, connection__name=NAME)
    gifts = []
    for owned in (repositories.order_by("repository__name"), boards.order_by("name")):
        for position, one in enumerate(owned):
            unit = units[f"bench-{lowest[position % len(lowest)]}"]
            gifts.append(Gift(one.pk, unit.tree_id, unit.pk, None, None))
    give(gifts, by=None)


def _ids(records: type[ProviderFact], pushed_by: Connection) -> list[int]:
    return list(records._default_manager.filter(connection=pushed_by).order_by("pk").values_list("pk", flat=True))


WRITTEN = (
    *("integrations_repository", "integrations_owned", "integrations_pullrequest", "integrations_pullrequestcommit"),
    *("integrations_pullrequestreview", "integrations_pullrequestevent", "integrations_commit"),
    *("integrations_commitinrepository", "integrations_commitevidence", "integrations_workitem"),
    *("integrations_workitemtransition", "integrations_workitemassignment", "integrations_workitemlink"),
    *("integrations_sprint", "integrations_sprintchange"),
    *("integrations_pipelinerun", "integrations_deployment", "integrations_incident"),
)

REPOSITORIES = """
    INSERT INTO integrations_repository (name, remote, root_sha, default_branch, shallow)
    SELECT 'bench-service-' || lpad(number::text, 4, '0'), '', '', 'main', false
    FROM generate_series(0, %(repositories)s - 1) AS number
    ORDER BY number
"""

OWNED_REPOSITORIES = """
    INSERT INTO integrations_owned (kind, repository_id, name)
    SELECT 'repository', id, '' FROM integrations_repository WHERE name LIKE 'bench-service-%%' ORDER BY id
"""

NUMBERED_REPOSITORIES = """
    CREATE TEMPORARY TABLE bench_repository AS
    SELECT id, row_number() OVER (ORDER BY name) - 1 AS number
    FROM integrations_repository WHERE name LIKE 'bench-service-%%'
"""
