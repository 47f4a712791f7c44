"""Rows of relations, kept by week and column: docs/decisions/0039."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('insights', '0001_squashed_0015_cells_without_constraints'),
    ]

    operations = [
        migrations.AddField(
            model_name='snapshotstate',
            name='columns_due_at',
            field=models.DateTimeField(help_text='Until then no rows are kept anew; null: at once.', null=True),
        ),
        migrations.CreateModel(
            name='KeptColumn',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('relation', models.CharField(max_length=80)),
                ('start', models.DateField(help_text='The Monday of the week.')),
                ('name', models.CharField(help_text='What it tells, with a hash of what it is computed from.', max_length=120)),
                ('rows', models.IntegerField()),
                ('kind', models.CharField(help_text='Of its numbers, as numpy names it.', max_length=4)),
                ('content', models.BinaryField(help_text='A number for each row, or one where all are the same.')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('relation', 'start', 'name'), name='kept_column_of_week_is_unique')],
            },
        ),
        # Numbers hardly shrink, and whoever reads them would wait.
        migrations.RunSQL(
            'ALTER TABLE insights_keptcolumn ALTER COLUMN content SET STORAGE EXTERNAL',
            migrations.RunSQL.noop,
        ),
    ]
