/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables of errors: what is measured of a denoiser whose errors are known, the file beside a model, hostile text, and
 * what models say of schedules that need a table. */
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/diffusion/denoiser.h"
#include "core/model/measure.h"
#include "core/ops/ops.h"
#include "core/sumi.h"
#include "tests/engine/file.h"

static char *folder; /* .../models, searched */

/* ---- measuring -------------------------------------------------------- */

#define STD 0.5

static SumiTensor *
gaussian_denoise (SumiDenoiser *self, SumiEval *ev, SumiTensor *x, double sigma)
{
  return sumi_lincomb (ev, STD * STD / (STD * STD + sigma * sigma), x, 0, NULL, 0, NULL, NULL);
}

/* The left half is known. */
static void
half_project (SumiDenoiser *self, SumiEval *ev, SumiTensor *x)
{
  for (int y = 0; y < x->shape[1]; y++)
    for (int i = 0; i < x->shape[2] / 2 * 3; i++)
      sumi_tensor_f32 (x)[y * x->shape[2] * 3 + i] = 0;
}

/* E (x0 − D)² of Gaussian data is s²σ²/(s² + σ²), per value that is open. */
static void
test_measure (void)
{
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL);
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  SumiDenoiser denoiser = { .denoise = gaussian_denoise, .project = half_project };
  SumiTensor *x0 = sumi_tensor_new (arena, SUMI_DTYPE_F32, 4, (const int[]){ 1, 96, 192, 3 });
  const double sigmas[] = { 0.05, 0.3, 1, 4 };
  double errors[4];
  SumiMeasure measure = { .n = 4, .sigmas = sigmas, .errors = errors };

  sumi_noise_fill (ev, x0, 99, 7, 0, 0);
  sumi_lincomb (ev, STD, x0, 0, NULL, 0, NULL, x0);
  half_project (&denoiser, ev, x0);
  g_assert_true (sumi_measure_run (&measure, &denoiser, ev, x0, 5, NULL, NULL));
  for (int i = 0; i < 4; i++)
    {
      const double exact = pow (STD * sigmas[i], 2) / (STD * STD + sigmas[i] * sigmas[i]);

      g_test_message ("σ = %g: %.6f, exactly %.6f", sigmas[i], errors[i], exact);
      g_assert_cmpfloat (fabs (errors[i] / exact - 1), <, 0.04); /* 27,648 values: 0.85 % of standard error */
    }
}

/* ---- the file --------------------------------------------------------- */

static char *
in_folder (const char *name)
{
  return g_build_filename (folder, name, NULL);
}

static const double sigma[] = { 0.1, 1, 10 }, wrong[] = { 0.01, 0.3, 0.9 }, twice[] = { 0.02, 0.6, 1.8 };

static char *
sample_text (void)
{
  g_autoptr (SumiErrorsFile) file = sumi_errors_file_new ();

  sumi_errors_file_set (file, SUMI_EVIDENCE_COARSE, 2, 3, sigma, wrong);
  sumi_errors_file_set (file, SUMI_EVIDENCE_COARSE, 8, 2, sigma, wrong);
  sumi_errors_file_set (file, SUMI_EVIDENCE_GREY, 1, 3, sigma, wrong);
  sumi_errors_file_set (file, SUMI_EVIDENCE_GREY, 1, 3, sigma, twice); /* takes its place */
  return sumi_errors_file_dup_text (file, "a \"model\"");
}

static void
test_round_trip (void)
{
  g_autofree char *path = in_folder ("a.errors.json"), *text = sample_text (), *named = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (SumiErrorsFile) file = NULL;
  SumiEvidence evidence = { .coarse = TRUE, .factor = 3 };
  SumiErrorTable table;
  int n;

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  file = sumi_errors_file_load (path, &error);
  g_assert_no_error (error);
  sumi_errors_file_get (file, &n);
  g_assert_cmpint (n, ==, 3);
  g_assert_true (sumi_errors_file_find (file, &evidence, &table));
  g_assert_cmpint (table.n, ==, 3); /* factor 2 is nearer to 3 than 8 is */
  g_assert_cmpfloat (fabs (table.error[1] - 0.3), <, 1e-12);
  evidence.factor = 5;
  g_assert_true (sumi_errors_file_find (file, &evidence, &table));
  g_assert_cmpint (table.n, ==, 2);
  evidence = (SumiEvidence){ .factor = 1, .grey = (gpointer) &evidence };
  g_assert_true (sumi_errors_file_find (file, &evidence, &table));
  g_assert_cmpfloat (table.error[2], ==, 1.8);
  evidence.missing = (gpointer) &evidence; /* there is no table of the kind: any is better than none */
  g_assert_true (sumi_errors_file_find (file, &evidence, &table));
  named = sumi_errors_file_dup_path ("/a/b.safetensors");
  g_assert_cmpstr (named, ==, "/a/b.errors.json");
  g_remove (path);
}

/* Models may be called anything that a file may. */
static void
test_names (void)
{
  static const char *const names[] = { "modèle", "a \"b\" \\c", "tab\there\n", "\xff\x01\x7f" };
  g_autofree char *path = in_folder ("named.errors.json");

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (SumiErrorsFile) file = sumi_errors_file_new (), back = NULL;
      g_autoptr (GError) error = NULL;
      g_autofree char *text = NULL;

      sumi_errors_file_set (file, SUMI_EVIDENCE_GREY, 1, 2, (const double[]){ 1, 2 }, (const double[]){ 3, 4 });
      text = sumi_errors_file_dup_text (file, names[i]);
      g_assert_true (g_file_set_contents (path, text, -1, NULL));
      back = sumi_errors_file_load (path, &error);
      g_assert_no_error (error);
    }
  g_remove (path);
}

