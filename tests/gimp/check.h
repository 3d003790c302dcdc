/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Checks, pixels and reports shared by the cases. */
#pragma once

#include "tests/gimp/driver.h"

G_BEGIN_DECLS

/* GimpPrecision: the numbers that both GIMPs share */
enum
{
  U8_LINEAR = 100,
  U8 = 150,
  U16_LINEAR = 200,
  U16 = 250,
  U32 = 350,
  HALF = 550,
  FLOAT_LINEAR = 600,
  FLOAT = 650,
  DOUBLE = 750,
};

/* A line in the report; FALSE counts. */
void check (gboolean ok, const char *format, ...) G_GNUC_PRINTF (2, 3);
void say (const char *line); /* for a script that waits for it */
void check_equal (int got, int wanted, const char *what);

/* Pixels of a drawable in its own format. */
typedef struct
{
  const Babl *format;
  int width, height, bytes; /* bytes: of a pixel */
  guint8 *data;
} Pixels;

Pixels *pixels_read (int drawable, const Babl *format); /* NULL: its own */
void pixels_free (Pixels *self);
/* Whether a and b agree, bit for bit, where @mask (coverage, b's grid) is 0; @where: of a's first pixel in b. */
gboolean pixels_same_outside (const Pixels *a, const Pixels *b, int x, int y, const Pixels *mask);
/* The same but for @tolerance; the formats are float. */
gboolean pixels_near_outside (const Pixels *a, const Pixels *b, int x, int y, const Pixels *mask, double tolerance);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Pixels, pixels_free)

/* Something between a photo and noise, in the layer's own precision; alpha has fully transparent parts that hide
 * colours. */
void paint (int layer, guint seed);

/* An image with one painted layer of its size. */
int picture_new (int width, int height, int base, int precision, gboolean alpha, int *layer);

/* Calls with one drawable and checks success. */
gboolean call (const char *task, int image, int drawable, const char *options, DriverResult *result);

/* Calls and checks that it fails with @status, that the message has @text, and that the image is as it was. */
void call_fails (const char *task, int image, int drawable, const char *options, int status, const char *text);

int count_layers (int image);

/* Whether there is such a task; a line says so if not. */
gboolean has_task (const char *key);

/* ---- groups ---- */
void cases_fill (void);
void cases_errors (void);
void cases_canvas (void);
void cases_gui (void);
void cases_german (void);
void cases_kill (void);

G_END_DECLS
