/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The restore network with other sizes than the shipped model's, and with the hp input, against a plain reading of
 * models/restore.md in double precision. The weights are random and live in a file that the test writes. */
#include <math.h>

#include "core/base/arena.h"
#include "core/model/restore-net.h"
#include "core/sumi.h"
#include "tests/engine/file.h"

#define EMBED 12 /* T */
#define FREQ  5  /* F */

typedef struct
{
  const char *name;
  int ch[4], nb[4], levels, p;
  gboolean hp;
} Config;

static const Config configs[] = {
  { "hp", { 6, 10, 8 }, { 1, 2, 1 }, 3, 2, TRUE },
  { "plain", { 5, 7 }, { 2, 1 }, 2, 2, FALSE },
  { "no-shuffle", { 4, 6, 6, 9 }, { 1, 1, 1, 2 }, 4, 1, TRUE },
  { "one-level", { 8 }, { 2 }, 1, 2, TRUE },
};

/* ---- the file --------------------------------------------------------- */

static double
random_value (const char *name, int i, double scale)
{
  float pair[2];

  sumi_random_normal (99, g_str_hash (name), i, 0, 0, pair);
  return scale * pair[0];
}

/* @scale 0: gains around 1 */
static void
add (File *f, const char *name, int n_dims, const int *shape, double scale)
{
  int n = 1;
  g_autofree float *values = NULL;

  for (int i = 0; i < n_dims; i++)
    n *= shape[i];
  values = g_new (float, n);
  for (int i = 0; i < n; i++)
    values[i] = (float) (scale > 0 ? random_value (name, i, scale) : 1 + random_value (name, i, 0.2));
  file_add (f, name, "F32", n_dims, shape, values, sizeof (float) * (gsize) n);
}

static void
add_affine (File *f, const char *prefix, int co, int ci, int k)
{
  g_autofree char *w = g_strconcat (prefix, ".weight", NULL), *b = g_strconcat (prefix, ".bias", NULL);

  add (f, w, k ? 4 : 2, (const int[]){ co, ci, k, k }, 1 / sqrt (ci * MAX (k, 1) * MAX (k, 1)));
  add (f, b, 1, &co, 0.2);
}

static void
add_block (File *f, const char *side, int i, int j, int ci, int co)
{
  g_autofree char *p = g_strdup_printf ("%s.%d.%d", side, i, j);
  g_autofree char *n1 = g_strconcat (p, ".n1.g", NULL), *n2 = g_strconcat (p, ".n2.g", NULL);
  g_autofree char *c1 = g_strconcat (p, ".c1", NULL), *c2 = g_strconcat (p, ".c2", NULL);
  g_autofree char *e = g_strconcat (p, ".e", NULL), *k = g_strconcat (p, ".k", NULL);

  add (f, n1, 1, &ci, 0);
  add (f, n2, 1, &co, 0);
  add_affine (f, c1, co, ci, 3);
  add_affine (f, c2, co, co, 3);
  add_affine (f, e, 2 * co, EMBED, 0);
  if (ci != co)
    add_affine (f, k, co, ci, 1);
}

static char *
sizes (const int *values, int n)
{
  GString *s = g_string_new ("[");

  for (int i = 0; i < n; i++)
    g_string_append_printf (s, "%s%d", i ? ", " : "", values[i]);
  g_string_append_c (s, ']');
  return g_string_free (s, FALSE);
}

