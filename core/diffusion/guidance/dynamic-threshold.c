/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dynamic thresholding: for data within [−1, 1], s is the given share of all |D| of a sample, at least 1; D is clipped
 * to [−s, s] and divided by s. Saharia et al. 2022 (arXiv 2205.11487, section 2.3), who put it on top of strong
 * classifier-free guidance of pixels. Other ranges are mapped onto [−1, 1] first: threshold-low and threshold-high say
 * where the data lies, −1 to 1 as the shipped models hold pictures; data without bounds must not be thresholded. The
 * share is read as numpy.quantile does, which is what public libraries do.
 *
 * Biased: D within the range is moved towards the middle wherever s > 1, and is the mean of no density. */
#include <glib/gi18n-lib.h>

#include "core/base/error.h"
#include "core/base/option.h"
#include "core/base/parallel.h"
#include "core/diffusion/guidance.h"
#include "core/diffusion/samplewise.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

typedef struct
{
  double share, low, high;
} Threshold;

static const SumiOption options[] = {
  {
      .key = "threshold-share",
      .label = N_ ("Thresholded _above"),
      .blurb = N_ ("Share of the values that are not clipped"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (Threshold, share),
      .max = 1,
      .value = 0.995,
  },
  {
      .key = "threshold-low",
      .label = N_ ("_Least value"),
      .blurb = N_ ("The least value that data can have"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (Threshold, low),
      .min = -1e6,
      .max = 1e6,
      .value = -1,
  },
  {
      .key = "threshold-high",
      .label = N_ ("_Greatest value"),
      .blurb = N_ ("The greatest value that data can have"),
      .type = SUMI_OPTION_DOUBLE,
      .offset = G_STRUCT_OFFSET (Threshold, high),
      .min = -1e6,
      .max = 1e6,
      .value = 1,
  },
  { NULL },
};

typedef struct
{
  SumiTensor *x0;
  double middle, half;
  const double *limits; /* s·half of each sample */
} Job;

static void
clip_row (gpointer data, int index, int thread)
{
  const Job *j = data;
  const gsize width = (gsize) j->x0->shape[2] * (gsize) j->x0->shape[3];
  const double limit = j->limits[index / j->x0->shape[1]];

  for (gsize i = (gsize) index * width; i < (gsize) (index + 1) * width; i++)
    {
      const double off = sumi_tensor_get (j->x0, i) - j->middle;

      sumi_tensor_put (j->x0, i, j->middle + CLAMP (off, -limit, limit) / limit * j->half);
    }
}

static SumiTensor *
threshold_denoise (SumiGuidance *self, SumiEval *ev, SumiTensor *x, double sigma)
{
  const Threshold *o = self->options;
  const double middle = (o->low + o->high) / 2, half = (o->high - o->low) / 2;
  SumiTensor *x0 = sumi_denoise (self->parts.base, ev, x, sigma);
  g_autofree double *limits = g_new0 (double, x->shape[0]);
  Job job = { x0, middle, half, limits };

  if (! (half > 0))
    sumi_eval_fail (ev, SUMI_ERROR_OPTION, "threshold-low is %g, threshold-high %g: the range of data is empty", o->low,
                    o->high);
  sumi_samples_quantile (ev, x0, middle, o->share, limits);
  for (int i = 0; i < x->shape[0]; i++)
    limits[i] = MAX (limits[i], half);
  if (! ev->error)
    sumi_parallel_for (ev->pool, x0->shape[0] * x0->shape[1], clip_row, &job);
  return x0;
}

const SumiGuidanceClass sumi_guidance_dynamic_threshold = {
  .key = "dynamic-threshold",
  .label = N_ ("Dynamic thresholding"),
  .blurb = N_ ("Keeps strong guidance from glaring: what leaves the range of the data is clipped and scaled back"),
  .paper = "Saharia et al. 2022, arXiv 2205.11487, section 2.3",
  .options = options,
  .options_size = sizeof (Threshold),
  .denoise = threshold_denoise,
};
