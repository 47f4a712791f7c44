"""Adds the sections that reviews have from now on to drafts that were created before."""

from django.db import migrations

PLACES = (("decided", "highlights"), ("bottlenecks", "dora"), ("trend", "bottlenecks"), ("next", "asks"))


def add_sections(apps, schema_editor):
    """Each right after its predecessor; frozen reviews stay as they are."""
    qbrs, sections = apps.get_model("programs", "Qbr"), apps.get_model("programs", "QbrSection")
    for qbr in qbrs.objects.filter(document=None):
        stored = {section.key: section for section in sections.objects.filter(qbr=qbr).order_by("position")}
        keys = list(stored)
        for key, after in PLACES:
            if key not in keys:
                keys.insert(keys.index(after) + 1 if after in keys else len(keys), key)
        for position, key in enumerate(keys):
            if key in stored:
                sections.objects.filter(pk=stored[key].pk).update(position=position)
            else:
                sections.objects.create(qbr=qbr, key=key, position=position)


class Migration(migrations.Migration):
    dependencies = [("programs", "0024_qbr_decisions")]
    operations = [migrations.RunPython(add_sections, migrations.RunPython.noop)]
