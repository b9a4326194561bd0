"""A Django project with years of history, for legacy.lua: django.contrib.auth by Django's own
migrations, and a blog whose posts are deleted as an article tells, by a suffix to their titles.

    legacy_app.py FILE
"""
import datetime
import sys

import django
from django.conf import settings

settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": sys.argv[1]}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions"],
    SECRET_KEY="none",
    USE_TZ=True,
)
django.setup()

from django.contrib.auth.models import Group, Permission, User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, models  # noqa: E402


class Post(models.Model):
    deleted_at = models.DateTimeField(null=True, default=None)
    title = models.CharField(max_length=100, unique=True)
    content = models.TextField()
    author = models.ForeignKey(User, models.CASCADE)

    class Meta:
        app_label = "blog"
        db_table = "blog_post"

    def delete(self, at):
        """What the article's mixin does: the stamp, and the title made free."""
        self.deleted_at = at
        self.title = f"{self.title}__deleted_{at.timestamp()}"
        self.save()


def people():
    writers = Group.objects.create(name="writers")
    writers.permissions.set(Permission.objects.filter(codename__startswith="view"))
    for name in ("ana", "ben", "cleo", "dan"):
        user = User(username=name, email=f"{name}@example.org", first_name=name.title())
        user.set_unusable_password()
        user.save()
        if name != "dan":
            user.groups.add(writers)


def posts():
    """Two hundred posts; each fifth is deleted, and some titles were taken again since."""
    authors = list(User.objects.order_by("id"))
    start = datetime.datetime(2019, 3, 1, 12, 30, 15, 250000, tzinfo=datetime.timezone.utc)
    for i in range(200):
        post = Post.objects.create(title=f"Post {i}", content="…" * (i % 7), author=authors[i % 4])
        if i % 5 == 0:
            post.delete(start + datetime.timedelta(days=i, seconds=7 * i))
        if i % 15 == 0:
            Post.objects.create(title=f"Post {i}", content="again", author=authors[0])


call_command("migrate", verbosity=0)
with connection.schema_editor() as editor:
    editor.create_model(Post)
people()
posts()
