/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/tensor/tensor.h"

#include <string.h>

#include "core/base/arena.h"
#include "core/base/half.h"

gsize
sumi_dtype_size (SumiDType dtype)
{
  static const gsize sizes[] = { 4, 2, 2, 1, 1, 8 };

  return sizes[dtype];
}

const char *
sumi_dtype_name (SumiDType dtype)
{
  static const char *const names[] = { "f32", "f16", "bf16", "f8-e4m3", "f8-e5m2", "f64" };

  return names[dtype];
}

gsize
sumi_tensor_count (const SumiTensor *t)
{
  gsize n = 1;

  for (int i = 0; i < t->n_dims; i++)
    n *= (gsize) t->shape[i];
  return n;
}

gboolean
sumi_tensor_same_shape (const SumiTensor *a, const SumiTensor *b)
{
  return a->n_dims == b->n_dims && ! memcmp (a->shape, b->shape, sizeof (int) * (gsize) a->n_dims);
}

char *
sumi_tensor_describe (const SumiTensor *t)
{
  GString *s;

  if (! t)
    return g_strdup ("nothing");
  s = g_string_new ("[");
  for (int i = 0; i < t->n_dims; i++)
    g_string_append_printf (s, "%s%d", i ? ", " : "", t->shape[i]);
  g_string_append_printf (s, "] %s", sumi_dtype_name (t->dtype));
  return g_string_free (s, FALSE);
}

SumiTensor *
sumi_tensor_new (SumiArena *arena, SumiDType dtype, int n_dims, const int *shape)
{
  SumiTensor *t;
  gsize size = sumi_dtype_size (dtype);

  g_return_val_if_fail (n_dims >= 0 && n_dims <= SUMI_MAX_DIMS, NULL);
  for (int i = 0; i < n_dims; i++)
    if (shape[i] < 0 || ! g_size_checked_mul (&size, size, (gsize) shape[i]))
      return NULL;
  t = sumi_arena_alloc (arena, sizeof *t);
  if (! t)
    return NULL;
  *t = (SumiTensor){ .dtype = dtype, .n_dims = n_dims, .shape = { 1, 1, 1, 1 } };
  if (n_dims)
    memcpy (t->shape, shape, sizeof (int) * (gsize) n_dims);
  t->data = sumi_arena_alloc (arena, size);
  return t->data ? t : NULL;
}

void
sumi_tensor_read (const SumiTensor *t, gsize from, gsize n, float *out)
{
  const char *in = (const char *) t->data + from * sumi_dtype_size (t->dtype);

  switch (t->dtype)
    {
    case SUMI_DTYPE_F32:
      memcpy (out, in, n * sizeof (float));
      break;
    case SUMI_DTYPE_F16:
      sumi_half_to_float ((const guint16 *) in, out, n);
      break;
    case SUMI_DTYPE_BF16:
      sumi_bfloat_to_float ((const guint16 *) in, out, n);
      break;
    case SUMI_DTYPE_F8_E4M3:
      sumi_e4m3_to_float ((const guint8 *) in, out, n);
      break;
    case SUMI_DTYPE_F8_E5M2:
      sumi_e5m2_to_float ((const guint8 *) in, out, n);
      break;
    case SUMI_DTYPE_F64:
      for (gsize i = 0; i < n; i++)
        out[i] = (float) ((const double *) in)[i];
      break;
    }
}

SumiTensor *
sumi_tensor_to_f32 (SumiArena *arena, const SumiTensor *t)
{
  SumiTensor *out = sumi_tensor_new (arena, SUMI_DTYPE_F32, t->n_dims, t->shape);

  if (out)
    sumi_tensor_read (t, 0, sumi_tensor_count (t), out->data);
  return out;
}
