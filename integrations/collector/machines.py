"""Machines with the collector: their tokens, their state, and the people who have none."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet

from core import sql
from integrations.models import AgentSession, IngestScope, IngestToken
from integrations.telemetry.otlp.ingest_tokens import create_ingest_token, revoke_ingest_token
from orgtree.models import Person

LIFETIME = timedelta(days=365)
MOST_MACHINES = 20  # in use per person; more are leftovers
SILENT_AFTER = timedelta(days=7)  # a machine that is on reports four times a day
USED_WITHIN = timedelta(days=30)
WORKING = "installed"
FEWEST_LINELESS = 5  # commits; one or two are normal, for example from another machine
NO_LINES = "It reports sessions, but no lines of their commits: hooks of the agent or of git may not run."

# People whose machines report, and who have that many commits since their last lines whose agent is known by other
# evidence alone.  Where another tool records lines, nothing is missing.
_LINELESS = """
    SELECT known.person_id
    FROM (
        SELECT name.person_id,
               greatest(%(since)s, min(token.created_at), max(lines.received_at)) AS at
        FROM integrations_ingesttoken token
        JOIN integrations_collectormachine machine ON machine.token_id = token.id
        JOIN orgtree_identity name ON name.id = token.identity_id
        LEFT JOIN integrations_collectedlines lines ON lines.token_id = token.id
        WHERE name.person_id = ANY (%(people)s) AND token.revoked_at IS NULL
        GROUP BY name.person_id
    ) AS known
    JOIN orgtree_identity name ON name.person_id = known.person_id
    JOIN integrations_commit commit ON commit.credited_id = name.id AND commit.authored_at > known.at
    WHERE commit.set_apart = '' AND EXISTS (
        SELECT FROM integrations_fileattribution found
        WHERE found.commit_id = commit.id AND found.method IN ('vendor', 'named', 'trailer', 'overlap')
    )
    GROUP BY known.person_id
    HAVING count(*) >= %(fewest)s
"""


class TooManyMachinesError(ValueError):
    """The person already has the maximum number of machines."""


@dataclass(frozen=True)
class AgentState:
    """An agent on a machine: the state of its hooks, and when one last ran."""

    agent: str
    hooks: str
    last_event: datetime | None

    @property
    def works(self) -> bool:
        return self.hooks == WORKING and self.last_event is not None


@dataclass(frozen=True)
class Machine:
    """A machine's token, with the state that the machine reported, if it did."""

    token: IngestToken
    version: str
    system: str
    agents: Sequence[AgentState]
    reported_at: datetime | None
    problem: str


def add_machine(person: Person, name: str) -> str:
    """Create the token of a new machine; returns the secret, which is shown once.  Raises TooManyMachinesError."""
    if tokens_of(person).count() >= MOST_MACHINES:
        raise TooManyMachinesError(f"You have {MOST_MACHINES} machines. Revoke one that is no longer in use.")
    return create_ingest_token(name, scope=IngestScope.COLLECTOR, lifetime=LIFETIME, person=person)[1]


def tokens_of(person: Person) -> QuerySet[IngestToken]:
    return machine_tokens().filter(identity__person=person)


def machine_tokens() -> QuerySet[IngestToken]:
    """Tokens of machines that are not revoked."""
    return (
        IngestToken.objects.filter(scope=IngestScope.COLLECTOR, revoked_at=None)
        .select_related("identity__person", "machine")
        .order_by("created_at", "pk")
    )


def revoke_machine(token: IngestToken) -> None:
    """Revoke a machine's token.  What it reported stays."""
    revoke_ingest_token(token)


def machines_of(tokens: Collection[IngestToken], now: datetime, *, names: bool) -> list[Machine]:
    """The machines of these tokens, each with the problem that keeps it from working.  Without `names`, problems that
    reveal what people commit are left out.
    """
    people = {token.identity.person_id for token in tokens if token.identity and token.identity.person_id}
    lineless = people_without_lines(people, now) if names and people else set()
    return [_machine_of(token, now, lineless) for token in tokens]


def people_without_lines(people: Collection[int], now: datetime) -> set[int]:
    """Ids of the people whose recent commits made with agents lack the lines that their machines should have sent."""
    values = {"people": sorted(people), "since": now - USED_WITHIN, "fewest": FEWEST_LINELESS}
    return sql.ids(_LINELESS, values)


def _machine_of(token: IngestToken, now: datetime, lineless: Collection[int]) -> Machine:
    """A machine as it last described itself."""
    state = getattr(token, "machine", None)
    if state is None:
        return Machine(token, "", "", (), None, "Not installed: no report has arrived.")
    agents = [
        AgentState(name, entry["hooks"], entry["last_event"] and datetime.fromisoformat(entry["last_event"]))
        for name, entry in sorted(state.agents.items())
    ]
    problem = ""
    if token.expires_at is not None and token.expires_at <= now:
        problem = "Its token has expired."
    elif state.reported_at < now - SILENT_AFTER:
        problem = f"No report for {(now - state.reported_at).days} days."
    elif not agents:
        problem = "No agent is in use on it."
    elif token.identity and token.identity.person_id in lineless:
        problem = NO_LINES
    return Machine(token, state.version, state.system, agents, state.reported_at, problem)


def people_without_machine(now: datetime) -> list[Person]:
    """People with an agent session in the last 30 days whose machines have no collector."""
    used = AgentSession.objects.filter(started_at__gte=now - USED_WITHIN).values("identity__person")
    covered = machine_tokens().filter(machine__isnull=False).values("identity__person")
    return list(Person.objects.filter(pk__in=used).exclude(pk__in=covered).order_by("full_name", "pk"))
