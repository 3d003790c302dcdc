/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/model/model.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/image.h"
#include "core/base/job.h"
#include "core/diffusion/denoiser.h"
#include "core/diffusion/method.h"
#include "core/diffusion/sampler.h"
#include "core/diffusion/schedule.h"
#include "core/io/weights.h"
#include "core/model/errors-file.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

#define SUFFIX ".safetensors"

#define SUMI_ROW(name) extern const SumiFamilyClass sumi_family_##name;
#include "core/model/family-rows.h"
#undef SUMI_ROW

static const SumiFamilyClass *const families[] = {
#define SUMI_ROW(name) &sumi_family_##name,
#include "core/model/family-rows.h"
#undef SUMI_ROW
  NULL
};

/* Folders that the host added; set up before the first model is loaded. */
static GPtrArray *extra_folders;

const SumiFamilyClass *const *
sumi_families (void)
{
  return families;
}

const SumiFamilyClass *
sumi_family_find (const char *key)
{
  for (int i = 0; families[i]; i++)
    if (! strcmp (families[i]->key, key))
      return families[i];
  return NULL;
}

/* ---- where models are ------------------------------------------------- */

void
sumi_models_add_folder (const char *folder)
{
  if (! extra_folders)
    extra_folders = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (extra_folders, g_strdup (folder));
}

static GStrv
folders (void)
{
  GPtrArray *all = g_ptr_array_new ();
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);

  if (g_getenv ("SUMI_DATA"))
    g_ptr_array_add (all, g_build_filename (g_getenv ("SUMI_DATA"), "models", NULL));
  for (guint i = 0; extra_folders && i < extra_folders->len; i++)
    g_ptr_array_add (all, g_strdup (g_ptr_array_index (extra_folders, i)));
  g_ptr_array_add (all, g_build_filename (g_get_user_data_dir (), "sumi", "models", NULL));
  if (program)
    {
      g_autofree char *folder = g_path_get_dirname (program);

      g_ptr_array_add (all, g_build_filename (folder, "models", NULL));
    }
  g_ptr_array_add (all, g_build_filename (SUMI_DATADIR, "models", NULL));
  g_ptr_array_add (all, NULL);
  return (GStrv) g_ptr_array_free (all, FALSE);
}

static gboolean
is_path (const char *name)
{
  return strchr (name, G_DIR_SEPARATOR) != NULL || g_str_has_suffix (name, SUFFIX);
}

/* Returns: (transfer full): the file that @name means. */
static char *
find_file (const char *name, GError **error)
{
  g_auto (GStrv) where = NULL;
  g_autofree char *file = NULL, *list = NULL, *own = NULL;

  if (is_path (name))
    {
      if (g_file_test (name, G_FILE_TEST_IS_REGULAR))
        return g_strdup (name);
      g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_NOENT,
                   "the model %s is not there; give the path of a .safetensors file, or a name from “sumi list models”",
                   name);
      return NULL;
    }
  where = folders ();
  file = g_strconcat (name, SUFFIX, NULL);
  for (char **folder = where; *folder; folder++)
    {
      g_autofree char *path = g_build_filename (*folder, file, NULL);

      if (g_file_test (path, G_FILE_TEST_IS_REGULAR))
        return g_steal_pointer (&path);
    }
  list = g_strjoinv (", ", where);
  g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_NOENT,
               "there is no model “%s”: looked for %s in %s; “sumi list models” shows what there is", name, file, list);
  return NULL;
}

GStrv
sumi_models_list (void)
{
  g_autoptr (GTree) names = g_tree_new ((GCompareFunc) strcmp);
  g_auto (GStrv) where = folders ();
  GPtrArray *all = g_ptr_array_new ();

  for (int i = 0; families[i]; i++)
    if (! families[i]->needs_weights)
      g_ptr_array_add (all, g_strdup (families[i]->key));
  for (char **folder = where; *folder; folder++)
    {
      g_autoptr (GDir) dir = g_dir_open (*folder, 0, NULL);
      const char *file;

      while (dir && (file = g_dir_read_name (dir)))
        if (g_str_has_suffix (file, SUFFIX))
          {
            char *name = g_strndup (file, strlen (file) - strlen (SUFFIX));

            if (g_tree_lookup (names, name))
              g_free (name);
            else
              {
                g_tree_insert (names, name, name);
                g_ptr_array_add (all, name);
              }
          }
    }
  g_ptr_array_add (all, NULL);
  return (GStrv) g_ptr_array_free (all, FALSE);
}

/* ---- models ----------------------------------------------------------- */

static const SumiFamilyClass *
family_of (SumiWeights *weights)
{
  for (int i = 0; families[i]; i++)
    if (families[i]->needs_weights && families[i]->match (weights))
      return families[i];
  return NULL;
}

/* A damaged file is told of when it is needed. */
static void
load_errors (SumiModel *model)
{
  g_autofree char *path = sumi_errors_file_dup_path (model->path);

  if (model->family->has_errors && g_file_test (path, G_FILE_TEST_IS_REGULAR))
    model->errors = sumi_errors_file_load (path, &model->errors_failure);
}

