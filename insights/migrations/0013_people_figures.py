from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("insights", "0012_fiscal_month_of_cells"),
    ]

    operations = [
        migrations.CreateModel(
            name="KeptPeopleFigures",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("start", models.DateField()),
                ("end", models.DateField(help_text="The first day that no longer belongs to it.")),
                (
                    "measured",
                    models.CharField(help_text="SHA-256 of what the figures are computed from.", max_length=64),
                ),
                ("content", models.BinaryField()),
                ("read_at", models.DateTimeField(help_text="The moment whose facts they hold.")),
                ("unchanged_at", models.DateTimeField(help_text="When they were last found to hold still.")),
                (
                    "changes",
                    models.BigIntegerField(
                        help_text="Of the snapshots, when they were read: more since then are news."
                    ),
                ),
                ("seconds", models.FloatField(help_text="How long it took to read them.")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("start", "end"), name="people_figures_are_unique")],
            },
        ),
    ]
