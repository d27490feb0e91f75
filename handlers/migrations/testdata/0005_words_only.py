"""
operations = [migrations.RemoveField("job", "guid")]
class Migration(migrations.Migration):
    operations = build()
"""
from django.db import migrations, models

# class Migration: operations = [migrations.DeleteModel("Push")]
TEXT = 'migrations.RunSQL("DROP TABLE job")'


class Migration(migrations.Migration):
    '''operations += [migrations.RemoveField("job", "guid")]'''

    dependencies = [("model", "0004_state")]
    operations = [
        # migrations.RemoveField("job", "guid"),
        migrations.AddField(
            "job", "hint",
            models.TextField(null=True, help_text="""Once it was
        ),
        migrations.RemoveField("job", "hint"),
    ]"""),
        ),
    ]