SumiModel *
sumi_model_load (const char *name, GError **error)
{
  const SumiFamilyClass *family = sumi_family_find (name);
  g_autoptr (SumiModel) model = g_new0 (SumiModel, 1);

  g_atomic_ref_count_init (&model->refs);
  model->name = g_strdup (name);
  if (family && ! family->needs_weights)
    {
      model->family = family;
      return g_steal_pointer (&model);
    }
  model->path = find_file (name, error);
  if (! model->path)
    return NULL;
  model->weights = sumi_weights_open (model->path, error);
  if (! model->weights)
    return NULL;
  model->family = family_of (model->weights);
  if (! model->family)
    {
      const char *says = sumi_weights_get_meta (model->weights, "sumi.family");

      g_set_error (error, SUMI_ERROR, SUMI_ERROR_UNSUPPORTED,
                   "%s: no family of this Sumi knows this model%s%s; “sumi inspect” shows what is in it", model->path,
                   says ? ", which calls itself " : "", says ? says : "");
      return NULL;
    }
  model->data = model->family->load (model->weights, error);
  if (! model->data)
    return NULL;
  load_errors (model);
  return g_steal_pointer (&model);
}

SumiModel *
sumi_model_ref (SumiModel *model)
{
  g_atomic_ref_count_inc (&model->refs);
  return model;
}

void
sumi_model_unref (SumiModel *model)
{
  if (! model || ! g_atomic_ref_count_dec (&model->refs))
    return;
  if (model->data)
    model->family->free (model->data);
  g_clear_pointer (&model->weights, sumi_weights_unref);
  g_clear_pointer (&model->errors, sumi_errors_file_free);
  g_clear_error (&model->errors_failure);
  g_free (model->name);
  g_free (model->path);
  g_free (model);
}

char *
sumi_model_dup_id (SumiModel *model)
{
  g_autofree char *hash = NULL, *base = NULL;

  if (! model->weights)
    return g_strdup (model->name);
  hash = sumi_weights_dup_hash (model->weights);
  base = g_path_get_basename (model->path);
  if (g_str_has_suffix (base, SUFFIX))
    base[strlen (base) - strlen (SUFFIX)] = 0;
  return g_strdup_printf ("%s sha256:%.12s", base, hash);
}

char *
sumi_model_dup_cache_path (SumiWeights *weights, char **identity)
{
  const char *folder = g_getenv ("SUMI_CACHE");
  g_autofree char *hash = NULL, *name = NULL;

  *identity = NULL;
  if (! folder || ! *folder)
    return NULL;
  hash = sumi_weights_dup_hash (weights);
  name = g_strdup_printf ("%.16s.prepared", hash);
  *identity = g_strdup_printf ("%s sumi %s", hash, SUMI_VERSION);
  return g_build_filename (folder, name, NULL);
}

/* ---- prediction ------------------------------------------------------- */

/* Of families that do not say. */
#define UNKNOWN_BYTES 1500

#define STATE_BYTES   12 /* a pixel of a state or noise: three floats */
#define SINGLE_STATES 4  /* of which a step of one call has so many at hand, besides those that it keeps, */
#define DOUBLE_STATES 7  /* one of more calls so many, */
#define METHOD_STATES 14 /* and a method so many: what was observed, and conjugate gradients */

static double
count_states (const SumiSamplerClass *sampler)
{
  return sampler->n_state + (sampler->calls == 1 ? SINGLE_STATES : DOUBLE_STATES);
}

/* The plan of @how, if it has anything of its own. */
static gboolean
get_plan (SumiModel *model, const SumiPredict *how, SumiPlan *plan)
{
  return ! how->mean && sumi_plan_init (plan, &how->names, &model->family->defaults, NULL);
}

double
sumi_model_get_bytes (SumiModel *model, const SumiPredict *how, double pixels)
{
  const SumiFamilyClass *family = model->family;
  g_auto (SumiPlan) plan = { NULL };
  double bytes = family->bytes > 0 ? family->bytes : UNKNOWN_BYTES;

  if (get_plan (model, how, &plan))
    {
      const SumiSamplerClass *own = sumi_sampler_find (family->defaults.sampler, NULL);

      bytes += family->sample_bytes;
      bytes += STATE_BYTES * MAX (count_states (plan.sampler) - (own ? count_states (own) : 0), 0);
      bytes += plan.method ? STATE_BYTES * METHOD_STATES : 0;
      bytes += plan.method && plan.method->needs_gradient ? family->gradient_bytes : 0;
    }
  return pixels * bytes;
}

double
sumi_model_get_weight_bytes (SumiModel *model, const SumiPredict *how)
{
  const SumiFamilyClass *family = model->family;
  g_auto (SumiPlan) plan = { NULL };
  double count = 0, bytes = family->weight_bytes;

  for (const char *const *name = model->weights ? sumi_weights_get_names (model->weights) : NULL; name && *name; name++)
    count += (double) sumi_tensor_count (sumi_weights_find (model->weights, *name));
  if (get_plan (model, how, &plan) && plan.method && plan.method->needs_gradient)
    bytes += family->gradient_weight_bytes;
  return count * bytes;
}