/* Writes the model of @c, with @extra added to its tensors if any, and opens it. */
static SumiWeights *
make_model (const Config *c, const char *extra)
{
  g_autofree char *folder = g_dir_make_tmp (NULL, NULL), *path = g_build_filename (folder, "net", NULL);
  g_autofree char *ch = sizes (c->ch, c->levels), *nb = sizes (c->nb, c->levels);
  g_autofree char *config = g_strdup_printf (
      "{\\\"ch\\\": %s, \\\"nb\\\": %s, \\\"p\\\": %d, %s\\\"scales\\\": {\\\"color\\\": 0.3, \\\"8\\\": 0.16, "
      "\\\"fill\\\": 0.2, \\\"1\\\": 0.05, \\\"2\\\": 0.07}, \\\"later\\\": [{}]}",
      ch, nb, c->p, c->hp ? "\\\"hp\\\": true, " : "");
  g_autofree char *meta =
      g_strdup_printf ("{\"sumi.family\":\"restore\",\"sumi.version\":\"1\",\"sumi.config\":\"%s\"}", config);
  g_autoptr (GByteArray) bytes = NULL;
  g_autoptr (GError) error = NULL;
  SumiWeights *w;
  File f = file_new ();

  file_meta (&f, meta);
  add (&f, "f", 1, (const int[]){ FREQ }, 3);
  add_affine (&f, "emb.0", EMBED, 6 * FREQ, 0);
  add_affine (&f, "emb.2", EMBED, EMBED, 0);
  add_affine (&f, "inp", c->ch[0], (c->hp ? 12 : 9) * c->p * c->p, 3);
  add (&f, "no.g", 1, c->ch, 0);
  add_affine (&f, "out", 3 * c->p * c->p, c->ch[0], 3);
  for (int i = 0; i < c->levels; i++)
    {
      g_autofree char *dn = g_strdup_printf ("dn.%d", i), *up = g_strdup_printf ("up.%d", i);
      const gboolean last = i == c->levels - 1;

      for (int j = 0; j < c->nb[i]; j++)
        {
          add_block (&f, "enc", i, j, c->ch[i], c->ch[i]);
          if (! last)
            add_block (&f, "dec", i, j, j ? c->ch[i] : 2 * c->ch[i], c->ch[i]);
        }
      if (last)
        break;
      add_affine (&f, dn, c->ch[i + 1], c->ch[i], 2);
      add_affine (&f, up, c->ch[i], c->ch[i + 1], 1);
    }
  if (extra)
    add (&f, extra, 1, (const int[]){ 3 }, 1);
  bytes = file_finish (&f);
  file_write (path, bytes->data, bytes->len);
  w = sumi_weights_open (path, &error);
  g_assert_no_error (error);
  g_remove (path);
  g_rmdir (folder);
  return w;
}

/* ---- the plain reading ------------------------------------------------ */

typedef struct
{
  int c, h, w;
  double *v;
} Map;

static Map
map_new (int c, int h, int w)
{
  return (Map){ c, h, w, g_new0 (double, c *h *w) };
}

static double *
at (const Map *m, int c, int y, int x)
{
  return m->v + (c * m->h + y) * m->w + x;
}

static double
silu (double x)
{
  return x / (1 + exp (-x));
}

static const float *
tensor (SumiWeights *w, const char *prefix, const char *name)
{
  g_autofree char *full = g_strconcat (prefix, name, NULL);
  const SumiTensor *t = sumi_weights_find (w, full);

  g_assert_nonnull (t);
  return t->data;
}

/* Frees @x. */
static Map
conv (SumiWeights *weights, const char *prefix, Map x, int co, int k, int stride, int pad)
{
  const float *w = tensor (weights, prefix, ".weight"), *b = tensor (weights, prefix, ".bias");
  Map y = map_new (co, (x.h + 2 * pad - k) / stride + 1, (x.w + 2 * pad - k) / stride + 1);

  for (int o = 0; o < co; o++)
    for (int i = 0; i < y.h; i++)
      for (int j = 0; j < y.w; j++)
        {
          *at (&y, o, i, j) = b[o];
          for (int c = 0; c < x.c; c++)
            for (int u = 0; u < k; u++)
              for (int v = 0; v < k; v++)
                {
                  const int row = i * stride + u - pad, column = j * stride + v - pad;

                  if (row >= 0 && row < x.h && column >= 0 && column < x.w)
                    *at (&y, o, i, j) += (double) w[((o * x.c + c) * k + u) * k + v] * *at (&x, c, row, column);
                }
        }
  g_free (x.v);
  return y;
}

static Map
copy (Map x)
{
  x.v = g_memdup2 (x.v, sizeof (double) * (gsize) (x.c * x.h * x.w));
  return x;
}

static void
linear (SumiWeights *weights, const char *prefix, const double *x, int di, double *y, int d_out)
{
  const float *w = tensor (weights, prefix, ".weight"), *b = tensor (weights, prefix, ".bias");

  for (int o = 0; o < d_out; o++)
    {
      y[o] = b[o];
      for (int i = 0; i < di; i++)
        y[o] += (double) w[o * di + i] * x[i];
    }
}

