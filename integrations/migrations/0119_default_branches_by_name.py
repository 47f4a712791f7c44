from django.db import migrations

PLAIN = """
    UPDATE integrations_repository SET default_branch = substr(default_branch, length('refs/heads/') + 1)
    WHERE default_branch LIKE 'refs/heads/%'
"""


class Migration(migrations.Migration):
    dependencies = [("integrations", "0118_agreements_remind_teams")]

    operations = [migrations.RunSQL(PLAIN, migrations.RunSQL.noop)]
