/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/model/restore-net.h"

#include <math.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/diffusion/precond/edm.h"
#include "core/io/json.h"
#include "core/io/weights.h"
#include "core/nn/embedding.h"
#include "core/nn/param.h"
#include "core/nn/resblock.h"
#include "core/ops/ops.h"
#include "core/tensor/eval.h"
#include "core/tensor/prepared.h"
#include "core/tensor/tape.h"
#include "core/tensor/tensor.h"

#define MAX_LEVELS   8
#define MAX_BLOCKS   16
#define MAX_CHANNELS 4096
#define MAX_FACTORS  16

typedef struct
{
  SumiResblock blocks[MAX_BLOCKS];
} Blocks;

struct SumiRestoreNet
{
  int levels, ch[MAX_LEVELS], nb[MAX_LEVELS], p;
  gboolean hp;
  double scale_fill, scale_colour;
  int n_factors;
  double factors[MAX_FACTORS], scales[MAX_FACTORS]; /* by rising factor */

  SumiArena *arena;
  SumiPrepared *prepared;
  SumiTensor *f;                                   /* [F]: ω */
  SumiTensor *emb0_w, *emb0_b, *emb2_w, *emb2_b;   /* [T, 6F], [T], [T, T], [T] */
  SumiTensor *inp_w, *inp_b;                       /* [C0, (9 or 12)·p², 3, 3] */
  SumiTensor *no_g, *out_w, *out_b;                /* [C0], [3·p², C0, 3, 3] */
  SumiTensor *dn_w[MAX_LEVELS], *dn_b[MAX_LEVELS]; /* [C(i+1), Ci, 2, 2] */
  SumiTensor *up_w[MAX_LEVELS], *up_b[MAX_LEVELS]; /* [Ci, C(i+1), 1, 1] */
  Blocks enc[MAX_LEVELS], dec[MAX_LEVELS];

  SumiRestoreTap tap;
  gpointer tap_data;
};

static const SumiParam params[] = {
  SUMI_PARAM (SumiRestoreNet, f, "f", "F"),
  SUMI_PARAM (SumiRestoreNet, emb0_w, "emb.0.weight", "T 6F"),
  SUMI_PARAM (SumiRestoreNet, emb0_b, "emb.0.bias", "T"),
  SUMI_PARAM (SumiRestoreNet, emb2_w, "emb.2.weight", "T T"),
  SUMI_PARAM (SumiRestoreNet, emb2_b, "emb.2.bias", "T"),
  SUMI_PARAM (SumiRestoreNet, inp_w, "inp.weight", "C0 In 3 3"),
  SUMI_PARAM (SumiRestoreNet, inp_b, "inp.bias", "C0"),
  SUMI_PARAM (SumiRestoreNet, no_g, "no.g", "C0"),
  SUMI_PARAM (SumiRestoreNet, out_w, "out.weight", "Out C0 3 3"),
  SUMI_PARAM (SumiRestoreNet, out_b, "out.bias", "Out"),
};

/* ---- config ----------------------------------------------------------- */

static gboolean
bad_config (SumiWeights *weights, const char *why, GError **error)
{
  g_set_error (error, SUMI_ERROR, SUMI_ERROR_FORMAT, "%s: its sumi.config %s", sumi_weights_get_path (weights), why);
  return FALSE;
}

/* Returns: number of elements, whole numbers in [1, @max]. */
static int
read_sizes (SumiJson *json, guint64 max, int *out)
{
  int n = 0;

  sumi_json_enter_array (json);
  while (sumi_json_next_element (json))
    {
      const int value = (int) sumi_json_whole (json, max);

      if (n == MAX_LEVELS || value < 1)
        sumi_json_fail (json, "sizes that do not fit");
      else
        out[n++] = value;
    }
  return n;
}

/* Keeps the factors rising. */
static void
add_factor (SumiRestoreNet *net, double factor, double scale)
{
  int i = net->n_factors++;

  for (; i > 0 && net->factors[i - 1] > factor; i--)
    {
      net->factors[i] = net->factors[i - 1];
      net->scales[i] = net->scales[i - 1];
    }
  net->factors[i] = factor;
  net->scales[i] = scale;
}

