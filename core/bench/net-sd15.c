/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The two large networks of Stable Diffusion 1.5 (Rombach et al. 2022, arXiv 2112.10752; the configuration file
 * v1-inference.yaml that comes with its checkpoint): the U-Net for one prompt and one picture, and the decoder of the
 * autoencoder. */
#include <glib/gi18n-lib.h>

#include "core/bench/shape.h"

#define LATENT 64 /* side; 8 pixels of the picture each */
#define LEVELS 4

static void
conv (GArray *list, int side, int ci, int co, int kernel)
{
  sumi_bench_add_conv (list, side, side, ci, co, kernel, 1);
}

/* The norm in front of a convolution; with its silu everywhere but in front of attention. */
static void
norm (GArray *list, int side, int c, gboolean silu)
{
  sumi_bench_add_norm (list, silu ? &sumi_bench_group_norm_silu : &sumi_bench_group_norm, side, side, c);
}

/* ---- U-Net ------------------------------------------------------------ */

#define UNET_BLOCKS 2
#define TIME_WIDTH  1280
#define HEADS       8
#define TOKENS      77
#define TOKEN_WIDTH 768

static const int unet_channels[LEVELS] = { 320, 640, 1280, 1280 };

/* norm, silu, conv; + time; norm, silu, conv; + skip */
static void
unet_block (GArray *list, int side, int ci, int co)
{
  norm (list, side, ci, TRUE);
  conv (list, side, ci, co, 3);
  sumi_bench_add_linear (list, 1, TIME_WIDTH, co);
  norm (list, side, co, TRUE);
  conv (list, side, co, co, 3);
  if (ci != co)
    conv (list, side, ci, co, 1);
}

/* Attention of @rows tokens to @keys tokens of another width: queries, keys, values, output. */
static void
attend (GArray *list, int rows, int keys, int c, int key_width, int heads)
{
  sumi_bench_add_linear (list, rows, c, c);
  sumi_bench_add_linear (list, keys, key_width, c);
  sumi_bench_add_linear (list, keys, key_width, c);
  sumi_bench_add (list,
                  (SumiBenchShape){ .op = &sumi_bench_attention, .rows = rows, .keys = keys, .heads = heads, .ci = c });
  sumi_bench_add_linear (list, rows, c, c);
}

/* proj_in; to itself, to the text, gated feed-forward four times as wide; proj_out */
static void
transformer (GArray *list, int side, int c)
{
  const int rows = side * side;

  norm (list, side, c, FALSE);
  conv (list, side, c, c, 1);
  for (int i = 0; i < 3; i++)
    sumi_bench_add_rows (list, &sumi_bench_layer_norm, rows, c);
  attend (list, rows, rows, c, c, HEADS);
  attend (list, rows, TOKENS, c, TOKEN_WIDTH, HEADS);
  sumi_bench_add_linear (list, rows, c, 8 * c);
  sumi_bench_add_rows (list, &sumi_bench_geglu, rows, 4 * c);
  sumi_bench_add_linear (list, rows, 4 * c, c);
  conv (list, side, c, c, 1);
}

static void
list_unet (GArray *list)
{
  int skips[LEVELS * (UNET_BLOCKS + 1)], n_skips = 0, c = unet_channels[0];

  sumi_bench_add_linear (list, 1, unet_channels[0], TIME_WIDTH);
  sumi_bench_add_linear (list, 1, TIME_WIDTH, TIME_WIDTH);
  conv (list, LATENT, 4, c, 3);
  skips[n_skips++] = c;
  for (int i = 0; i < LEVELS; i++)
    {
      const int side = LATENT >> i;

      for (int j = 0; j < UNET_BLOCKS; j++)
        {
          unet_block (list, side, c, unet_channels[i]);
          c = unet_channels[i];
          if (i < LEVELS - 1)
            transformer (list, side, c);
          skips[n_skips++] = c;
        }
      if (i == LEVELS - 1)
        break;
      sumi_bench_add_conv (list, side, side, c, c, 3, 2);
      skips[n_skips++] = c;
    }
  unet_block (list, LATENT >> (LEVELS - 1), c, c);
  transformer (list, LATENT >> (LEVELS - 1), c);
  unet_block (list, LATENT >> (LEVELS - 1), c, c);
  for (int i = LEVELS - 1; i >= 0; i--)
    {
      const int side = LATENT >> i;

      for (int j = 0; j < UNET_BLOCKS + 1; j++)
        {
          unet_block (list, side, c + skips[--n_skips], unet_channels[i]);
          c = unet_channels[i];
          if (i < LEVELS - 1)
            transformer (list, side, c);
        }
      if (i > 0)
        conv (list, 2 * side, c, c, 3);
    }
  norm (list, LATENT, c, TRUE);
  conv (list, LATENT, c, 4, 3);
}

const SumiBenchNetwork sumi_bench_net_unet = { "unet",
                                               N_ ("Stable Diffusion 1.5's U-Net, one call: 64×64 latents, 77 tokens"),
                                               list_unet };

/* ---- decoder ---------------------------------------------------------- */

#define VAE_BLOCKS 3

static const int vae_channels[LEVELS] = { 512, 512, 256, 128 }; /* smallest pictures first */

static void
vae_block (GArray *list, int side, int ci, int co)
{
  norm (list, side, ci, TRUE);
  conv (list, side, ci, co, 3);
  norm (list, side, co, TRUE);
  conv (list, side, co, co, 3);
  if (ci != co)
    conv (list, side, ci, co, 1);
}

static void
list_vae (GArray *list)
{
  int c = vae_channels[0];

  conv (list, LATENT, 4, 4, 1);
  conv (list, LATENT, 4, c, 3);
  vae_block (list, LATENT, c, c);
  norm (list, LATENT, c, FALSE);
  attend (list, LATENT * LATENT, LATENT * LATENT, c, c, 1);
  vae_block (list, LATENT, c, c);
  for (int i = 0; i < LEVELS; i++)
    {
      const int side = LATENT << i;

      for (int j = 0; j < VAE_BLOCKS; j++)
        {
          vae_block (list, side, c, vae_channels[i]);
          c = vae_channels[i];
        }
      if (i < LEVELS - 1)
        conv (list, 2 * side, c, c, 3);
    }
  norm (list, LATENT << (LEVELS - 1), c, TRUE);
  conv (list, LATENT << (LEVELS - 1), c, 3, 3);
}

const SumiBenchNetwork sumi_bench_net_vae = { "vae", N_ ("Stable Diffusion 1.5's decoder, 64×64 latents to 512×512"),
                                              list_vae };
