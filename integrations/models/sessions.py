"""Agent sessions, merged from several telemetry sources.

Raw events live in partitioned tables (integrations/telemetry/) and expire; these rows stay.  All tokens are stored in
four disjoint kinds: uncached input, cache read, cache write, output (reasoning included).  Only the fold
(integrations/telemetry/sessions/fold.py) writes here, except that the receiver inserts new AgentSessions.
"""

from __future__ import annotations

from django.db import models

from integrations.models.connections import Repository
from integrations.models.fields import TimeRangesField
from integrations.models.prices import PriceVersion
from integrations.models.work_items import WorkItem
from orgtree.models import Identity


class AgentSession(models.Model):
    """One run of an agent by one identity; a resumed session stays one row."""

    agent = models.CharField(max_length=40, help_text="Slug of the agent's vocabulary, such as claude_code.")
    external_id = models.CharField(max_length=200)
    identity = models.ForeignKey(Identity, models.PROTECT, related_name="+", db_index=False)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    # The local day of its start, because an expression with the connection's zone cannot be indexed.
    started_on = models.DateField(null=True)
    active_seconds = models.FloatField(
        default=0,
        db_default=0,
        help_text="Total length of its active periods; a period ends after 30 minutes without an event.",
    )
    # Each range extends 30 minutes beyond its last event, so that adjacent ranges merge in any order of arrival.
    # Ranges of metrics are separate, because they only count where events are missing.
    event_periods = TimeRangesField(db_default=models.Value("{}"), db_column="event_stretches")
    metric_periods = TimeRangesField(db_default=models.Value("{}"), db_column="metric_stretches")
    # Ranges of its events, and of its metrics where they count; all of its metrics if it has no events.
    active_periods = TimeRangesField(db_default=models.Value("{}"))
    # Whether it has activity.  Agents announce sessions under ids that never appear again.
    has_work = models.BooleanField(default=False, db_default=False)
    # The figures of each channel.  Both report the same tokens: sessions/fold_channels.py chooses.
    event_tokens = models.BigIntegerField(default=0, db_default=0)
    metric_tokens = models.BigIntegerField(default=0, db_default=0)
    # A duplicate from another program, such as the agent's gateway: the agent's own session counts.
    is_repeated = models.BooleanField(default=False, db_default=False)
    # A process that ran sessions: its metrics without a session are moved to them, while its requests without one are
    # a session of its own (a window of an editor).
    is_process = models.BooleanField(default=False, db_default=False)
    # A substitute for records without a session id: one per author, installation, agent and day.
    is_unnamed = models.BooleanField(default=False, db_default=False)
    # Whether telemetry reports it; a collector may alone (integrations/collector/sessions.py).
    has_telemetry = models.BooleanField(default=True, db_default=True)
    # Known only from an imported file: its active time is unknown.
    from_usage_file = models.BooleanField(default=False, db_default=False, db_column="told_by_file")
    agent_version = models.CharField(max_length=60, blank=True, db_default="")
    # Its place from telemetry (vcs.*): the one with most of its tokens, if there are several.
    repository = models.ForeignKey(Repository, models.SET_NULL, null=True, related_name="+", db_index=False)
    branch = models.CharField(max_length=250, blank=True, db_default="")
    work_item = models.ForeignKey(WorkItem, models.SET_NULL, null=True, related_name="+", db_index=False)
    # Sums of its days, for matching sessions with commits.
    lines_added = models.BigIntegerField(default=0, db_default=0)
    commits = models.BigIntegerField(default=0, db_default=0, help_text="The agent's own count.")
    # Written by attribution (integrations/code/attribution/session_outcomes.py), never by the fold.
    committed = models.BooleanField(
        default=False, db_default=False, help_text="Whether a counted commit contains lines of the session."
    )
    lines_committed = models.BigIntegerField(
        default=0, db_default=0, help_text="The session's AI lines in counted commits."
    )
    covered = models.BooleanField(default=False, db_default=False, help_text="Whether the person's commits are known.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["agent", "external_id", "identity"], name="agent_session_is_unique")
        ]
        indexes = [
            models.Index(fields=["started_on"], condition=models.Q(has_work=True), name="agent_session_by_day"),
            models.Index(fields=["identity", "ended_at"], name="agent_session_by_identity"),
            models.Index(fields=["ended_at"], condition=models.Q(is_unnamed=True), name="agent_session_unnamed"),
            models.Index(
                fields=["identity", "ended_at"], condition=models.Q(metric_tokens__gt=0), name="agent_session_metered"
            ),
            # For a few people in a window.
            models.Index(
                fields=["identity", "started_on"], condition=models.Q(has_work=True), name="agent_session_by_start"
            ),
            models.Index(
                fields=["repository"], condition=models.Q(repository__isnull=False), name="agent_session_by_repository"
            ),
            models.Index(fields=["branch"], condition=~models.Q(branch=""), name="agent_session_by_branch"),
            models.Index(
                fields=["work_item"], condition=models.Q(work_item__isnull=False), name="agent_session_by_work_item"
            ),
        ]


