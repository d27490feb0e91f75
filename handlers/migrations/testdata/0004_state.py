from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("model", "0003_sql")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL("ALTER TABLE job MODIFY id bigint", migrations.RunSQL.noop),
                migrations.SeparateDatabaseAndState([migrations.DeleteModel("Push")]),
            ],
            state_operations=[
                migrations.RemoveField(model_name="job", name="guid"),
            ],
        ),
        # The table is there already: only Django learns of it.
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.CreateModel(name="Old", fields=[])],
        ),
        migrations.AddField("old", "size", models.IntegerField()),
        migrations.SeparateDatabaseAndState(database_operations=operations_of_today()),
        migrations.SeparateDatabaseAndState(None, [migrations.DeleteModel("Job")]),
        migrations.SeparateDatabaseAndState(**both),
    ]
