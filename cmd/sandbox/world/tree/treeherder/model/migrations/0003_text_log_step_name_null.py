from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("model", "0002_add_bugjobmap_with_classification"),
    ]

    operations = [
        migrations.AlterField(
            model_name="textlogstep",
            name="name",
            field=models.CharField(max_length=200, null=True),
        ),
    ]
