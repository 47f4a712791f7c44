from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("integrations", "0074_cases_own_commits")]

    operations = [
        migrations.RemoveField(model_name="factchange", name="person_id"),
        migrations.RemoveField(model_name="factchange", name="owned_id"),
    ]
