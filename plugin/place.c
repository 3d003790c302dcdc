/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "plugin/place.h"

#include <glib/gi18n-lib.h>
#include <math.h>

typedef struct
{
  const SumiTarget *target;
  const char *name;
  GPtrArray *results;
  GeglBuffer *selection; /* (nullable) */
  GArray *layers;
  int group;
} Place;

void
sumi_placed_free (SumiPlaced *self)
{
  g_free (self->about.recipe);
  g_clear_pointer (&self->sink, sumi_buffer_sink_free);
  g_free (self);
}

static gboolean
fail (const char *what, GError **error)
{
  g_autofree char *why = sumi_host_dup_error ();

  g_set_error (error, SUMI_ERROR, SUMI_ERROR_DEVICE, "GIMP could not %s: %s", what, why);
  return FALSE;
}

static void
copy (GeglBuffer *from, const GeglRectangle *rect, int drawable)
{
  g_autoptr (GeglBuffer) to = sumi_host_get_buffer (drawable);

  gegl_buffer_copy (from, rect, GEGL_ABYSS_NONE, to, GEGL_RECTANGLE (0, 0, rect->width, rect->height));
}

/* ---- layers, still off the image ---------------------------------------- */

static gboolean
make_mask (int layer, GeglBuffer *coverage, const GeglRectangle *rect, GError **error)
{
  const int mask = sumi_host_new_mask (layer);

  if (mask == SUMI_HOST_NONE)
    return fail ("make a layer mask", error);
  copy (coverage, rect, mask);
  if (! sumi_host_add_mask (layer, mask))
    return fail ("add a layer mask", error);
  return TRUE;
}

/* The mask is the result's coverage; or else what hides parts of the target: the selection, the target's own mask. */
static gboolean
mask_layer (Place *self, SumiPlaced *placed, int layer, GError **error)
{
  const SumiResult *about = &placed->about;
  const gboolean same_grid = about->scale == 1.0;
  g_autoptr (GeglBuffer) own = NULL;
  int mask;

  if (placed->sink->coverage)
    return make_mask (layer, placed->sink->coverage, GEGL_RECTANGLE (0, 0, about->width, about->height), error);
  if (self->selection && same_grid)
    return make_mask (layer, self->selection,
                      GEGL_RECTANGLE (self->target->x + about->x - about->photo_x,
                                      self->target->y + about->y - about->photo_y, about->width, about->height),
                      error);
  mask = sumi_host_get_mask (self->target->layer);
  if (mask == SUMI_HOST_NONE || about->photo_x || about->photo_y)
    return TRUE;
  /* scaled with the image by now */
  own = sumi_host_get_buffer (mask);
  if (gegl_buffer_get_width (own) != about->canvas_width || gegl_buffer_get_height (own) != about->canvas_height)
    return TRUE;
  return make_mask (layer, own, GEGL_RECTANGLE (about->x, about->y, about->width, about->height), error);
}

static gboolean
make_layer (Place *self, guint index, GError **error)
{
  SumiPlaced *placed = g_ptr_array_index (self->results, index);
  const SumiResult *about = &placed->about;
  const Babl *format = gegl_buffer_get_format (placed->sink->pixels);
  g_autofree char *name =
      self->results->len > 1 ? g_strdup_printf ("%s %u", self->name, index + 1) : g_strdup (self->name);
  const int layer = sumi_host_new_layer (self->target->image, name, about->width, about->height,
                                         babl_format_get_n_components (format) < 3, format);

  if (layer == SUMI_HOST_NONE)
    return fail ("make a layer", error);
  g_array_append_val (self->layers, layer);
  copy (placed->sink->pixels, GEGL_RECTANGLE (0, 0, about->width, about->height), layer);
  g_clear_object (&placed->sink->pixels);
  sumi_host_set_recipe (layer, about->recipe);
  sumi_host_set_visible (layer, index == 0);
  return TRUE;
}

static gboolean
make_layers (Place *self, GError **error)
{
  for (guint i = 0; i < self->results->len; i++)
    if (! make_layer (self, i, error))
      return FALSE;
  return TRUE;
}

/* ---- the image ---------------------------------------------------------- */

