/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/task/tune.h"

#include <math.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/image.h"
#include "core/model/measure.h"
#include "core/task/colour.h"
#include "core/task/resample.h"
#include "core/tensor/eval.h"

#define SIDE  512
#define UNIT  48 /* sides are multiples of it, and so of every factor and of networks' cells */
#define WIDER 4  /* than the loop's own range, below and above */

void
sumi_tune_levels (const SumiModel *model, double *sigmas)
{
  const double low = model->family->sigma_min / WIDER, high = model->family->sigma_max * WIDER;

  for (int i = 0; i < SUMI_TUNE_LEVELS; i++)
    sigmas[i] = low * pow (high / low, i / (SUMI_TUNE_LEVELS - 1.0));
}

/* The photo's middle, three channels, small. */
static SumiImage *
read_truth (SumiPool *pool, SumiSource *photo, SumiJob *job, GError **error)
{
  g_autoptr (SumiImage) small = NULL;
  SumiImage *truth;
  int width, height, left, top;

  sumi_size_within (photo->width, photo->height, SIDE, &width, &height);
  if (width < UNIT || height < UNIT)
    {
      g_set_error (
          error, SUMI_ERROR, SUMI_ERROR_INPUT,
          "a photo of %d×%d pixels is too small to measure on: at most %d are looked at on the longer side, and "
          "the shorter must then have %d",
          photo->width, photo->height, SIDE, UNIT);
      return NULL;
    }
  small = sumi_source_shrink (pool, photo, width, height, NULL, NULL, job, error);
  truth = small ? sumi_image_new (width / UNIT * UNIT, height / UNIT * UNIT, 3, error) : NULL;
  if (! truth)
    return NULL;
  left = (width - truth->width) / 2;
  top = (height - truth->height) / 2;
  for (int y = 0; y < truth->height; y++)
    for (int x = 0; x < truth->width; x++)
      for (int c = 0; c < 3; c++)
        sumi_image_at (truth, x, y)[c] = CLAMP (sumi_image_at (small, x + left, y + top)[c], 0, 1);
  return truth;
}

/* Edges repeat into a margin of SUMI_BICUBIC_MARGIN. */
static SumiImage *
add_margin (const SumiImage *in, GError **error)
{
  const int m = SUMI_BICUBIC_MARGIN;
  SumiImage *out = sumi_image_new (in->width + 2 * m, in->height + 2 * m, 3, error);

  for (int y = 0; out && y < out->height; y++)
    for (int x = 0; x < out->width; x++)
      memcpy (sumi_image_at (out, x, y),
              sumi_image_at (in, CLAMP (x - m, 0, in->width - 1), CLAMP (y - m, 0, in->height - 1)),
              3 * sizeof (float));
  return out;
}

/* What is left of @truth. */
static SumiImage *
make_picture (SumiPool *pool, const SumiImage *truth, SumiEvidenceFlags evidence, int factor, GError **error)
{
  const SumiRect all = { 0, 0, truth->width, truth->height };
  const SumiRect where = { -SUMI_BICUBIC_MARGIN, -SUMI_BICUBIC_MARGIN, truth->width / factor + 2 * SUMI_BICUBIC_MARGIN,
                           truth->height / factor + 2 * SUMI_BICUBIC_MARGIN };
  g_autoptr (SumiImage) picture = NULL;

  if (evidence == SUMI_EVIDENCE_COARSE)
    {
      g_autoptr (SumiImage) small = sumi_shrink_box (pool, truth, factor, error);
      g_autoptr (SumiImage) wide = small ? add_margin (small, error) : NULL;

      return wide ? sumi_enlarge_bicubic (pool, wide, &where, factor, &all, error) : NULL;
    }
  picture = sumi_image_dup (truth, error);
  for (gsize i = 0, n = (gsize) truth->width * (gsize) truth->height; picture && i < n; i++)
    if (evidence == SUMI_EVIDENCE_GREY)
      {
        float *p = picture->data + 3 * i;

        p[0] = p[1] = p[2] = sumi_luminance (p);
      }
  return g_steal_pointer (&picture);
}

/* 1 everywhere, or in the middle. */
static SumiImage *
make_map (const SumiImage *truth, gboolean middle, GError **error)
{
  const int width = truth->width, height = truth->height;
  SumiImage *map = sumi_image_new (width, height, 1, error);

  for (int y = 0; map && y < height; y++)
    for (int x = 0; x < width; x++)
      *sumi_image_at (map, x, y) =
          ! middle || (x >= width / 4 && x < width * 3 / 4 && y >= height / 4 && y < height * 3 / 4);
  return map;
}

gboolean
sumi_tune_photo (SumiModel *model,
                 SumiEval *ev,
                 SumiSource *photo,
                 SumiEvidenceFlags evidence,
                 int factor,
                 guint64 seed,
                 double *errors,
                 SumiJob *job,
                 GError **error)
{
  const gboolean coarse = evidence == SUMI_EVIDENCE_COARSE, missing = evidence == SUMI_EVIDENCE_MISSING;
  double sigmas[SUMI_TUNE_LEVELS], here[SUMI_TUNE_LEVELS];
  g_autoptr (SumiImage) truth = read_truth (ev->pool, photo, job, error);
  g_autoptr (SumiImage) picture = truth ? make_picture (ev->pool, truth, evidence, factor, error) : NULL;
  g_autoptr (SumiImage) map = picture && ! coarse ? make_map (truth, missing, error) : NULL;
  SumiEvidence known = { .picture = picture, .coarse = coarse, .factor = coarse ? factor : 1 };
  SumiMeasure measure = { .truth = truth, .n = SUMI_TUNE_LEVELS, .sigmas = sigmas, .errors = here };

  if (! picture || (! coarse && ! map))
    return FALSE;
  *(missing ? &known.missing : &known.grey) = map;
  sumi_tune_levels (model, sigmas);
  if (! sumi_model_measure (model, ev, &known, &measure, seed, job, error))
    return FALSE;
  for (int i = 0; i < SUMI_TUNE_LEVELS; i++)
    errors[i] += here[i];
  return TRUE;
}
