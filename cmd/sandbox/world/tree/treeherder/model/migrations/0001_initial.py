from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Push",
            fields=[
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("revision", models.CharField(max_length=40)),
                ("author", models.CharField(max_length=150)),
                ("time", models.DateTimeField(db_index=True)),
            ],
            options={"db_table": "push"},
        ),
    ]
