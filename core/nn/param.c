/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/nn/param.h"

#include <stdarg.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/tensor/eval.h"
#include "core/tensor/prepared.h"
#include "core/tensor/tensor.h"

/* Returns: (nullable): NULL when there is no memory. */
static SumiTensor *
take (const SumiLoader *loader, const SumiTensor *t, const char *name)
{
  SumiTensor *kept;

  if (t->n_dims < 2)
    return sumi_tensor_to_f32 (loader->arena, t);
  kept = sumi_arena_alloc (loader->arena, sizeof *kept);
  if (kept)
    {
      *kept = *t;
      kept->prepared = loader->prepared;
      if (loader->prepared)
        sumi_prepared_name (loader->prepared, t->data, name);
    }
  return kept;
}

gboolean
sumi_params_load (SumiLoader *loader,
                  const SumiParam *params,
                  int n,
                  const char *prefix,
                  gpointer block,
                  GError **error,
                  ...)
{
  g_autoptr (SumiEval) ev = sumi_eval_new (NULL, NULL); /* for its shape check */
  const char *path = loader->path;
  SumiDims dims = { 0 };
  va_list args;

  va_start (args, error);
  for (const char *letter; (letter = va_arg (args, const char *)) && dims.n < (int) G_N_ELEMENTS (dims.dims);)
    {
      g_strlcpy (dims.dims[dims.n].name, letter, sizeof dims.dims[0].name);
      dims.dims[dims.n++].size = va_arg (args, int);
    }
  va_end (args);

  for (int i = 0; i < n; i++)
    {
      const SumiParam *p = params + i;
      g_autofree char *name = prefix && *prefix ? g_strdup_printf ("%s.%s", prefix, p->name) : g_strdup (p->name);
      const SumiTensor *t = loader->find (loader->weights, name);
      SumiTensor **member = (SumiTensor **) ((char *) block + p->offset);

      *member = NULL;
      if (! t && p->optional)
        continue;
      if (! t)
        {
          g_set_error (error, SUMI_ERROR, SUMI_ERROR_FORMAT,
                       "%s: the tensor “%s” is missing; the file is not complete, get it again", path, name);
          return FALSE;
        }
      if (! sumi_expect (ev, &dims, t, p->pattern, name))
        {
          g_set_error (error, SUMI_ERROR, SUMI_ERROR_FORMAT, "%s: %s; the file does not fit its own description", path,
                       ev->error->message);
          return FALSE;
        }
      *member = take (loader, t, name);
      if (! *member)
        {
          g_set_error (error, SUMI_ERROR, SUMI_ERROR_MEMORY, "%s: no memory for the tensor “%s”", path, name);
          return FALSE;
        }
      if (loader->used)
        g_hash_table_add (loader->used, g_steal_pointer (&name));
    }
  return TRUE;
}
