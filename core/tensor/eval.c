/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/tensor/eval.h"

#include <string.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/tensor/tape.h"
#include "core/tensor/tensor.h"

static SumiTensor nothing = { .n_dims = 1, .shape = { 0, 1, 1, 1 } };

SumiEval *
sumi_eval_new (const SumiBackend *backend, SumiPool *pool)
{
  SumiEval *ev = g_new0 (SumiEval, 1);

  ev->backend = backend;
  ev->pool = pool;
  ev->scratch = sumi_arena_new ();
  return ev;
}

void
sumi_eval_free (SumiEval *ev)
{
  if (! ev)
    return;
  sumi_arena_free (ev->scratch);
  g_clear_error (&ev->error);
  g_free (ev);
}

void
sumi_eval_fail (SumiEval *ev, int code, const char *format, ...)
{
  va_list args;

  if (ev->error)
    return;
  va_start (args, format);
  ev->error = g_error_new_valist (SUMI_ERROR, code, format, args);
  va_end (args);
}

void
sumi_eval_take_error (SumiEval *ev, GError *error)
{
  if (ev->error)
    g_error_free (error);
  else
    ev->error = error;
}

gboolean
sumi_eval_ok (SumiEval *ev)
{
  if (! ev->error && ev->cancellable)
    g_cancellable_set_error_if_cancelled (ev->cancellable, &ev->error);
  return ! ev->error;
}

gboolean
sumi_eval_finish (SumiEval *ev, GError **error)
{
  if (! ev->error)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&ev->error));
  return FALSE;
}

SumiTensor *
sumi_eval_nothing (SumiEval *ev)
{
  return &nothing;
}

SumiTensor *
sumi_eval_tensor (SumiEval *ev, int n_dims, const int *shape)
{
  return sumi_eval_tensor_of (ev, SUMI_DTYPE_F32, n_dims, shape);
}

SumiTensor *
sumi_eval_tensor_of (SumiEval *ev, int dtype, int n_dims, const int *shape)
{
  SumiTensor *t;

  if (ev->error)
    return &nothing;
  t = sumi_tensor_new (ev->scratch, dtype, n_dims, shape);
  if (! t)
    {
      double bytes = (double) sumi_dtype_size (dtype);

      for (int i = 0; i < n_dims; i++)
        bytes *= shape[i];
      sumi_eval_fail (ev, SUMI_ERROR_MEMORY,
                      "no memory for %.0f MB of network values; allow less with --memory, or close other programs",
                      bytes * 1e-6);
      return &nothing;
    }
  if (ev->tape)
    sumi_tape_forget (ev->tape, t->data, sumi_tensor_count (t) * sumi_dtype_size (t->dtype));
  return t;
}

SumiTensor *
sumi_eval_tensor_like (SumiEval *ev, const SumiTensor *t)
{
  return sumi_eval_tensor_of (ev, t->dtype, t->n_dims, t->shape);
}

static int *
dim_slot (SumiDims *dims, const char *name)
{
  for (int i = 0; i < dims->n; i++)
    if (! strcmp (dims->dims[i].name, name))
      return &dims->dims[i].size;
  if (dims->n == G_N_ELEMENTS (dims->dims))
    return NULL;
  g_strlcpy (dims->dims[dims->n].name, name, sizeof dims->dims[0].name);
  dims->dims[dims->n].size = -1;
  return &dims->dims[dims->n++].size;
}

gboolean
sumi_expect (SumiEval *ev, SumiDims *dims, const SumiTensor *t, const char *pattern, const char *what)
{
  g_auto (GStrv) words = NULL;
  gboolean ok;
  int n;

  if (ev->error)
    return FALSE;
  words = g_strsplit (pattern, " ", -1);
  n = (int) g_strv_length (words);
  ok = t && t->n_dims == n;
  for (int i = 0; ok && i < n; i++)
    {
      char *end = NULL;
      const gint64 number = g_ascii_strtoll (words[i], &end, 10);

      if (end != words[i] && ! *end)
        ok = number == t->shape[i];
      else
        {
          int *size = dim_slot (dims, words[i]);

          if (size && *size < 0)
            *size = t->shape[i];
          ok = size && *size == t->shape[i];
        }
    }
  if (! ok)
    {
      g_autofree char *got = sumi_tensor_describe (t);
      GString *bound = g_string_new (NULL);

      for (int i = 0; i < dims->n; i++)
        g_string_append_printf (bound, "%s%s = %d", i ? ", " : " with ", dims->dims[i].name, dims->dims[i].size);
      sumi_eval_fail (ev, SUMI_ERROR_SHAPE, "%s is %s, expected [%s]%s", what, got, pattern, bound->str);
      g_string_free (bound, TRUE);
    }
  return ok;
}
