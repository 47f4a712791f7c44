"""A session tells how many of its lines were committed.

Each reading of sessions looked them up in the session's shares, one after the other: two thirds of the time.
"""

from django.db import migrations, models

FROM_SHARES = """
UPDATE integrations_agentsession session
SET lines_committed = split.lines
FROM (SELECT session_id, sum(lines) AS lines FROM integrations_sessionshare GROUP BY session_id) AS split
WHERE split.session_id = session.id
"""


class Migration(migrations.Migration):
    dependencies = [("integrations", "0049_models_of_sessions")]

    operations = [
        migrations.AddField(
            "AgentSession",
            "lines_committed",
            models.BigIntegerField(db_default=0, default=0, help_text="In counted commits, of its AI lines."),
        ),
        migrations.RunSQL(FROM_SHARES, migrations.RunSQL.noop),
    ]
