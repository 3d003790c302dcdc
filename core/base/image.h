/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Host pixels: the only pixel types outside core. Colours are sRGB-encoded (perceptual) and nominally [0, 1];
 * float layers may exceed that. Interleaved, row-major, 32-bit float. */
#pragma once

#include "core/base/types.h"

G_BEGIN_DECLS

/* A refcounted picture in memory: @channels 1 (coverage, luminance), 3 (RGB) or 4 (RGB + straight alpha). */
struct SumiImage
{
  int width, height, channels;
  float *data; /* [height, width, channels] */
  gatomicrefcount refs;
};

/* Zero-filled. Fails with %SUMI_ERROR_MEMORY; sides must be > 0. */
SumiImage *sumi_image_new (int width, int height, int channels, GError **error);
/* The same, not filled, for those who write every value: large pictures come at a fraction of the cost. */
SumiImage *sumi_image_new_unset (int width, int height, int channels, GError **error);
SumiImage *sumi_image_ref (SumiImage *image);
void sumi_image_unref (SumiImage *image);
/* Returns: (transfer full): a copy of @rect, which must lie inside. */
SumiImage *sumi_image_crop (const SumiImage *image, const SumiRect *rect, GError **error);
SumiImage *sumi_image_dup (const SumiImage *image, GError **error);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SumiImage, sumi_image_unref)

static inline float *
sumi_image_at (const SumiImage *image, int x, int y)
{
  return image->data + ((gsize) y * (gsize) image->width + (gsize) x) * (gsize) image->channels;
}

/* Pixels to read on demand, however large: a GEGL buffer, a file, a SumiImage. Only the thread that runs the
 * task calls it. */
struct SumiSource
{
  int width, height;
  int channels;       /* 4: RGBA, straight alpha; 1: coverage or luminance, [0, 1] */
  gboolean has_alpha; /* FALSE: alpha reads as 1 */
  gboolean is_grey;   /* R = G = B always */
  /* Fills @pixels [rect.height, rect.width, channels]; @rect lies inside. NaN reads as 0, infinities are clamped. */
  gboolean (*read) (SumiSource *self, const SumiRect *rect, float *pixels, GError **error);
  void (*free) (SumiSource *self); /* frees the struct too */
};

/* Reads any part of @source as a new picture; what lies outside repeats the edge if @clamp, else is 0. */
SumiImage *sumi_source_read (SumiSource *source, const SumiRect *rect, gboolean clamp, GError **error);
/* Returns: (transfer full): reads from @image (1, 3 or 4 channels), takes a reference. */
SumiSource *sumi_source_new_image (SumiImage *image);
void sumi_source_free (SumiSource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SumiSource, sumi_source_free)

/* Where a task puts a result: bands of full width, top to bottom, each row once. */
struct SumiSink
{
  int width, height;
  /* @rgba: [rows, width, 4]; @coverage: [rows, width], only if the result has one, else NULL */
  gboolean (*write) (SumiSink *self, int y, int rows, const float *rgba, const float *coverage, GError **error);
};

/* Smallest rectangle that holds every value of @mask (1 channel) > 0.
 * Returns: FALSE with %SUMI_ERROR_INPUT when nothing is. */
gboolean sumi_source_bounds (SumiSource *mask, SumiRect *bounds, GError **error);

/* @a ∩ @b. Returns: whether it is not empty. */
gboolean sumi_rect_intersect (const SumiRect *a, const SumiRect *b, SumiRect *out);

G_END_DECLS
