/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/task/stage.h"

#include "core/base/image.h"
#include "core/base/job.h"

gboolean
sumi_source_copy (SumiSource *source, SumiSource *mask, SumiSink *sink, SumiJob *job, GError **error)
{
  /* rows that stay in the cache, in memory that is used again */
  const int band = (int) CLAMP ((1 << 17) / source->width, 1, source->height);

  for (int y = 0; y < source->height; y += band)
    {
      const SumiRect rect = { 0, y, source->width, MIN (band, source->height - y) };
      g_autoptr (SumiImage) rows = NULL, coverage = NULL;

      if (! sumi_job_check (job, error))
        return FALSE;
      rows = sumi_source_read (source, &rect, FALSE, error);
      if (! rows)
        return FALSE;
      if (mask)
        {
          coverage = sumi_source_read (mask, &rect, FALSE, error);
          if (! coverage)
            return FALSE;
          for (gsize i = 0; i < (gsize) rect.width * (gsize) rect.height; i++)
            coverage->data[i] = coverage->data[i] > 0;
        }
      if (! sink->write (sink, y, rect.height, rows->data, coverage ? coverage->data : NULL, error))
        return FALSE;
      sumi_job_progress (job, (double) (y + rect.height) / source->height, NULL);
    }
  return TRUE;
}

gboolean
sumi_source_is_grey (SumiSource *photo, gboolean *grey, SumiJob *job, GError **error)
{
  const int band = (int) CLAMP ((1 << 18) / photo->width, 1, photo->height);

  *grey = photo->is_grey;
  if (photo->is_grey)
    return TRUE;
  for (int y = 0; y < photo->height; y += band)
    {
      const SumiRect rect = { 0, y, photo->width, MIN (band, photo->height - y) };
      g_autoptr (SumiImage) rows = NULL;

      if (! sumi_job_check (job, error))
        return FALSE;
      rows = sumi_source_read (photo, &rect, FALSE, error);
      if (! rows)
        return FALSE;
      const float *p = rows->data;
      for (gsize n = (gsize) rect.width * (gsize) rect.height; n > 0; n--, p += 4)
        if (p[3] > 0 && (p[0] != p[1] || p[1] != p[2]))
          return TRUE;
    }
  *grey = TRUE;
  return TRUE;
}
