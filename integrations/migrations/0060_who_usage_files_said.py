"""What imported usage files said of days, windows that are sessions, and records without a session id."""

from django.db import migrations, models

# A moment at midnight UTC came from a date without a time, which is a local day.
DATES_WITHOUT_A_TIME = """
    UPDATE integrations_importedusage
    SET day = CASE WHEN ended_at = date_trunc('day', ended_at, 'UTC') THEN (ended_at AT TIME ZONE 'UTC')::date
                   ELSE day END,
        first_day = CASE WHEN started_at = date_trunc('day', started_at, 'UTC')
                         THEN (started_at AT TIME ZONE 'UTC')::date END,
        started_at = CASE WHEN started_at <> date_trunc('day', started_at, 'UTC') THEN started_at END,
        ended_at = CASE WHEN ended_at <> date_trunc('day', ended_at, 'UTC') THEN ended_at END
    WHERE form = 'session'
      AND (started_at = date_trunc('day', started_at, 'UTC') OR ended_at = date_trunc('day', ended_at, 'UTC'))
"""
# A sum over a folder stays, under a number instead of the folder's name, and as the weakest form: it counts where
# neither telemetry nor another file says anything of its days.
NO_SESSION_ID = r"""
    NOT (key ~* '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' OR key ~* '^ses_[0-9a-z]{16,40}$')
"""
FOLDERS = f"""
    WITH folder AS (
        SELECT identity_id, agent, key, 'folder ' || min(id) AS numbered
        FROM integrations_importedusage WHERE form = 'session' AND {NO_SESSION_ID}
        GROUP BY identity_id, agent, key
    ), renamed AS (
        UPDATE integrations_agentsession session SET external_id = 'ccusage ' || folder.numbered
        FROM folder
        WHERE session.told_by_file AND session.identity_id = folder.identity_id AND session.agent = folder.agent
          AND session.external_id = folder.key
    )
    UPDATE integrations_importedusage usage SET form = 'block', key = folder.numbered
    FROM folder
    WHERE usage.form = 'session' AND usage.identity_id = folder.identity_id AND usage.agent = folder.agent
      AND usage.key = folder.key
"""  # noqa: S608  # two constants

# Windows of an editor: processes with requests or tool calls of their own are sessions.
WINDOWS = """
    WITH worked AS (
        UPDATE integrations_agentsession session SET has_work = true
        WHERE session.is_process AND NOT session.has_work AND NOT session.is_repeated
          AND (EXISTS (SELECT FROM integrations_agentrequest request WHERE request.session_id = session.id)
               OR EXISTS (SELECT FROM integrations_agenttoolcall call WHERE call.session_id = session.id))
        RETURNING session.id, session.identity_id, session.started_on
    ), enqueued AS (
        INSERT INTO integrations_attributionwork (session_id) SELECT id FROM worked
    )
    INSERT INTO integrations_factchange (family, person_id, day_from, day_to)
    SELECT DISTINCT 'ai', identity.person_id, started_on, started_on + 1
    FROM worked JOIN orgtree_identity identity ON identity.id = worked.identity_id
    WHERE started_on IS NOT NULL
"""


class Migration(migrations.Migration):
    dependencies = [("integrations", "0059_money_cached_and_hourly")]

    operations = [
        migrations.AddField(
            model_name="importedusage",
            name="first_day",
            field=models.DateField(
                help_text="Of a session whose first activity is a day without a time.", null=True
            ),
        ),
        migrations.AddField(
            model_name="agentsession",
            name="is_unnamed",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddIndex(
            model_name="agentsession",
            index=models.Index(
                fields=["ended_at"], condition=models.Q(("is_unnamed", True)), name="agent_session_unnamed"
            ),
        ),
        migrations.RunSQL(DATES_WITHOUT_A_TIME, migrations.RunSQL.noop),
        migrations.RunSQL(FOLDERS, migrations.RunSQL.noop),
        # A change of the time zone deleted the days of files: all are made again.
        migrations.RunSQL("UPDATE integrations_importedusage SET to_settle = true", migrations.RunSQL.noop),
        migrations.RunSQL(WINDOWS, migrations.RunSQL.noop),
    ]