static void
read_scales (SumiRestoreNet *net, SumiJson *json)
{
  char *key;

  sumi_json_enter_object (json);
  while ((key = sumi_json_next_member (json)))
    {
      const double scale = sumi_json_number (json);
      char *end;
      const double factor = g_ascii_strtod (key, &end);

      if (! (scale > 0))
        sumi_json_fail (json, "the scale “%s” is not above 0", key);
      else if (! strcmp (key, "fill"))
        net->scale_fill = scale;
      else if (! strcmp (key, "color"))
        net->scale_colour = scale;
      else if (*end || ! (factor >= 1 && factor <= 1024) || net->n_factors == MAX_FACTORS)
        sumi_json_fail (json, "there is no scale “%s”", key);
      else
        add_factor (net, factor, scale);
      g_free (key);
    }
}

static gboolean
read_config (SumiRestoreNet *net, SumiWeights *weights, GError **error)
{
  const char *text = sumi_weights_get_meta (weights, "sumi.config");
  int n_nb = 0;
  SumiJson json;
  char *key;

  if (! text)
    return bad_config (weights, "is missing", error);
  net->p = 2;
  sumi_json_init (&json, text, strlen (text));
  sumi_json_enter_object (&json);
  while ((key = sumi_json_next_member (&json)))
    {
      if (! strcmp (key, "ch"))
        net->levels = read_sizes (&json, MAX_CHANNELS, net->ch);
      else if (! strcmp (key, "nb"))
        n_nb = read_sizes (&json, MAX_BLOCKS, net->nb);
      else if (! strcmp (key, "p"))
        net->p = (int) sumi_json_whole (&json, 1024);
      else if (! strcmp (key, "hp"))
        net->hp = sumi_json_bool (&json);
      else if (! strcmp (key, "scales"))
        read_scales (net, &json);
      else
        sumi_json_skip (&json);
      g_free (key);
    }
  if (! sumi_json_finish (&json, error))
    {
      g_prefix_error (error, "%s: sumi.config: ", sumi_weights_get_path (weights));
      return FALSE;
    }
  if (net->levels < 1 || n_nb != net->levels)
    return bad_config (weights, "has no fitting lists of channels (ch) and blocks (nb)", error);
  if (net->p != 1 && net->p != 2)
    return bad_config (weights, "asks for a pixel shuffle (p) other than 1 or 2", error);
  if (! (net->scale_fill > 0 && net->scale_colour > 0 && net->n_factors > 0))
    return bad_config (weights, "lacks scales: fill, color and factors", error);
  return TRUE;
}

/* ---- weights ---------------------------------------------------------- */

static gboolean
load_conv (SumiLoader *loader,
           const char *prefix,
           int co,
           int ci,
           int k,
           SumiTensor **w,
           SumiTensor **b,
           GError **error)
{
  struct
  {
    SumiTensor *w, *b;
  } conv;
  const SumiParam rows[] = { { "weight", "Co Ci K K", 0, FALSE }, { "bias", "Co", sizeof (SumiTensor *), FALSE } };
  const gboolean ok = sumi_params_load (loader, rows, 2, prefix, &conv, error, "Co", co, "Ci", ci, "K", k, NULL);

  if (ok)
    {
      *w = conv.w;
      *b = conv.b;
    }
  return ok;
}