class SessionProcess(models.Model):
    """The process of a session, for agents whose metrics identify nothing else."""

    session = models.ForeignKey(AgentSession, models.CASCADE, related_name="processes", db_index=False)
    process = models.CharField(
        max_length=200, help_text="The agent's name for the process, such as service.instance.id."
    )
    first_at = models.DateTimeField(help_text="When the process sent its first record of the session.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["session", "process"], name="session_process_is_unique")]
        indexes = [models.Index(fields=["process"], name="session_process_by_process")]


LONGEST_PART = 120


def part_field() -> models.CharField[str, str]:
    return models.CharField(max_length=LONGEST_PART, blank=True, default="", db_default="")


class AgentRequest(models.Model):
    """One completed request to a model, merged from log events and spans by the agent's request id.

    Neither requests nor tool calls have a foreign key to the session: only the fold writes them, under the session's
    lock, and checking the constraint took a third of the time of folding.
    """

    session = models.ForeignKey(
        AgentSession, models.CASCADE, related_name="requests", db_index=False, db_constraint=False
    )
    key = models.CharField(max_length=200, help_text="The agent's request id or, if there is none, the event's hash.")
    at = models.DateTimeField()
    model = models.CharField(max_length=120, blank=True)
    input_tokens = models.BigIntegerField(default=0)
    cache_read_tokens = models.BigIntegerField(default=0)
    cache_write_tokens = models.BigIntegerField(default=0)
    cache_write_1h_tokens = models.BigIntegerField(
        default=0, db_default=0, help_text="Cache write tokens kept for an hour; 0 if the agent does not say."
    )
    reports_1h_tokens = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Whether the agent reports how many cache write tokens are kept for an hour.",
    )
    inferred_1h_tokens = models.BigIntegerField(
        null=True,
        help_text="Cache write tokens kept for an hour, inferred from the reported cost if the agent does not say.",
    )
    output_tokens = models.BigIntegerField(default=0)
    service_tier = models.CharField(
        max_length=20, blank=True, db_default="", help_text="batch, fast, priority or flex; empty: the standard tier."
    )
    # Programs differ on whether their input includes cached tokens.  Until the sender is known to count them apart,
    # its input includes them (integrations/telemetry/sessions/cache_exclusive.py).
    sender = models.CharField(
        max_length=200,
        blank=True,
        db_default="",
        help_text="The program that counted the tokens; empty if the agent's convention is known.",
    )
    subtracted_tokens = models.BigIntegerField(
        default=0, db_default=0, help_text="Cached tokens that were subtracted from the sender's input tokens."
    )
    place = models.ForeignKey(
        "integrations.TelemetryPlace",
        models.DO_NOTHING,
        null=True,
        db_index=False,
        db_constraint=False,
        related_name="+",
    )
    # The columns of RequestPart, as telemetry names them; empty: not reported.
    skill = part_field()
    sub_agent = part_field()
    plugin = part_field()
    mcp_server = part_field()
    effort = part_field()
    query_source = part_field()
    provider = part_field()
    counted = models.BooleanField(
        default=True, db_default=True, help_text="False if metrics count instead in this quarter of an hour."
    )
    # Another program reports the same call, or the calls that it consists of (sessions/fold_wrappers.py).
    is_wrapper = models.BooleanField(default=False, db_default=False)
    span = models.CharField(max_length=16, null=True, help_text="The request's span id; null if it is not a span.")
    parent_span = models.CharField(max_length=16, null=True)
    duration_ms = models.BigIntegerField(null=True)
    reported_cost = models.DecimalField(
        max_digits=20, decimal_places=10, null=True, help_text="The cost that the agent reported, in US dollars."
    )
    spend = models.DecimalField(
        max_digits=20,
        decimal_places=10,
        null=True,
        help_text="Tokens times the day's price, in US dollars; null: the model is unknown.",
    )
    surcharge_1h = models.DecimalField(
        max_digits=20,
        decimal_places=10,
        null=True,
        help_text="The additional cost if all its cache writes were kept for an hour; null: the duration is known.",
    )
    price_version = models.ForeignKey(
        PriceVersion, models.DO_NOTHING, null=True, db_index=False, db_constraint=False, related_name="+"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["session", "key"], name="agent_request_is_unique")]
        indexes = [
            models.Index(fields=["session", "at"], name="agent_request_by_time"),
            models.Index(
                fields=["session", "parent_span"],
                condition=models.Q(parent_span__isnull=False),
                name="agent_request_by_parent",
            ),
            models.Index(
                fields=["session", "span"], condition=models.Q(span__isnull=False), name="agent_request_by_span"
            ),
            # Those that only a transcript names (sessions/fold_wrappers.py).
            models.Index(
                fields=["session", "at"],
                condition=models.Q(key__startswith="transcript:"),
                name="agent_request_of_transcript",
            ),
            # For correcting a sender's counts, once it is known to count cached tokens apart.
            models.Index(
                fields=["sender"], condition=models.Q(subtracted_tokens__gt=0), name="agent_request_by_sender"
            ),
        ]


