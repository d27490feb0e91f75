from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("model", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="BugJobMap",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("bug_id", models.PositiveIntegerField(db_index=True)),
                ("created", models.DateTimeField(auto_now_add=True)),
            ],
            options={"db_table": "bug_job_map"},
        ),
    ]
