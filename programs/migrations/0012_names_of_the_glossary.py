"""New names in Python: tables and columns keep theirs, so nothing in the database changes."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("programs", "0011_reviews"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelTable(name="letter", table="programs_letter"),
        migrations.RenameModel(old_name="Letter", new_name="OutgoingEmail"),
        migrations.AlterModelOptions(
            name="outgoingemail",
            options={"ordering": ("-made_at", "-pk"), "verbose_name": "outgoing e-mail"},
        ),
        migrations.AlterField(
            model_name="outgoingemail",
            name="account",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="outgoing_emails",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterModelTable(name="muted", table="programs_muted"),
        migrations.RenameModel(old_name="Muted", new_name="OptOut"),
        migrations.AlterModelOptions(name="optout", options={}),
        migrations.AlterField(
            model_name="optout",
            name="account",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="opt_outs", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AlterField(
            model_name="delivery",
            name="letter",
            field=models.ForeignKey(
                db_column="letter_id",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="deliveries",
                to="programs.outgoingemail",
            ),
        ),
        migrations.RenameField(model_name="delivery", old_name="letter", new_name="email"),
        # The condition names the field; the index itself names the column.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveIndex(model_name="delivery", name="notice_delivery_waiting"),
                migrations.AddIndex(
                    model_name="delivery",
                    index=models.Index(
                        condition=models.Q(("email", None)), fields=["not_before"], name="notice_delivery_waiting"
                    ),
                ),
            ],
        ),
        migrations.AlterField(
            model_name="delivery",
            name="left_out",
            field=models.CharField(blank=True, help_text="Why the e-mail doesn't say it.", max_length=500),
        ),
    ]