/* x ← silu (rms (x)·g·(1 + a) + c) */
static void
norm (Map x, const float *g, const double *ac)
{
  for (int i = 0; i < x.h; i++)
    for (int j = 0; j < x.w; j++)
      {
        double sum = 0;

        for (int c = 0; c < x.c; c++)
          sum += *at (&x, c, i, j) * *at (&x, c, i, j);
        for (int c = 0; c < x.c; c++)
          {
            const double y = *at (&x, c, i, j) / sqrt (sum / x.c + 1e-6) * g[c];

            *at (&x, c, i, j) = silu (y * (1 + (ac ? ac[c] : 0)) + (ac ? ac[x.c + c] : 0));
          }
      }
}

/* Frees @x. */
static Map
block (SumiWeights *weights, const char *side, int i, int j, Map x, int co, const double *t)
{
  g_autofree char *p = g_strdup_printf ("%s.%d.%d", side, i, j);
  g_autofree char *c1 = g_strconcat (p, ".c1", NULL), *c2 = g_strconcat (p, ".c2", NULL);
  g_autofree char *e = g_strconcat (p, ".e", NULL), *k = g_strconcat (p, ".k", NULL);
  g_autofree double *ac = g_new (double, 2 * co);
  Map h = copy (x);

  linear (weights, e, t, EMBED, ac, 2 * co);
  norm (h, tensor (weights, p, ".n1.g"), NULL);
  h = conv (weights, c1, h, co, 3, 1, 1);
  norm (h, tensor (weights, p, ".n2.g"), ac);
  h = conv (weights, c2, h, co, 3, 1, 1);
  if (x.c != co)
    x = conv (weights, k, x, co, 1, 1, 0);
  for (int n = 0; n < co * h.h * h.w; n++)
    h.v[n] += x.v[n];
  g_free (x.v);
  return h;
}

/* Frees @x. */
static Map
unshuffle (Map x, int p)
{
  Map y = map_new (x.c * p * p, x.h / p, x.w / p);

  for (int c = 0; c < x.c; c++)
    for (int i = 0; i < x.h; i++)
      for (int j = 0; j < x.w; j++)
        *at (&y, c * p * p + i % p * p + j % p, i / p, j / p) = *at (&x, c, i, j);
  g_free (x.v);
  return y;
}

/* Frees both; @low is enlarged twice by repetition. */
static Map
join (Map low, Map kept)
{
  Map y = map_new (low.c + kept.c, kept.h, kept.w);

  for (int c = 0; c < y.c; c++)
    for (int i = 0; i < y.h; i++)
      for (int j = 0; j < y.w; j++)
        *at (&y, c, i, j) = c < low.c ? *at (&low, c, i / 2, j / 2) : *at (&kept, c - low.c, i, j);
  g_free (low.v);
  g_free (kept.v);
  return y;
}

/* (b − B∗b)/s, cut at ±4 */
static double
detail (const Map *b, int c, int y, int x, double s)
{
  static const double weight[] = { 1, 4, 6, 4, 1 };
  double blur = 0;

  for (int i = -2; i <= 2; i++)
    for (int j = -2; j <= 2; j++)
      blur += weight[i + 2] * weight[j + 2] / 256 * *at (b, c, CLAMP (y + i, 0, b->h - 1), CLAMP (x + j, 0, b->w - 1));
  return CLAMP ((*at (b, c, y, x) - blur) / s, -4, 4);
}

typedef struct
{
  Map u, b, e;
  double sigma, factor, noise, s;
} Input;

