"""A Django application with the soft delete of the article "How to implement
soft delete in Django", for django_spec.lua to talk to.

Each line of the input is a JSON list: the path of an SQLite file, then calls, each
[name, argument ...]. It is answered by a line with the JSON list of what they
return, or by the text of what went wrong.
"""
import datetime
import json
import sys
import traceback
from unittest import mock

import django
from django.conf import settings

settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3"}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    USE_TZ=True,
)
django.setup()

from django.db import IntegrityError, connection, models  # noqa: E402
from django.db.models import Q  # noqa: E402
from django.utils import timezone  # noqa: E402

# ---- the article's code, as it stands there --------------------------------------
# with one change: its loops skip the primary key. Django counts a primary key as
# unique, so that `delete` would set the integer id to "1__deleted_…" and fail, and
# `restore` would look for "__deleted_" in a number.


class SoftDeletableManager(models.Manager):
    def get_queryset(self):
        return super().get_queryset().filter(deleted_at__isnull=True)


class SoftDeletableModel(models.Model):
    deleted_at = models.DateTimeField(null=True, default=None)
    objects = SoftDeletableManager()
    all_objects = models.Manager()

    class Meta:
        abstract = True

    def delete(self):
        self.deleted_at = timezone.now()
        for field in self._meta.fields:
            if field.primary_key:
                continue
            if field.unique and getattr(self, field.name):
                current_value = getattr(self, field.name)
                setattr(
                    self,
                    field.name,
                    f"{current_value}__deleted_{self.deleted_at.timestamp()}",
                )
        self.save()

    def restore(self):
        for field in self._meta.fields:
            if field.primary_key:
                continue
            if field.unique and getattr(self, field.name):
                current_value = getattr(self, field.name)
                if "__deleted_" in current_value:
                    original_value = current_value.split("__deleted_")[0]
                    exists_query = Q(**{field.name: original_value})
                    if self.__class__.objects.filter(exists_query).exists():
                        raise IntegrityError(
                            f"Cannot restore record - {field.name} with value '{original_value}' already exists"
                        )

                    setattr(self, field.name, original_value)

        self.deleted_at = None
        self.save()


class Post(SoftDeletableModel):
    # unique, unlike in the article's last step: else nothing would be mangled
    title = models.CharField(max_length=100, unique=True)
    content = models.TextField()

    class Meta:
        app_label = "blog"
        db_table = "blog_post"


# ---- the calls -------------------------------------------------------------------

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
SECOND = datetime.timedelta(seconds=1)
MICROSECOND = datetime.timedelta(microseconds=1)


def show(post):
    """The row as the database has it; a stamp as whole microseconds, or False."""
    post = Post.all_objects.get(pk=post.pk)
    stamp = post.deleted_at
    return {
        "id": post.pk,
        "title": post.title,
        "content": post.content,
        "deleted": stamp is not None and (stamp - EPOCH) // MICROSECOND,
    }


def make_tables():
    with connection.schema_editor() as editor:
        editor.create_model(Post)


def create(title, content="…"):
    return show(Post.objects.create(title=title, content=content))


def delete(pk, seconds, microseconds=0):
    """Deletes at that instant."""
    now = EPOCH + seconds * SECOND + microseconds * MICROSECOND
    post = Post.objects.get(pk=pk)
    with mock.patch.object(timezone, "now", return_value=now):
        post.delete()
    return show(post)


def restore(pk):
    """The restored row, or the words of the refusal."""
    post = Post.all_objects.get(pk=pk)
    try:
        post.restore()
    except IntegrityError as error:
        return str(error)
    return show(post)


def rows(manager):
    return [show(post) for post in getattr(Post, manager).order_by("pk")]


CALLS = {f.__name__: f for f in (make_tables, create, delete, restore, rows)}


def answer(path, *calls):
    connection.settings_dict["NAME"] = path
    try:
        return [CALLS[name](*arguments) for name, *arguments in calls]
    except Exception:
        return traceback.format_exc()
    finally:
        connection.close()  # the next call finds the file as another program left it


def main():
    for line in sys.stdin:
        print(json.dumps(answer(*json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
