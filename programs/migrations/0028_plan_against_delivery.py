"""Adds the section *Plan against delivery* to drafts of business reviews, and deliveries to agendas."""

from django.db import migrations, models


def add_section(apps, schema_editor):
    """Right before the objectives; frozen reviews stay as they are."""
    qbrs, sections = apps.get_model("programs", "Qbr"), apps.get_model("programs", "QbrSection")
    for qbr in qbrs.objects.filter(document=None):
        keys = list(sections.objects.filter(qbr=qbr).order_by("position").values_list("key", flat=True))
        if "planning" in keys:
            continue
        place = keys.index("objectives") if "objectives" in keys else len(keys)
        for position, key in enumerate(keys[place:], start=place + 1):
            sections.objects.filter(qbr=qbr, key=key).update(position=position)
        sections.objects.create(qbr=qbr, key="planning", position=place)


class Migration(migrations.Migration):
    dependencies = [("programs", "0027_ticket_effect_weeks")]
    operations = [
        migrations.AlterField(
            model_name='qbrsection',
            name='key',
            field=models.CharField(choices=[('highlights', 'Highlights'), ('decided', 'What we decided last time'), ('dora', 'DORA'), ('bottlenecks', 'Three bottlenecks in hours'), ('trend', 'Trend'), ('planning', 'Plan against delivery'), ('objectives', 'Objectives'), ('action_plans', 'Action plans'), ('ai', 'AI adoption, output and spend'), ('quality', 'Quality and incidents'), ('allocation', 'Allocation'), ('risks', 'Risks'), ('asks', 'Asks'), ('next', 'Next quarter')], max_length=20),
        ),
        migrations.AlterField(
            model_name='qbrsectionevent',
            name='key',
            field=models.CharField(choices=[('highlights', 'Highlights'), ('decided', 'What we decided last time'), ('dora', 'DORA'), ('bottlenecks', 'Three bottlenecks in hours'), ('trend', 'Trend'), ('planning', 'Plan against delivery'), ('objectives', 'Objectives'), ('action_plans', 'Action plans'), ('ai', 'AI adoption, output and spend'), ('quality', 'Quality and incidents'), ('allocation', 'Allocation'), ('risks', 'Risks'), ('asks', 'Asks'), ('next', 'Next quarter')], max_length=20),
        ),
        migrations.AlterField(
            model_name='reviewpoint',
            name='kind',
            field=models.CharField(choices=[('decision', 'Decisions of the last review'), ('restated', 'Restated figures'), ('moved', 'What moved beyond normal variation'), ('benchmark', 'Benchmarks crossed'), ('objective', 'Objectives at risk'), ('check_in', 'Check-ins missing'), ('no_objective', 'Teams without a mandatory objective'), ('ticket', 'Overdue tickets'), ('delivery', 'Deliveries that miss their planned day'), ('other', 'Other points')], max_length=12),
        ),
        migrations.AlterField(
            model_name='reviewpointevent',
            name='kind',
            field=models.CharField(choices=[('decision', 'Decisions of the last review'), ('restated', 'Restated figures'), ('moved', 'What moved beyond normal variation'), ('benchmark', 'Benchmarks crossed'), ('objective', 'Objectives at risk'), ('check_in', 'Check-ins missing'), ('no_objective', 'Teams without a mandatory objective'), ('ticket', 'Overdue tickets'), ('delivery', 'Deliveries that miss their planned day'), ('other', 'Other points')], max_length=12),
        ),
        migrations.RunPython(add_section, migrations.RunPython.noop),
    ]
