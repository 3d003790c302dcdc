/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/tools/result.h"

#include <errno.h>
#include <glib/gi18n-lib.h>
#include <string.h>
#include <unistd.h>

#include "core/sumi.h"
#include "core/tools/pictures.h"

struct SumiResultFile
{
  SumiSink sink;
  SumiOutput *output;
  const SumiFileFormat *format;
  const SumiPicture *photo, *base;
  SumiPixels pixels;
  SumiResult about; /* recipe is owned */
  SumiRect shown;   /* where the photo lies in the result's rectangle; empty without a base */
  int file, next_row;
  guint8 *row;
  float *scratch;
};

gboolean
sumi_result_needs_base (const SumiResult *about)
{
  const gboolean whole =
      ! about->x && ! about->y && about->width == about->canvas_width && about->height == about->canvas_height;

  /* the photo itself can only lie in a picture of its own scale */
  return about->scale == 1 && (about->has_coverage || ! whole);
}

static gboolean
write_all (SumiResultFile *self, goffset offset, gsize size, GError **error)
{
  for (gsize done = 0; done < size;)
    {
      ssize_t n = pwrite (self->file, self->row + done, size - done, offset + (goffset) done);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        {
          g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (errno), _ ("“%s” cannot be written: %s"),
                       sumi_output_get_path (self->output), g_strerror (errno));
          return FALSE;
        }
      done += (gsize) n;
    }
  return TRUE;
}

/* The part of row @y that the photo shows in is the photo's, mixed; the rest is the result's alone. */
static void
compose_row (SumiResultFile *self, int y, const float *rgba, const float *coverage)
{
  const SumiRect *s = &self->shown;
  const gsize size = sumi_pixels_size (&self->pixels);
  guint8 *part = self->row + size * (gsize) s->x;

  sumi_pixels_encode (&self->pixels, rgba, self->row, self->scratch, self->about.width);
  if (! coverage || y < s->y || y >= s->y + s->height || s->width <= 0)
    return;
  memcpy (
      part,
      sumi_picture_at (self->base, self->about.x + s->x - self->about.photo_x, self->about.y + y - self->about.photo_y),
      size * (gsize) s->width);
  sumi_pixels_mix (&self->pixels, rgba + 4 * s->x, coverage + s->x, part, self->scratch, s->width);
}

static gboolean
write_rows (SumiSink *sink, int y, int rows, const float *rgba, const float *coverage, GError **error)
{
  SumiResultFile *self = (SumiResultFile *) sink;
  const gsize width = (gsize) self->about.width, size = sumi_pixels_size (&self->pixels) * width;

  g_return_val_if_fail (y == self->next_row && rows > 0 && y + rows <= sink->height, FALSE);
  for (int i = 0; i < rows; i++)
    {
      compose_row (self, y + i, rgba + 4 * width * (gsize) i, coverage ? coverage + width * (gsize) i : NULL);
      if (! write_all (self, (goffset) size * (y + i), size, error))
        return FALSE;
    }
  self->next_row = y + rows;
  return TRUE;
}

SumiResultFile *
sumi_result_file_new (SumiOutput *output,
                      const SumiFileFormat *format,
                      const SumiPicture *photo,
                      const SumiPicture *base,
                      const SumiPixels *pixels,
                      const SumiResult *about,
                      GError **error)
{
  g_autoptr (SumiResultFile) self = g_new0 (SumiResultFile, 1);
  const SumiRect whole = { 0, 0, about->width, about->height };

  self->output = output;
  self->format = format;
  self->photo = photo;
  self->base = base;
  self->pixels = *pixels;
  self->pixels.colour = sumi_colour_ref (pixels->colour);
  self->about = *about;
  self->about.recipe = g_strdup (about->recipe);
  self->sink = (SumiSink){ .width = about->width, .height = about->height, .write = write_rows };
  self->file = -1;
  if (! sumi_file_format_check_size (format, about->canvas_width, about->canvas_height, error))
    return NULL;
  if (base)
    {
      const SumiRect photo_rect = { about->photo_x - about->x, about->photo_y - about->y, photo->pixmap.width,
                                    photo->pixmap.height };

      if (! sumi_rect_intersect (&whole, &photo_rect, &self->shown))
        self->shown = (SumiRect){ 0, 0, 0, 0 };
    }
  self->row = g_try_malloc (sumi_pixels_size (pixels) * (gsize) about->width);
  self->scratch = g_try_new (float, 6 * (gsize) about->width);
  if (! self->row || ! self->scratch)
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_MEMORY, _ ("no memory for a result of %d×%d pixels"), about->width,
                   about->height);
      return NULL;
    }
  self->file = sumi_output_open_scratch (sumi_output_get_path (output),
                                         (gint64) sumi_pixels_size (pixels) * about->width * about->height, error);
  return self->file < 0 ? NULL : g_steal_pointer (&self);
}

void
sumi_result_file_free (SumiResultFile *self)
{
  if (! self)
    return;
  sumi_output_free (self->output);
  if (self->file >= 0)
    close (self->file);
  sumi_colour_unref (self->pixels.colour);
  g_free (self->about.recipe);
  g_free (self->row);
  g_free (self->scratch);
  g_free (self);
}

SumiSink *
sumi_result_file_get_sink (SumiResultFile *self)
{
  return &self->sink;
}

const SumiResult *
sumi_result_file_get_about (const SumiResultFile *self)
{
  return &self->about;
}

const char *
sumi_result_file_get_path (const SumiResultFile *self)
{
  return sumi_output_get_path (self->output);
}

gboolean
sumi_result_file_save (SumiResultFile *self, GCancellable *cancellable, GError **error)
{
  const SumiResult *r = &self->about;
  const SumiPixels *p = &self->pixels;
  const SumiPictureSave what = {
    .format = self->format->label,
    .path = sumi_output_get_temporary (self->output),
    .name = sumi_output_get_path (self->output),
    .rows_file = self->file,
    .place = { r->x, r->y, r->width, r->height },
    .bands = p->bands + (p->has_alpha ? 1 : 0),
    .colours = p->bands,
    .sample = p->sample,
    .canvas_width = r->canvas_width,
    .canvas_height = r->canvas_height,
    .base = self->base ? &self->base->pixmap : NULL,
    .base_x = r->photo_x,
    .base_y = r->photo_y,
    .photo = &self->photo->pixmap,
    .photo_path = self->photo->path,
    .keep_profile = p->colour == self->photo->pixels.colour,
  };

  if (self->next_row != self->sink.height)
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_SHAPE, _ ("the task gave %d of %d rows: please report this"),
                   self->next_row, self->sink.height);
      return FALSE;
    }
  return sumi_pictures ()->save (&what, cancellable, error);
}

gboolean
sumi_result_file_commit (SumiResultFile *self, GError **error)
{
  return sumi_output_commit (self->output, error);
}
