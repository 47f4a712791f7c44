"""Adds the sections of the executive report to drafts of quarters, left out until somebody chooses them."""

from django.db import migrations, models


SECTIONS = ("warnings", "recommendations", "caveats")


def add_sections(apps, schema_editor):
    """At the end; frozen reviews stay as they are."""
    qbrs, sections = apps.get_model("programs", "Qbr"), apps.get_model("programs", "QbrSection")
    for qbr in qbrs.objects.filter(document=None, period="quarter"):
        known = sections.objects.filter(qbr=qbr)
        place = max(known.values_list("position", flat=True), default=-1) + 1
        for position, key in enumerate(SECTIONS, start=place):
            sections.objects.create(qbr=qbr, key=key, position=position, is_included=False)


class Migration(migrations.Migration):

    dependencies = [
        ('programs', '0038_rewrites_of_workers'),
    ]

    operations = [
        migrations.AlterField(
            model_name='qbrsection',
            name='key',
            field=models.CharField(choices=[('highlights', 'Highlights'), ('decided', 'What we decided last time'), ('dora', 'DORA'), ('bottlenecks', 'Three bottlenecks in hours'), ('findings', 'Findings, and what became of them'), ('trend', 'Trend'), ('planning', 'Plan against delivery'), ('objectives', 'Objectives'), ('action_plans', 'Action plans'), ('ai', 'AI adoption, output and spend'), ('quality', 'Quality and incidents'), ('allocation', 'Investment mix'), ('risks', 'Risks'), ('warnings', 'Early warnings of teams’ health'), ('recommendations', 'Recommendations'), ('caveats', 'Data caveats'), ('asks', 'Asks'), ('next', 'Next quarter')], max_length=20),
        ),
        migrations.AlterField(
            model_name='qbrsectionevent',
            name='key',
            field=models.CharField(choices=[('highlights', 'Highlights'), ('decided', 'What we decided last time'), ('dora', 'DORA'), ('bottlenecks', 'Three bottlenecks in hours'), ('findings', 'Findings, and what became of them'), ('trend', 'Trend'), ('planning', 'Plan against delivery'), ('objectives', 'Objectives'), ('action_plans', 'Action plans'), ('ai', 'AI adoption, output and spend'), ('quality', 'Quality and incidents'), ('allocation', 'Investment mix'), ('risks', 'Risks'), ('warnings', 'Early warnings of teams’ health'), ('recommendations', 'Recommendations'), ('caveats', 'Data caveats'), ('asks', 'Asks'), ('next', 'Next quarter')], max_length=20),
        ),
        migrations.RunPython(add_sections, migrations.RunPython.noop),
    ]
