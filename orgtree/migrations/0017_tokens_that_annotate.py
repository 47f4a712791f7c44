from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orgtree", "0016_link_window_and_benchmarks"),
    ]

    operations = [
        migrations.AlterField(
            model_name="apitoken",
            name="scope",
            field=models.CharField(
                choices=[
                    ("read", "Read figures"),
                    ("people", "Write people and units"),
                    ("annotations", "Write notes on charts"),
                ],
                default="read",
                max_length=20,
            ),
        ),
    ]