static Map
denoise (SumiWeights *weights, const Config *c, const Input *in)
{
  const double root = sqrt (1 + in->sigma * in->sigma);
  const double values[] = { log (in->sigma) / 4, log2 (in->factor) / 4, in->noise };
  const float *f = tensor (weights, "f", "");
  double v[6 * FREQ], hidden[EMBED], t[EMBED];
  Map x = map_new (c->hp ? 12 : 9, in->u.h, in->u.w), kept[4], d = map_new (3, in->u.h, in->u.w);

  for (int i = 0; i < 3; i++)
    for (int k = 0; k < FREQ; k++)
      {
        v[2 * FREQ * i + k] = sin (values[i] * f[k]);
        v[2 * FREQ * i + FREQ + k] = cos (values[i] * f[k]);
      }
  linear (weights, "emb.0", v, 6 * FREQ, hidden, EMBED);
  for (int i = 0; i < EMBED; i++)
    hidden[i] = silu (hidden[i]);
  linear (weights, "emb.2", hidden, EMBED, t, EMBED);
  for (int i = 0; i < EMBED; i++)
    t[i] = silu (t[i]);

  for (int k = 0; k < 3; k++)
    for (int i = 0; i < x.h; i++)
      for (int j = 0; j < x.w; j++)
        {
          *at (&x, k, i, j) = *at (&in->u, k, i, j) / root;
          *at (&x, 3 + k, i, j) = *at (&in->b, k, i, j);
          *at (&x, 6 + k, i, j) = *at (&in->e, k, i, j);
          if (c->hp)
            *at (&x, 9 + k, i, j) = detail (&in->b, k, i, j, in->s);
        }
  x = conv (weights, "inp", unshuffle (x, c->p), c->ch[0], 3, 1, 1);
  for (int i = 0; i < c->levels; i++)
    {
      g_autofree char *dn = g_strdup_printf ("dn.%d", i);

      for (int j = 0; j < c->nb[i]; j++)
        x = block (weights, "enc", i, j, x, c->ch[i], t);
      if (i == c->levels - 1)
        break;
      kept[i] = copy (x);
      x = conv (weights, dn, x, c->ch[i + 1], 2, 2, 0);
    }
  for (int i = c->levels - 2; i >= 0; i--)
    {
      g_autofree char *up = g_strdup_printf ("up.%d", i);

      x = join (conv (weights, up, x, c->ch[i], 1, 1, 0), kept[i]);
      for (int j = 0; j < c->nb[i]; j++)
        x = block (weights, "dec", i, j, x, c->ch[i], t);
    }
  norm (x, tensor (weights, "no.g", ""), NULL);
  x = conv (weights, "out", x, 3 * c->p * c->p, 3, 1, 1);
  for (int k = 0; k < 3; k++)
    for (int i = 0; i < d.h; i++)
      for (int j = 0; j < d.w; j++)
        *at (&d, k, i, j) =
            *at (&in->u, k, i, j) / (root * root) +
            in->sigma / root * *at (&x, k * c->p * c->p + i % c->p * c->p + j % c->p, i / c->p, j / c->p);
  g_free (x.v);
  return d;
}

/* ---- the comparison --------------------------------------------------- */

/* Where the @i-th value of @m, a map of planes, is in a tensor. */
static int
last (const Map *m, int i)
{
  const int plane = m->h * m->w;

  return i % plane * m->c + i / plane;
}

static SumiTensor *
to_tensor (SumiArena *arena, const Map *m)
{
  SumiTensor *t = sumi_tensor_new (arena, SUMI_DTYPE_F32, 4, (const int[]){ 1, m->h, m->w, m->c });

  for (int i = 0; i < m->c * m->h * m->w; i++)
    sumi_tensor_f32 (t)[last (m, i)] = (float) m->v[i];
  return t;
}

