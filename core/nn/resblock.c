/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/nn/resblock.h"

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/ops/ops.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

static const SumiParam params[] = {
  SUMI_PARAM (SumiResblock, n1_g, "n1.g", "Ci"),
  SUMI_PARAM (SumiResblock, c1_w, "c1.weight", "Co Ci 3 3"),
  SUMI_PARAM (SumiResblock, c1_b, "c1.bias", "Co"),
  SUMI_PARAM (SumiResblock, e_w, "e.weight", "2Co T"),
  SUMI_PARAM (SumiResblock, e_b, "e.bias", "2Co"),
  SUMI_PARAM (SumiResblock, n2_g, "n2.g", "Co"),
  SUMI_PARAM (SumiResblock, c2_w, "c2.weight", "Co Co 3 3"),
  SUMI_PARAM (SumiResblock, c2_b, "c2.bias", "Co"),
  SUMI_PARAM_OPTIONAL (SumiResblock, k_w, "k.weight", "Co Ci 1 1"),
  SUMI_PARAM_OPTIONAL (SumiResblock, k_b, "k.bias", "Co"),
};

gboolean
sumi_resblock_load (SumiResblock *self, SumiLoader *loader, const char *prefix, int ci, int co, int dt, GError **error)
{
  if (! sumi_params_load (loader, params, G_N_ELEMENTS (params), prefix, self, error, "Ci", ci, "Co", co, "2Co", 2 * co,
                          "T", dt, NULL))
    return FALSE;
  if (ci == co ? ! self->k_w && ! self->k_b : self->k_w && self->k_b)
    return TRUE;
  g_set_error (
      error, SUMI_ERROR, SUMI_ERROR_FORMAT,
      "%s: block “%s” goes from %d to %d channels %s a 1×1 convolution “k”; the file does not fit its own description",
      loader->path, prefix, ci, co, ci == co ? "but has" : "without");
  return FALSE;
}

SumiTensor *
sumi_resblock_forward (const SumiResblock *self, SumiEval *ev, SumiTensor *x, const SumiTensor *t, SumiTensor *out)
{
  SumiTensor *skip = self->k_w ? sumi_conv2d (ev, x, self->k_w, self->k_b, 1, 0, out) : x;
  SumiArenaMark mark = sumi_arena_mark (ev->scratch);
  SumiTensor *ac = sumi_linear (ev, t, self->e_w, self->e_b, NULL);
  /* x is used up where the skip does not need it any more */
  SumiTensor *h = sumi_rms_silu (ev, x, self->n1_g, NULL, self->k_w ? x : NULL);
  SumiTensor *y = sumi_conv2d (ev, h, self->c1_w, self->c1_b, 1, 1, NULL);

  y = sumi_rms_silu (ev, y, self->n2_g, ac, y);
  skip = sumi_conv2d_add (ev, y, self->c2_w, self->c2_b, skip, FALSE, 1, skip);
  sumi_arena_release (ev->scratch, mark);
  return skip;
}
