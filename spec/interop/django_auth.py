"""Makes the tables of django.contrib.auth in the SQLite file that is named, by Django's own
migrations, with a user, a group and a few rows that point to them.
"""
import sys

import django
from django.conf import settings

settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": sys.argv[1]}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[
        "django.contrib.contenttypes",
        "django.contrib.auth",
        "django.contrib.sessions",
    ],
    SECRET_KEY="none",
    USE_TZ=True,
)
django.setup()

from django.contrib.auth.models import Group, Permission, User  # noqa: E402
from django.core.management import call_command  # noqa: E402

call_command("migrate", verbosity=0)
ana = User.objects.create_user("ana", "ana@example.org", "secret")
editors = Group.objects.create(name="editors")
editors.permissions.set(Permission.objects.all()[:3])
ana.groups.add(editors)
User.objects.create_user("ben", "ben@example.org", "secret")