static void
test_config (gconstpointer data)
{
  const Config *c = data;
  g_autoptr (SumiWeights) weights = make_model (c, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (SumiRestoreNet) net = sumi_restore_net_load (weights, &error);
  g_autoptr (SumiPool) pool = sumi_pool_new (2);
  g_autoptr (SumiEval) ev = sumi_eval_new (sumi_backend_default (), pool);
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  const int h = 3 * (c->p << (c->levels - 1)), w = 2 * h / 3;
  Input in = { map_new (3, h, w), map_new (3, h, w), map_new (3, h, w), 0.7, 2.5, 0.04, 0.09 };
  SumiRestoreInput input = { .factor = in.factor, .noise = in.noise };
  SumiTensor *got, *hp = NULL;
  double worst = 0, top = 0;
  int cut = 0;
  Map want;

  g_assert_no_error (error);
  g_assert_cmpint (sumi_restore_net_get_align (net), ==, c->p << (c->levels - 1));
  g_assert_cmpint (sumi_restore_net_wants_detail (net), ==, c->hp);
  for (int i = 0; i < 3 * h * w; i++)
    {
      in.u.v[i] = (float) random_value ("u", i, 1.2);
      in.b.v[i] = (float) CLAMP (sin (i * 0.11) * 0.7 + random_value ("b", i, 0.2), -1, 1);
      in.e.v[i] = random_value ("e", i, 1) > 0.5;
    }
  want = denoise (weights, c, &in);

  input.b = to_tensor (arena, &in.b);
  input.e = to_tensor (arena, &in.e);
  if (c->hp)
    {
      input.hp = hp = to_tensor (arena, &in.b);
      sumi_restore_net_detail (pool, input.b, in.s, hp);
      for (int i = 0; i < 3 * h * w; i++)
        {
          const double exact = detail (&in.b, i / (h * w), i / w % h, i % w, in.s);

          g_assert_cmpfloat_with_epsilon (sumi_tensor_f32 (hp)[last (&in.b, i)], exact, 2e-5);
          cut += fabs (exact) == 4;
        }
      g_assert_cmpint (cut, >, 0); /* the clamp is seen at work */
      g_assert_cmpint (cut, <, 3 * h * w);
    }
  got = sumi_restore_net_denoise (net, ev, &input, to_tensor (arena, &in.u), in.sigma);
  g_assert_true (sumi_eval_finish (ev, &error));
  for (int i = 0; i < 3 * h * w; i++)
    {
      worst = MAX (worst, fabs (sumi_tensor_f32 (got)[last (&want, i)] - want.v[i]));
      top = MAX (top, fabs (want.v[i]));
    }
  g_test_message ("%s: largest difference %.2e of %.2f", c->name, worst, top);
  g_assert_cmpfloat (worst, <, 1e-4 * top);
  g_free (want.v);
  g_free (in.u.v);
  g_free (in.b.v);
  g_free (in.e.v);
}

static void
test_scales (void)
{
  g_autoptr (SumiWeights) weights = make_model (configs, NULL);
  g_autoptr (SumiRestoreNet) net = sumi_restore_net_load (weights, NULL);

  g_assert_cmpfloat (sumi_restore_net_scale_fill (net), ==, 0.2);
  g_assert_cmpfloat (sumi_restore_net_scale_colour (net), ==, 0.3);
  g_assert_cmpfloat (sumi_restore_net_scale_factor (net, 1), ==, 0.05);
  g_assert_cmpfloat (sumi_restore_net_scale_factor (net, 2), ==, 0.07);
  g_assert_cmpfloat_with_epsilon (sumi_restore_net_scale_factor (net, 4), (0.07 + 0.16) / 2, 1e-12);
  g_assert_cmpfloat (sumi_restore_net_scale_factor (net, 20), ==, 0.16);
}

/* A tensor that nothing uses says that the file is of a newer kind. */
static void
test_unused (void)
{
  g_autoptr (SumiWeights) weights = make_model (configs, "attention.g");
  g_autoptr (GError) error = NULL;

  g_assert_null (sumi_restore_net_load (weights, &error));
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "attention.g"));
}

/* The sizes of the config and of the tensors must agree. */
static void
test_misfit (void)
{
  Config c = configs[1];
  g_autoptr (SumiWeights) weights = make_model (&c, NULL), other = NULL;
  g_autofree char *config = NULL;
  g_autoptr (GError) error = NULL;

  c.p = 4; /* neither 1 nor 2 */
  other = make_model (&c, NULL);
  g_assert_null (sumi_restore_net_load (other, &error));
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_FORMAT);
  g_assert_nonnull (strstr (error->message, "(p)"));
  g_clear_error (&error);
  g_clear_pointer (&other, sumi_weights_unref);

  c = configs[1];
  c.nb[0] = 17; /* more than anybody needs */
  other = make_model (&c, NULL);
  g_assert_null (sumi_restore_net_load (other, &error));
  g_assert_error (error, SUMI_ERROR, SUMI_ERROR_FORMAT);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (configs); i++)
    {
      g_autofree char *path = g_strdup_printf ("/net/float64/%s", configs[i].name);

      g_test_add_data_func (path, configs + i, test_config);
    }
  g_test_add_func ("/net/scales", test_scales);
  g_test_add_func ("/net/unused", test_unused);
  g_test_add_func ("/net/misfit", test_misfit);
  return g_test_run ();
}
