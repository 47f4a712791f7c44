"""Whether an agent says how many of its cache writes are kept an hour: none of them is an answer, too."""

from django.db import migrations, models

# Until now only a number above 0 said so.
REPORTED = "UPDATE integrations_agentrequest SET reports_1h_tokens = true WHERE cache_write_1h_tokens > 0"


class Migration(migrations.Migration):
    dependencies = [("integrations", "0083_price_versions_by_name_alone")]

    operations = [
        migrations.AddField(
            model_name="agentrequest",
            name="reports_1h_tokens",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Whether the agent says how many of its cache writes are kept an hour.",
            ),
        ),
        migrations.RunSQL(REPORTED, migrations.RunSQL.noop),
    ]
