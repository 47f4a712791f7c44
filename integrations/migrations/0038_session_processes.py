from django.db import migrations, models
import django.db.models.deletion


class Migration(migrations.Migration):
    dependencies = [("integrations", "0037_unknown_price_lists")]

    operations = [
        migrations.AddField(
            model_name="agentsession",
            name="is_process",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="agentsession",
            name="is_repeated",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.CreateModel(
            name="SessionProcess",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "process",
                    models.CharField(help_text="As the agent names it, e.g. service.instance.id.", max_length=200),
                ),
                (
                    "first_at",
                    models.DateTimeField(help_text="The first record of the session that the process sent."),
                ),
                (
                    "session",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="processes",
                        to="integrations.agentsession",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["process"], name="session_process_by_process")],
                "constraints": [
                    models.UniqueConstraint(fields=("session", "process"), name="session_process_is_unique")
                ],
            },
        ),
    ]
