/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Models and families. A family is what a checkpoint is and how to make an answer from it; nobody else asks
 * which family is loaded. Families that need no weights ("patches") are models of the same name. */
#pragma once

#include "core/base/types.h"
#include "core/diffusion/plan.h"

G_BEGIN_DECLS

/* What may be unknown about a picture (models/restore.md, "Evidence"). */
typedef enum
{
  SUMI_EVIDENCE_MISSING = 1 << 0, /* pixels of which nothing is known */
  SUMI_EVIDENCE_GREY = 1 << 1,    /* pixels of which only the luminance is known */
  SUMI_EVIDENCE_COARSE = 1 << 2,  /* the picture is an enlarged or noisy guide */
} SumiEvidenceFlags;

/* Everything that is known about the picture to predict. Pictures share one size. */
struct SumiEvidence
{
  int x, y;             /* where the pictures' first pixel lies in the whole picture: noise is keyed by it */
  SumiImage *picture;   /* 3 channels: the known pixels; Y in all three where grey; the enlarged guide where coarse */
  SumiImage *missing;   /* (nullable) 1 channel, [0, 1]: > 0 is unknown, < 1 is to be kept in part */
  SumiImage *grey;      /* (nullable) 1 channel, 0 or 1 */
  SumiImage *source;    /* (nullable) 1 channel: 0 = not to be copied from (transparent); NULL = all that is known */
  SumiImage *reference; /* (nullable) 3 channels: what was where pixels are missing, for methods that start from it */
  SumiImage *guide;     /* (nullable) 3 channels: a first idea of the missing pixels, for families that take one */
  double guide_factor;  /* by which @guide was enlarged, ≥ 1 */
  gboolean coarse;      /* the whole picture is a guide */
  double factor;        /* of the guide's enlargement, ≥ 1; 1 without one */
  SumiImage
      *shrunk; /* (nullable) 3 channels or more: whose pixels are means of @factor × @factor of the whole picture's */
  int shrunk_x, shrunk_y; /* where its first pixel lies among them */
  double noise;           /* RMS error of the guide, [−1, 1] units of restore.md (q): 0 clean, 0.05 visible noise */
};

/* How to predict. */
struct SumiPredict
{
  gboolean mean; /* the most faithful answer (one call) instead of a sampled one, where a family has it */
  guint64 seed;
  int candidate;        /* 0 is the first proposal; another number is another one from the same seed */
  int steps;            /* 0: the family's own choice */
  SumiPlanNames names;  /* NULL or "auto": family->defaults; without a method, the family's own way */
  double churn;         /* < 0: the family's own choice */
  SumiMeasure *measure; /* (nullable): see sumi_model_measure() */
};

struct SumiFamilyClass
{
  const char *key, *label; /* label N_() */
  const char *blurb;       /* N_(): one sentence for lists */
  gboolean needs_weights;
  SumiEvidenceFlags evidence;
  gboolean has_mean;
  SumiPlanNames defaults;      /* of SumiPredict.names */
  gboolean has_errors;         /* can measure how well it denoises; else its errors are those of each picture */
  double sigma_min, sigma_max; /* has_errors: of its loop */
  int align;                   /* evidence may have any size; tiles should start at multiples of this */
  int margin;           /* pixels around a tile after which its inside no longer depends on the tiling (to 1/255);
                         * 0: it looks anywhere */
  gboolean takes_guide; /* starts from SumiEvidence.guide where there is one */
  int bytes;            /* buffers that predict takes at its peak, per pixel of the evidence; 0: unknown */
  int sample_bytes;     /* what a sample takes on top, where there is a mean */
  int weight_bytes;     /* what forms of the weights that kernels keep take at most, per parameter */
  /* What the gradients of a denoiser, which some methods need, take on top of both; 0: there are none (vjp). */
  int gradient_bytes, gradient_weight_bytes;

