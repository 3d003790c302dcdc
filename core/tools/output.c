/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/tools/output.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct SumiOutput
{
  char *path, *target, *temporary;
  gboolean committed;
};

static GMutex mutex;
static GList *pending; /* of SumiOutput */

static gboolean
fail (GError **error, const char *path, int code)
{
  g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (code), _ ("“%s” cannot be written: %s"), path,
               g_strerror (code));
  return FALSE;
}

/* A link stays a link: what it points to is replaced. */
static char *
resolve (const char *path)
{
  char *real = realpath (path, NULL);
  char *copy = g_strdup (real ? real : path);

  free (real);
  return copy;
}

static mode_t
wanted_mode (const char *target)
{
  struct stat st;
  mode_t mask;

  if (! stat (target, &st))
    return st.st_mode & 0777;
  mask = umask (0);
  umask (mask);
  return 0666 & ~mask;
}

SumiOutput *
sumi_output_new (const char *path, GError **error)
{
  g_autoptr (SumiOutput) self = g_new0 (SumiOutput, 1);
  g_autofree char *folder = NULL;
  const char *dot = strrchr (path, '.');
  struct stat st;
  int file;

  self->path = g_strdup (path);
  self->target = resolve (path);
  if (! stat (self->target, &st))
    {
      if (S_ISDIR (st.st_mode))
        return fail (error, path, EISDIR), NULL;
      if (! S_ISREG (st.st_mode))
        {
          g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_INVAL, _ ("“%s” is not a plain file: give the name of one"),
                       path);
          return NULL;
        }
      if (access (self->target, W_OK))
        return fail (error, path, errno), NULL;
    }
  folder = g_path_get_dirname (self->target);
  self->temporary = g_strdup_printf ("%s/.sumi-XXXXXX%s", folder, dot ? dot : "");
  g_mutex_lock (&mutex);
  file = mkstemps (self->temporary, dot ? (int) strlen (dot) : 0);
  if (file >= 0)
    pending = g_list_prepend (pending, self);
  g_mutex_unlock (&mutex);
  if (file < 0)
    {
      fail (error, path, errno);
      g_clear_pointer (&self->temporary, g_free);
      return NULL;
    }
  if (fchmod (file, wanted_mode (self->target)))
    g_debug ("fchmod: %s", g_strerror (errno)); /* some file systems have no modes */
  close (file);
  return g_steal_pointer (&self);
}

void
sumi_output_free (SumiOutput *self)
{
  if (! self)
    return;
  g_mutex_lock (&mutex);
  if (self->temporary && ! self->committed)
    g_unlink (self->temporary);
  pending = g_list_remove (pending, self);
  g_mutex_unlock (&mutex);
  g_free (self->path);
  g_free (self->target);
  g_free (self->temporary);
  g_free (self);
}

const char *
sumi_output_get_path (const SumiOutput *self)
{
  return self->path;
}

const char *
sumi_output_get_temporary (const SumiOutput *self)
{
  return self->temporary;
}

gboolean
sumi_output_commit (SumiOutput *self, GError **error)
{
  gboolean ok;

  g_mutex_lock (&mutex);
  ok = ! g_rename (self->temporary, self->target);
  if (ok)
    {
      self->committed = TRUE;
      pending = g_list_remove (pending, self);
    }
  g_mutex_unlock (&mutex);
  return ok || fail (error, self->path, errno);
}

void
sumi_output_remove_all (void)
{
  g_mutex_lock (&mutex);
  for (GList *l = pending; l; l = l->next)
    g_unlink (((SumiOutput *) l->data)->temporary);
  g_mutex_unlock (&mutex);
}

int
sumi_output_open_scratch (const char *path, gint64 size, GError **error)
{
  g_autofree char *target = resolve (path), *folder = g_path_get_dirname (target);
  g_autofree char *name = g_build_filename (folder, ".sumi-XXXXXX", NULL);
  int file = mkstemp (name);

  if (file < 0)
    return fail (error, path, errno), -1;
  /* nothing is left behind even if the program is killed */
  g_unlink (name);
  fcntl (file, F_SETFD, FD_CLOEXEC);
  if ((fallocate (file, 0, 0, MAX (size, 1)) && (errno == ENOSPC || errno == EFBIG || errno == EDQUOT)) ||
      ftruncate (file, size))
    {
      const int code = errno;

      close (file);
      if (code == ENOSPC || code == EFBIG || code == EDQUOT)
        {
          g_autofree char *text = g_format_size ((guint64) size);

          g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (code),
                       _ ("“%s” cannot be written: its folder has no room for %s of working space"), path, text);
        }
      else
        fail (error, path, code);
      return -1;
    }
  return file;
}