static void
assert_refused (const char *path, const char *text, gssize length, const char *message)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SumiErrorsFile) file = NULL;

  file_write (path, (const guint8 *) text, length < 0 ? strlen (text) : (gsize) length);
  file = sumi_errors_file_load (path, &error);
  if (file)
    g_error ("was taken: %s", text);
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_FORMAT);
  g_assert_true (g_str_has_prefix (error->message, path));
  if (message && ! strstr (error->message, message))
    g_error ("“%s” does not say “%s”", error->message, message);
}

#define HEAD "{\"format\": \"sumi.errors\", \"tables\": ["

static void
test_hostile (void)
{
  static const char *const bad[][2] = {
    { "", NULL },
    { "[]", NULL },
    { "{\"format\": \"other\", \"tables\": []}", "format" },
    { HEAD "]}", "no table" },
    { HEAD "{\"evidence\": \"nose\", \"sigma\": [1, 2], \"error\": [1, 1]}]}", "nose" },
    { HEAD "{\"sigma\": [1, 2], \"error\": [1, 1]}]}", "evidence" },
    { HEAD "{\"evidence\": \"grey\", \"sigma\": [2, 1], \"error\": [1, 1]}]}", "sigma" },
    { HEAD "{\"evidence\": \"grey\", \"sigma\": [0, 1], \"error\": [1, 1]}]}", "sigma" },
    { HEAD "{\"evidence\": \"grey\", \"sigma\": [1, 2], \"error\": [1, -1]}]}", "expected at least 0" },
    { HEAD "{\"evidence\": \"grey\", \"sigma\": [1, 2], \"error\": [1]}]}", "two at least" },
    { HEAD "{\"evidence\": \"grey\", \"sigma\": [1], \"error\": [1]}]}", "two at least" },
    { HEAD "{\"evidence\": \"grey\", \"sigma\": [1, 1e999], \"error\": [1, 1]}]}", NULL },
    { HEAD "{\"evidence\": \"coarse\", \"factor\": 0, \"sigma\": [1, 2], \"error\": [1, 1]}]}", "factor" },
    { HEAD "{\"evidence\": \"grey\", \"sigma\": [1, 2], \"error\": [1, 1]}]} more", "unexpected" },
  };
  g_autofree char *path = in_folder ("bad.errors.json"), *text = sample_text ();
  g_autoptr (GString) many = g_string_new (HEAD "{\"evidence\": \"grey\", \"sigma\": [1");

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    assert_refused (path, bad[i][0], -1, bad[i][1]);
  for (gsize n = 0; n + 2 < strlen (text); n++)
    assert_refused (path, text, (gssize) n, NULL);
  for (int i = 2; i < 6000; i++)
    g_string_append_printf (many, ", %d", i);
  assert_refused (path, many->str, -1, "more than 4096");
  g_string_set_size (many, 2 << 20);
  memset (many->str, ' ', many->len);
  assert_refused (path, many->str, (gssize) many->len, "at most");
  /* whatever one byte is changed to, it is taken or refused */
  for (gsize i = 0; i < strlen (text); i++)
    for (int k = 0; k < 3; k++)
      {
        g_autofree char *mutant = g_strdup (text);
        g_autoptr (SumiErrorsFile) file = NULL;

        mutant[i] = "\"]\xff"[k];
        file_write (path, (guint8 *) mutant, strlen (text));
        file = sumi_errors_file_load (path, NULL);
      }
  g_remove (path);
}

/* ---- models ----------------------------------------------------------- */

static void
assert_names (const char *name, const char *message)
{
  const SumiPlanNames names = { .schedule = "dp" };
  g_autoptr (GError) error = NULL;
  g_autoptr (SumiModel) model = sumi_model_load (name, &error);
  gboolean ok;

  g_assert_no_error (error);
  ok = sumi_model_check_names (model, &names, &error);
  if (! message)
    g_assert_no_error (error);
  else if (ok || ! strstr (error->message, message))
    g_error ("%s: “%s” does not say “%s”", name, error ? error->message : "nothing", message);
}

static void
test_models (void)
{
  g_autofree char *from = g_build_filename (g_getenv ("SUMI_DATA"), "models", "sumi-restore.safetensors", NULL);
  g_autofree char *copy = in_folder ("mine.safetensors"), *table = in_folder ("mine.errors.json"), *bytes = NULL;
  g_autofree char *text = sample_text ();
  gsize n;

  g_assert_true (g_file_get_contents (from, &bytes, &n, NULL));
  g_assert_true (g_file_set_contents (copy, bytes, (gssize) n, NULL));
  assert_names ("sumi-restore", NULL); /* ships with one */
  assert_names ("patches", "has none");
  assert_names ("mine", "sumi tune mine");
  g_assert_true (g_file_set_contents (table, "{}", -1, NULL));
  assert_names ("mine", "measure anew");
  g_assert_true (g_file_set_contents (table, text, -1, NULL));
  assert_names ("mine", NULL);
  g_remove (copy);
  g_remove (table);
}

int
main (int argc, char **argv)
{
  g_autofree char *tmp = g_dir_make_tmp ("sumi-errors-XXXXXX", NULL);
  int status;

  g_test_init (&argc, &argv, NULL);
  folder = g_build_filename (tmp, "models", NULL);
  g_mkdir (folder, 0700);
  sumi_models_add_folder (folder);
  g_test_add_func ("/errors/measure", test_measure);
  g_test_add_func ("/errors/round-trip", test_round_trip);
  g_test_add_func ("/errors/names", test_names);
  g_test_add_func ("/errors/hostile", test_hostile);
  g_test_add_func ("/errors/models", test_models);
  status = g_test_run ();
  g_rmdir (folder);
  g_rmdir (tmp);
  g_free (folder);
  return status;
}
