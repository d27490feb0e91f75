# Every operation of Django's that has a meaning of its own.
from django.contrib.postgres.operations import AddIndexConcurrently, TrigramExtension
from django.db import migrations, models
from django.db.migrations.operations import RemoveIndex


def fill(apps, schema_editor):
    """Says migrations.DeleteModel("Push"), but does not do it."""
    Job = apps.get_model("model", "Job")
    Job.objects.filter(guid="").delete()


class Migration(migrations.Migration):
    atomic = False
    run_before = [("perf", "0003_after")]
    dependencies = [
        ("model", "0001_initial"),
        ("perf", "0002_" "long"),  # one string in two parts
    ]

    operations = [
        migrations.RemoveField(model_name="job", name="guid"),
        migrations.RemoveField("job", "guid"),
        migrations.RemoveField(MODEL, "guid"),
        migrations.DeleteModel(name="Push"),
        migrations.RenameField(model_name="job", old_name="guid", new_name="uuid"),
        migrations.RenameModel("Push", new_name="Landing"),
        migrations.AlterField(
            model_name="job",
            name="guid",
            field=models.CharField(max_length=10),
        ),
        migrations.AddField("job", "note", models.TextField(null=True)),
        migrations.AddField("job", "state", models.CharField(default="", max_length=5)),
        migrations.AddField("job", "rank", models.IntegerField(null=False)),
        migrations.AddField("job", "rest", models.IntegerField(db_default=3)),
        migrations.AddField("job", "tags", models.ManyToManyField(to="model.Tag")),
        migrations.AddField("job", "may", models.IntegerField(null=NULLABLE)),
        migrations.AddField("job", "odd", models.IntegerField(**OPTIONS)),
        migrations.AddField("job", "own", OwnField()),
        migrations.AddIndex(model_name="job", index=models.Index(fields=["-guid"], name="job_guid_idx")),
        AddIndexConcurrently("job", models.Index("guid", name="job_guid_idx")),
        TrigramExtension(),
        RemoveIndex(model_name="job", name="job_guid_idx"),
        migrations.RenameIndex("job", new_name="job_b_idx", old_name="job_a_idx"),
        migrations.AddConstraint("job", models.UniqueConstraint(fields=["a"], name="job_a")),
        migrations.RemoveConstraint("job", "job_a"),
        migrations.AlterUniqueTogether(name="job", unique_together={("a", "b")}),
        migrations.AlterIndexTogether(name="job", index_together=set()),
        migrations.AlterModelTable(name="job", table="jobs"),
        migrations.AlterModelTable("job", None),
        migrations.AlterOrderWithRespectTo(name="job", order_with_respect_to="push"),
        migrations.AlterModelOptions(name="job", options={"ordering": ["id"]}),
        migrations.RunPython(fill),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.RunPython(migrations.RunPython.noop),
        migrations.RunPython(lambda apps, schema_editor: None),
    ]
