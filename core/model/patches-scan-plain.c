/* SPDX-License-Identifier: GPL-3.0-or-later */
/* For any processor, and what the others are tested against. */
#include "core/model/patches-scan-body.h"

static gboolean
usable (void)
{
  return TRUE;
}

const PatchesScanClass patches_scan_plain = { "plain", usable, scan_sweep, scan_exact };
