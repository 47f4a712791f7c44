"""Days by which a key result that counts finished items is reached, with the odds of its quarter's end."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("programs", "0034_reports")]

    operations = [
        migrations.AddField(
            model_name="keyresultmeasure",
            name="even_on",
            field=models.DateField(help_text="Of a count of items: reached by then with odds of 50%.", null=True),
        ),
        migrations.AddField(
            model_name="keyresultmeasure",
            name="likely_on",
            field=models.DateField(help_text="The same with odds of 85%.", null=True),
        ),
        migrations.AddField(
            model_name="keyresultmeasure",
            name="safe_on",
            field=models.DateField(help_text="The same with odds of 95%.", null=True),
        ),
        migrations.AddField(
            model_name="keyresultmeasure",
            name="odds",
            field=models.FloatField(
                help_text="Of a count of items: of reaching the target by the quarter's end.", null=True
            ),
        ),
    ]