class CacheExclusiveSender(models.Model):
    """A program whose input tokens exclude cached ones, contrary to OpenTelemetry's conventions, as one of its records
    proved.

    A program is an instrumentation library, its version, and its spelling of the names of cached tokens.
    """

    sender = models.CharField(max_length=200, unique=True)

    class Meta:
        db_table = "integrations_apartsender"

    def __str__(self) -> str:
        return self.sender


class ToolOutcome(models.TextChoices):
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"
    REFUSED = "refused", "Refused by the person"


class AgentToolCall(models.Model):
    """One tool call, merged by the agent's call id."""

    session = models.ForeignKey(
        AgentSession, models.CASCADE, related_name="tool_calls", db_index=False, db_constraint=False
    )
    key = models.CharField(max_length=200)
    at = models.DateTimeField()
    tool = models.CharField(max_length=120)
    outcome = models.CharField(max_length=12, choices=ToolOutcome.choices)
    error_type = models.CharField(max_length=120, blank=True)
    duration_ms = models.BigIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["session", "key"], name="agent_tool_call_is_unique")]
        indexes = [models.Index(fields=["session", "at"], name="agent_tool_call_by_time")]


class AgentMeterSlot(models.Model):
    """Sums of a session's metric points by quarter of an hour and model.

    Every time zone's midnight falls on a quarter of an hour, so days can be rebuilt after the raw points have expired.
    """

    session = models.ForeignKey(AgentSession, models.CASCADE, related_name="meter_slots", db_index=False)
    slot = models.DateTimeField(help_text="Start of the quarter of an hour.")
    model = models.CharField(max_length=120, blank=True, help_text="Empty if the figures belong to no model.")
    active_from = models.DateTimeField(null=True, help_text="The first activity that its metric points report.")
    active_to = models.DateTimeField(null=True)
    covers_from = models.DateTimeField(
        null=True, help_text="The time of the previous reading, from which the increase is counted."
    )
    input_tokens = models.BigIntegerField(default=0)
    cache_read_tokens = models.BigIntegerField(default=0)
    cache_write_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    reported_cost = models.DecimalField(max_digits=20, decimal_places=10, null=True)
    lines_added = models.BigIntegerField(default=0)
    lines_removed = models.BigIntegerField(default=0)
    commits = models.BigIntegerField(default=0)
    counted = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Whether metrics reported more tokens in this quarter of an hour than events.",
    )
    both_tokens = models.BigIntegerField(default=0, db_default=0, help_text="Tokens that events reported as well.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["session", "slot", "model"], name="agent_meter_slot_is_unique")]


class AgentSessionDay(models.Model):
    """A session's figures of one local day and model, by source (events or metrics).

    Agent and identity are denormalised from the session: otherwise reading a year of days would spend most of its time
    on joins.  Quarters of an hour for which the other source counts have a row of their own, without `counted`.
    """

    class Source(models.TextChoices):
        EVENTS = "events"
        METRICS = "metrics"
        FILES = "files"  # imported: integrations/usage_files

    session = models.ForeignKey(AgentSession, models.CASCADE, related_name="days", db_index=False)
    identity = models.ForeignKey(Identity, models.PROTECT, related_name="+", db_index=False)
    agent = models.CharField(max_length=40)
    source = models.CharField(max_length=8, choices=Source.choices)
    counted = models.BooleanField()
    day = models.DateField()
    model = models.CharField(max_length=120, blank=True, help_text="Empty if the figures belong to no model.")
    requests = models.BigIntegerField(default=0)
    input_tokens = models.BigIntegerField(default=0)
    cache_read_tokens = models.BigIntegerField(default=0)
    cache_write_tokens = models.BigIntegerField(default=0)
    cache_write_1h_tokens = models.BigIntegerField(
        default=0, db_default=0, help_text="Cache write tokens kept for an hour, as reported or inferred from the cost."
    )
    output_tokens = models.BigIntegerField(default=0)
    spend = models.DecimalField(max_digits=20, decimal_places=10, null=True)
    unpriced_tokens = models.BigIntegerField(default=0, help_text="Tokens of models whose price is unknown.")
    reported_cost = models.DecimalField(max_digits=20, decimal_places=10, null=True)
    # Cost by the agent and by the price book, for requests that both price, for comparison.
    compared_cost = models.DecimalField(max_digits=20, decimal_places=10, null=True)
    compared_spend = models.DecimalField(max_digits=20, decimal_places=10, null=True)
    surcharge_1h = models.DecimalField(
        max_digits=20,
        decimal_places=10,
        null=True,
        help_text="The additional cost of all requests whose cache writes may be kept for an hour.",
    )
    price_version = models.ForeignKey(
        PriceVersion,
        models.DO_NOTHING,
        null=True,
        db_index=False,
        db_constraint=False,
        related_name="+",
        help_text="Set if the day was priced as a total. Requests have their own price version.",
    )
    lines_added = models.BigIntegerField(default=0)
    lines_removed = models.BigIntegerField(default=0)
    tool_calls = models.BigIntegerField(default=0, help_text="Calls that ran, whether they succeeded or failed.")
    tool_failures = models.BigIntegerField(default=0)
    tool_refusals = models.BigIntegerField(default=0)
    commits = models.BigIntegerField(default=0)
    both_tokens = models.BigIntegerField(
        default=0, db_default=0, help_text="For metrics, the tokens that events reported as well."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["session", "day", "source", "model", "counted"], name="agent_session_day_is_unique"
            )
        ]
        indexes = [
            models.Index(fields=["day"], name="agent_session_day_by_day"),
            models.Index(fields=["identity", "day"], name="agent_session_day_by_identity"),
        ]


