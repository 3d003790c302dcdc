/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the command is used: help, lists, several photos, candidates, JSON, threads, Ctrl+C, progress on a terminal. */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "tests/cli/lib.h"

typedef VipsImage Image;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Image, g_object_unref)

/* ---- JSON, only whether it is any (RFC 8259) -------------------------- */

static gboolean json_value (const char **p);

static gboolean
json_string (const char **p)
{
  if (*(*p)++ != '"')
    return FALSE;
  for (; **p != '"'; (*p)++)
    {
      if ((guchar) * *p < 0x20)
        return FALSE;
      if (**p == '\\')
        {
          (*p)++;
          if (! **p || ! strchr ("\"\\/bfnrtu", **p))
            return FALSE;
        }
    }
  (*p)++;
  return TRUE;
}

static gboolean
json_members (const char **p, gboolean keys, char end)
{
  (*p)++;
  if (**p == end)
    return (*p)++, TRUE;
  for (;;)
    {
      if (keys && (! json_string (p) || *(*p)++ != ':' || *(*p)++ != ' '))
        return FALSE;
      if (! json_value (p))
        return FALSE;
      if (**p == end)
        return (*p)++, TRUE;
      if (*(*p)++ != ',' || *(*p)++ != ' ')
        return FALSE;
    }
}

static gboolean
json_value (const char **p)
{
  static const char *const words[] = { "true", "false", "null" };
  char *end;

  if (**p == '{')
    return json_members (p, TRUE, '}');
  if (**p == '[')
    return json_members (p, FALSE, ']');
  if (**p == '"')
    return json_string (p);
  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_str_has_prefix (*p, words[i]))
      return *p += strlen (words[i]), TRUE;
  g_ascii_strtod (*p, &end);
  if (end == *p)
    return FALSE;
  *p = end;
  return TRUE;
}

/* Returns: the number of lines, each one object. */
static int
check_json (const char *text)
{
  int n = 0;

  g_assert_true (g_utf8_validate (text, -1, NULL));
  for (; *text; n++)
    {
      const char *line = text;

      if (*text != '{' || ! json_value (&text) || *text++ != '\n')
        g_error ("no JSON: %s", line);
    }
  return n;
}

/* ---- pages ------------------------------------------------------------ */

static void
test_pages (void)
{
  g_auto (CliRun) version = cli_sumi ("--version"), help = cli_sumi ("--help"), tasks = cli_sumi ("list tasks");
  g_auto (GStrv) lines = g_strsplit (tasks.out, "\n", -1);
  int n = 0;

  g_assert_cmpint (version.status, ==, 0);
  g_assert_true (g_str_has_prefix (version.out, "sumi "));
  g_assert_cmpint (help.status, ==, 0);
  for (char **line = lines; *line; line++)
    {
      g_auto (GStrv) words = g_strsplit (g_strstrip (*line), " ", 2);

      /* rows are "  key   blurb"; wrapped blurbs begin with more blanks, but g_strstrip() took those too: ask by the
       * help */
      g_auto (CliRun) page = { 0 };

      if (! words[0] || ! words[1] || ! g_str_has_prefix (words[1], "  "))
        continue;
      page = cli_sumi ("%s --help", words[0]);
      g_assert_cmpint (page.status, ==, 0);
      g_assert_cmpstr (page.err, ==, "");
      g_assert_nonnull (strstr (page.out, "--seed N"));
      g_assert_nonnull (strstr (page.out, "-o, --output OUT"));
      g_assert_nonnull (strstr (page.out, "Exit status:"));
      g_assert_nonnull (strstr (help.out, words[0]));
      n++;
    }
  g_assert_cmpint (n, >=, 2);
}

