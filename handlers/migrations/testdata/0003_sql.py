from django.db import migrations

DROP = """
    -- the tables of an app that is gone
    DROP TABLE seta_jobpriority;
"""
NOTHING = ""
if LATER:
    NOTHING = "DROP TABLE job"


class Migration(migrations.Migration):
    dependencies = [("model", "0002_everything")]

    operations = [
        migrations.RunSQL(DROP),
        migrations.RunSQL(sql="UPDATE job SET guid = 'drop it'", reverse_sql=migrations.RunSQL.noop),
        migrations.RunSQL(["DELETE FROM job WHERE id < 3", ("TRUNCATE %s", ["push"])], reverse_sql=""),
        migrations.RunSQL([("UPDATE job SET guid = %s", [1])]),
        migrations.RunSQL("ALTER TABLE job DROP COLUMN guid",
                          state_operations=[migrations.RemoveField("job", "guid")]),
        migrations.RunSQL("SELECT 1; SELECT 2 -- DROP TABLE job"),
        migrations.RunSQL("UPDATE a SET b = '-- /*'; /* DELETE FROM x */ DROP TABLE \"job\"", ""),
        migrations.RunSQL("/*!50000 DROP TABLE job */", ""),
        migrations.RunSQL(migrations.RunSQL.noop, "DROP TABLE job"),
        migrations.RunSQL(""),
        migrations.RunSQL(NOTHING),
        migrations.RunSQL(f"DROP TABLE {name}"),
        migrations.RunSQL(open("all.sql").read()),
        migrations.RunSQL("UPDATE job SET guid = NULL WHERE guid IN (SELECT guid FROM old_job WHERE id > 1000000)"),
    ]
