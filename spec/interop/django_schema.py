"""Makes the database of a Django project with Django's own applications and one
with fields of all kinds, for django_schema_spec.lua to read: its path is the argument.
"""
import sys

import django
from django.conf import settings

APPS = ["admin", "auth", "contenttypes", "messages", "redirects", "sessions", "sites", "flatpages"]

settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": sys.argv[1]}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=["django.contrib." + app for app in APPS],
    USE_TZ=True,
    SECRET_KEY="unsafe, and not needed",
    SILENCED_SYSTEM_CHECKS=["admin.E403", "admin.E408", "admin.E409", "admin.E410"],
)
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, models  # noqa: E402
from django.db.models.functions import Lower  # noqa: E402


class Shelf(models.Model):
    name = models.CharField("the name", max_length=100, unique=True, db_collation="nocase")
    note = models.TextField(blank=True, null=True, default="it's \"quoted\" (so)")
    parent = models.ForeignKey("self", models.CASCADE, null=True, db_index=False)

    class Meta:
        app_label = "library"
        db_table = 'the shelf'


class Book(models.Model):
    code = models.UUIDField(primary_key=True)
    shelf = models.ForeignKey(Shelf, models.SET_NULL, null=True, db_column="order")
    twin = models.OneToOneField("self", models.DO_NOTHING, null=True)
    pages = models.PositiveIntegerField()
    price = models.DecimalField(max_digits=8, decimal_places=2)
    data = models.JSONField()
    made = models.DateTimeField(db_index=True)
    raw = models.BinaryField(null=True)
    others = models.ManyToManyField(Shelf, related_name="others")

    class Meta:
        app_label = "library"
        unique_together = [("shelf", "pages")]
        constraints = [
            models.CheckConstraint(check=models.Q(pages__gt=0) | models.Q(raw=None), name="is it (sound)"),
            models.UniqueConstraint(
                fields=["price"], condition=models.Q(raw__isnull=False), name="one price"
            ),
        ]
        indexes = [
            models.Index(fields=["shelf", "-made"], name="latest"),
            models.Index(Lower("code").desc(), "pages", name="by_lower"),
            models.Index(fields=["made"], name="thick", condition=models.Q(pages__gt=3)),
        ]


call_command("migrate", verbosity=0)
with connection.schema_editor() as editor:
    editor.create_model(Shelf)
    editor.create_model(Book)
    size = models.IntegerField(default=7)
    size.set_attributes_from_name("size")
    size.model = Shelf
    editor.add_field(Shelf, size)
print("made")
