/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The core as ui, plugin, tools and tests see it. No core file includes it. */
#pragma once

#include "core/base/error.h"
#include "core/base/image.h"
#include "core/base/job.h"
#include "core/base/memory.h"
#include "core/base/option.h"
#include "core/base/parallel.h"
#include "core/base/random.h"
#include "core/diffusion/errors.h"
#include "core/diffusion/exact-guidance.h"
#include "core/diffusion/exact.h"
#include "core/diffusion/guidance.h"
#include "core/diffusion/invert.h"
#include "core/diffusion/likelihood.h"
#include "core/diffusion/loop.h"
#include "core/diffusion/method.h"
#include "core/diffusion/plan.h"
#include "core/diffusion/potential.h"
#include "core/diffusion/precond.h"
#include "core/diffusion/process.h"
#include "core/diffusion/respace.h"
#include "core/diffusion/sampler.h"
#include "core/diffusion/schedule.h"
#include "core/io/json.h"
#include "core/io/weights.h"
#include "core/model/errors-file.h"
#include "core/model/model.h"
#include "core/task/task.h"
#include "core/task/tune.h"
#include "core/tensor/backend.h"
#include "core/tensor/eval.h"
#include "core/tensor/tensor.h"

G_BEGIN_DECLS

G_END_DECLS
