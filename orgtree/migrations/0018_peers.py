from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orgtree", "0017_tokens_that_annotate"),
    ]

    operations = [
        migrations.AddField(
            model_name="organisation",
            name="peers",
            field=models.CharField(
                default="industry:all",
                help_text="Whose answers to DORA's Quick Check stand beside your score: those of an industry or a size.",
                max_length=60,
            ),
        ),
    ]
