"""The five objectives of the method, to begin from."""

from django.db import migrations

from programs.objective_templates import BUILT_IN


def add_built_in(apps, schema_editor):
    templates = apps.get_model("programs", "ObjectiveTemplate")
    outcomes = apps.get_model("programs", "TemplateKeyResult")
    for position, template in enumerate(BUILT_IN, start=1):
        added, is_new = templates.objects.get_or_create(
            slug=template.slug,
            defaults={
                "name": template.title,
                "meaning": template.meaning,
                "title": template.title,
                "description": template.description,
                "position": position * 10,
            },
        )
        if is_new:
            outcomes.objects.bulk_create(
                outcomes(
                    template=added,
                    position=number,
                    title=outcome.title,
                    metric=outcome.metric,
                    unit_of_measure=outcome.unit_of_measure,
                    better=outcome.better,
                    target_kind=outcome.target_kind,
                    change_percent=outcome.change_percent,
                    target=outcome.target,
                )
                for number, outcome in enumerate(template.outcomes)
            )


class Migration(migrations.Migration):
    dependencies = [("programs", "0008_objective_measures")]

    operations = [migrations.RunPython(add_built_in, migrations.RunPython.noop)]