static void
test_lists (void)
{
  static const char *const lists[] = { "tasks",   "samplers", "schedules", "processes", "guidance",
                                       "methods", "models",   "options",   "devices",   "" };
  g_auto (CliRun) samplers = cli_sumi ("list samplers"), json = cli_sumi ("list samplers --json");

  for (gsize i = 0; i < G_N_ELEMENTS (lists); i++)
    {
      g_autofree char *plain = g_strdup_printf ("list%s%s", *lists[i] ? " " : "", lists[i]);
      g_auto (CliRun) text = cli_sumi ("%s", plain), object = cli_sumi ("%s --json", plain);

      g_assert_cmpint (text.status, ==, 0);
      g_assert_cmpint (strlen (text.out), >, 10);
      g_assert_cmpint (object.status, ==, 0);
      g_assert_cmpint (check_json (object.out), ==, 1);
    }
  /* papers, traits and settings */
  g_assert_nonnull (strstr (samplers.out, "order 2, 2 calls a step\n"));
  g_assert_nonnull (strstr (samplers.out, "arXiv 2206.00364"));
  g_assert_nonnull (strstr (samplers.out, "\n    eta  "));
  g_assert_nonnull (strstr (json.out, "{\"key\": \"ddim\", \"label\": \"DDIM\", \"about\": \""));
  g_assert_nonnull (strstr (json.out, "\"order\": 1, \"calls\": 1, \"stochastic\": false, \"paper\": \"Song"));
  g_assert_nonnull (strstr (json.out, "\"settings\": [{\"key\": \"eta\", \"about\": \""));
}

static void
test_inspect (void)
{
  g_auto (CliRun) text = cli_sumi ("inspect sumi-restore --tensors"),
                  json = cli_sumi ("inspect sumi-restore --json --tensors");

  g_assert_cmpint (text.status, ==, 0);
  g_assert_nonnull (strstr (text.out, "sha256"));
  g_assert_nonnull (strstr (text.out, "licence"));
  g_assert_nonnull (strstr (text.out, " f16 "));
  g_assert_cmpint (check_json (json.out), ==, 1);
  g_assert_nonnull (strstr (json.out, "\"family\": \"restore\""));
}

static void
test_bench (void)
{
  g_auto (CliRun) list = cli_sumi ("bench --list"), json = cli_sumi ("bench --list --json"),
                  some = cli_sumi ("bench machine ops --filter 224-160 --seconds 0"),
                  row = cli_sumi ("bench ops --filter 224-160 --seconds 0 --threads 1 --precision bf16 --json");

  g_assert_cmpint (list.status, ==, 0);
  g_assert_nonnull (strstr (list.out, "fp32 FMA"));
  g_assert_nonnull (strstr (list.out, "restore conv3x3"));
  g_assert_cmpint (json.status, ==, 0);
  g_assert_cmpint (check_json (json.out), ==, 1);
  g_assert_nonnull (strstr (json.out, "\"name\": \"conv2x2/2 48-96 256x256\""));
  g_assert_null (strstr (json.out, "best_s"));
  g_assert_cmpint (some.status, ==, 0);
  g_assert_null (strstr (some.out, "fp32 FMA"));
  g_assert_null (strstr (some.out, "conv3x3"));
  g_assert_cmpint (row.status, ==, 0);
  g_assert_cmpint (check_json (row.out), ==, 1);
  g_assert_nonnull (strstr (row.out, "\"threads\": 1"));
  g_assert_nonnull (strstr (row.out, "\"gflop_per_s\": "));
}

/* ---- photos ----------------------------------------------------------- */

static void
make_files (void)
{
  g_autoptr (Image) a = cli_make_photo (96, 80, 3, VIPS_FORMAT_UCHAR),
                    b = cli_make_photo (90, 70, 3, VIPS_FORMAT_USHORT);
  g_autoptr (Image) mask = cli_make_mask (96, 80), mask_b = cli_make_mask (90, 70);
  g_autoptr (Image) large = cli_make_photo (900, 700, 3, VIPS_FORMAT_UCHAR);

  g_mkdir ("masks", 0700);
  cli_save (a, "a.png");
  cli_save (b, "b.tif");
  cli_save (mask, "mask.png");
  cli_save (mask, "masks/a.png");
  cli_save (mask_b, "masks/b.png");
  cli_save (large, "large.png");
  g_file_set_contents ("broken.png", "no picture", -1, NULL);
}

static gboolean
same_bytes (const char *a, const char *b)
{
  g_autofree char *x = NULL, *y = NULL;
  gsize n, m;

  g_assert_true (g_file_get_contents (a, &x, &n, NULL) && g_file_get_contents (b, &y, &m, NULL));
  return n == m && ! memcmp (x, y, n);
}

