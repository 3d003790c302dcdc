/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How well a model denoises, kept beside it: MODEL.errors.json beside MODEL.safetensors, written by `sumi tune`, read
 * for the schedule dp. One table for each kind of evidence that was measured:
 *
 *   {"format": "sumi.errors", "tables": [{"evidence": "coarse", "factor": 2, "sigma": [...], "error": [...]}, ...]}
 *
 * evidence: "missing", "grey" or "coarse"; factor: of coarse evidence, else 1; sigma: rising, in the units of the
 * model's own x; error: E (x0 − D)² per unknown value, ≥ 0. Unknown members are passed over. */
#pragma once

#include "core/base/types.h"
#include "core/model/model.h"

G_BEGIN_DECLS

typedef struct
{
  SumiEvidenceFlags evidence; /* one of them */
  double factor;              /* ≥ 1 */
  int n;                      /* ≥ 2 */
  double *sigma, *error;      /* [n] */
} SumiErrorsEntry;

SumiErrorsFile *sumi_errors_file_new (void);
void sumi_errors_file_free (SumiErrorsFile *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SumiErrorsFile, sumi_errors_file_free)

/* Returns: (transfer full): the file's name for a model's. */
char *sumi_errors_file_dup_path (const char *model_path);

/* Reads hostile text. Fails with a GFileError, or with %SUMI_ERROR_FORMAT saying what is wrong where. */
SumiErrorsFile *sumi_errors_file_load (const char *path, GError **error);
/* @model: what it was measured on, as sumi_model_dup_id() says it. Returns: (transfer full): the text. */
char *sumi_errors_file_dup_text (const SumiErrorsFile *self, const char *model);

/* Adds a table; one of the same kind gives way. Numbers are copied. */
void sumi_errors_file_set (SumiErrorsFile *self,
                           SumiEvidenceFlags evidence,
                           double factor,
                           int n,
                           const double *sigma,
                           const double *error);

/* Returns: the tables, @n of them. */
const SumiErrorsEntry *sumi_errors_file_get (const SumiErrorsFile *self, int *n);

/* The table for @evidence: of its kind (missing before grey before coarse) and the nearest factor; without one of its
 * kind the first. Returns: FALSE where there is none at all. @table: its numbers are @self's. */
gboolean sumi_errors_file_find (const SumiErrorsFile *self, const SumiEvidence *evidence, SumiErrorTable *table);

G_END_DECLS