static gboolean
load_blocks (SumiRestoreNet *net,
             SumiLoader *loader,
             const char *side,
             int level,
             int first_in,
             Blocks *blocks,
             GError **error)
{
  for (int j = 0; j < net->nb[level]; j++)
    {
      g_autofree char *prefix = g_strdup_printf ("%s.%d.%d", side, level, j);

      if (! sumi_resblock_load (&blocks->blocks[j], loader, prefix, j ? net->ch[level] : first_in, net->ch[level],
                                net->emb0_b->shape[0], error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
load_level (SumiRestoreNet *net, SumiLoader *loader, int i, GError **error)
{
  g_autofree char *dn = g_strdup_printf ("dn.%d", i), *up = g_strdup_printf ("up.%d", i);

  if (! load_blocks (net, loader, "enc", i, net->ch[i], &net->enc[i], error))
    return FALSE;
  return i == net->levels - 1 ||
         (load_conv (loader, dn, net->ch[i + 1], net->ch[i], 2, &net->dn_w[i], &net->dn_b[i], error) &&
          load_conv (loader, up, net->ch[i], net->ch[i + 1], 1, &net->up_w[i], &net->up_b[i], error) &&
          load_blocks (net, loader, "dec", i, 2 * net->ch[i], &net->dec[i], error));
}

SumiRestoreNet *
sumi_restore_net_load (SumiWeights *weights, GError **error)
{
  g_autoptr (SumiRestoreNet) net = g_new0 (SumiRestoreNet, 1);
  g_autoptr (GHashTable) used = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  SumiLoader loader = {
    .weights = weights, .find = sumi_weights_find, .path = sumi_weights_get_path (weights), .used = used
  };
  const SumiTensor *f = sumi_weights_find (weights, "f");

  net->arena = loader.arena = sumi_arena_new ();
  net->prepared = loader.prepared = sumi_prepared_new ();
  if (! read_config (net, weights, error) ||
      ! sumi_params_load (&loader, params, G_N_ELEMENTS (params), "", net, error, "C0", net->ch[0], "In",
                          (net->hp ? 12 : 9) * net->p * net->p, "Out", 3 * net->p * net->p, "6F",
                          f && f->n_dims == 1 ? 6 * f->shape[0] : 0, NULL))
    return NULL;
  if (net->f->shape[0] < 1 || net->emb0_b->shape[0] < 1)
    {
      bad_config (weights, "goes with an empty conditioning", error);
      return NULL;
    }
  for (int i = 0; i < net->levels; i++)
    if (! load_level (net, &loader, i, error))
      return NULL;
  for (const char *const *name = sumi_weights_get_names (weights); *name; name++)
    if (! g_hash_table_contains (used, *name))
      {
        g_set_error (error, SUMI_ERROR, SUMI_ERROR_UNSUPPORTED,
                     "%s: nothing here uses its tensor “%s”; it may need a newer version of Sumi", loader.path, *name);
        return NULL;
      }
  return g_steal_pointer (&net);
}

void
sumi_restore_net_keep (SumiRestoreNet *net, const char *path, const char *identity)
{
  sumi_prepared_keep (net->prepared, path, identity);
}

void
sumi_restore_net_free (SumiRestoreNet *net)
{
  if (! net)
    return;
  sumi_prepared_free (net->prepared);
  sumi_arena_free (net->arena);
  g_free (net);
}

int
sumi_restore_net_get_align (const SumiRestoreNet *net)
{
  return net->p << (net->levels - 1);
}

gboolean
sumi_restore_net_wants_detail (const SumiRestoreNet *net)
{
  return net->hp;
}

double
sumi_restore_net_scale_fill (const SumiRestoreNet *net)
{
  return net->scale_fill;
}

double
sumi_restore_net_scale_colour (const SumiRestoreNet *net)
{
  return net->scale_colour;
}

double
sumi_restore_net_scale_factor (const SumiRestoreNet *net, double factor)
{
  int i = 0;
  double t;

  while (i < net->n_factors && net->factors[i] < factor)
    i++;
  if (i == 0)
    return net->scales[0];
  if (i == net->n_factors)
    return net->scales[i - 1];
  t = log (factor / net->factors[i - 1]) / log (net->factors[i] / net->factors[i - 1]);
  return net->scales[i - 1] + t * (net->scales[i] - net->scales[i - 1]);
}

void
sumi_restore_net_set_tap (SumiRestoreNet *net, SumiRestoreTap tap, gpointer data)
{
  net->tap = tap;
  net->tap_data = data;
}

/* ---- evaluation ------------------------------------------------------- */

typedef struct
{
  const SumiTensor *b;
  double s;
  SumiTensor *out;
} DetailJob;

/* One row. */
static void
detail_row (gpointer data, int index, int thread)
{
  static const float kernel[] = { 1 / 16.0f, 4 / 16.0f, 6 / 16.0f, 4 / 16.0f, 1 / 16.0f };
  const DetailJob *job = data;
  const int height = job->b->shape[1], width = job->b->shape[2];
  const gsize stride = 3 * (gsize) width;
  const float scale = (float) (1 / job->s), *rows[5];
  float *out = sumi_tensor_f32 (job->out) + (gsize) index * stride;

  for (int k = 0; k < 5; k++)
    rows[k] = sumi_tensor_f32 (job->b) + (gsize) CLAMP (index + k - 2, 0, height - 1) * stride;
  for (int x = 0; x < width; x++)
    for (int c = 0; c < 3; c++)
      {
        float blur = 0;

        for (int l = 0; l < 5; l++)
          {
            const int at = 3 * CLAMP (x + l - 2, 0, width - 1) + c;
            float column = 0;

            for (int k = 0; k < 5; k++)
              column += kernel[k] * rows[k][at];
            blur += kernel[l] * column;
          }
        out[3 * x + c] = CLAMP ((rows[2][3 * x + c] - blur) * scale, -4, 4);
      }
}

void
sumi_restore_net_detail (SumiPool *pool, const SumiTensor *b, double s, SumiTensor *out)
{
  DetailJob job = { b, s, out };

  sumi_parallel_for (pool, b->shape[1], detail_row, &job);
}

static void
show (const SumiRestoreNet *net, SumiEval *ev, const char *name, int i, int j, const SumiTensor *value)
{
  g_autofree char *full = NULL;

  if (! net->tap || ev->error)
    return;
  full = j >= 0 ? g_strdup_printf ("%s.%d.%d", name, i, j) :
         i >= 0 ? g_strdup_printf ("%s.%d", name, i) :
                  g_strdup (name);
  net->tap (net->tap_data, full, value);
}

/* One call of the denoiser. */
typedef struct
{
  const SumiRestoreNet *net;
  SumiEval *ev;
  const SumiRestoreInput *input;
  const SumiTensor *u;
  double sigma, c_in;
  SumiTensor *t; /* [1, T]: the conditioning, through the last silu */
} Pass;

static SumiTensor *
conditioning (const Pass *pass)
{
  const SumiRestoreNet *net = pass->net;
  SumiEval *ev = pass->ev;
  const double values[] = { log (pass->sigma) / 4, log2 (pass->input->factor) / 4, pass->input->noise };
  SumiTensor *v = sumi_eval_tensor (ev, 2, (const int[]){ 1, 6 * net->f->shape[0] }), *t;

  if (ev->error)
    return v;
  sumi_embed_sinusoid (values, 3, net->f, v);
  t = sumi_linear (ev, v, net->emb0_w, net->emb0_b, NULL);
  t = sumi_linear (ev, sumi_silu (ev, t, t), net->emb2_w, net->emb2_b, NULL);
  show (net, ev, "emb", -1, -1, t);
  return sumi_silu (ev, t, t);
}

typedef struct
{
  const float *maps[4]; /* u, b, e, (nullable) hp: [H, W, 3] */
  float factor;         /* of u */
  int n_maps, p;
  gsize width; /* of out */
  float *out;  /* [H/p, W/p, 3·n_maps·p²] */
} StackJob;

/* One row of the output. */
static void
stack_row (gpointer data, int index, int thread)
{
  const StackJob *job = data;
  const gsize row = 3 * (gsize) job->p * job->width;
  float *to = job->out + (gsize) index * job->width * (gsize) (3 * job->n_maps * job->p * job->p);

  for (gsize x = 0; x < job->width; x++)
    for (int m = 0; m < job->n_maps; m++)
      {
        const float *upper = job->maps[m] + (gsize) (index * job->p) * row + 3 * (gsize) job->p * x,
                    *lower = upper + row;
        const float factor = m ? 1 : job->factor;

        if (job->p == 2)
          for (int c = 0; c < 3; c++, to += 4)
            {
              to[0] = factor * upper[c];
              to[1] = factor * upper[3 + c];
              to[2] = factor * lower[c];
              to[3] = factor * lower[3 + c];
            }
        else
          for (int c = 0; c < 3; c++)
            *to++ = factor * upper[c];
      }
}

typedef struct
{
  const float *g, *add; /* [H/p, W/p, 3·n_maps·p²]; (nullable) [H, W, 3] */
  float *grad;          /* [H, W, 3] */
  float factor;
  int channels, p; /* channels: of g */
  gsize width;     /* of grad */
} UnstackJob;

/* One row of u: its channels of the stack come first. */
static void
unstack_row (gpointer data, int index, int thread)
{
  const UnstackJob *job = data;
  const int p = job->p, dy = index % p;
  const gsize row = (gsize) (index / p) * (job->width / (gsize) p) * (gsize) job->channels;
  const gsize at = 3 * (gsize) index * job->width;

  for (gsize x = 0; x < job->width; x++)
    for (gsize c = 0; c < 3; c++)
      {
        const gsize k = (c * (gsize) p + (gsize) dy) * (gsize) p + x % (gsize) p;
        const float value = job->factor * job->g[row + x / (gsize) p * (gsize) job->channels + k];

        job->grad[at + 3 * x + c] = job->add ? job->add[at + 3 * x + c] + value : value;
      }
}

/* The shares of b, e and hp are nobody's. */
static void
stack_gradient (SumiEval *ev, const SumiBackward *b)
{
  UnstackJob job = {
    .g = sumi_tensor_f32 (b->g),
    .add = b->add[0] ? sumi_tensor_f32 (b->add[0]) : NULL,
    .grad = sumi_tensor_f32 (b->grad[0]),
    .factor = *(const float *) b->params,
    .channels = b->g->shape[3],
    .p = b->grad[0]->shape[1] / b->g->shape[1],
    .width = (gsize) b->grad[0]->shape[2],
  };

  sumi_parallel_for (ev->pool, b->grad[0]->shape[1], unstack_row, &job);
}

/* c_in·u, b, e (, hp), side by side [1, H, W, 9 or 12], through pixel-unshuffle → [1, H/p, W/p, (9 or 12)·p²] */
static SumiTensor *
stack (const Pass *pass)
{
  const SumiRestoreInput *input = pass->input;
  const int p = pass->net->p, n_maps = pass->net->hp ? 4 : 3;
  const int shape[] = { 1, pass->u->shape[1] / p, pass->u->shape[2] / p, 3 * n_maps * p * p };
  SumiTensor *x = sumi_eval_tensor (pass->ev, 4, shape);
  StackJob job = {
    .maps = { sumi_tensor_f32 (pass->u), sumi_tensor_f32 (input->b), sumi_tensor_f32 (input->e),
              pass->net->hp ? sumi_tensor_f32 (input->hp) : NULL },
    .factor = (float) pass->c_in,
    .n_maps = n_maps,
    .p = p,
    .width = (gsize) shape[2],
  };

  if (pass->ev->error)
    return x;
  if (pass->ev->tape)
    {
      const SumiTapeStep step = {
        .name = "stack", .gradient = stack_gradient, .n_in = 1, .params = &job.factor, .params_size = sizeof job.factor
      };

      sumi_tape_record (pass->ev, &step, &pass->u, x);
    }
  job.out = sumi_tensor_f32 (x);
  sumi_parallel_for (pass->ev->pool, shape[1], stack_row, &job);
  return x;
}

/* Blocks use up @h. @out: (nullable): where the result goes if the first one changes the number of channels. */
static SumiTensor *
run_blocks (const Pass *pass, const char *side, int level, const Blocks *blocks, SumiTensor *h, SumiTensor *out)
{
  for (int j = 0; j < pass->net->nb[level]; j++)
    {
      h = sumi_resblock_forward (&blocks->blocks[j], pass->ev, h, pass->t, out);
      show (pass->net, pass->ev, side, level, j, h);
    }
  return h;
}

/* What comes into level @i, from @above, the level over it, or from the pictures, into @h. */
static void
enter_level (const Pass *pass, int i, const SumiTensor *above, SumiTensor *h)
{
  const SumiRestoreNet *net = pass->net;
  SumiEval *ev = pass->ev;
  SumiArenaMark mark = sumi_arena_mark (ev->scratch);
  SumiTensor *x;

  if (i > 0)
    {
      sumi_conv2d (ev, above, net->dn_w[i - 1], net->dn_b[i - 1], 2, 0, h);
      show (net, ev, "dn", i - 1, -1, h);
      return;
    }
  x = stack (pass);
  sumi_conv2d (ev, x, net->inp_w, net->inp_b, 1, 1, h);
  show (net, ev, "inp", -1, -1, h);
  sumi_arena_release (ev->scratch, mark);
}

/* Level @i of the U and everything below it. The encoder's result is kept until the decoder has read it, and its memory
 * then takes the decoder's. Returns: (transfer none): [1, height, width, Ci], in scratch. */
static SumiTensor *
run_level (const Pass *pass, int i, const SumiTensor *above, int height, int width)
{
  const SumiRestoreNet *net = pass->net;
  SumiEval *ev = pass->ev;
  SumiTensor *kept = sumi_eval_tensor (ev, 4, (const int[]){ 1, height, width, net->ch[i] }), *small, *both;
  SumiArenaMark mark;

  if (ev->error)
    return kept;
  enter_level (pass, i, above, kept);
  run_blocks (pass, "enc", i, &net->enc[i], kept, NULL);
  if (i == net->levels - 1)
    return kept;
  small = sumi_eval_tensor (ev, 4, (const int[]){ 1, height / 2, width / 2, net->ch[i] });
  mark = sumi_arena_mark (ev->scratch);
  sumi_conv2d (ev, run_level (pass, i + 1, kept, height / 2, width / 2), net->up_w[i], net->up_b[i], 1, 0, small);
  show (net, ev, "up", i, -1, small);
  sumi_arena_release (ev->scratch, mark);
  both = sumi_concat_enlarged (ev, small, kept, NULL);
  kept = run_blocks (pass, "dec", i, &net->dec[i], both, kept);
  sumi_arena_release (ev->scratch, mark);
  return kept;
}

SumiTensor *
sumi_restore_net_denoise (const SumiRestoreNet *net,
                          SumiEval *ev,
                          const SumiRestoreInput *input,
                          const SumiTensor *u,
                          double sigma)
{
  const SumiPrecond pre = sumi_precond_edm_at (sigma, 1);
  SumiTensor *d = sumi_eval_tensor_like (ev, u), *h;
  SumiArenaMark mark = sumi_arena_mark (ev->scratch);
  const int align = sumi_restore_net_get_align (net);
  SumiDims dims = { 0 };
  Pass pass = { .net = net, .ev = ev, .input = input, .u = u, .sigma = sigma, .c_in = pre.c_in };

  if (sumi_expect (ev, &dims, u, "1 H W 3", "u") && sumi_expect (ev, &dims, input->b, "1 H W 3", "the guess b") &&
      sumi_expect (ev, &dims, input->e, "1 H W 3", "the evidence e") && (u->shape[1] % align || u->shape[2] % align))
    sumi_eval_fail (ev, SUMI_ERROR_SHAPE, "the restore network takes sides that are multiples of %d, not %d×%d", align,
                    u->shape[2], u->shape[1]);
  if (net->hp && ! ev->error)
    sumi_expect (ev, &dims, input->hp, "1 H W 3", "the detail hp");
  if (ev->error)
    return sumi_eval_nothing (ev);
  pass.t = conditioning (&pass);
  h = run_level (&pass, 0, NULL, u->shape[1] / net->p, u->shape[2] / net->p);
  h = sumi_rms_silu (ev, h, net->no_g, NULL, h);
  h = sumi_conv2d (ev, h, net->out_w, net->out_b, 1, 1, NULL);
  show (net, ev, "out", -1, -1, h);
  if (net->p == 2)
    h = sumi_pixel_shuffle (ev, h, NULL);
  sumi_lincomb (ev, pre.c_skip, u, pre.c_out, h, 0, NULL, d);
  sumi_arena_release (ev->scratch, mark);
  return ev->error ? sumi_eval_nothing (ev) : d;
}
