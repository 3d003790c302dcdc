/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sumi simulate: its numbers against closed forms written here, its summary, its picture, and bad input. */
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "tests/cli/lib.h"

#define MIXTURE "mixture:1,-2,0.3;2,1,0.5"

/* ---- reading the output -------------------------------------------------- */

/* The numbers of {"sigmas": [...], "states": [[...], ...]}; samples. */
typedef struct
{
  GArray *sigmas, *states;
  int n; /* numbers in each state list */
} Printed;

static void
printed_clear (Printed *p)
{
  g_clear_pointer (&p->sigmas, g_array_unref);
  g_clear_pointer (&p->states, g_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Printed, printed_clear)

static const char *
expect (const char *at, const char *text)
{
  if (! g_str_has_prefix (at, text))
    g_error ("expected “%s” at “%.40s”", text, at);
  return at + strlen (text);
}

/* [V, V, ...], or with @dims > 1 [[V, ...], [V, ...], ...]. */
static const char *
read_list (const char *at, int dims, GArray *to)
{
  at = expect (at, "[");
  for (int i = 0;; i++)
    {
      char *end;
      double v;

      if (dims > 1 && i % dims == 0)
        at = expect (at, "[");
      v = g_ascii_strtod (at, &end);
      g_assert_true (end != at);
      g_array_append_val (to, v);
      at = end;
      if (dims > 1 && i % dims == dims - 1)
        at = expect (at, "]");
      if (*at == ']')
        return at + 1;
      at = expect (at, ", ");
    }
}

static Printed
read_json (const char *text, int dims)
{
  Printed p = { g_array_new (FALSE, FALSE, sizeof (double)), g_array_new (FALSE, FALSE, sizeof (double)), 0 };
  const char *at = read_list (expect (text, "{\"sigmas\": "), 1, p.sigmas);

  at = expect (at, ", \"states\": [");
  for (guint level = 0; level < p.sigmas->len; level++)
    {
      const guint before = p.states->len;

      at = read_list (level ? expect (at, ", ") : at, dims, p.states);
      if (level)
        g_assert_cmpuint (p.states->len - before, ==, (guint) p.n);
      p.n = (int) (p.states->len - before);
    }
  g_assert_cmpstr (at, ==, "]}\n");
  return p;
}

static double
sigma_of (const Printed *p, int i)
{
  return g_array_index (p->sigmas, double, i);
}

static double
state_of (const Printed *p, int level, int i)
{
  return g_array_index (p->states, double, level * p->n + i);
}

static char *
dup_output (const char *line)
{
  g_auto (CliRun) run = cli_sumi ("%s", line);

  if (run.status || *run.err)
    g_error ("sumi %s: exit status %d, said %s", line, run.status, run.err);
  return g_steal_pointer (&run.out);
}

/* ---- numbers ------------------------------------------------------------- */

static void
assert_near (double a, double b)
{
  if (! (fabs (a - b) <= 1e-12 * MAX (1, fabs (b))))
    g_error ("%.17g instead of %.17g", a, b);
}

/* Euler's method written anew, on Karras' list written anew. */
static void
test_euler (void)
{
  g_autofree char *text = dup_output (
      "simulate --data gaussian:1,0.5 --start -80,3.5,120 --steps 12 --sigma-min 0.01 --sigma-max 40 --json");
  g_auto (Printed) p = read_json (text, 1);
  const double start[] = { -80, 3.5, 120 };

  g_assert_cmpuint (p.sigmas->len, ==, 13);
  g_assert_cmpint (p.n, ==, 3);
  for (int i = 0; i < 12; i++)
    assert_near (sigma_of (&p, i), pow (pow (40, 1 / 7.0) + i / 11.0 * (pow (0.01, 1 / 7.0) - pow (40, 1 / 7.0)), 7));
  g_assert_cmpfloat (sigma_of (&p, 12), ==, 0);
  for (int k = 0; k < 3; k++)
    {
      double x = start[k];

      for (int i = 0;; i++)
        {
          const double sigma = sigma_of (&p, i);
          const double d = 1 + (x - 1) * 0.25 / (0.25 + sigma * sigma);

          assert_near (state_of (&p, i, k), x);
          if (i == 12)
            break;
          x += (sigma_of (&p, i + 1) - sigma) * (x - d) / sigma;
        }
    }
}

/* The solution of the ODE itself, by a solver of high order in many steps. */
static void
test_exact (void)
{
  g_autofree char *text = dup_output ("simulate --data gaussian:1,0.5 --start 81 --steps 2000 --sampler heun --json");
  g_auto (Printed) p = read_json (text, 1);

  for (int i = 0; i <= 2000; i += 100)
    g_assert_cmpfloat_with_epsilon (state_of (&p, i, 0),
                                    1 + 80 * sqrt ((0.25 + sigma_of (&p, i) * sigma_of (&p, i)) / 6400.25), 1e-3);
}

/* Points: every path ends in the nearest; states are lists, as many as there are start values. */
static void
test_points (void)
{
  g_autofree char *text = NULL;

  g_file_set_contents ("points.txt", "# corners\n0 0\n4, 0\n\n0,4\n", -1, NULL);
  text = dup_output ("simulate --data points:points.txt --start 1,-90;60,2;-1,70 --json --sampler heun");
  {
    g_auto (Printed) p = read_json (text, 2);
    const double ends[] = { 0, 0, 4, 0, 0, 4 };

    g_assert_cmpint (p.n, ==, 6);
    g_assert_cmpfloat (state_of (&p, 0, 1), ==, -90);
    for (int i = 0; i < 6; i++)
      assert_near (state_of (&p, 20, i), ends[i]);
  }
}

static void
test_seed (void)
{
  const char *line = "simulate --data " MIXTURE " --samples 40 --steps 8 --churn 0.5 --json --threads";
  g_autofree char *one = g_strconcat (line, " 1 --seed 7", NULL), *two = g_strconcat (line, " 3 --seed 7", NULL);
  g_autofree char *other = g_strconcat (line, " 1 --seed 8", NULL);
  g_autofree char *a = dup_output (one), *b = dup_output (two), *c = dup_output (other);

  g_assert_cmpstr (a, ==, b);
  g_assert_cmpstr (a, !=, c);
}

/* Random states start with the largest σ, and end with the data's own moments. */
static void
test_random (void)
{
  g_autofree char *text = dup_output ("simulate --data " MIXTURE " --samples 4000 --steps 60 --sampler heun --json");
  g_auto (Printed) p = read_json (text, 1);
  double start = 0, mean = 0, square = 0;
  int low = 0;

  for (int i = 0; i < 4000; i++)
    {
      const double x = state_of (&p, 60, i);

      start += state_of (&p, 0, i) * state_of (&p, 0, i) / 4000;
      mean += x / 4000;
      square += x * x / 4000;
      low += x < -0.9;
    }
  g_assert_cmpfloat_with_epsilon (sqrt (start), 80, 4);
  g_assert_cmpfloat_with_epsilon (mean, 0, 0.1);
  g_assert_cmpfloat_with_epsilon (square, 2 + (0.09 + 2 * 0.25) / 3, 0.15);
  g_assert_cmpfloat_with_epsilon (low / 4000.0, 1 / 3.0, 0.035);
}

/* Without words about σ a process brings its own. */
static void
test_process (void)
{
  g_autofree char *edm = dup_output ("simulate --data gaussian:0,1 --start 1 --json --steps 3");
  g_autofree char *vp = dup_output ("simulate --data gaussian:0,1 --start 1 --json --steps 3 --process vp");
  g_auto (Printed) p = read_json (edm, 1), q = read_json (vp, 1);

  assert_near (sigma_of (&p, 0), 80);
  assert_near (sigma_of (&p, 2), 0.002);
  /* σ² = exp (∫β) − 1, ∫β = 0.1 + 19.9/2 at t = 1 */
  g_assert_cmpfloat_with_epsilon (sigma_of (&q, 0), sqrt (exp (10.05) - 1), 1e-6);
}

/* Guidance of scale 1 is the condition itself: as of a Gaussian alone. Classifier-free guidance of another scale moves
 * D along the line between the two. */
static void
test_guidance (void)
{
  g_autofree char *alone = dup_output ("simulate --data gaussian:1,0.5 --start -80,3.5,120 --json");
  g_autofree char *given = dup_output (
      "simulate --data " MIXTURE " --guidance cfg --condition 2 --settings cfg-scale=1 --start -80,3.5,120 --json");
  g_autofree char *classified =
      dup_output ("simulate --data " MIXTURE " --guidance classifier --condition 2 --start -80,3.5,120 --json");
  g_autofree char *more = dup_output ("simulate --data mixture:1,-2,1;1,2,1 --guidance cfg --condition 2 --negative 1 "
                                      "--settings cfg-scale=3 --start 1 --steps 1 --json");
  g_auto (Printed) p = read_json (alone, 1), q = read_json (given, 1), r = read_json (classified, 1),
                   s = read_json (more, 1);

  for (int i = 0; i <= 20; i++)
    for (int k = 0; k < 3; k++)
      {
        assert_near (state_of (&q, i, k), state_of (&p, i, k));
        g_assert_cmpfloat_with_epsilon (state_of (&r, i, k), state_of (&p, i, k), 1e-9);
      }
  /* D of the parts at σ = 80 and x = 1, one step to 0 */
  assert_near (state_of (&s, 1, 0), -2 + 3 / 6401.0 + 3 * (2 - 1 / 6401.0 - (-2 + 3 / 6401.0)));
}

/* What is wished for of a Gaussian, and counted as it should be, makes it another Gaussian. */
static void
test_wish (void)
{
  g_autofree char *wished = dup_output ("simulate --data gaussian:0,1 --guidance gradient --wish 1,0.5 --wish-spread 1 "
                                        "--start -80,3.5,120 --json");
  g_autofree char *seen = dup_output ("simulate --data gaussian:0.8,0.4472135954999579 --start -80,3.5,120 --json");
  g_auto (CliRun) run = cli_sumi ("simulate --data gaussian:0,1 --guidance gradient --wish 1,0.5");
  g_auto (Printed) p = read_json (wished, 1), q = read_json (seen, 1);

  for (int i = 0; i <= 20; i++)
    for (int k = 0; k < 3; k++)
      g_assert_cmpfloat_with_epsilon (state_of (&p, i, k), state_of (&q, i, k), 1e-9);
  g_assert_cmpint (run.status, ==, 0);
  g_assert_nonnull (strstr (run.out, "given what is wished for"));
  g_assert_nonnull (strstr (run.out, "0.44721"));
}

/* The number of member @key that comes @nth. */
static double
member (const char *json, const char *key, int nth)
{
  g_autofree char *wanted = g_strdup_printf ("\"%s\": ", key);
  const char *at = json;

  for (int i = 0; i <= nth; i++)
    {
      at = strstr (at, wanted);
      g_assert_nonnull (at);
      at += strlen (wanted);
    }
  return g_ascii_strtod (at, NULL);
}

/* Bits of a density written here; and a start from which the sampler comes back. */
static void
test_back (void)
{
  const double values[] = { -2, 0, 1 };
  g_autofree char *text =
      dup_output ("simulate --data " MIXTURE " --likelihood=-2,0,1 --invert=-2,0,1 --steps 40 --json");
  g_autofree char *table = dup_output ("simulate --data " MIXTURE " --likelihood=-2,0,1 --invert=-2,0,1");
  g_autofree char *again = NULL;

  for (int i = 0; i < 3; i++)
    {
      const double x = values[i];
      const double p =
          exp (-(x + 2) * (x + 2) / 2 / 0.09) / 0.3 / 3 + exp (-(x - 1) * (x - 1) / 2 / 0.25) / 0.5 * 2 / 3;

      g_assert_cmpfloat_with_epsilon (member (text, "bits", i), -log2 (p / sqrt (2 * G_PI)), 1e-3);
      assert_near (member (text, "value", 3 + i), x);
      g_assert_cmpfloat_with_epsilon (member (text, "exact_back", i), x, 1e-9);
      g_assert_cmpfloat_with_epsilon (member (text, "back", i), x, 0.35);
    }
  {
    g_autofree char *line = g_strdup_printf (
        "simulate --data " MIXTURE " --sampler ddim --steps 40 --json --start=%.17g", member (text, "exact_start", 1));
    g_auto (Printed) p = { NULL };

    again = dup_output (line);
    p = read_json (again, 1);
    g_assert_cmpfloat_with_epsilon (state_of (&p, 40, 0), 0, 1e-9);
  }
  g_assert_nonnull (strstr (table, "exact start"));
}

/* ---- the other forms ----------------------------------------------------- */

static void
test_summary (void)
{
  g_auto (CliRun) run = cli_sumi ("simulate --data %s --sampler heun --steps 40", MIXTURE);
  g_auto (CliRun) few = cli_sumi ("simulate --data %s --start -80,80", MIXTURE);

  g_assert_cmpint (run.status, ==, 0);
  g_assert_nonnull (strstr (run.out, "4096 samples, the denoiser asked 79 times"));
  g_assert_nonnull (strstr (run.out, "share of the part at -2       0.33333"));
  g_assert_nonnull (strstr (run.out, "distribution function"));
  g_assert_cmpint (few.status, ==, 0);
  g_assert_nonnull (strstr (few.out, "start"));
}

static void
check_svg (const char *name, int paths)
{
  g_autofree char *svg = NULL;
  g_autoptr (GMarkupParseContext) context = NULL;
  g_autoptr (GError) error = NULL;
  const GMarkupParser nothing = { NULL };
  g_auto (GStrv) parts = NULL;
  gsize size;

  g_assert_true (g_file_get_contents (name, &svg, &size, NULL));
  context = g_markup_parse_context_new (&nothing, 0, NULL, NULL);
  g_assert_true (g_markup_parse_context_parse (context, svg, (gssize) size, &error));
  g_assert_no_error (error);
  g_assert_true (g_markup_parse_context_end_parse (context, NULL));
  g_assert_null (strstr (svg, "nan"));
  g_assert_null (strstr (svg, "inf"));
  parts = g_strsplit (svg, "L", -1);
  g_assert_cmpuint (g_strv_length (parts), >, (guint) paths);
  g_assert_cmpuint (size, <, 400000);
}

static void
test_svg (void)
{
  g_file_set_contents ("points.txt", "0 0\n4 0\n0 4\n", -1, NULL);
  g_file_set_contents ("one.txt", "3\n", -1, NULL);
  cli_sumi_ok ("simulate --data %s --svg line.svg", MIXTURE);
  check_svg ("line.svg", 48 * 20);
  cli_sumi_ok ("simulate --data points:points.txt --svg plane.svg --steps 5");
  check_svg ("plane.svg", 48 * 5);
  /* data without any width, one step, one start value */
  cli_sumi_ok ("simulate --data points:one.txt --svg one.svg --steps 1 --start 9");
  check_svg ("one.svg", 1);
  cli_sumi_ok ("simulate --data gaussian:0,0 --svg none.svg --steps 1 --sampler heun");
  check_svg ("none.svg", 48);
  cli_sumi_ok ("simulate --data gaussian:1e17,3 --samples 5 --steps 2 --svg far.svg"); /* ends */
}

/* Every sampler on every schedule of a few steps gives numbers. */
static void
test_all (void)
{
  g_auto (CliRun) list = cli_sumi ("list samplers schedules --json");
  g_autofree char *middle = strstr (list.out, "\"schedules\"") ? g_strdup (strstr (list.out, "\"schedules\"")) : NULL;
  g_autoptr (GRegex) keys = g_regex_new ("\\{\"key\": \"([a-z0-9-]+)\", \"label\"", 0, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;
  int n = 0;

  g_assert_nonnull (middle);
  *strstr (list.out, "\"schedules\"") = 0;
  for (g_regex_match (keys, list.out, 0, &match); g_match_info_matches (match); g_match_info_next (match, NULL), n++)
    {
      g_autofree char *key = g_match_info_fetch (match, 1);

      cli_sumi_ok ("simulate --data %s --samples 20 --steps 4 --sampler %s", MIXTURE, key);
    }
  g_assert_cmpint (n, >=, 4);
  g_clear_pointer (&match, g_match_info_unref);
  for (g_regex_match (keys, middle, 0, &match); g_match_info_matches (match); g_match_info_next (match, NULL), n++)
    {
      g_autofree char *key = g_match_info_fetch (match, 1);

      cli_sumi_ok ("simulate --data %s --samples 20 --steps 4 --schedule %s", MIXTURE, key);
    }
}

/* ---- bad input ----------------------------------------------------------- */

typedef struct
{
  int status;
  const char *message, *line;
} Case;

static const Case cases[] = {
  { 2, "--data is missing", "" },
  { 2, "one word too many", "--data gaussian:0,1 more" },
  { 2, "did you mean “--steps”", "--data gaussian:0,1 --stepz 3" },
  { 2, "gaussian:MEAN,STD", "--data gauss:0,1" },
  { 2, "expected MEAN,STD", "--data gaussian:0" },
  { 2, "expected MEAN,STD", "--data gaussian:0,1,2" },
  { 2, "expected MEAN,STD", "--data gaussian:0,-1" },
  { 2, "expected MEAN,STD", "--data gaussian:nan,1" },
  { 2, "expected MEAN,STD", "--data gaussian:inf,1" },
  { 2, "part 2", "--data mixture:1,0,1;0,0,1" },
  { 2, "part 2", "--data mixture:1,0,1;" },
  { 2, "part 1", "--data mixture:" },
  { 1, "No such file", "--data points:none.txt" },
  { 1, "point 2", "--data points:nan.txt" },
  { 1, "point 2", "--data points:ragged.txt" },
  { 1, "0 points", "--data points:empty.txt" },
  { 1, "not a text of points", "--data points:huge.txt" },
  { 1, "not a text of points", "--data points:binary.txt" },
  { 1, "Is a directory", "--data points:." },
  { 2, "not a number", "--data gaussian:0,1 --start 1,x" },
  { 2, "not a number", "--data gaussian:0,1 --start 1,nan" },
  { 2, "0 values", "--data gaussian:0,1 --start ;" },
  { 2, "a point of 2 numbers", "--data points:good.txt --start 1,2,3" },
  { 2, "1 to 10000", "--data gaussian:0,1 --steps 0" },
  { 2, "1 to 10000", "--data gaussian:0,1 --steps 1000000" },
  { 2, "1 to 65536", "--data gaussian:0,1 --samples 100000" },
  { 2, "not “many”", "--data gaussian:0,1 --steps many" },
  { 2, "below the maximum", "--data gaussian:0,1 --sigma-min 3 --sigma-max 2" },
  { 2, "0 to 1", "--data gaussian:0,1 --churn 2" },
  { 2, "there is no sampler “eular”; there are euler", "--data gaussian:0,1 --sampler eular" },
  { 2, "there is no schedule", "--data gaussian:0,1 --schedule none" },
  { 2, "there is no process", "--data gaussian:0,1 --process none" },
  { 2, "there is no guidance", "--data gaussian:0,1 --guidance none-such" },
  { 2, "for a guidance", "--data gaussian:0,1 --condition 1" },
  { 2, "--condition: ", "--data gaussian:0,1 --guidance cfg --condition 2" },
  { 2, "--condition: ", "--data gaussian:0,1 --guidance cfg --condition x" },
  { 2, "--negative: ", "--data gaussian:0,1 --guidance cfg --condition 1 --negative 7" },
  { 2, "--negative: ", "--data mixture:1,0,1;1,2,1 --guidance cfg --condition 1 --negative 1,2" },
  { 2, "need each other", "--data gaussian:0,1 --guidance gradient" },
  { 2, "need each other", "--data gaussian:0,1 --guidance cfg --condition 1 --wish 1,1" },
  { 2, "a point of 2 numbers", "--data gaussian:0,1 --guidance gradient --wish 1" },
  { 2, "STD above 0", "--data gaussian:0,1 --guidance gradient --wish 1,0" },
  { 2, "--likelihood: ", "--data gaussian:0,1 --likelihood x" },
  { 2, "--steps 2 or more", "--data gaussian:0,1 --likelihood 0 --steps 1" },
  { 2, "--invert: ", "--data gaussian:0,1 --invert 1,,x" },
  { 2, "leave out --svg", "--data gaussian:0,1 --invert 1 --svg a.svg" },
  { 2, "has no setting “foo”", "--data gaussian:0,1 --settings foo=3" },
  { 2, "not of the form", "--data gaussian:0,1 --settings foo" },
  { 2, "“eta”", "--data gaussian:0,1 --sampler ddim --settings eta=3" },
  { 2, "take fewer samples", "--data gaussian:0,1 --samples 60000 --steps 10000 --json" },
  { 1, "nowhere/a.svg", "--data gaussian:0,1 --svg nowhere/a.svg" },
  { 1, "cannot be written", "--data gaussian:0,1 --svg ." },
};

static void
make_files (void)
{
  g_autoptr (GString) huge = g_string_new (NULL);

  while (huge->len <= 65 << 20)
    g_string_append (huge, "1.2345678 1.2345678 1.2345678 1.2345678 1.2345678 1.2345678 1.2345678 1.2345678\n");
  g_file_set_contents ("huge.txt", huge->str, (gssize) huge->len, NULL);
  g_file_set_contents ("nan.txt", "1\nnan\n", -1, NULL);
  g_file_set_contents ("ragged.txt", "1 2\n1\n", -1, NULL);
  g_file_set_contents ("empty.txt", "\n# nothing\n", -1, NULL);
  g_file_set_contents ("good.txt", "1 2\n", -1, NULL);
  g_file_set_contents ("binary.txt", "1\0002\n", 4, NULL);
}

static void
test_bad (void)
{
  make_files ();
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    cli_sumi_fails (cases[i].status, cases[i].message, "simulate%s%s", *cases[i].line ? " " : "", cases[i].line);
  g_unlink ("huge.txt");
}

int
main (int argc, char **argv)
{
  cli_init (&argc, &argv);
  g_test_add_func ("/cli/simulate/euler", test_euler);
  g_test_add_func ("/cli/simulate/exact", test_exact);
  g_test_add_func ("/cli/simulate/points", test_points);
  g_test_add_func ("/cli/simulate/seed", test_seed);
  g_test_add_func ("/cli/simulate/random", test_random);
  g_test_add_func ("/cli/simulate/process", test_process);
  g_test_add_func ("/cli/simulate/guidance", test_guidance);
  g_test_add_func ("/cli/simulate/wish", test_wish);
  g_test_add_func ("/cli/simulate/back", test_back);
  g_test_add_func ("/cli/simulate/summary", test_summary);
  g_test_add_func ("/cli/simulate/svg", test_svg);
  g_test_add_func ("/cli/simulate/all", test_all);
  g_test_add_func ("/cli/simulate/bad", test_bad);
  return cli_run_tests ();
}
