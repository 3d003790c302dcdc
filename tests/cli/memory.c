/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The memory that is stated before a run is an upper bound of what the process takes, and --memory makes it less. */
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/cli/lib.h"

typedef VipsImage Image;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Image, g_object_unref)

/* The system's own count may exceed the statement by this. */
#define MOST_OVER  1.15
/* A statement that is so many times too large says nothing. */
#define MOST_UNDER 3.0

typedef struct
{
  double stated, measured; /* bytes */
} Memory;

static double
get_number (const char *json, const char *key)
{
  g_autofree char *quoted = g_strdup_printf ("\"%s\": ", key);
  const char *at = strstr (json, quoted);

  if (! at)
    g_error ("no %s in %s", key, json);
  return g_ascii_strtod (at + strlen (quoted), NULL);
}

/* Runs "sumi @line --json" and asks the system what that process took. */
static Memory
run (const char *line)
{
  g_autofree char *all = g_strdup_printf ("%s %s --json -o out.png", g_getenv ("SUMI_EXE"), line);
  g_auto (GStrv) words = g_strsplit (all, " ", -1);
  g_autoptr (GString) out = g_string_new (NULL);
  struct rusage usage;
  char part[4096];
  Memory memory;
  int ends[2], status;
  ssize_t n;
  pid_t child;

  g_assert_cmpint (pipe (ends), ==, 0);
  child = vfork (); /* what this process holds must not count for the child */
  if (child == 0)
    {
      dup2 (ends[1], STDOUT_FILENO);
      execv (words[0], words);
      _exit (127);
    }
  g_assert_cmpint (child, >, 0);
  close (ends[1]);
  while ((n = read (ends[0], part, sizeof part)) > 0)
    g_string_append_len (out, part, n);
  close (ends[0]);
  g_assert_cmpint (wait4 (child, &status, 0, &usage), ==, child);
  if (! WIFEXITED (status) || WEXITSTATUS (status))
    g_error ("sumi %s: status %d: %s", line, status, out->str);
  memory = (Memory){ get_number (out->str, "memory_stated"), 1024.0 * (double) usage.ru_maxrss };
  g_test_message ("%s: stated %.1f MB, took %.1f MB", line, memory.stated * 1e-6, memory.measured * 1e-6);
  return memory;
}

static gboolean
has_task_of (const char *line)
{
  g_auto (GStrv) words = g_strsplit (line, " ", 2);

#ifdef __SANITIZE_ADDRESS__
  g_test_skip ("the address sanitizer keeps what is freed");
  return FALSE;
#endif
  return cli_has_task (words[0]);
}

static const char *const lines[] = {
  "colorize grey.png",
  "colorize grey.png --memory 20M",
  "colorize grey.png --hints hints.png",
  "colorize large.jpg",
  "upscale a.png --factor 2",
  "upscale a.png --factor 3 --memory 60M --threads 1",
  "upscale a.png --factor 2 --detail 0.5 --steps 2 --memory 100M",
  "upscale small.png --factor 8 --memory 100M",
  "upscale a.png --factor 2 --sampler unipc --steps 2 --memory 100M",
  "fill a.png --mask mask.png --steps 2",
  "fill a.png --mask mask.png --model sumi-restore --sampler plms --steps 2",
  "fill a.png --mask mask.png --model sumi-restore --method replacement --steps 2",
  "fill a.png --mask mask.png --model sumi-restore --method dps --steps 2",
  "fill a.png --mask mask.png --method sdedit --steps 2",
  "fill large.jpg --mask large-mask.png --steps 2 --memory 40M",
  "expand a.png --left 60 --top 20 --steps 2",
  "restore a.png --denoise 0.4 --memory 80M",
  "restore a.png --mask mask.png --colorize --factor 2 --memory 100M",
};

static void
test_stated (gconstpointer data)
{
  Memory memory;

  if (! has_task_of (data))
    return;
  memory = run (data);
  g_assert_cmpfloat (memory.measured, <, memory.stated * MOST_OVER);
  g_assert_cmpfloat (memory.stated, <, memory.measured * MOST_UNDER);
}

/* Smaller tiles. */
static void
test_less (void)
{
  Memory much, little;

  if (! has_task_of ("upscale"))
    return;
  much = run ("upscale large.jpg --factor 2");
  little = run ("upscale large.jpg --factor 2 --memory 60M");
  g_assert_cmpfloat (little.stated, <, much.stated - 100e6);
  g_assert_cmpfloat (little.measured, <, much.measured - 100e6);
}

static void
test_dry_run (void)
{
  g_auto (CliRun) said = { 0 };
  g_autofree char *before = NULL, *after = NULL;

  if (! cli_has_task ("upscale"))
    return;
  before = cli_ls (".");
  said = cli_sumi ("upscale large.jpg --factor 8 --detail 1 -o dry.png --dry-run");
  after = cli_ls (".");
  g_assert_cmpint (said.status, ==, 0);
  g_assert_nonnull (strstr (said.out, "large.jpg: takes up to "));
  g_assert_cmpstr (before, ==, after);
}

int
main (int argc, char **argv)
{
  g_autoptr (Image) rgb = NULL, grey = NULL, mask = NULL, small = NULL, large = NULL, large_mask = NULL, hints = NULL;

  /* it touches all memory that is asked for, used or not */
  g_unsetenv ("MALLOC_PERTURB_");
  cli_init (&argc, &argv);
  rgb = cli_make_photo (320, 240, 3, VIPS_FORMAT_UCHAR);
  grey = cli_make_photo (320, 240, 1, VIPS_FORMAT_UCHAR);
  hints = cli_make_photo (320, 240, 4, VIPS_FORMAT_UCHAR);
  mask = cli_make_mask (320, 240);
  small = cli_make_photo (48, 32, 3, VIPS_FORMAT_UCHAR);
  large = cli_make_photo (800, 500, 3, VIPS_FORMAT_UCHAR);
  large_mask = cli_make_mask (800, 500);
  cli_save (rgb, "a.png");
  cli_save (grey, "grey.png");
  cli_save (hints, "hints.png");
  cli_save (mask, "mask.png");
  cli_save (small, "small.png");
  cli_save (large, "large.jpg");
  cli_save (large_mask, "large-mask.png");
  for (gsize i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      g_autofree char *name = g_strdelimit (g_strdup (lines[i]), " ", '_'),
                      *path = g_strdup_printf ("/cli/memory/%s", name);

      g_test_add_data_func (path, lines[i], test_stated);
    }
  g_test_add_func ("/cli/memory/less", test_less);
  g_test_add_func ("/cli/memory/dry-run", test_dry_run);
  return cli_run_tests ();
}
