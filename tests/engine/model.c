/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finding, loading and naming models; what is said of files that are none. */
#include <string.h>

#include "core/sumi.h"
#include "tests/engine/file.h"

static char *folder; /* .../models, searched */

static char *
in_folder (const char *name)
{
  return g_build_filename (folder, name, NULL);
}

static GByteArray *
shipped (void)
{
  g_autofree char *path = g_build_filename (g_getenv ("SUMI_DATA"), "models", "sumi-restore.safetensors", NULL);
  g_autoptr (GError) error = NULL;
  char *text;
  gsize n;

  g_file_get_contents (path, &text, &n, &error);
  g_assert_no_error (error);
  return g_byte_array_new_take ((guint8 *) text, n);
}

static void
test_find (void)
{
  g_autofree char *path = g_build_filename (g_getenv ("SUMI_DATA"), "models", "sumi-restore.safetensors", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (SumiModel) by_name = sumi_model_load ("sumi-restore", &error), by_path = sumi_model_load (path, NULL);
  g_autofree char *id = NULL, *same = NULL, *whole = NULL;

  g_assert_no_error (error);
  g_assert_cmpstr (by_name->family->key, ==, "restore");
  id = sumi_model_dup_id (by_name);
  same = sumi_model_dup_id (by_path);
  whole = sumi_weights_dup_hash (by_name->weights);
  g_assert_true (g_str_has_prefix (id, "sumi-restore sha256:"));
  g_assert_cmpuint (strlen (id), ==, strlen ("sumi-restore sha256:") + 12);
  g_assert_true (g_str_has_prefix (whole, id + strlen ("sumi-restore sha256:")));
  g_assert_cmpstr (id, ==, same);
}

/* Families without weights are models; a copy in an added folder is found and listed. */
static void
test_list (void)
{
  g_autofree char *copy = in_folder ("mine.safetensors"), *other = in_folder ("notes.txt");
  g_autoptr (GByteArray) bytes = shipped ();
  g_autoptr (SumiModel) mine = NULL;
  g_auto (GStrv) names = NULL;

  file_write (copy, bytes->data, bytes->len);
  file_write (other, bytes->data, 3);
  mine = sumi_model_load ("mine", NULL);
  g_assert_cmpstr (mine->path, ==, copy);
  names = sumi_models_list ();
  g_assert_true (g_strv_contains ((const char *const *) names, "mine"));
  g_assert_true (g_strv_contains ((const char *const *) names, "sumi-restore"));
  g_assert_false (g_strv_contains ((const char *const *) names, "notes"));
  for (int i = 0; sumi_families ()[i]; i++)
    {
      const SumiFamilyClass *family = sumi_families ()[i];
      g_autoptr (SumiModel) model = NULL;

      g_assert_true (sumi_family_find (family->key) == family);
      if (family->needs_weights)
        continue;
      g_assert_true (g_strv_contains ((const char *const *) names, family->key));
      model = sumi_model_load (family->key, NULL);
      g_assert_true (model && model->family == family);
    }
  g_remove (copy);
  g_remove (other);
}

static void
test_missing (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (sumi_model_load ("no-such-model", &error));
  g_assert_error (error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
  g_assert_nonnull (strstr (error->message, "no-such-model"));
  g_assert_nonnull (strstr (error->message, folder));
  g_clear_error (&error);
  g_assert_null (sumi_model_load ("/nowhere/x.safetensors", &error));
  g_assert_error (error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
  g_clear_error (&error);
  g_assert_null (sumi_model_load (folder, &error));
  g_assert_nonnull (error);
  g_clear_error (&error);
  g_assert_null (sumi_model_load ("", &error));
  g_assert_nonnull (error);
}

static void
test_broken (void)
{
  g_autofree char *path = in_folder ("broken.safetensors");
  g_autoptr (GByteArray) bytes = shipped ();
  const gsize lengths[] = { 0, 5, 8, 100, 9216, 9217, bytes->len / 2, bytes->len - 1 };
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
    {
      file_write (path, bytes->data, lengths[i]);
      g_assert_null (sumi_model_load ("broken", &error));
      g_assert_true (error && error->domain == SUMI_ERROR);
      g_assert_nonnull (strstr (error->message, "broken.safetensors"));
      g_clear_error (&error);
    }
  g_remove (path);
}

/* A good file of somebody else's model. */
static void
test_foreign (void)
{
  static const float values[] = { 1, 2 };
  g_autofree char *path = in_folder ("foreign.safetensors");
  g_autoptr (GByteArray) bytes = NULL;
  g_autoptr (GError) error = NULL;
  File f = file_new ();

  file_meta (&f, "{\"sumi.family\":\"oracle\"}");
  file_add (&f, "w", "F32", 1, (const int[]){ 2 }, values, sizeof values);
  bytes = file_finish (&f);
  file_write (path, bytes->data, bytes->len);
  g_assert_null (sumi_model_load (path, &error));
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "oracle"));
  g_remove (path);
}

/* A model of the family whose config or tensors do not hold together: every damage to the text of the header is an
 * error or changes nothing that matters, never a crash. */
static void
test_mutated (void)
{
  g_autofree char *path = in_folder ("mutated.safetensors");
  g_autoptr (GByteArray) bytes = shipped ();
  const char *config = g_strstr_len ((const char *) bytes->data + 8, 9000, "sumi.config");
  const gsize from = (gsize) (config - (const char *) bytes->data);
  int loaded = 0;

  for (guint32 round = 0; round < 60; round++)
    {
      guint32 r[4];
      guint8 saved;
      g_autoptr (SumiModel) model = NULL;
      g_autoptr (GError) error = NULL;

      sumi_random_bits (3, 0, (const guint32[]){ round, 0, 0 }, r);
      saved = bytes->data[from + r[0] % 220];
      bytes->data[from + r[0] % 220] = (guint8) "0123456789,[]{}:-."[r[1] % 18];
      file_write (path, bytes->data, bytes->len);
      bytes->data[from + r[0] % 220] = saved;
      model = sumi_model_load (path, &error);
      loaded += model != NULL;
      g_assert_true (model || (error && error->domain == SUMI_ERROR));
    }
  g_test_message ("%d of 60 load", loaded);
  g_remove (path);
}

int
main (int argc, char **argv)
{
  g_autofree char *top = g_dir_make_tmp (NULL, NULL);
  int result;

  g_test_init (&argc, &argv, NULL);
  folder = g_build_filename (top, "models", NULL);
  g_assert_cmpint (g_mkdir (folder, 0700), ==, 0);
  sumi_models_add_folder (folder);
  g_test_add_func ("/model/find", test_find);
  g_test_add_func ("/model/list", test_list);
  g_test_add_func ("/model/missing", test_missing);
  g_test_add_func ("/model/broken", test_broken);
  g_test_add_func ("/model/foreign", test_foreign);
  g_test_add_func ("/model/mutated", test_mutated);
  result = g_test_run ();
  g_rmdir (folder);
  g_rmdir (top);
  g_free (folder);
  return result;
}
