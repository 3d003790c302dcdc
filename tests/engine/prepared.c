/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Prepared weights in the user's cache: found again by the next process, never believed when they are of something else
 * or damaged. */
#include <glib/gstdio.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/image.h"
#include "core/model/model.h"
#include "core/sumi.h"
#include "core/tensor/eval.h"
#include "core/tensor/prepared-file.h"
#include "core/tensor/prepared.h"
#include "core/tensor/tensor.h"

static const char *const kind[] = { "twice", "test" };
static float numbers[40];
static int n_made;

static void
twice (SumiEval *ev, const SumiTensor *t, gpointer form, gconstpointer data)
{
  n_made++;
  for (gsize i = 0; i < sumi_tensor_count (t); i++)
    ((float *) form)[i] = 2 * sumi_tensor_f32 (t)[i];
}

/* One process: asks twice for the form of a tensor called @name. Returns: how often it was made. */
static int
use (const char *path, const char *identity, const char *name)
{
  g_autoptr (SumiPrepared) store = sumi_prepared_new ();
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
  SumiTensor t = { SUMI_DTYPE_F32, 1, { 40, 1, 1, 1 }, numbers, store };

  n_made = 0;
  sumi_prepared_keep (store, path, identity);
  sumi_prepared_name (store, numbers, name);
  for (int i = 0; i < 40; i++)
    numbers[i] = (float) i;
  for (int time = 0; time < 2; time++)
    {
      const float *form = sumi_prepared_get (ev, &t, kind, sizeof numbers, twice, NULL);

      g_assert_cmpuint ((gsize) form % 64, ==, 0);
      for (int i = 0; i < 40; i++)
        g_assert_cmpfloat (form[i], ==, 2 * i);
    }
  return n_made;
}

static void
remove_all (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir && (name = g_dir_read_name (dir)))
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);

      g_unlink (path);
    }
  g_rmdir (folder);
}

static void
test_kept (void)
{
  g_autofree char *folder = g_dir_make_tmp ("sumi-XXXXXX", NULL), *path = g_build_filename (folder, "a", "p", NULL);
  g_autofree char *inner = g_build_filename (folder, "a", NULL), *long_name = g_strnfill (300, 'x');

  g_assert_cmpint (use (path, "one", "w"), ==, 1);
  g_assert_cmpint (use (path, "one", "w"), ==, 0);
  g_assert_cmpint (use (path, "one", "v"), ==, 1); /* another tensor: added */
  g_assert_cmpint (use (path, "one", "w"), ==, 0);
  g_assert_cmpint (use (path, "one", "v"), ==, 0);
  g_assert_cmpint (use (path, "two", "w"), ==, 1); /* another model */
  g_assert_cmpint (use (path, "one", "w"), ==, 1);
  g_assert_cmpint (use (path, "one", long_name), ==, 1); /* not kept, no harm */
  g_assert_cmpint (use (path, "one", long_name), ==, 1);
  g_assert_cmpint (use ("/proc/none/p", "one", "w"), ==, 1); /* no place: no harm */
  remove_all (inner);
  g_rmdir (folder);
}

/* Cut anywhere or with any word changed, a file is refused or harmless: what it has lies inside. */
static void
test_damage (void)
{
  g_autofree char *folder = g_dir_make_tmp ("sumi-XXXXXX", NULL), *path = g_build_filename (folder, "p", NULL);
  g_autofree char *bytes = NULL;
  gsize length;

  use (path, "one", "w");
  g_assert_true (g_file_get_contents (path, &bytes, &length, NULL));
  for (gsize cut = 0; cut < length; cut += 7)
    {
      g_assert_true (g_file_set_contents (path, bytes, (gssize) cut, NULL));
      g_assert_null (sumi_prepared_file_open (path, "one"));
    }
  for (gsize at = 0; at + 4 <= length; at += 4)
    for (int value = 0; value < 3; value++)
      {
        g_autofree char *spoilt = g_memdup2 (bytes, length);
        const guint32 words[] = { 0, 0xffffffff, 0x10000 };
        g_autoptr (SumiPreparedFile) file = NULL;
        int n = 0;

        memcpy (spoilt + at, words + value, 4);
        g_assert_true (g_file_set_contents (path, spoilt, (gssize) length, NULL));
        file = sumi_prepared_file_open (path, "one");
        for (int i = 0; file && i < (sumi_prepared_file_get_entries (file, &n), n); i++)
          {
            const SumiPreparedEntry *e = sumi_prepared_file_get_entries (file, &n) + i;
            const guint8 *data = sumi_prepared_file_get_data (file, e);

            for (guint64 k = 0; k < e->size; k++)
              g_assert_true (data[k] <= 0xff); /* readable: else this crashes */
          }
      }
  remove_all (folder);
}

/* The shipped network gives the same bytes from prepared weights that it finds. */
static void
test_same (void)
{
  g_autofree char *folder = g_dir_make_tmp ("sumi-XXXXXX", NULL);
  g_autoptr (SumiImage) photo = sumi_image_new (48, 32, 3, NULL), first = NULL, second = NULL;
  const SumiEvidence evidence = { .picture = photo, .coarse = TRUE, .factor = 2, .guide_factor = 1 };
  const SumiPredict how = { .mean = TRUE, .churn = -1 };

  g_setenv ("SUMI_CACHE", folder, TRUE);
  for (int i = 0; i < 48 * 32 * 3; i++)
    photo->data[i] = (float) (i % 97) / 97;
  for (int time = 0; time < 2; time++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (SumiModel) model = sumi_model_load ("sumi-restore", &error);
      g_autoptr (SumiEval) ev = sumi_eval_new (sumi_backend_default (), NULL);
      SumiImage **to = time ? &second : &first;

      g_assert_no_error (error);
      *to = sumi_model_predict (model, ev, &evidence, &how, NULL, &error);
      g_assert_no_error (error);
    }
  {
    g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);

    g_assert_nonnull (g_dir_read_name (dir));
  }
  g_assert_cmpmem (first->data, sizeof (float) * 48 * 32 * 3, second->data, sizeof (float) * 48 * 32 * 3);
  remove_all (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/prepared/kept", test_kept);
  g_test_add_func ("/prepared/damage", test_damage);
  g_test_add_func ("/prepared/same", test_same);
  return g_test_run ();
}
