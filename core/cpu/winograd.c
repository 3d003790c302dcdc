/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A piece takes a block of tiles: their transformed input V [tiles, s, Ci] stays in the second-level cache, and the s
 * products with the transformed weights U [panel, s, Ci, columns] and the output transform go panel by panel of output
 * channels; s is 36 or 16. Where there are few tiles, pieces share out the panels too and each transforms the input for
 * itself. */
#include "core/cpu/winograd.h"

#include <string.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/tensor/eval.h"
#include "core/tensor/prepared.h"
#include "core/tensor/tensor.h"

#define MAX_TILE     4
#define MAX_COLUMNS  48
/* floats of V of a piece, about: 240 KB, as much again for its products, and room for the weights that pass by */
#define BLOCK_FLOATS (60 * 1024)
#define MIN_TILES    16
#define MAX_TILES    48
/* input channels whose weights are read at a time */
#define STRIP        16

typedef struct
{
  const SumiConvJob *conv;
  const SumiCpuIsa *isa;
  const SumiWinograd *form;
  int side, positions; /* of the input's tile: 6 or 4; its square */
  const float *u;
  int across, down, tiles; /* of a picture; of all */
  int block, n_blocks;     /* tiles of a piece */
  int panels, group, n_groups;
  gsize v_row, v_step, m_row; /* floats from tile to tile, from position to position */
  float *scratch;
  gsize scratch_size; /* floats of a thread */
} Job;

/* ---- weights ---------------------------------------------------------- */

typedef struct
{
  const SumiCpuIsa *isa;
  const SumiWinograd *form;
  const SumiTensor *w;
  int co, ci;
  float *u, *rows; /* rows: [threads, MAX_COLUMNS, 9·STRIP] */
} WeightJob;

static void
prepare_panel (gpointer data, int panel, int thread)
{
  const WeightJob *job = data;
  const int width = sumi_panel_width (job->isa), columns = sumi_panel_columns (job->isa, job->co, panel);
  const gsize step = (gsize) job->ci * (gsize) columns;
  const int positions = (job->form->tile + 2) * (job->form->tile + 2);
  float *u = job->u + (gsize) panel * (gsize) positions * (gsize) job->ci * (gsize) width;
  float *rows = job->rows + (gsize) thread * MAX_COLUMNS * 9 * STRIP;
  float g[9 * MAX_COLUMNS] = { 0 };

  for (int c = 0; c < job->ci; c++)
    {
      const int at = c % STRIP, outputs = MIN (columns, job->co - panel * width);

      for (int n = 0; n < outputs; n++)
        {
          float *row = rows + n * 9 * STRIP;

          if (at == 0)
            sumi_tensor_read (job->w, ((gsize) (panel * width + n) * (gsize) job->ci + (gsize) c) * 9,
                              9 * (gsize) MIN (STRIP, job->ci - c), row);
          for (int k = 0; k < 9; k++)
            g[k * MAX_COLUMNS + n] = row[9 * at + k];
        }
      job->form->weights (g, MAX_COLUMNS, columns / job->isa->lanes, u + (gsize) c * (gsize) columns, step);
    }
}

static void
prepare (SumiEval *ev, const SumiTensor *t, gpointer form, gconstpointer data)
{
  const Job *j = data;
  WeightJob job = { j->isa, j->form, t, t->shape[0], t->shape[1], form, NULL };
  job.rows = sumi_arena_alloc (ev->scratch,
                               sizeof (float) * MAX_COLUMNS * 9 * STRIP * (gsize) sumi_pool_get_n_threads (ev->pool));
  if (job.rows)
    sumi_parallel_for (ev->pool, sumi_panel_count (job.isa, job.co), prepare_panel, &job);
  else
    sumi_eval_fail (ev, SUMI_ERROR_MEMORY, "no memory to transform weights; close other programs");
}

/* ---- a piece ---------------------------------------------------------- */

/* Picture, row and column of tile @t. */
static void
locate (const Job *j, int t, int *n, int *y, int *x)
{
  *n = t / (j->across * j->down);
  *y = t / j->across % j->down * j->form->tile;
  *x = t % j->across * j->form->tile;
}