  /* Whether a file of these tensors and metadata is of this family. */
  gboolean (*match) (SumiWeights *weights);
  /* Returns: (nullable): the family's own data; reads all it needs. @weights is kept by the model. */
  gpointer (*load) (SumiWeights *weights, GError **error);
  void (*free) (gpointer data);
  /* Returns: (transfer full): the predicted picture [H, W, 3]. Known pixels come back exactly; see
   * sumi_model_predict(). */
  SumiImage *(*predict) (SumiModel *model,
                         SumiEval *eval,
                         const SumiEvidence *evidence,
                         const SumiPredict *how,
                         SumiJob *job,
                         GError **error);
};

struct SumiModel
{
  const SumiFamilyClass *family;
  SumiWeights *weights;   /* (nullable) */
  gpointer data;          /* the family's */
  char *name;             /* as asked for */
  char *path;             /* (nullable) */
  SumiErrorsFile *errors; /* (nullable): read with the model */
  GError *errors_failure; /* (nullable): why the file of errors could not be read */
  gatomicrefcount refs;
};

/* @name: a weightless family's key, a name in the models folders (without .safetensors), or a path.
 * Looks in $SUMI_DATA/models, ~/.local/share/sumi/models, beside the program, then the installed data folder.
 * Returns: (transfer full): NULL with what was looked for and where. */
SumiModel *sumi_model_load (const char *name, GError **error);
SumiModel *sumi_model_ref (SumiModel *model);
void sumi_model_unref (SumiModel *model);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SumiModel, sumi_model_unref)

/* Returns: bytes of memory that answering takes at most, for @pixels of evidence at a time: the family's buffers and
 * what sampler and method of @how take more than the family's own, ... */
double sumi_model_get_bytes (SumiModel *model, const SumiPredict *how, double pixels);
/* ... and what it keeps of weights for itself from the first answer on. The file is shared by all processes. */
double sumi_model_get_weight_bytes (SumiModel *model, const SumiPredict *how);

/* For families: the file in the folder $SUMI_CACHE where to keep what was prepared from @weights, and what it was made
 * from and by. Returns: (nullable) (transfer full): NULL without $SUMI_CACHE. It is not used unasked: for the shipped
 * network preparing takes as long as mapping what was prepared (20 ms), and writing it 150 ms; but processes that run
 * side by side share the 70 MB. */
char *sumi_model_dup_cache_path (SumiWeights *weights, char **identity);

/* Returns: (transfer full): "sumi-restore sha256:0123456789ab": name and hash for recipes. */
char *sumi_model_dup_id (SumiModel *model);

/* Whether sampler, schedule, process, method and settings exist and go with the model. Fails with %SUMI_ERROR_OPTION,
 * or with %SUMI_ERROR_UNSUPPORTED where the method needs what the family has not. */
gboolean sumi_model_check_names (SumiModel *model, const SumiPlanNames *names, GError **error);

/* The table of errors for @evidence; @found is NULL where the model has none, and else @table, whose numbers live as
 * long as the model. Fails where the file beside the model is damaged. */
gboolean sumi_model_find_errors (SumiModel *model,
                                 const SumiEvidence *evidence,
                                 SumiErrorTable *table,
                                 const SumiErrorTable **found,
                                 GError **error);

/* Predicts the whole picture of @evidence, at any size ≥ 1×1. Fails with %SUMI_ERROR_UNSUPPORTED when the family
 * does not take this evidence. Deterministic in (evidence, how) for every thread count.
 * Returns: (transfer full): [H, W, 3]. */
SumiImage *sumi_model_predict (SumiModel *model,
                               SumiEval *eval,
                               const SumiEvidence *evidence,
                               const SumiPredict *how,
                               SumiJob *job,
                               GError **error);

/* Returns: every family, NULL-ended. */
const SumiFamilyClass *const *sumi_families (void);
const SumiFamilyClass *sumi_family_find (const char *key);

/* Returns: (transfer full): names of the models found in the models folders and of the weightless families. */
GStrv sumi_models_list (void);

/* Adds a folder to the search list, after $SUMI_DATA and before all others (the plug-in's or the program's own). */
void sumi_models_add_folder (const char *folder);

G_END_DECLS
