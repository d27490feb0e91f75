from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Changelog",
            fields=[
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("date", models.DateTimeField(db_index=True)),
                ("description", models.CharField(max_length=255)),
            ],
            options={"db_table": "changelog_entry"},
        ),
    ]