static gboolean
check_map (const SumiEvidence *e, const SumiImage *map, const char *what, GError **error)
{
  if (! map || (map->width == e->picture->width && map->height == e->picture->height && map->channels == 1))
    return TRUE;
  g_set_error (error, SUMI_ERROR, SUMI_ERROR_SHAPE, "the map of %s pixels is %d×%d×%d, expected %d×%d×1", what,
               map->width, map->height, map->channels, e->picture->width, e->picture->height);
  return FALSE;
}

/* ---- errors ----------------------------------------------------------- */

gboolean
sumi_model_find_errors (SumiModel *model,
                        const SumiEvidence *evidence,
                        SumiErrorTable *table,
                        const SumiErrorTable **found,
                        GError **error)
{
  *found = NULL;
  if (model->errors_failure)
    {
      g_propagate_prefixed_error (error, g_error_copy (model->errors_failure),
                                  "remove this file, or measure anew with “sumi tune %s PHOTO...”: ", model->name);
      return FALSE;
    }
  if (model->errors && sumi_errors_file_find (model->errors, evidence, table))
    *found = table;
  return TRUE;
}

/* What can be said before there is any evidence of a schedule that needs the model's table. */
static gboolean
check_schedule (SumiModel *model, const SumiScheduleClass *schedule, GError **error)
{
  const SumiEvidence nothing = { .factor = 1 };
  const SumiErrorTable *found;
  SumiErrorTable table;

  if (! schedule->needs_errors || model->errors)
    return TRUE;
  if (! model->family->has_errors)
    g_set_error (
        error, SUMI_ERROR, SUMI_ERROR_UNSUPPORTED,
        "the schedule “%s” needs a table of how well a model denoises, and the model “%s” has none: how well it "
        "does depends on each picture; take another schedule",
        schedule->key, model->name);
  else if (sumi_model_find_errors (model, &nothing, &table, &found, error))
    g_set_error (error, SUMI_ERROR, SUMI_ERROR_UNSUPPORTED,
                 "the schedule “%s” needs a table of how well a model denoises, and there is none beside %s: run “sumi "
                 "tune %s PHOTO...” once, or take another schedule",
                 schedule->key, model->path, model->name);
  return FALSE;
}

gboolean
sumi_model_check_names (SumiModel *model, const SumiPlanNames *names, GError **error)
{
  const SumiDenoiser none = { NULL };
  const SumiObservation nothing = { NULL };
  g_auto (SumiPlan) plan = { NULL };

  return sumi_plan_init (&plan, names, &model->family->defaults, error) &&
         check_schedule (model, plan.schedule, error) &&
         (! plan.method || ! plan.method->needs_gradient || model->family->gradient_bytes > 0 ||
          sumi_method_check (plan.method, &none, &nothing, model->name, error));
}

SumiImage *
sumi_model_predict (SumiModel *model,
                    SumiEval *eval,
                    const SumiEvidence *evidence,
                    const SumiPredict *how,
                    SumiJob *job,
                    GError **error)
{
  const SumiFamilyClass *family = model->family;
  const SumiEvidenceFlags needs = (evidence->missing ? SUMI_EVIDENCE_MISSING : 0) |
                                  (evidence->grey ? SUMI_EVIDENCE_GREY : 0) |
                                  (evidence->coarse ? SUMI_EVIDENCE_COARSE : 0);

  g_return_val_if_fail (evidence->picture && evidence->picture->channels == 3, NULL);
  if (needs & ~family->evidence)
    {
      const SumiEvidenceFlags lacks = needs & ~family->evidence;

      g_set_error (error, SUMI_ERROR, SUMI_ERROR_UNSUPPORTED,
                   "the model “%s” cannot %s; choose another one (“sumi list models”)", model->name,
                   lacks & SUMI_EVIDENCE_MISSING ? "fill holes" :
                   lacks & SUMI_EVIDENCE_GREY    ? "add colour" :
                                                   "enlarge or clean pictures");
      return NULL;
    }
  if (! check_map (evidence, evidence->missing, "missing", error) ||
      ! check_map (evidence, evidence->grey, "grey", error) ||
      ! check_map (evidence, evidence->source, "source", error) || ! sumi_job_check (job, error))
    return NULL;
  if (evidence->coarse &&
      (! (evidence->factor >= 1 && evidence->factor <= 1024) || ! (evidence->noise >= 0 && evidence->noise <= 2)))
    {
      g_set_error (error, SUMI_ERROR, SUMI_ERROR_OPTION,
                   "a guide enlarged %g times with noise %g; expected 1 to 1024 and 0 to 2", evidence->factor,
                   evidence->noise);
      return NULL;
    }
  if (job && job->cancellable && ! eval->cancellable)
    {
      SumiImage *result;

      eval->cancellable = job->cancellable;
      result = family->predict (model, eval, evidence, how, job, error);
      eval->cancellable = NULL;
      return result;
    }
  return family->predict (model, eval, evidence, how, job, error);
}
