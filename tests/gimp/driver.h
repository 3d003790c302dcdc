/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the cases need of GIMP beyond plugin/host.h; driver2.c and driver3.c are test plug-ins that implement it and
 * run the cases inside GIMP. Ids everywhere, as in host.h. */
#pragma once

#include "plugin/host.h"

G_BEGIN_DECLS

enum
{
  DRIVER_RGB,
  DRIVER_GREY
}; /* GimpImageBaseType */
enum
{
  DRIVER_INTERACTIVE,
  DRIVER_BATCH,
  DRIVER_LAST_VALS
}; /* GimpRunMode */
enum
{
  DRIVER_EXECUTION_ERROR,
  DRIVER_CALLING_ERROR,
  DRIVER_PASS,
  DRIVER_SUCCESS,
  DRIVER_CANCEL
};

typedef struct
{
  int status;
  char *message; /* (nullable) */
  int layer;     /* -1 after a failure */
  GArray *layers;
} DriverResult;

int driver_image_new (int width, int height, int base, int precision);
int driver_image_dup (int image);
void driver_image_delete (int image);
int driver_layer_new (int image, int parent, int x, int y, int width, int height, gboolean alpha); /* on top */
int driver_group_new (int image);
int driver_channel_new (int image);
int driver_mask_new (int layer); /* white, being edited */
void driver_set_locked (int layer);
void driver_select (int image, int x, int y, int width, int height);
void driver_select_nothing (int image);
void driver_feather (int image, double radius);
void driver_to_indexed (int image);
gboolean driver_set_profile (int image, const guint8 *icc, gsize length);
int driver_flatten (int image, gboolean keep_alpha); /* the one layer that is left */

void driver_show (int image); /* opens a window */
void driver_clean (int image);
gboolean driver_is_dirty (int image);
int driver_get_parent (int layer);
int driver_get_position (int image, int layer);
gboolean driver_get_visible (int layer);
gboolean driver_is_mask_edited (int layer);
int driver_get_selected (int image);
gboolean driver_is_grey (int image);
char *driver_dup_recipe (int layer); /* (nullable) */

/* Calls plug-in-sumi-@task. @options: "key=value" lines over the defaults. @n_drawables > 1: GIMP 3 only. */
void driver_call (const char *task,
                  int image,
                  const int *drawables,
                  int n_drawables,
                  int mode,
                  int hints,
                  const char *options,
                  DriverResult *result);
void driver_result_clear (DriverResult *result);

/* Makes @options those that RUN_WITH_LAST_VALS finds. Returns: FALSE where only GIMP itself can. */
gboolean driver_store_last_values (const char *task, const char *options);

/* Returns: (transfer full) (nullable): how the menu shows it; NULL where GIMP does not tell. */
char *driver_dup_menu_label (const char *task);

extern const gboolean driver_takes_many; /* several drawables can be given */

/* Runs the cases of @group; writes a line each. Returns: number of failed checks, > 0 also if there are none. */
int cases_run (const char *group);

/* Returns: (transfer full) (nullable): an ICC profile that is a table over Adobe RGB; NULL without lcms. */
guint8 *lut_profile_new (gsize *length);

G_END_DECLS
