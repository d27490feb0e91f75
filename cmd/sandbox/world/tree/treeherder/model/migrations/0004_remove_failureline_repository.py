from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("model", "0003_text_log_step_name_null"),
    ]

    operations = [
        migrations.RemoveField(model_name="failureline", name="repository"),
    ]
