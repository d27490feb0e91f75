from django.db import migrations as m
from django.db.migrations import Migration as Base, CreateModel


class Migration(Base):
    replaces = [("model", "0002_a"), ("model", "0003_b")]; atomic = True
    dependencies: list[tuple[str, str]] = [
        ("model", "0001_initial"),
    ]

    operations: list = (
        CreateModel("New", [], options={"db_table": "new"}),
        m.AddField(
            "New", "size",
            field=m.models.IntegerField()),
        m.DeleteModel("Push"), \
        m.CreateModel("Push", []),
        m.AddField("push", "size", field=m.models.IntegerField()),
    )