/* The pixels that tile @t sees, zero outside the picture, into @to: [side, side, @pixel]. */
static void
gather (const Job *j, int t, float *to, gsize pixel)
{
  const SumiConvJob *conv = j->conv;
  const int shift = conv->enlarge ? 1 : 0, width = conv->width >> shift, height = conv->height >> shift;
  int n, y, x;

  locate (j, t, &n, &y, &x);
  for (int i = 0; i < j->side; i++)
    for (int k = 0; k < j->side; k++, to += pixel)
      {
        const int row = y + i - 1, column = x + k - 1;

        if (row < 0 || row >= conv->height || column < 0 || column >= conv->width)
          memset (to, 0, sizeof (float) * (gsize) conv->ci);
        else
          memcpy (to,
                  conv->x + (((gsize) n * (gsize) height + (gsize) (row >> shift)) * (gsize) width +
                             (gsize) (column >> shift)) *
                                (gsize) conv->ci,
                  sizeof (float) * (gsize) conv->ci);
      }
}

/* Vectors may reach beyond a pixel's channels: into the next pixel, which a tile inside the picture always has. What
 * they find there is not used. */
static void
transform_input (const Job *j, int t, float *v, float *pixels)
{
  const SumiConvJob *conv = j->conv;
  const int vectors = (conv->ci + j->isa->lanes - 1) / j->isa->lanes;
  const gsize padded = (gsize) (vectors * j->isa->lanes), row = (gsize) conv->width * (gsize) conv->ci;
  int n, y, x;

  locate (j, t, &n, &y, &x);
  if (! conv->enlarge && y > 0 && x > 0 && y + j->side - 1 < conv->height && x + j->side - 1 < conv->width)
    {
      const float *from =
          conv->x + (gsize) n * (gsize) conv->height * row + (gsize) (y - 1) * row + (gsize) (x - 1) * (gsize) conv->ci;

      j->form->input (from, (gsize) conv->ci, row, vectors, v, j->v_step);
      return;
    }
  gather (j, t, pixels, padded);
  j->form->input (pixels, padded, (gsize) j->side * padded, vectors, v, j->v_step);
}

/* A tile at the picture's edge, or of channels that do not fill the vectors. */
static void
put_part (const Job *j, int rows, int columns, int channels, const float *tile, const float *add, float *y)
{
  const SumiConvJob *conv = j->conv;

  for (int r = 0; r < rows; r++)
    for (int c = 0; c < columns; c++)
      {
        const gsize at = ((gsize) r * (gsize) conv->width + (gsize) c) * (gsize) conv->co;
        const float *from = tile + (MAX_TILE * r + c) * MAX_COLUMNS;

        for (int o = 0; o < channels; o++)
          y[at + (gsize) o] = add ? from[o] + add[at + (gsize) o] : from[o];
      }
}

static void
transform_output (const Job *j, int t, int panel, const float *m)
{
  const SumiConvJob *conv = j->conv;
  const int width = sumi_panel_width (j->isa), columns = sumi_panel_columns (j->isa, conv->co, panel);
  const int first = panel * width, channels = MIN (columns, conv->co - first), vectors = columns / j->isa->lanes;
  float bias[MAX_COLUMNS] = { 0 }, tile[MAX_TILE * MAX_TILE * MAX_COLUMNS], *to;
  const float *add;
  gsize at;
  int n, y, x;

  locate (j, t, &n, &y, &x);
  at = (((gsize) n * (gsize) conv->height + (gsize) y) * (gsize) conv->width + (gsize) x) * (gsize) conv->co +
       (gsize) first;
  to = conv->y + at;
  add = conv->add ? conv->add + at : NULL;
  if (conv->bias)
    memcpy (bias, conv->bias + first, sizeof (float) * (gsize) channels);
  if (channels == columns && y + j->form->tile <= conv->height && x + j->form->tile <= conv->width)
    {
      j->form->output (m, (gsize) columns, vectors, bias, add, to, (gsize) conv->co,
                       (gsize) conv->width * (gsize) conv->co);
      return;
    }
  j->form->output (m, (gsize) columns, vectors, bias, NULL, tile, MAX_COLUMNS, MAX_TILE * MAX_COLUMNS);
  put_part (j, MIN (j->form->tile, conv->height - y), MIN (j->form->tile, conv->width - x), channels, tile, add, to);
}

