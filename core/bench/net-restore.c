/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The restore network as it ships (core/model/restore-net.h; models/restore.md, "F"). tests/bench holds this list
 * against what the network itself calls. */
#include <glib/gi18n-lib.h>

#include "core/bench/shape.h"

#define LEVELS    4
#define EMBEDDING 192 /* three numbers as sines and cosines */
#define WIDTH     256 /* of the conditioning */
#define SHUFFLE   2   /* side of the pixels that are put into channels */

static const int channels[LEVELS] = { 48, 96, 160, 224 }, blocks[LEVELS] = { 1, 1, 2, 2 };

static void
block (GArray *list, int height, int width, int ci, int co)
{
  if (ci != co)
    sumi_bench_add_conv (list, height, width, ci, co, 1, 1);
  sumi_bench_add_linear (list, 1, WIDTH, 2 * co);
  sumi_bench_add_norm (list, &sumi_bench_rms_silu, height, width, ci);
  sumi_bench_add_conv (list, height, width, ci, co, 3, 1);
  sumi_bench_add_norm (list, &sumi_bench_rms_silu, height, width, co);
  sumi_bench_add_conv (list, height, width, co, co, 3, 1);
}

void
sumi_bench_list_restore (GArray *list, int height, int width)
{
  const int h0 = height / SHUFFLE, w0 = width / SHUFFLE;

  sumi_bench_add_linear (list, 1, EMBEDDING, WIDTH);
  sumi_bench_add_linear (list, 1, WIDTH, WIDTH);
  sumi_bench_add_conv (list, h0, w0, 9 * SHUFFLE * SHUFFLE, channels[0], 3, 1);
  for (int i = 0; i < LEVELS; i++)
    {
      const int h = h0 >> i, w = w0 >> i, c = channels[i];

      for (int j = 0; j < blocks[i]; j++)
        block (list, h, w, c, c);
      if (i < LEVELS - 1)
        sumi_bench_add_conv (list, h, w, c, channels[i + 1], 2, 2);
    }
  for (int i = LEVELS - 2; i >= 0; i--)
    {
      const int h = h0 >> i, w = w0 >> i, c = channels[i];

      sumi_bench_add_conv (list, h / 2, w / 2, channels[i + 1], c, 1, 1);
      for (int j = 0; j < blocks[i]; j++)
        block (list, h, w, j ? c : 2 * c, c);
    }
  sumi_bench_add_norm (list, &sumi_bench_rms_silu, h0, w0, channels[0]);
  sumi_bench_add_conv (list, h0, w0, channels[0], 3 * SHUFFLE * SHUFFLE, 3, 1);
}

static void
list_512 (GArray *list)
{
  sumi_bench_list_restore (list, 512, 512);
}

const SumiBenchNetwork sumi_bench_net_restore = { "restore", N_ ("restore, one call at 512×512"), list_512 };