/* Recipes may differ. */
static gboolean
same_pixels (const char *a, const char *b)
{
  VipsImage *x = cli_load (a), *y = cli_load (b), *same = NULL;
  double least = 0;

  g_assert_cmpint (vips_equal (x, y, &same, NULL), ==, 0);
  g_assert_cmpint (vips_min (same, &least, NULL), ==, 0);
  g_object_unref (x);
  g_object_unref (y);
  g_object_unref (same);
  return least > 0;
}

static void
test_forms (void)
{
  if (! cli_has_task ("upscale"))
    return;
  cli_sumi_ok ("upscale a.png --factor 2 -o x1.png");
  cli_sumi_ok ("upscale --factor=2 --seed=0 --no-json -ox2.png -- a.png");
  cli_sumi_ok ("upscale --output=x3.png --churn -1 --memory 300M a.png --quiet");
  g_assert_true (same_bytes ("x1.png", "x2.png"));
  g_assert_true (same_bytes ("x1.png", "x3.png"));
}

/* A setting is an option of its own name too. */
static void
test_settings (void)
{
  if (! cli_has_task ("fill"))
    return;
  cli_sumi_ok ("fill a.png --mask mask.png --sampler ddim --settings eta=0.5 -o e1.png");
  cli_sumi_ok ("fill a.png --mask mask.png --sampler ddim --eta 0.5 -o e2.png");
  cli_sumi_ok ("fill a.png --mask mask.png --sampler ddim --eta=1 --eta=0.5 -o e3.png");
  cli_sumi_ok ("fill a.png --mask mask.png --sampler ddim -o e4.png");
  g_assert_true (same_pixels ("e1.png", "e2.png"));
  g_assert_true (same_pixels ("e1.png", "e3.png"));
  g_assert_false (same_pixels ("e1.png", "e4.png"));
}

static void
test_several (void)
{
  g_auto (CliRun) run = { 0 };
  g_autofree char *names = NULL;

  if (! cli_has_task ("upscale"))
    return;
  /* one broken photo does not stop the others */
  run = cli_sumi ("upscale a.png broken.png b.tif --json -o several");
  names = cli_ls ("several");
  g_assert_cmpint (run.status, ==, 1);
  g_assert_cmpstr (names, ==, "a.png b.tif");
  g_assert_nonnull (strstr (run.err, "broken.png"));
  g_assert_cmpint (check_json (run.out), ==, 3);
  g_assert_nonnull (strstr (run.out, "\"error\": "));
  g_assert_nonnull (strstr (run.out, "\"width\": 192, \"height\": 160"));
}

static void
test_mask_folder (void)
{
  g_autofree char *names = NULL;

  if (! cli_has_task ("fill"))
    return;
  cli_sumi_ok ("fill a.png b.tif --mask masks -o filled/");
  names = cli_ls ("filled");
  g_assert_cmpstr (names, ==, "a.png b.tif");
}

static void
test_candidates (void)
{
  g_auto (CliRun) run = { 0 };

  if (! cli_has_task ("fill"))
    return;
  run = cli_sumi ("fill a.png --mask mask.png --candidates 3 --json -o c.png");
  g_assert_cmpint (run.status, ==, 0);
  g_assert_cmpint (check_json (run.out), ==, 1);
  g_assert_nonnull (strstr (run.out, "\"file\": \"c-3.png\""));
  g_assert_false (g_file_test ("c.png", G_FILE_TEST_EXISTS));
  g_assert_false (same_bytes ("c-1.png", "c-2.png"));
  g_assert_false (same_bytes ("c-2.png", "c-3.png"));
  cli_sumi_ok ("fill a.png --mask mask.png -o c.png");
  g_assert_true (same_bytes ("c-1.png", "c.png"));
}

static void
test_same_bytes (void)
{
  if (! cli_has_task ("fill") || ! cli_has_task ("upscale"))
    return;
  cli_sumi_ok ("fill a.png --mask mask.png --threads 1 -o t1.png");
  cli_sumi_ok ("fill a.png --mask mask.png --threads 3 -o t3.png");
  g_assert_true (same_bytes ("t1.png", "t3.png"));
  cli_sumi_ok ("fill a.png --mask mask.png --seed 1 -o s1.png");
  g_assert_false (same_bytes ("t1.png", "s1.png"));
  cli_sumi_ok ("upscale a.png --detail 1 --threads 1 -o u1.png");
  cli_sumi_ok ("upscale a.png --detail 1 --threads 3 -o u3.png");
  g_assert_true (same_bytes ("u1.png", "u3.png"));
}

