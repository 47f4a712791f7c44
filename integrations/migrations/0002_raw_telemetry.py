"""The raw telemetry tables: partitioned by day, written with COPY, read only by the folding into sessions.

They are no Django models: Django knows neither partitions nor keys of two columns.
"""

from django.db import migrations

AGENT_EVENT = """
CREATE TABLE integrations_agent_event (
    at timestamptz NOT NULL,            -- as sent, else as observed
    digest uuid NOT NULL,               -- 128-bit hash of the record as sent: a repetition is the same row
    batch_id bigint NOT NULL,           -- integrations_receivedbatch
    session_id bigint,                  -- integrations_agentsession; null: the record names no session
    kind smallint NOT NULL,             -- integrations/telemetry/events.py, EventKind
    name text NOT NULL,                 -- the vocabulary's own name
    key text NOT NULL DEFAULT '',       -- request id or tool call id; empty where there is none
    model text NOT NULL DEFAULT '',
    tool text NOT NULL DEFAULT '',
    outcome text NOT NULL DEFAULT '',   -- of a tool call: succeeded, failed, refused
    error_type text NOT NULL DEFAULT '',
    input_tokens bigint,                -- uncached
    cache_read_tokens bigint,
    cache_write_tokens bigint,
    output_tokens bigint,               -- reasoning included
    duration_ms bigint,
    reported_cost numeric(20, 10),      -- US dollars, as the agent says
    attributes jsonb,                   -- of events that no vocabulary reads, content left out
    PRIMARY KEY (at, digest)
) PARTITION BY RANGE (at);
CREATE INDEX integrations_agent_event_batch ON integrations_agent_event USING brin (batch_id)
    WITH (pages_per_range = 16, autosummarize = on);
"""

AGENT_POINT = """
CREATE TABLE integrations_agent_point (
    at timestamptz NOT NULL,
    series uuid NOT NULL,               -- hash of resource, scope, metric and attributes as sent
    start timestamptz NOT NULL,         -- of the point's interval; where the sender gave none `at`, or 2000-01-01 if cumulative
    batch_id bigint NOT NULL,
    session_id bigint NOT NULL,
    cumulative boolean NOT NULL,
    measure text NOT NULL,              -- integrations/telemetry/events.py, Measure
    model text NOT NULL DEFAULT '',
    value double precision NOT NULL,
    PRIMARY KEY (at, series, start)
) PARTITION BY RANGE (at);
CREATE INDEX integrations_agent_point_batch ON integrations_agent_point USING brin (batch_id)
    WITH (pages_per_range = 16, autosummarize = on);
CREATE INDEX integrations_agent_point_session ON integrations_agent_point (session_id, at);
"""


class Migration(migrations.Migration):
    dependencies = [("integrations", "0001_initial")]

    operations = [
        migrations.RunSQL(AGENT_EVENT, "DROP TABLE integrations_agent_event"),
        migrations.RunSQL(AGENT_POINT, "DROP TABLE integrations_agent_point"),
    ]
