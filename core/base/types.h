/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Forward declarations of every type of the core: the only header that other headers need. */
#pragma once

#include <gio/gio.h>
#include <glib.h>

G_BEGIN_DECLS

/* base */
typedef struct SumiArena SumiArena;
typedef struct SumiImage SumiImage;
typedef struct SumiJob SumiJob;
typedef struct SumiOption SumiOption;
typedef struct SumiPool SumiPool;
typedef struct SumiRect SumiRect;
typedef struct SumiSink SumiSink;
typedef struct SumiSource SumiSource;

/* tensor, ops */
typedef struct SumiBackend SumiBackend;
typedef struct SumiEval SumiEval;
typedef struct SumiOpClass SumiOpClass;
typedef struct SumiPrepared SumiPrepared;
typedef struct SumiTape SumiTape;
typedef struct SumiTensor SumiTensor;

/* io, nn, diffusion */
typedef struct SumiWeights SumiWeights;
typedef struct SumiDenoiser SumiDenoiser;
typedef struct SumiErrorTable SumiErrorTable;
typedef struct SumiGuidance SumiGuidance;
typedef struct SumiGuidanceClass SumiGuidanceClass;
typedef struct SumiGuidanceParts SumiGuidanceParts;
typedef struct SumiLoop SumiLoop;
typedef struct SumiMethod SumiMethod;
typedef struct SumiMethodClass SumiMethodClass;
typedef struct SumiOperator SumiOperator;
typedef struct SumiPotential SumiPotential;
typedef struct SumiPrecond SumiPrecond;
typedef struct SumiPrecondClass SumiPrecondClass;
typedef struct SumiProcessClass SumiProcessClass;
typedef struct SumiSamplerClass SumiSamplerClass;
typedef struct SumiScheduleClass SumiScheduleClass;
typedef struct SumiStep SumiStep;

/* model, task */
typedef struct SumiErrorsFile SumiErrorsFile;
typedef struct SumiEvidence SumiEvidence;
typedef struct SumiFamilyClass SumiFamilyClass;
typedef struct SumiMeasure SumiMeasure;
typedef struct SumiModel SumiModel;
typedef struct SumiPredict SumiPredict;
typedef struct SumiTaskClass SumiTaskClass;
typedef struct SumiRun SumiRun;

/* A rectangle in pixels; width and height are > 0 unless said otherwise. */
struct SumiRect
{
  int x, y, width, height;
};

G_END_DECLS
