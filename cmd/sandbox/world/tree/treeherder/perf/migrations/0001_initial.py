from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("model", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="PerformanceSignature",
            fields=[
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("signature_hash", models.CharField(max_length=40)),
                ("suite", models.CharField(max_length=80)),
                ("test", models.CharField(blank=True, max_length=80)),
            ],
            options={"db_table": "performance_signature"},
        ),
    ]
