"""Adds the section *Findings, and what became of them* to drafts of business reviews."""

from django.db import migrations, models


def add_section(apps, schema_editor):
    """Right after the bottlenecks; frozen reviews stay as they are."""
    qbrs, sections = apps.get_model("programs", "Qbr"), apps.get_model("programs", "QbrSection")
    for qbr in qbrs.objects.filter(document=None):
        keys = list(sections.objects.filter(qbr=qbr).order_by("position").values_list("key", flat=True))
        if "findings" in keys:
            continue
        place = keys.index("bottlenecks") + 1 if "bottlenecks" in keys else len(keys)
        for position, key in enumerate(keys[place:], start=place + 1):
            sections.objects.filter(qbr=qbr, key=key).update(position=position)
        sections.objects.create(qbr=qbr, key="findings", position=place)


class Migration(migrations.Migration):

    dependencies = [
        ('programs', '0032_alerts_and_digests'),
    ]

    operations = [
        migrations.AlterField(
            model_name='qbrsection',
            name='key',
            field=models.CharField(choices=[('highlights', 'Highlights'), ('decided', 'What we decided last time'), ('dora', 'DORA'), ('bottlenecks', 'Three bottlenecks in hours'), ('findings', 'Findings, and what became of them'), ('trend', 'Trend'), ('planning', 'Plan against delivery'), ('objectives', 'Objectives'), ('action_plans', 'Action plans'), ('ai', 'AI adoption, output and spend'), ('quality', 'Quality and incidents'), ('allocation', 'Investment mix'), ('risks', 'Risks'), ('asks', 'Asks'), ('next', 'Next quarter')], max_length=20),
        ),
        migrations.AlterField(
            model_name='qbrsectionevent',
            name='key',
            field=models.CharField(choices=[('highlights', 'Highlights'), ('decided', 'What we decided last time'), ('dora', 'DORA'), ('bottlenecks', 'Three bottlenecks in hours'), ('findings', 'Findings, and what became of them'), ('trend', 'Trend'), ('planning', 'Plan against delivery'), ('objectives', 'Objectives'), ('action_plans', 'Action plans'), ('ai', 'AI adoption, output and spend'), ('quality', 'Quality and incidents'), ('allocation', 'Investment mix'), ('risks', 'Risks'), ('asks', 'Asks'), ('next', 'Next quarter')], max_length=20),
        ),
        migrations.RunPython(add_section, migrations.RunPython.noop),
    ]