static gboolean
enlarge (Place *self, const SumiResult *about, GError **error)
{
  const SumiTarget *t = self->target;
  SumiTarget now = *t;
  const int photo_width = (int) lround (t->width * about->scale),
            photo_height = (int) lround (t->height * about->scale);
  const int right = about->canvas_width - about->photo_x - photo_width;
  const int bottom = about->canvas_height - about->photo_y - photo_height;
  int x0 = 0, y0 = 0, x1, y1;

  if (about->scale != 1.0)
    {
      if (! sumi_host_scale (t->image, MAX (1, (int) lround (t->canvas_width * about->scale)),
                             MAX (1, (int) lround (t->canvas_height * about->scale))))
        return fail ("scale the image", error);
      if (! sumi_host_find_target (t->image, t->layer, &now, error))
        return FALSE;
    }
  x1 = now.canvas_width;
  y1 = now.canvas_height;
  /* only on the sides where there is new canvas: a layer that sticks out elsewhere goes on doing so */
  if (about->photo_x > 0)
    x0 = MIN (x0, now.x - about->photo_x);
  if (about->photo_y > 0)
    y0 = MIN (y0, now.y - about->photo_y);
  if (right > 0)
    x1 = MAX (x1, now.x + photo_width + right);
  if (bottom > 0)
    y1 = MAX (y1, now.y + photo_height + bottom);
  if ((x0 || y0 || x1 != now.canvas_width || y1 != now.canvas_height) &&
      ! sumi_host_resize (t->image, x1 - x0, y1 - y0, -x0, -y0))
    return fail ("enlarge the canvas", error);
  return TRUE;
}

static gboolean
insert (Place *self, GError **error)
{
  const SumiTarget *t = self->target;
  const gboolean many = self->results->len > 1;
  SumiTarget now;

  if (! sumi_host_find_target (t->image, t->layer, &now, error))
    return FALSE;
  if (many && ! sumi_host_insert_above (t->image, self->group, t->layer))
    return fail ("insert a layer group", error);
  for (guint i = 0; i < self->results->len; i++)
    {
      SumiPlaced *placed = g_ptr_array_index (self->results, i);
      const SumiResult *about = &placed->about;
      const int layer = g_array_index (self->layers, int, i);

      sumi_host_set_offsets (layer, now.x - about->photo_x + about->x, now.y - about->photo_y + about->y);
      if (! mask_layer (self, placed, layer, error))
        return FALSE;
      if (! (many ? sumi_host_insert (t->image, layer, self->group, (int) i) :
                    sumi_host_insert_above (t->image, layer, t->layer)))
        return fail ("insert the new layer", error);
    }
  return TRUE;
}

static gboolean
change_image (Place *self, gboolean becomes_rgb, GError **error)
{
  const SumiResult *about = &((SumiPlaced *) g_ptr_array_index (self->results, 0))->about;

  if (becomes_rgb && ! sumi_host_convert_rgb (self->target->image))
    return fail ("convert the image to RGB", error);
  if (becomes_rgb && ! make_layers (self, error))
    return FALSE;
  return enlarge (self, about, error) && insert (self, error);
}

int
sumi_place_results (const SumiTarget *target,
                    const char *name,
                    GPtrArray *results,
                    GeglBuffer *selection,
                    GArray *layers,
                    GError **error)
{
  const SumiPlaced *first = g_ptr_array_index (results, 0);
  const Babl *format = gegl_buffer_get_format (first->sink->pixels);
  const gboolean becomes_rgb = target->is_grey && babl_format_get_n_components (format) > 2;
  Place self = { target, name, results, selection, layers, SUMI_HOST_NONE };
  gboolean ok = TRUE;

  /* copying takes the longest: before the image is touched, except that layers of an RGB image need an RGB image */
  if (! becomes_rgb)
    ok = make_layers (&self, error);
  if (ok && results->len > 1)
    {
      self.group = sumi_host_new_group (target->image, name, format);
      ok = self.group != SUMI_HOST_NONE || fail ("make a layer group", error);
    }
  if (ok)
    {
      sumi_host_undo_start (target->image);
      ok = change_image (&self, becomes_rgb, error);
      /* a patch leaves the photo selected, so that the next selection is filled from it; a whole picture goes on */
      if (ok)
        sumi_host_select_layer (target->image, first->sink->coverage ? target->layer : g_array_index (layers, int, 0));
      sumi_host_undo_end (target->image);
    }
  if (ok)
    return results->len > 1 ? self.group : g_array_index (layers, int, 0);

  for (guint i = 0; i < layers->len; i++)
    sumi_host_delete (g_array_index (layers, int, i));
  if (self.group != SUMI_HOST_NONE)
    sumi_host_delete (self.group);
  g_array_set_size (layers, 0);
  return SUMI_HOST_NONE;
}
