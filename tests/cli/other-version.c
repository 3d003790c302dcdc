/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A picture module that is not this version's. */
#include "core/tools/pictures/module.h"

extern const SumiPictures sumi_pictures_module;

__attribute__ ((visibility ("default"))) const SumiPictures sumi_pictures_module = { .version = "0.0.0" };