class ChannelWork(models.Model):
    """Queue of sessions whose events and metrics the fold must compare again."""

    session = models.OneToOneField(AgentSession, models.CASCADE, related_name="+")


class AgentTierDay(models.Model):
    """Requests of a session's day and model that were not billed at the base price: long prompts, batch, fast.

    Their tokens are included in the session's day; both together allow pricing the day exactly for another model.
    """

    session = models.ForeignKey(AgentSession, models.CASCADE, related_name="+", db_index=False)
    identity = models.ForeignKey(Identity, models.PROTECT, related_name="+", db_index=False)
    agent = models.CharField(max_length=40)
    day = models.DateField()
    model = models.CharField(max_length=120, blank=True)
    prompt_above = models.PositiveIntegerField(help_text="The highest of PROMPT_BOUNDS that the whole prompt exceeds.")
    service_tier = models.CharField(max_length=20, blank=True)
    requests = models.BigIntegerField(default=0)
    input_tokens = models.BigIntegerField(default=0)
    cache_read_tokens = models.BigIntegerField(default=0)
    cache_write_tokens = models.BigIntegerField(default=0)
    cache_write_1h_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["session", "day", "model", "prompt_above", "service_tier"], name="agent_tier_day_is_unique"
            )
        ]
        indexes = [
            models.Index(fields=["day"], name="agent_tier_day_by_day"),
            models.Index(fields=["identity", "day"], name="agent_tier_day_by_identity"),
        ]


