from django.db import migrations

PLAIN = """
    UPDATE integrations_repository
    SET default_branch = regexp_replace(default_branch, '^refs/(heads|remotes/[^/]+)/', '')
    WHERE default_branch LIKE 'refs/%'
"""


class Migration(migrations.Migration):
    dependencies = [("integrations", "0118_agreements_remind_teams")]

    operations = [migrations.RunSQL(PLAIN, migrations.RunSQL.noop)]
