"""Pull requests that list what earlier ones were merged as, such as releases: those commits are not their own."""

from django.db import migrations

RECOMPUTE = """
    INSERT INTO integrations_pullrequestwork (pull_request_id)
    SELECT DISTINCT listed.pull_request_id
    FROM integrations_pullrequest merged
    JOIN integrations_pullrequestcommit listed ON listed.sha = merged.merge_sha AND listed.pull_request_id <> merged.id
    WHERE merged.merge_sha <> ''
"""


class Migration(migrations.Migration):
    dependencies = [("integrations", "0073_jira_team_and_due_day")]

    operations = [migrations.RunSQL(RECOMPUTE, migrations.RunSQL.noop)]