static void
run_piece (gpointer data, int index, int thread)
{
  const Job *j = data;
  const SumiCpuIsa *isa = j->isa;
  const int first = index / j->n_groups * j->block, n = MIN (j->block, j->tiles - first), ci = j->conv->ci;
  const int from = index % j->n_groups * j->group, to = MIN (j->panels, from + j->group);
  float *v = j->scratch + (gsize) thread * j->scratch_size, *m = v + (gsize) j->block * j->v_row;
  float *pixels = m + (gsize) j->block * j->m_row;

  for (int t = 0; t < n; t++)
    transform_input (j, first + t, v + (gsize) t * j->v_row, pixels);
  for (int panel = from; panel < to; panel++)
    {
      const int columns = sumi_panel_columns (isa, j->conv->co, panel);
      const float *u = j->u + (gsize) panel * (gsize) j->positions * (gsize) (ci * sumi_panel_width (isa));

      for (int p = 0; p < j->positions; p++, u += (gsize) ci * (gsize) columns)
        for (int t = 0; t < n; t += isa->rows)
          isa->product (MIN (isa->rows, n - t), columns / isa->lanes, ci,
                        v + (gsize) p * j->v_step + (gsize) t * j->v_row, j->v_row, u,
                        m + (gsize) p * (gsize) columns + (gsize) t * j->m_row, j->m_row, NULL, NULL);
      for (int t = 0; t < n; t++)
        transform_output (j, first + t, panel, m + (gsize) t * j->m_row);
    }
}

/* ---- the whole -------------------------------------------------------- */

/* Cuts tiles into blocks, and panels into groups while the threads would lack pieces. */
static void
plan (Job *j, int n_threads)
{
  const int rows = j->isa->rows, wanted = sumi_pieces_wanted (n_threads);
  const int fitting = BLOCK_FLOATS / (j->positions * j->conv->ci) / rows * rows;

  j->block = MIN (CLAMP (fitting, MIN_TILES, MAX_TILES), j->tiles);
  while (j->block > MIN_TILES && (j->tiles + j->block - 1) / j->block < wanted)
    j->block = MAX (MIN_TILES, j->block - rows);
  j->n_blocks = (j->tiles + j->block - 1) / j->block;
  j->group = sumi_panel_group (j->panels, 2, j->n_blocks, n_threads);
  j->n_groups = (j->panels + j->group - 1) / j->group;
  /* a vector more from tile to tile where they would fall on the same cache sets */
  j->v_step = (gsize) sumi_panel_all_columns (j->isa, j->conv->ci);
  j->v_row = (gsize) j->positions * j->v_step;
  if (j->v_row % 512 == 0)
    j->v_row += 16;
  j->m_row = (gsize) (j->positions * sumi_panel_columns (j->isa, j->conv->co, 0)) + 16;
  j->scratch_size = (gsize) j->block * (j->v_row + j->m_row) + (gsize) j->positions * j->v_step;
  j->scratch_size = (j->scratch_size + 15) / 16 * 16;
}

void
sumi_winograd_run (SumiEval *ev, const SumiTensor *weight, const SumiConvJob *conv, const SumiWinograd *form)
{
  const SumiCpuIsa *isa = sumi_cpu_isa ();
  const int n_threads = sumi_pool_get_n_threads (ev->pool);
  Job j = {
    .conv = conv,
    .isa = isa,
    .form = form,
    .side = form->tile + 2,
    .positions = (form->tile + 2) * (form->tile + 2),
    .across = (conv->width + form->tile - 1) / form->tile,
    .down = (conv->height + form->tile - 1) / form->tile,
    .panels = sumi_panel_count (isa, conv->co),
  };

  j.tiles = conv->n * j.across * j.down;
  plan (&j, n_threads);
  j.u = sumi_prepared_get (ev, weight, (const char *const[]){ form->key, isa->key },
                           sizeof (float) * (gsize) j.positions * (gsize) conv->ci *
                               (gsize) sumi_panel_all_columns (isa, conv->co),
                           prepare, &j);
  if (ev->error)
    return;
  j.scratch = sumi_arena_alloc (ev->scratch, sizeof (float) * j.scratch_size * (gsize) n_threads);
  if (! j.scratch)
    sumi_eval_fail (ev, SUMI_ERROR_MEMORY, "no memory to convolve %d×%d pixels of %d channels", conv->height,
                    conv->width, conv->ci);
  else
    sumi_parallel_for (ev->pool, j.n_blocks * j.n_groups, run_piece, &j);
}
