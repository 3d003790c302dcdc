/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Model files: good ones, damaged ones, truncated at every byte, and mutated at random. */
#include <math.h>

#include "core/base/arena.h"
#include "core/io/format.h"
#include "core/io/json.h"
#include "core/sumi.h"
#include "tests/engine/file.h"

static char *folder, *path;

static SumiWeights *
open_bytes (const GByteArray *bytes, GError **error)
{
  file_write (path, bytes->data, bytes->len);
  return sumi_weights_open (path, error);
}

/* A file of the header @json, padded by @spaces, and @n bytes of data. */
static GByteArray *
raw_file (const char *json, int spaces, gsize n)
{
  GByteArray *out = g_byte_array_new ();
  const guint64 length = GUINT64_TO_LE (strlen (json) + (gsize) spaces);

  g_byte_array_append (out, (const guint8 *) &length, 8);
  g_byte_array_append (out, (const guint8 *) json, (guint) strlen (json));
  for (int i = 0; i < spaces; i++)
    g_byte_array_append (out, (const guint8 *) " ", 1);
  for (gsize i = 0; i < n; i++)
    g_byte_array_append (out, (const guint8 *) &i, 1);
  return out;
}

static GByteArray *
good_file (void)
{
  static const float f32[] = { 1.5f, -2, 3, 4, 5, 6 };
  static const guint16 f16[] = { 0x3c00, 0xc000, 0x7bff }, bf16[] = { 0x3f80, 0xc000 };
  static const gint64 i64[] = { 7 };
  File f = file_new ();

  file_meta (&f, "{\"sumi.family\":\"none\",\"quote\":\"\\\"\\u00e9\\ud83d\\ude00\"}");
  file_add (&f, "a.weight", "F32", 2, (const int[]){ 2, 3 }, f32, sizeof f32);
  file_add (&f, "ids", "I64", 1, (const int[]){ 1 }, i64, sizeof i64);
  file_add (&f, "h", "F16", 1, (const int[]){ 3 }, f16, sizeof f16);
  file_add (&f, "b", "BF16", 1, (const int[]){ 2 }, bf16, sizeof bf16);
  file_add (&f, "scalar", "F16", 0, NULL, f16, 2);
  file_add (&f, "empty", "F32", 2, (const int[]){ 0, 5 }, f32, 0);
  file_add (&f, "deep", "F16", 5, (const int[]){ 1, 1, 1, 1, 1 }, f16, 2);
  return file_finish (&f);
}

static void
test_good (void)
{
  g_autoptr (GByteArray) bytes = good_file ();
  g_autoptr (GError) error = NULL;
  g_autoptr (SumiWeights) w = open_bytes (bytes, &error);
  g_autofree char *hash = NULL, *want = g_compute_checksum_for_data (G_CHECKSUM_SHA256, bytes->data, bytes->len);
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  const SumiTensor *t;

  g_assert_no_error (error);
  g_assert_cmpstr (sumi_weights_get_meta (w, "quote"), ==, "\"é😀");
  g_assert_null (sumi_weights_get_meta (w, "nothing"));
  g_assert_cmpuint (g_strv_length ((GStrv) sumi_weights_get_meta_keys (w)), ==, 2);
  /* integers and five dimensions are left out */
  g_assert_cmpuint (g_strv_length ((GStrv) sumi_weights_get_names (w)), ==, 5);
  g_assert_null (sumi_weights_find (w, "ids"));
  g_assert_null (sumi_weights_find (w, "deep"));

  t = sumi_weights_find (w, "a.weight");
  g_assert_true (t && t->n_dims == 2 && t->shape[0] == 2 && t->shape[1] == 3);
  g_assert_cmpfloat (sumi_tensor_f32 (t)[0], ==, 1.5);
  g_assert_cmpfloat (sumi_tensor_f32 (t)[5], ==, 6);
  t = sumi_tensor_to_f32 (arena, sumi_weights_find (w, "h"));
  g_assert_cmpfloat (sumi_tensor_f32 (t)[1], ==, -2);
  g_assert_cmpfloat (sumi_tensor_f32 (t)[2], ==, 65504);
  t = sumi_tensor_to_f32 (arena, sumi_weights_find (w, "b"));
  g_assert_cmpfloat (sumi_tensor_f32 (t)[0], ==, 1);
  g_assert_cmpint (sumi_weights_find (w, "scalar")->n_dims, ==, 0);
  g_assert_cmpuint (sumi_tensor_count (sumi_weights_find (w, "empty")), ==, 0);
  hash = sumi_weights_dup_hash (w);
  g_assert_cmpstr (hash, ==, want);
}

