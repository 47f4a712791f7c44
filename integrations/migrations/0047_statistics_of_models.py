"""The planner learns how many sessions used a model.

A page of one model reads the sessions that have tokens of it.  Without statistics of these two expressions the planner
took a fifth of all sessions for a thousandth, and looked each of them up on its own.
"""

from django.db import migrations

CREATE = """
CREATE STATISTICS integrations_agentsessionday_of_models
    ON (coalesce(nullif(model, ''), 'unknown')),
       (CASE WHEN counted THEN input_tokens + cache_read_tokens + cache_write_tokens + output_tokens ELSE 0 END)
    FROM integrations_agentsessionday;
ANALYZE integrations_agentsessionday;
"""
DROP = "DROP STATISTICS integrations_agentsessionday_of_models"


class Migration(migrations.Migration):
    dependencies = [("integrations", "0046_requests_without_constraint")]

    operations = [migrations.RunSQL(CREATE, DROP)]
