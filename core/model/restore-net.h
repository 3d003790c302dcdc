/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The network F of family restore and its denoiser (models/restore.md). All sizes come from the file's config. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

typedef struct SumiRestoreNet SumiRestoreNet;

/* What the network is told about one picture. Maps are [1, H, W, 3]; sides are multiples of the net's align. */
typedef struct
{
  const SumiTensor *b; /* the guess, [-1, 1] */
  const SumiTensor *e; /* missing, grey, coarse: 0 or 1 */
  /* (nullable): detail of the guess, from sumi_restore_net_detail(); needed when the net wants it */
  const SumiTensor *hp;
  double factor, noise;
} SumiRestoreInput;

/* Reads the config and checks the weights, which are used as long as the net is: the caller keeps them. Returns:
 * (transfer full). Fails with %SUMI_ERROR_FORMAT or %SUMI_ERROR_UNSUPPORTED. */
SumiRestoreNet *sumi_restore_net_load (SumiWeights *weights, GError **error);
/* Keeps prepared weights in the file @path, see sumi_prepared_keep(). */
void sumi_restore_net_keep (SumiRestoreNet *net, const char *path, const char *identity);
void sumi_restore_net_free (SumiRestoreNet *net);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SumiRestoreNet, sumi_restore_net_free)

/* Sides of pictures must be multiples of this. */
int sumi_restore_net_get_align (const SumiRestoreNet *net);
gboolean sumi_restore_net_wants_detail (const SumiRestoreNet *net);
/* Scale of the residual for one kind of evidence: "fill", "color", or a factor ≥ 1 (between the config's factors by
 * interpolation in log2). */
double sumi_restore_net_scale_fill (const SumiRestoreNet *net);
double sumi_restore_net_scale_colour (const SumiRestoreNet *net);
double sumi_restore_net_scale_factor (const SumiRestoreNet *net, double factor);

/* clamp ((b − B∗b)/s, −4, 4), B = [1 4 6 4 1]²/256 with replicated edges. @b, @out: [1, H, W, 3]. */
void sumi_restore_net_detail (SumiPool *pool, const SumiTensor *b, double s, SumiTensor *out);

/* D(u; σ) = c_skip·u + c_out·F(c_in·u, b, e; σ, factor, noise), EDM with σ_data 1, before any projection.
 * @u: [1, H, W, 3]; @sigma > 0. Returns: (transfer none): in scratch. */
SumiTensor *sumi_restore_net_denoise (const SumiRestoreNet *net,
                                      SumiEval *ev,
                                      const SumiRestoreInput *input,
                                      const SumiTensor *u,
                                      double sigma);

/* (nullable) @tap is called with the name and value of every inner activation, for tests. */
typedef void (*SumiRestoreTap) (gpointer data, const char *name, const SumiTensor *value);
void sumi_restore_net_set_tap (SumiRestoreNet *net, SumiRestoreTap tap, gpointer data);

G_END_DECLS