/* Headers of every length: the data may start at any byte, tensors are aligned all the same. */
static void
test_alignment (void)
{
  for (int spaces = 0; spaces < 8; spaces++)
    {
      g_autoptr (GByteArray) bytes = raw_file ("{\"x\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[1,9]},"
                                               "\"o\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}",
                                               spaces, 9);
      g_autoptr (GError) error = NULL;
      g_autoptr (SumiWeights) w = open_bytes (bytes, &error);
      const SumiTensor *x = w ? sumi_weights_find (w, "x") : NULL;
      const guint8 want[] = { 1, 2, 3, 4, 5, 6, 7, 8 };

      g_assert_no_error (error);
      g_assert_cmpuint ((gsize) x->data % 4, ==, 0);
      g_assert_cmpmem (x->data, 8, want, 8);
    }
}

typedef struct
{
  const char *json;
  gsize data;
  const char *says;
} Bad;

#define X(offsets) "\"x\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":" offsets "}"

static const Bad bad[] = {
  { "{" X ("[0,8]") "}", 7, "cut short" },
  { "{" X ("[0,8]") "}", 9, "belong to no tensor" },
  { "{" X ("[0,7]") "}", 7, "does not fit its shape" },
  { "{" X ("[8,0]") "}", 8, "ends before it begins" },
  { "{" X ("[0,8,8]") "}", 8, "expected 2" },
  { "{" X ("[0]") "}", 8, "expected 2" },
  { "{" X ("[-0,8]") "}", 8, "whole number" },
  { "{" X ("[0,8.0]") "}", 8, "whole number" },
  { "{" X ("[0,18446744073709551624]") "}", 8, "whole number" },
  { "{" X ("[18446744073709551608,18446744073709551616]") "}", 8, "whole number" },
  { "{" X ("[0,8]") "," X ("[8,16]") "}", 16, "twice" },
  { "{" X ("[0,8]") ",\"y\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8, "overlap" },
  { "{" X ("[0,8]") ",\"y\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[9,13]}}", 13, "gap" },
  { "{" X ("[0,8]") ",}", 8, "expected" },
  { "{" X ("[0,8]") "} x", 8, "unexpected" },
  { "{" X ("[0,8]"), 8, "ends" },
  { "{\"x\":{\"dtype\":\"F32\",\"shape\":[65536,65536,65536,65536],\"data_offsets\":[0,8]}}", 8, "counted" },
  { "{\"x\":{\"dtype\":\"F32\",\"shape\":[2147483648],\"data_offsets\":[0,8]}}", 8, "whole number" },
  { "{\"x\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904],\"data_offsets\":[0,0]}}", 0, "whole number" },
  { "{\"x\":{\"dtype\":\"F32\",\"shape\":2,\"data_offsets\":[0,8]}}", 8, "expected" },
  { "{\"x\":{\"dtype\":\"F33\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "F33" },
  { "{\"x\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "twice" },
  { "{\"x\":{\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "lacks" },
  { "{\"x\":null}", 0, "expected" },
  { "{\"__metadata__\":{\"a\":1}}", 0, "expected" },
  { "{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}", 0, "twice" },
  { "{\"__metadata__\":{},\"__metadata__\":{}}", 0, "twice" },
  { "{\"__metadata__\":{\"a\":\"\\u0000\"}}", 0, "escape" },
  { "{\"__metadata__\":{\"a\":\"\xff\"}}", 0, "UTF-8" },
  { "{\"a\":{\"b\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}}", 0, "deep" },
};

static void
test_bad (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GByteArray) bytes = raw_file (bad[i].json, 0, bad[i].data);
      g_autoptr (GError) error = NULL;
      g_autoptr (SumiWeights) w = open_bytes (bytes, &error);

      g_test_message ("%u: %s", i, error ? error->message : "read");
      g_assert_null (w);
      g_assert_error (error, SUMI_ERROR, SUMI_ERROR_FORMAT);
      g_assert_nonnull (strstr (error->message, bad[i].says));
      g_assert_nonnull (strstr (error->message, path));
    }
}

static void
test_not_models (void)
{
  static const char *const texts[] = { "", "x", "{\"a\": 1}", "\x89PNG\r\n\x1a\n and so on and on" };
  g_autofree char *none = g_build_filename (folder, "none.safetensors", NULL);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      file_write (path, (const guint8 *) texts[i], strlen (texts[i]));
      g_assert_null (sumi_weights_open (path, &error));
      g_assert_true (error && error->domain == SUMI_ERROR);
      g_clear_error (&error);
    }
  g_assert_null (sumi_weights_open (none, &error));
  g_assert_error (error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
  g_clear_error (&error);
  g_assert_null (sumi_weights_open (folder, &error));
  g_assert_nonnull (error);
  g_clear_error (&error);
  g_assert_null (sumi_weights_open ("/dev/zero", &error));
  g_assert_nonnull (error);
}

/* What was read lies in the file or in memory of its own. */
static void
check_open (SumiWeights *w)
{
  volatile guint8 sum = 0;

  for (const char *const *name = sumi_weights_get_names (w); *name; name++)
    {
      const SumiTensor *t = sumi_weights_find (w, *name);
      const gsize bytes = sumi_tensor_count (t) * sumi_dtype_size (t->dtype);
      const guint8 *p = t->data;

      g_assert_true (g_ptr_array_find (w->copies, p, NULL) ||
                     (p >= w->bytes && bytes <= w->length && p <= w->bytes + w->length - bytes));
      for (gsize i = 0; i < bytes; i++)
        sum += p[i];
    }
}

static void
test_truncated (void)
{
  g_autoptr (GByteArray) bytes = good_file ();

  for (guint n = 0; n < bytes->len; n++)
    {
      g_autoptr (GError) error = NULL;

      file_write (path, bytes->data, n);
      g_assert_null (sumi_weights_open (path, &error));
      g_assert_true (error && error->domain == SUMI_ERROR);
    }
}

static guint32
number (guint32 round, guint32 which)
{
  guint32 out[4];

  sumi_random_bits (20, 0, (const guint32[]){ round, which, 0 }, out);
  return out[0];
}

/* Some rounds change digits and punctuation only, to get past the first checks. */
static void
test_mutated (void)
{
  static const char likely[] = "0123456789{}[]\",:\\eE-. ";
  g_autoptr (GByteArray) bytes = good_file ();
  int opened = 0;

  for (guint32 round = 0; round < 3000; round++)
    {
      g_autofree guint8 *copy = g_memdup2 (bytes->data, bytes->len);
      const guint32 changes = 1 + number (round, 0) % 3;
      g_autoptr (SumiWeights) w = NULL;
      g_autoptr (GError) error = NULL;

      for (guint32 i = 0; i < changes; i++)
        {
          const guint32 at = number (round, 3 * i + 1) % bytes->len, v = number (round, 3 * i + 2);

          copy[at] = round % 3 ? (guint8) likely[v % (sizeof likely - 1)] : (guint8) v;
        }
      file_write (path, copy, bytes->len);
      w = sumi_weights_open (path, &error);
      if (w)
        {
          check_open (w);
          opened++;
        }
      else
        g_assert_true (error && error->domain == SUMI_ERROR);
    }
  g_test_message ("%d of 3000 mutations could be read", opened);
  g_assert_cmpint (opened, >, 0); /* changes of the data alone are no damage that can be seen */
  g_assert_cmpint (opened, <, 2000);
}

/* ---- JSON ------------------------------------------------------------- */

static gboolean
accepts (const char *text)
{
  SumiJson json;

  sumi_json_init (&json, text, strlen (text));
  sumi_json_skip (&json);
  return sumi_json_finish (&json, NULL);
}

static void
test_json (void)
{
  static const char *const right[] = { "0",    "-0",   "1.5e-3", "[]",    " [ 1 , 2 ] ", "{}", "{\"a\":[{}]}",
                                       "\"\"", "null", "true",   "false", "1E+9" };
  static const char *const wrong[] = { "",         " ",           "01",          "+1",          "1.",     ".5",
                                       "1e",       "-",           "[1,]",        "[,1]",        "[1 2]",  "{\"a\"}",
                                       "{\"a\":}", "{a:1}",       "{\"a\":1,}",  "nul",         "truex",  "\"",
                                       "\"\\x\"",  "\"\\ud800\"", "\"\\udc00\"", "\"\\u12g4\"", "\"\t\"", "1 1",
                                       "]",        "}",           "[}",          "{]",          "'a'",    "NaN",
                                       "Infinity", "// x\n1" };
  SumiJson json;

  for (guint i = 0; i < G_N_ELEMENTS (right); i++)
    {
      g_test_message ("%s", right[i]);
      g_assert_true (accepts (right[i]));
    }
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_test_message ("%s", wrong[i]);
      g_assert_false (accepts (wrong[i]));
    }

  sumi_json_init (&json, "1e999", 5);
  g_assert_cmpfloat (sumi_json_number (&json), ==, 0);
  g_assert_false (sumi_json_finish (&json, NULL));
  sumi_json_init (&json, "9223372036854775807", 19);
  g_assert_cmpuint (sumi_json_whole (&json, G_MAXINT64), ==, G_MAXINT64);
  g_assert_true (sumi_json_finish (&json, NULL));
  sumi_json_init (&json, "9223372036854775808", 19);
  g_assert_cmpuint (sumi_json_whole (&json, G_MAXINT64), ==, 0);
  g_assert_false (sumi_json_finish (&json, NULL));
}

/* A value cut out of the middle of a text: nothing behind its end is read. */
static void
test_json_bounds (void)
{
  static const char text[] = "{\"key\":[12,true,\"s\\u00e9\",null,-1.5e3]}";

  for (gsize n = 0; n < sizeof text - 1; n++)
    {
      g_autofree char *exact = g_memdup2 (text, n);
      SumiJson json;

      sumi_json_init (&json, n ? exact : "", n);
      sumi_json_skip (&json);
      g_assert_false (sumi_json_finish (&json, NULL));
    }
  g_assert_true (accepts (text));
}

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  folder = g_dir_make_tmp (NULL, NULL);
  path = g_build_filename (folder, "model.safetensors", NULL);
  g_test_add_func ("/weights/good", test_good);
  g_test_add_func ("/weights/alignment", test_alignment);
  g_test_add_func ("/weights/bad", test_bad);
  g_test_add_func ("/weights/not-models", test_not_models);
  g_test_add_func ("/weights/truncated", test_truncated);
  g_test_add_func ("/weights/mutated", test_mutated);
  g_test_add_func ("/json/grammar", test_json);
  g_test_add_func ("/json/bounds", test_json_bounds);
  result = g_test_run ();
  g_remove (path);
  g_rmdir (folder);
  g_free (path);
  g_free (folder);
  return result;
}
