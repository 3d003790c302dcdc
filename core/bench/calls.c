/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whole calls: the restore network on pictures of several sizes, and the patches family, whole and one sweep of its
 * search. */
#include <string.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/base/image.h"
#include "core/base/parallel.h"
#include "core/bench/measure.h"
#include "core/bench/shape.h"
#include "core/model/model.h"
#include "core/model/patches-level.h"
#include "core/model/patches-search.h"
#include "core/model/restore-net.h"
#include "core/ops/op.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

static gboolean
no_memory (const char *name, GError **error)
{
  g_set_error (error, SUMI_ERROR, SUMI_ERROR_MEMORY, "no memory for “%s”; leave it out by --filter", name);
  return FALSE;
}

/* ---- restore ----------------------------------------------------------- */

typedef struct
{
  SumiRestoreNet *net;
  SumiEval *ev;
  SumiRestoreInput input;
  SumiTensor *u;
  double by_kind[SUMI_BENCH_N_KINDS]; /* microseconds so far */
} Call;

static SumiBenchKind
kind_of (const SumiOpClass *op)
{
  static const struct
  {
    const char *prefix;
    SumiBenchKind kind;
  } kinds[] = {
    { "conv", SUMI_BENCH_CONV },       { "linear", SUMI_BENCH_LINEAR },   { "attention", SUMI_BENCH_ATTENTION },
    { "group-norm", SUMI_BENCH_NORM }, { "layer-norm", SUMI_BENCH_NORM }, { "rms", SUMI_BENCH_NORM },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (g_str_has_prefix (op->key, kinds[i].prefix))
      return kinds[i].kind;
  return SUMI_BENCH_OTHER;
}

static void
count (gpointer data, const SumiOpClass *op, gint64 us)
{
  Call *call = data;

  call->by_kind[kind_of (op)] += (double) us;
}

/* The mean (models/restore.md): σ = 80. */
static void
denoise (gpointer data)
{
  Call *call = data;
  const SumiArenaMark mark = sumi_arena_mark (call->ev->scratch);
  const gint64 begin = g_get_monotonic_time ();
  double counted = 0;

  for (int k = 0; k < SUMI_BENCH_N_KINDS; k++)
    counted -= call->by_kind[k];
  sumi_restore_net_denoise (call->net, call->ev, &call->input, call->u, 80);
  for (int k = 0; k < SUMI_BENCH_N_KINDS; k++)
    counted += call->by_kind[k];
  /* what no op did */
  call->by_kind[SUMI_BENCH_OTHER] += (double) (g_get_monotonic_time () - begin) - counted;
  sumi_arena_release (call->ev->scratch, mark);
}

static void
denoise_alone (gpointer data)
{
  Call *call = data;
  g_autoptr (SumiPool) pool = sumi_pool_new (0);

  call->ev->pool = pool;
  denoise (call);
}

static gboolean
prepare_call (Call *call, SumiArena *arena, int side)
{
  SumiTensor *e = sumi_bench_make_output (arena, side, side, 3), *hp = NULL;

  call->u = sumi_bench_make_picture (arena, side, side, 3);
  call->input.b = sumi_bench_make (arena, 1, 4, (const int[]){ 1, side, side, 3 });
  if (! call->u || ! call->input.b || ! e)
    return FALSE;
  for (gsize i = 0; i < sumi_tensor_count (e); i++)
    sumi_tensor_f32 (e)[i] = i % 3 == 2;
  call->input.e = e;
  call->input.factor = 2;
  if (sumi_restore_net_wants_detail (call->net))
    {
      hp = sumi_bench_make_output (arena, side, side, 3);
      if (! hp)
        return FALSE;
      sumi_restore_net_detail (call->ev->pool, call->input.b, 0.1, hp);
    }
  call->input.hp = hp;
  return TRUE;
}

static gboolean
measure_restore (SumiBench *bench, SumiPool *pool, SumiRestoreNet *net, int side, GError **error)
{
  g_autofree char *name = g_strdup_printf ("%dx%d", side, side);
  g_autoptr (GArray) list = g_array_new (FALSE, FALSE, sizeof (SumiBenchShape));
  g_autoptr (SumiArena) arena = sumi_arena_new ();
  g_autoptr (SumiEval) ev = sumi_bench_new_eval (bench, pool);
  Call call = { .net = net, .ev = ev };
  SumiBenchRow row = { .section = SUMI_BENCH_NETWORKS,
                       .network = "restore",
                       .name = name,
                       .threads = sumi_pool_get_n_threads (pool),
                       .count = 1,
                       .serial = -1 };
  double all = 0;

  if (! sumi_bench_wants (bench, row.network, name))
    return TRUE;
  if (! sumi_bench_check (bench, error))
    return FALSE;
  sumi_bench_list_restore (list, side, side);
  row.flops = sumi_bench_list_flops (list);
  if (! bench->list)
    {
      if (! prepare_call (&call, arena, side))
        return no_memory (name, error);
      /* the second call still puts the arena's chunks together */
      denoise (&call);
      denoise (&call);
      ev->ran = count;
      ev->ran_data = &call;
      memset (call.by_kind, 0, sizeof call.by_kind);
      row.peak = sumi_bench_get_peak (bench, pool);
      row.time = sumi_bench_measure_cold (denoise, &call, bench->seconds);
      row.memory = sumi_arena_get_peak (ev->scratch);
      for (int k = 0; k < SUMI_BENCH_N_KINDS; k++)
        all += call.by_kind[k];
      for (int k = 0; k < SUMI_BENCH_N_KINDS; k++)
        row.share[k] = call.by_kind[k] / all;
      ev->ran = NULL;
      sumi_bench_measure_serial (denoise_alone, &call, &row);
      ev->pool = pool;
      if (! sumi_eval_finish (ev, error))
        return FALSE;
    }
  sumi_bench_emit (bench, &row);
  return TRUE;
}

/* ---- patches ----------------------------------------------------------- */

typedef struct
{
  SumiModel *model;
  SumiEval *ev;
  SumiEvidence evidence;
  PatchesLevel *level;
  PatchesSearchMode mode;
  guint32 sweep;
  GError *error;
} Fill;

static void
fill (gpointer data)
{
  Fill *f = data;
  const SumiPredict how = { .churn = -1 };
  const SumiArenaMark mark = sumi_arena_mark (f->ev->scratch);
  g_autoptr (SumiImage) image = NULL;

  if (! f->error)
    image = sumi_model_predict (f->model, f->ev, &f->evidence, &how, NULL, &f->error);
  sumi_arena_release (f->ev->scratch, mark);
}

static void
search (gpointer data)
{
  Fill *f = data;

  patches_search (f->level, f->mode, 7, f->sweep++, f->ev->pool, f->ev->cancellable);
}

static void
fill_alone (gpointer data)
{
  Fill *f = data;
  g_autoptr (SumiPool) pool = sumi_pool_new (0);

  f->ev->pool = pool;
  fill (f);
}

static void
search_alone (gpointer data)
{
  Fill *f = data;
  g_autoptr (SumiPool) pool = sumi_pool_new (0);

  f->ev->pool = pool;
  search (f);
}

/* One level of a @picture with a hole, its y what the hole hides: as near the end of a fill. */
static PatchesLevel *
make_level (const SumiEvidence *evidence, SumiPool *pool, GError **error)
{
  g_autoptr (PatchesLevel) level = patches_level_new (evidence, pool, error);

  if (! level || ! patches_level_set_radius (level, PATCHES_RADIUS_MAX, error) || ! patches_level_open (level, error))
    return NULL;
  for (int y = 0; y < level->box.height; y++)
    for (int x = 0; x < level->box.width; x++)
      for (int c = 0; c < 3; c++)
        level->noisy[4 * ((gsize) y * (gsize) level->box.width + (gsize) x) + (gsize) c] =
            255 * sumi_image_at (evidence->picture, level->box.x + x, level->box.y + y)[c];
  return g_steal_pointer (&level);
}

typedef struct
{
  const char *name;
  int side, hole;
  gboolean search;
  PatchesSearchMode mode;
} PatchesCase;

static gboolean
measure_patches (SumiBench *bench, SumiPool *pool, const PatchesCase *c, GError **error)
{
  g_autoptr (SumiEval) ev = sumi_bench_new_eval (bench, pool);
  g_autoptr (SumiModel) model = sumi_model_load ("patches", error);
  g_autoptr (SumiImage) photo = NULL, mask = NULL;
  g_autoptr (PatchesLevel) level = NULL;
  Fill f = { .model = model, .ev = ev, .mode = c->mode };
  SumiBenchRow row = { .section = SUMI_BENCH_NETWORKS,
                       .network = "patches",
                       .name = c->name,
                       .threads = sumi_pool_get_n_threads (pool),
                       .count = 1,
                       .serial = -1 };
  gsize before;

  if (! sumi_bench_wants (bench, row.network, c->name))
    return TRUE;
  if (! model || ! sumi_bench_check (bench, error))
    return FALSE;
  if (! bench->list)
    {
      photo = sumi_bench_make_photo (c->side, c->side, error);
      mask = photo ? sumi_bench_make_hole (c->side, c->side, c->hole, error) : NULL;
      if (! mask)
        return FALSE;
      f.evidence = (SumiEvidence){ .picture = photo, .missing = mask, .factor = 1, .guide_factor = 1 };
      before = sumi_bench_memory_reset ();
      if (c->search)
        {
          f.level = level = make_level (&f.evidence, pool, error);
          if (! level)
            return FALSE;
          row.time = sumi_bench_measure (search, &f, bench->seconds);
        }
      else
        row.time = sumi_bench_measure_cold (fill, &f, bench->seconds);
      row.memory = sumi_bench_memory_get_taken (before);
      sumi_bench_measure_serial (c->search ? search_alone : fill_alone, &f, &row);
      ev->pool = pool;
      if (f.error)
        {
          g_propagate_error (error, f.error);
          return FALSE;
        }
    }
  sumi_bench_emit (bench, &row);
  return TRUE;
}

gboolean
sumi_bench_calls (SumiBench *bench, GError **error)
{
  static const int sides[] = { 128, 512, 1024 };
  static const PatchesCase patches[] = {
    { "sweep, 128x128 hole in 512x512", 512, 128, TRUE, PATCHES_SEARCH_SWEEP },
    { "sweep, 256x256 hole in 1024x1024", 1024, 256, TRUE, PATCHES_SEARCH_SWEEP },
    { "exact, 32x32 hole in 128x128", 128, 32, TRUE, PATCHES_SEARCH_EXACT },
    { "whole, 128x128 hole in 512x512", 512, 128, FALSE, PATCHES_SEARCH_AUTO },
    { "whole, 256x256 hole in 1024x1024", 1024, 256, FALSE, PATCHES_SEARCH_AUTO },
  };
  g_autoptr (SumiPool) pool = sumi_pool_new (bench->threads);
  g_autoptr (SumiModel) model = bench->list ? NULL : sumi_model_load ("sumi-restore", error);
  g_autoptr (SumiRestoreNet) net = model ? sumi_restore_net_load (model->weights, error) : NULL;

  if (! net && ! bench->list)
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (sides); i++)
    if (! measure_restore (bench, pool, net, sides[i], error))
      return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (patches); i++)
    if (! measure_patches (bench, pool, &patches[i], error))
      return FALSE;
  return TRUE;
}
