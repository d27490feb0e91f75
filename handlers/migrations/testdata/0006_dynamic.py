from django.db import migrations, models
from treeherder.operations import AddIndex, DropEverything


class RenameIndex(migrations.RemoveField):
    pass


class Migration(migrations.Migration):
    dependencies = [("model", "0005_words_only")] + more()
    replaces = [("model", "0001_" + str(n)) for n in range(3)]

    operations = [
        migrations.AddIndex("job", models.Index(fields=["a"], name="a")),
        *others,
        [migrations.AddField("job", n, models.IntegerField(null=True)) for n in "ab"][0],
        migrations.CreateModel("A", []) if X else migrations.DeleteModel("A"),
        migrations.AddField(*args),
        one,
        AddIndex("job", "a"),
        DropEverything("all"),
        RenameIndex("job", new_name="b", old_name="a"),
        unknown.CreateModel("A"),
    ] + [migrations.CreateModel("B", [])] + some()


Migration.operations.append(migrations.DeleteModel("Push"))
