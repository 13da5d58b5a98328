from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("lms", "0002_enrollment")]

    operations = [
        migrations.AddField(
            model_name="enrollment", name="is_active", field=models.BooleanField(default=True)
        ),
        migrations.AddField(
            model_name="enrollment", name="mode", field=models.CharField(default="audit", max_length=100)
        ),
    ]