/* ---- Ctrl+C and terminals --------------------------------------------- */

static GPid
start (const char *line, int *err)
{
  g_autofree char *all = g_strdup_printf ("%s %s", g_getenv ("SUMI_EXE"), line);
  g_auto (GStrv) words = g_strsplit (all, " ", -1);
  g_autoptr (GError) error = NULL;
  GPid pid;

  g_spawn_async_with_pipes (NULL, words, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid, NULL, NULL, err, &error);
  g_assert_no_error (error);
  return pid;
}

static void
test_interrupt (void)
{
  g_autofree char *before = cli_ls ("."), *after = NULL;
  char text[500] = "";
  int err, status;
  gint64 sent;
  GPid pid;

  if (! cli_has_task ("upscale"))
    return;
  pid = start ("upscale large.png --factor 8 --detail 1 -o never.png", &err);
  g_usleep (1500 * 1000);
  g_assert_cmpint (waitpid (pid, &status, WNOHANG), ==, 0);
  sent = g_get_monotonic_time ();
  kill (pid, SIGINT);
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 130);
  g_assert_cmpint (g_get_monotonic_time () - sent, <, 10 * G_USEC_PER_SEC);
  g_assert_cmpint (read (err, text, sizeof text - 1), >, 0);
  g_assert_true (g_str_has_prefix (text, "sumi: cancelled"));
  close (err);
  after = cli_ls (".");
  g_assert_cmpstr (before, ==, after);
}

/* What a run prints on a terminal, with @arguments. */
static char *
run_on_terminal (const char *arguments)
{
  g_autoptr (GString) text = g_string_new (NULL);
  const int master = posix_openpt (O_RDWR | O_NOCTTY);
  g_autofree char *line = NULL;
  char bytes[1000];
  int status;
  pid_t pid;

  g_assert_cmpint (master, >=, 0);
  g_assert_cmpint (grantpt (master) | unlockpt (master), ==, 0);
  line = g_strdup_printf ("TERM=xterm; export TERM; exec %s upscale %s -o tty.png 2>%s", g_getenv ("SUMI_EXE"),
                          arguments, ptsname (master));
  pid = fork ();
  if (! pid)
    {
      execl ("/bin/sh", "sh", "-c", line, NULL);
      _exit (127);
    }
  for (;;)
    {
      const ssize_t n = read (master, bytes, sizeof bytes);

      if (n > 0)
        g_string_append_len (text, bytes, n);
      else if (waitpid (pid, &status, WNOHANG) == pid)
        break;
      else
        g_usleep (10000);
    }
  close (master);
  g_assert_true (WIFEXITED (status) && ! WEXITSTATUS (status));
  return g_strdup (text->str);
}

static void
test_terminal (void)
{
  g_autofree char *shown = NULL, *quiet = NULL;

  if (! cli_has_task ("upscale"))
    return;
  shown = run_on_terminal ("large.png --factor 2");
  g_assert_nonnull (strstr (shown, "█"));
  g_assert_nonnull (strstr (shown, " left"));
  g_assert_nonnull (strstr (shown, "tty.png: 1800×1400 pixels"));
  quiet = run_on_terminal ("a.png --factor 2 --quiet");
  g_assert_cmpstr (quiet, ==, "");
}

int
main (int argc, char **argv)
{
  cli_init (&argc, &argv);
  make_files ();
  g_test_add_func ("/cli/pages", test_pages);
  g_test_add_func ("/cli/lists", test_lists);
  g_test_add_func ("/cli/inspect", test_inspect);
  g_test_add_func ("/cli/bench", test_bench);
  g_test_add_func ("/cli/forms", test_forms);
  g_test_add_func ("/cli/settings", test_settings);
  g_test_add_func ("/cli/several", test_several);
  g_test_add_func ("/cli/mask-folder", test_mask_folder);
  g_test_add_func ("/cli/candidates", test_candidates);
  g_test_add_func ("/cli/same-bytes", test_same_bytes);
  g_test_add_func ("/cli/interrupt", test_interrupt);
  g_test_add_func ("/cli/terminal", test_terminal);
  return cli_run_tests ();
}