class AgentToolDay(models.Model):
    """A session's calls to one tool on one local day."""

    session = models.ForeignKey(AgentSession, models.CASCADE, related_name="+", db_index=False)
    identity = models.ForeignKey(Identity, models.PROTECT, related_name="+", db_index=False)
    agent = models.CharField(max_length=40)
    day = models.DateField()
    tool = models.CharField(max_length=120)
    calls = models.BigIntegerField(default=0)
    failures = models.BigIntegerField(default=0)
    refusals = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["session", "day", "tool"], name="agent_tool_day_is_unique")]
        indexes = [
            models.Index(fields=["day"], name="agent_tool_day_by_day"),
            models.Index(fields=["identity", "day"], name="agent_tool_day_by_identity"),
        ]


class Enrolment(models.Model):
    """The time of an identity's first telemetry; stored because computing it from sessions takes seconds."""

    identity = models.OneToOneField(Identity, models.CASCADE, primary_key=True, related_name="+")
    first_at = models.DateTimeField()


class TelemetryPlace(models.Model):
    """A place as telemetry names it, and what it was resolved to: one row per repository and branch.

    An unknown repository or item is looked up again when one is stored.
    """

    key = models.UUIDField(unique=True, help_text="Hash of the place as stored in raw rows.")
    named = models.CharField(max_length=500, blank=True, help_text="Host and path of the repository, or a name.")
    branch = models.CharField(max_length=250, blank=True)
    revision = models.CharField(max_length=64, blank=True, help_text="A commit, whole or shortened, in lower case.")
    item_key = models.CharField(max_length=200, blank=True, help_text="The key of the work item that the branch names.")
    repository = models.ForeignKey(Repository, models.SET_NULL, null=True, related_name="+")
    work_item = models.ForeignKey(WorkItem, models.SET_NULL, null=True, related_name="+")

    class Meta:
        indexes = [
            models.Index(fields=["item_key"], condition=~models.Q(item_key=""), name="telemetry_place_by_item_key"),
            models.Index(fields=["revision"], condition=~models.Q(revision=""), name="telemetry_place_by_revision"),
        ]


class SessionPlace(models.Model):
    """A place that the records of a session name."""

    session = models.ForeignKey(AgentSession, models.CASCADE, related_name="places", db_index=False)
    place = models.ForeignKey(TelemetryPlace, models.CASCADE, related_name="+")
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    called_at = models.DateTimeField(null=True, help_text="When a tool call first named the place; null: none did.")
    tokens = models.BigIntegerField(
        default=0, db_default=0, help_text="Tokens of the session's last requests there; 0 if it is the only place."
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["session", "place"], name="session_place_is_unique")]
        indexes = [
            models.Index(fields=["place"], condition=models.Q(called_at__isnull=False), name="session_place_called")
        ]
