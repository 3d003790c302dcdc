/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/model/patches-method.h"

#include <string.h>

#include "core/base/arena.h"
#include "core/model/model.h"
#include "core/model/patches-start.h"
#include "core/tensor/tensor.h"

static SumiTensor *
new_map (SumiArena *arena, const SumiRect *box, int channels)
{
  return sumi_tensor_new (arena, SUMI_DTYPE_F32, 4, (const int[]){ 1, box->height, box->width, channels });
}

/* What is known, how much of it may go, and what the operator sees of it. */
static void
read_known (const PatchesDenoiser *d, const SumiTensor *base, SumiTensor *free, SumiTensor *known, SumiTensor *y)
{
  const PatchesLevel *level = d->level;
  const SumiRect *box = &level->box;
  float *f = sumi_tensor_f32 (free), *k = sumi_tensor_f32 (known), *exact = sumi_tensor_f32 (y);

  for (int row = 0; row < box->height; row++)
    for (int x = 0; x < box->width; x++)
      {
        const gsize i = (gsize) row * (gsize) box->width + (gsize) x, at = patches_at (level, box->x + x, box->y + row);

        f[i] = d->hole[i] ? MIN (level->missing[at], 1) : 0;
        for (gsize c = 0; c < 3; c++)
          {
            k[3 * i + c] = level->picture[4 * at + c] - sumi_tensor_f32 (base)[3 * i + c];
            exact[3 * i + c] = f[i] > 0 ? 0 : k[3 * i + c];
          }
      }
}

gboolean
patches_method_init (PatchesMethod *self,
                     const SumiPlan *plan,
                     const PatchesDenoiser *d,
                     const SumiTensor *base,
                     SumiArena *arena,
                     const char *who,
                     GError **error)
{
  const PatchesLevel *level = d->level;
  const SumiRect *box = &level->box;
  SumiTensor *free = new_map (arena, box, 1), *known = new_map (arena, box, 3);
  SumiTensor *y = new_map (arena, box, 3), *reference = known;
  SumiObservation *seen;

  *self = (PatchesMethod){ { .klass = plan->method, .options = plan->method_options } };
  if (plan->method->needs_reference)
    reference = new_map (arena, box, 3);
  if (! free || ! known || ! y || ! reference)
    return patches_no_memory (level, error);
  read_known (d, base, free, known, y);
  self->a = sumi_operator_new_mask (known->shape, free, FALSE, error);
  if (! self->a)
    return FALSE;
  seen = &self->method.seen;
  *seen = (SumiObservation){ .a = self->a, .y = y, .free = free, .known = known };
  if (plan->method->needs_reference)
    {
      float *r = sumi_tensor_f32 (reference);

      memcpy (r, base->data, sizeof (float) * sumi_tensor_count (base));
      if (d->evidence->reference && ! plan->method->takes_guess)
        patches_read_image (level, d->evidence->reference, r, 3);
      for (gsize i = 0; i < sumi_tensor_count (base); i++)
        r[i] -= sumi_tensor_f32 (base)[i];
      seen->reference = reference;
    }
  return sumi_method_check (plan->method, &d->denoiser, seen, who, error);
}

void
patches_method_clear (PatchesMethod *self)
{
  g_clear_pointer (&self->a, sumi_operator_free);
}
