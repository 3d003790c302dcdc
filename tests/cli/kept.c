/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a task leaves alone stays: pixels bit for bit in every form of picture, profile, EXIF, XMP, resolution. */
#include <lcms2.h>
#include <math.h>
#include <string.h>

#include "tests/cli/lib.h"

enum
{
  WIDTH = 96,
  HEIGHT = 80,
};

typedef VipsImage Image;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Image, g_object_unref)

typedef struct
{
  const char *name, *in, *out;
  int bands;
  VipsBandFormat format;
} Case;

static const Case cases[] = {
  { "png-8-rgb", "a.png", "b.png", 3, VIPS_FORMAT_UCHAR },
  { "png-8-rgba", "a.png", "b.png", 4, VIPS_FORMAT_UCHAR },
  { "png-8-grey", "a.png", "b.png", 1, VIPS_FORMAT_UCHAR },
  { "png-8-grey-alpha", "a.png", "b.png", 2, VIPS_FORMAT_UCHAR },
  { "png-16-rgb", "a.png", "b.png", 3, VIPS_FORMAT_USHORT },
  { "png-16-rgba", "a.png", "b.png", 4, VIPS_FORMAT_USHORT },
  { "png-16-grey", "a.png", "b.png", 1, VIPS_FORMAT_USHORT },
  { "png-16-grey-alpha", "a.png", "b.png", 2, VIPS_FORMAT_USHORT },
  { "tiff-8-rgb", "a.tif", "b.tif", 3, VIPS_FORMAT_UCHAR },
  { "tiff-8-rgba", "a.tif", "b.tif", 4, VIPS_FORMAT_UCHAR },
  { "tiff-16-rgba", "a.tif", "b.tif", 4, VIPS_FORMAT_USHORT },
  { "tiff-16-grey", "a.tif", "b.tiff", 1, VIPS_FORMAT_USHORT },
  { "tiff-16-grey-alpha", "a.tif", "b.tiff", 2, VIPS_FORMAT_USHORT },
  { "tiff-float-rgb", "a.tif", "b.tif", 3, VIPS_FORMAT_FLOAT },
  { "tiff-float-rgba", "a.tif", "b.tif", 4, VIPS_FORMAT_FLOAT },
  { "tiff-float-grey", "a.tif", "b.tif", 1, VIPS_FORMAT_FLOAT },
  { "webp-8-rgb", "a.webp", "b.webp", 3, VIPS_FORMAT_UCHAR },
  { "jpeg-to-png", "a.jpg", "b.png", 3, VIPS_FORMAT_UCHAR },
  { "png-16-to-tiff", "a.png", "b.tif", 3, VIPS_FORMAT_USHORT },
  { "webp-to-png", "a.webp", "b.PNG", 3, VIPS_FORMAT_UCHAR },
};

static void
save_mask (void)
{
  g_autoptr (Image) mask = cli_make_mask (WIDTH, HEIGHT);

  cli_save (mask, "mask.png");
}

static void
test_outside (gconstpointer data)
{
  const Case *c = data;
  g_autoptr (Image) made = cli_make_photo (WIDTH, HEIGHT, c->bands, c->format);
  g_autoptr (Image) before = NULL, after = NULL, mask = NULL;

  if (! cli_has_task ("fill"))
    return;
  save_mask ();
  cli_save (made, c->in);
  cli_sumi_ok ("fill %s --mask mask.png -o %s", c->in, c->out);
  before = cli_load (c->in);
  after = cli_load (c->out);
  mask = cli_load ("mask.png");
  cli_assert_kept (before, after, mask);
}

/* WebP keeps what hides under alpha 0 only with a libvips of 8.16 or later: elsewhere what shows must be kept. */
static void
test_webp_alpha (void)
{
  g_autoptr (Image) made = cli_make_photo (WIDTH, HEIGHT, 4, VIPS_FORMAT_UCHAR);
  g_autoptr (Image) before = NULL, after = NULL, mask = NULL;

  if (! cli_has_task ("fill"))
    return;
  save_mask ();
  cli_save (made, "a.png");
  cli_sumi_ok ("fill a.png --mask mask.png -o b.webp");
  before = cli_load ("a.png");
  after = cli_load ("b.webp");
  mask = cli_load ("mask.png");
  for (int y = 0; y < HEIGHT; y++)
    for (int x = 0; x < WIDTH; x++)
      if (! cli_get (mask, x, y, 0))
        {
          g_assert_cmpfloat (cli_get (before, x, y, 3), ==, cli_get (after, x, y, 3));
          for (int b = 0; b < 3 && cli_get (before, x, y, 3) > 0; b++)
            g_assert_cmpfloat (cli_get (before, x, y, b), ==, cli_get (after, x, y, b));
        }
}

/* Where the mask is grey, the result is between the photo and the full result, to rounding. */
static void
test_partial (void)
{
  g_autoptr (Image) made = cli_make_photo (WIDTH, HEIGHT, 3, VIPS_FORMAT_USHORT);
  g_autoptr (Image) before = NULL, after = NULL, mask = NULL;
  int n = 0;

  if (! cli_has_task ("fill"))
    return;
  save_mask ();
  cli_save (made, "a.png");
  cli_sumi_ok ("fill a.png --mask mask.png -o b.png");
  mask = cli_load ("mask.png");
  before = cli_load ("a.png");
  after = cli_load ("b.png");
  for (int y = 0; y < HEIGHT; y++)
    for (int x = 0; x < WIDTH; x++)
      if (cli_get (mask, x, y, 0) == 1)
        {
          /* one 255th of the way: nearly the photo */
          for (int b = 0; b < 3; b++)
            g_assert_cmpfloat (fabs (cli_get (before, x, y, b) - cli_get (after, x, y, b)), <, 65535 / 255.0 + 1);
          n++;
        }
  g_test_message ("%d pixels", n);
}

/* A palette is expanded; the picture that shows is kept. */
static void
test_palette (void)
{
  g_autoptr (Image) made = cli_make_photo (WIDTH, HEIGHT, 3, VIPS_FORMAT_UCHAR);
  g_autoptr (Image) before = NULL, after = NULL, mask = NULL;

  if (! cli_has_task ("fill"))
    return;
  save_mask ();
  if (vips_pngsave (made, "p.png", "palette", TRUE, NULL))
    {
      g_test_skip ("this libvips writes no palettes");
      vips_error_clear ();
      return;
    }
  cli_sumi_ok ("fill p.png --mask mask.png -o b.png");
  before = cli_load ("p.png");
  after = cli_load ("b.png");
  mask = cli_load ("mask.png");
  cli_assert_kept (before, after, mask);
}

/* The photo lies in the larger canvas as it was. */
static void
test_expand (gconstpointer data)
{
  const VipsBandFormat format = GPOINTER_TO_INT (data);
  const char *in = format == VIPS_FORMAT_FLOAT ? "a.tif" : "a.png",
             *out = format == VIPS_FORMAT_FLOAT ? "b.tif" : "b.png";
  g_autoptr (Image) made = cli_make_photo (WIDTH, HEIGHT, format == VIPS_FORMAT_UCHAR ? 3 : 4, format);
  g_autoptr (Image) after = NULL;

  if (! cli_has_task ("expand"))
    return;
  cli_save (made, in);
  cli_sumi_ok ("expand %s --left 13 --bottom 9 -o %s", in, out);
  after = cli_load (out);
  g_assert_cmpint (after->Xsize, ==, WIDTH + 13);
  g_assert_cmpint (after->Ysize, ==, HEIGHT + 9);
  g_assert_cmpint (after->BandFmt, ==, format);
  g_assert_cmpint (after->Bands, ==, made->Bands);
  for (int y = 0; y < HEIGHT; y++)
    g_assert_cmpmem (VIPS_IMAGE_ADDR (made, 0, y), VIPS_IMAGE_SIZEOF_LINE (made), VIPS_IMAGE_ADDR (after, 13, y),
                     VIPS_IMAGE_SIZEOF_LINE (made));
}

/* ---- metadata --------------------------------------------------------- */

/* A profile wider than sRGB with a gamma of 1.8, so that it cannot be taken for sRGB. */
static void
set_profile (VipsImage *image)
{
  const cmsCIExyY white = { 0.3127, 0.3290, 1 };
  const cmsCIExyYTRIPLE primaries = { { 0.64, 0.33, 1 }, { 0.21, 0.71, 1 }, { 0.15, 0.06, 1 } };
  cmsToneCurve *gamma = cmsBuildGamma (NULL, 1.8);
  cmsToneCurve *curves[3] = { gamma, gamma, gamma };
  cmsHPROFILE profile =
      image->Bands < 3 ? cmsCreateGrayProfile (&white, gamma) : cmsCreateRGBProfile (&white, &primaries, curves);
  cmsUInt32Number size = 0;
  gpointer data;

  cmsSaveProfileToMem (profile, NULL, &size);
  data = g_malloc (size);
  g_assert_true (cmsSaveProfileToMem (profile, data, &size));
  vips_image_set_blob (image, VIPS_META_ICC_NAME, (VipsCallbackFn) vips_area_free_cb, data, size);
  cmsCloseProfile (profile);
  cmsFreeToneCurve (gamma);
}

static const char xmp[] =
    "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">"
    "<rdf:Description rdf:about=\"\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" dc:source=\"a negative\"/>"
    "</rdf:RDF></x:xmpmeta>";

/* Only the JPEG writer of libvips makes a block of EXIF from fields. */
static void
set_exif (VipsImage *image)
{
  g_autoptr (Image) plain = cli_make_photo (8, 8, 3, VIPS_FORMAT_UCHAR);
  g_autoptr (Image) seed = NULL, read = NULL;
  const void *exif;
  size_t size;

  g_assert_cmpint (vips_copy (plain, &seed, "xres", 300 / 25.4, "yres", 300 / 25.4, NULL), ==, 0);
  vips_image_set_string (seed, "exif-ifd0-Make", "Inkstone (Inkstone, ASCII, 9 components, 9 bytes)");
  vips_image_set_string (seed, "exif-ifd2-FNumber", "28/10 (28/10, Rational, 1 components, 8 bytes)");
  cli_save (seed, "seed.jpg");
  read = cli_load ("seed.jpg");
  g_assert_cmpint (vips_image_get_blob (read, VIPS_META_EXIF_NAME, &exif, &size), ==, 0);
  vips_image_set_blob_copy (image, VIPS_META_EXIF_NAME, exif, size);
}

static VipsImage *
make_with_metadata (int bands, VipsBandFormat format)
{
  g_autoptr (Image) plain = cli_make_photo (WIDTH, HEIGHT, bands, format);
  VipsImage *image;

  g_assert_cmpint (vips_copy (plain, &image, "xres", 300 / 25.4, "yres", 300 / 25.4, NULL), ==, 0);
  set_profile (image);
  vips_image_set_blob_copy (image, VIPS_META_XMP_NAME, xmp, strlen (xmp));
  set_exif (image);
  return image;
}

static gboolean
same_blob (VipsImage *a, VipsImage *b, const char *name)
{
  const void *x, *y;
  size_t n, m;

  if (vips_image_get_blob (a, name, &x, &n) || vips_image_get_blob (b, name, &y, &m))
    return FALSE;
  return n == m && ! memcmp (x, y, n);
}

typedef struct
{
  const char *name, *in, *out;
  VipsBandFormat format;
  int bands;
  gboolean exif;
} MetaCase;

static const MetaCase meta_cases[] = {
  { "jpeg", "m.jpg", "n.jpg", VIPS_FORMAT_UCHAR, 3, TRUE },
  { "jpeg-to-png", "m.jpg", "n.png", VIPS_FORMAT_UCHAR, 3, TRUE },
  { "jpeg-to-webp", "m.jpg", "n.webp", VIPS_FORMAT_UCHAR, 3, TRUE },
  { "jpeg-to-tiff", "m.jpg", "n.tif", VIPS_FORMAT_UCHAR, 3, TRUE },
  { "png", "m.png", "n.png", VIPS_FORMAT_USHORT, 3, TRUE },
  { "png-grey", "m.png", "n.png", VIPS_FORMAT_UCHAR, 1, TRUE },
  { "webp", "m.webp", "n.webp", VIPS_FORMAT_UCHAR, 3, TRUE },
  { "tiff", "m.tif", "n.tif", VIPS_FORMAT_USHORT, 3, FALSE },
  { "tiff-float", "m.tif", "n.tif", VIPS_FORMAT_FLOAT, 3, FALSE },
};

static void
test_metadata (gconstpointer data)
{
  const MetaCase *c = data;
  g_autoptr (Image) made = make_with_metadata (c->bands, c->format);
  g_autoptr (Image) before = NULL, after = NULL;
  const char *make = NULL;

  if (! cli_has_task ("fill"))
    return;
  save_mask ();
  cli_save (made, c->in);
  cli_sumi_ok ("fill %s --mask mask.png -o %s", c->in, c->out);
  before = cli_load (c->in);
  after = cli_load (c->out);
  g_assert_true (same_blob (made, after, VIPS_META_ICC_NAME));
  /* with EXIF in a TIFF file, XMP is written anew */
  if (g_str_has_suffix (c->out, ".tif") && c->exif)
    g_assert_true (vips_image_get_typeof (after, VIPS_META_XMP_NAME) != 0);
  else
    g_assert_true (same_blob (before, after, VIPS_META_XMP_NAME));
  if (! g_str_has_suffix (c->out, ".webp")) /* has no place for it but EXIF */
    g_assert_cmpfloat_with_epsilon (after->Xres, 300 / 25.4, 0.02);
  if (c->exif && ! g_str_has_suffix (c->out, ".tif"))
    {
      g_assert_cmpint (vips_image_get_string (after, "exif-ifd0-Make", &make), ==, 0);
      g_assert_true (g_str_has_prefix (make, "Inkstone"));
    }
  else if (c->exif)
    {
#ifdef SUMI_HAVE_GEXIV2
      /* libvips does not read it there, but it is there */
      g_autofree char *bytes = NULL;
      gsize size;

      g_assert_true (g_file_get_contents (c->out, &bytes, &size, NULL));
      g_assert_nonnull (memmem (bytes, size, "Inkstone", 8));
#endif
    }
}

/* The photo is turned upright, as is a mask with an orientation of its own. */
static void
test_orientation (void)
{
  g_autoptr (Image) made = cli_make_photo (WIDTH, HEIGHT, 3, VIPS_FORMAT_UCHAR);
  g_autoptr (Image) file = NULL, before = NULL, after = NULL, mask = NULL, sideways = NULL, kept = NULL;

  if (! cli_has_task ("fill"))
    return;
  vips_image_set_int (made, VIPS_META_ORIENTATION, 6);
  cli_save (made, "o.jpg");
  file = cli_load ("o.jpg");
  g_assert_cmpint (vips_image_get_orientation (file), ==, 6);
  g_assert_cmpint (vips_autorot (file, &kept, NULL), ==, 0);
  before = vips_image_copy_memory (kept);
  mask = cli_make_mask (HEIGHT, WIDTH);
  cli_save (mask, "upright.png");
  cli_sumi_ok ("fill o.jpg --mask upright.png -o o.png");
  after = cli_load ("o.png");
  g_assert_cmpint (vips_image_get_orientation (after), ==, 1);
  cli_assert_kept (before, after, mask);
  g_assert_cmpint (vips_rot (mask, &sideways, VIPS_ANGLE_D270, NULL), ==, 0);
  vips_image_set_int (sideways, VIPS_META_ORIENTATION, 6);
  cli_save (sideways, "sideways.tif");
  cli_sumi_ok ("fill o.jpg --mask sideways.tif -o o2.png");
  g_clear_object (&after);
  after = cli_load ("o2.png");
  cli_assert_kept (before, after, mask);
}

/* ---- tasks that rewrite everything ------------------------------------ */

/* A wide profile and linear floats go through the core's colours and come back: enlarging keeps the mean colour. */
static void
test_colours (gconstpointer data)
{
  const gboolean real = GPOINTER_TO_INT (data);
  g_autoptr (Image) made =
      real ? cli_make_photo (WIDTH, HEIGHT, 3, VIPS_FORMAT_FLOAT) : make_with_metadata (3, VIPS_FORMAT_USHORT);
  g_autoptr (Image) large = NULL, small = NULL;
  const double scale = real ? 1 : 65535;

  if (! cli_has_task ("upscale"))
    return;
  cli_save (made, "c.tif");
  cli_sumi_ok ("upscale c.tif --factor 2 -o d.tif");
  large = cli_load ("d.tif");
  g_assert_cmpint (large->Xsize, ==, 2 * WIDTH);
  g_assert_cmpint (large->BandFmt, ==, made->BandFmt);
  g_assert_cmpint (vips_shrink (large, &small, 2, 2, NULL), ==, 0);
  for (int b = 0; b < 3; b++)
    {
      double a = 0, c = 0;
      g_autoptr (Image) one = NULL, two = NULL;

      g_assert_cmpint (vips_extract_band (made, &one, b, NULL) | vips_extract_band (large, &two, b, NULL), ==, 0);
      g_assert_cmpint (vips_avg (one, &a, NULL) | vips_avg (two, &c, NULL), ==, 0);
      g_assert_cmpfloat_with_epsilon (a / scale, c / scale, 0.01);
    }
}

/* Colour given to a grey photo makes an RGB file without the grey profile; its bits stay. */
static void
test_colorize (void)
{
  g_autoptr (Image) made = make_with_metadata (1, VIPS_FORMAT_USHORT);
  g_autoptr (Image) after = NULL;

  if (! cli_has_task ("colorize"))
    return;
  cli_save (made, "grey.png");
  cli_sumi_ok ("colorize grey.png -o colour.png");
  after = cli_load ("colour.png");
  g_assert_cmpint (after->Bands, ==, 3);
  g_assert_cmpint (after->BandFmt, ==, VIPS_FORMAT_USHORT);
  g_assert_false (vips_image_get_typeof (after, VIPS_META_ICC_NAME) != 0);
}

/* 16 bits to a format of 8 are rounded; float to one of integers is encoded as sRGB. */
static void
test_fewer_bits (void)
{
  g_autoptr (Image) made = cli_make_photo (WIDTH, HEIGHT, 3, VIPS_FORMAT_USHORT);
  g_autoptr (Image) real = cli_make_photo (WIDTH, HEIGHT, 3, VIPS_FORMAT_FLOAT);
  g_autoptr (Image) after = NULL, encoded = NULL;

  if (! cli_has_task ("fill"))
    return;
  save_mask ();
  cli_save (made, "a.png");
  cli_sumi_ok ("fill a.png --mask mask.png -o b.webp");
  after = cli_load ("b.webp");
  for (int x = 0; x < WIDTH; x++)
    g_assert_cmpfloat (cli_get (after, x, 0, 0), ==, floor (cli_get (made, x, 0, 0) / 257 + 0.5));
  cli_save (real, "r.tif");
  cli_sumi_ok ("fill r.tif --mask mask.png -o r.png");
  encoded = cli_load ("r.png");
  g_assert_cmpint (encoded->BandFmt, ==, VIPS_FORMAT_USHORT);
  for (int x = 0; x < WIDTH; x++)
    {
      const double v = CLAMP (cli_get (real, x, 0, 1), 0, 1);
      const double e = v <= 0.0031308 ? 12.92 * v : 1.055 * pow (v, 1 / 2.4) - 0.055;

      g_assert_cmpfloat_with_epsilon (cli_get (encoded, x, 0, 1), 65535 * e, 1.5);
    }
}

int
main (int argc, char **argv)
{
  cli_init (&argc, &argv);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strdup_printf ("/cli/outside/%s", cases[i].name);

      g_test_add_data_func (path, &cases[i], test_outside);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (meta_cases); i++)
    {
      g_autofree char *path = g_strdup_printf ("/cli/metadata/%s", meta_cases[i].name);

      g_test_add_data_func (path, &meta_cases[i], test_metadata);
    }
  g_test_add_func ("/cli/outside/webp-alpha", test_webp_alpha);
  g_test_add_func ("/cli/outside/palette", test_palette);
  g_test_add_func ("/cli/outside/partial", test_partial);
  g_test_add_data_func ("/cli/expand/8", GINT_TO_POINTER (VIPS_FORMAT_UCHAR), test_expand);
  g_test_add_data_func ("/cli/expand/16-alpha", GINT_TO_POINTER (VIPS_FORMAT_USHORT), test_expand);
  g_test_add_data_func ("/cli/expand/float-alpha", GINT_TO_POINTER (VIPS_FORMAT_FLOAT), test_expand);
  g_test_add_func ("/cli/orientation", test_orientation);
  g_test_add_data_func ("/cli/colours/profile", GINT_TO_POINTER (FALSE), test_colours);
  g_test_add_data_func ("/cli/colours/linear", GINT_TO_POINTER (TRUE), test_colours);
  g_test_add_func ("/cli/colorize", test_colorize);
  g_test_add_func ("/cli/fewer-bits", test_fewer_bits);
  return cli_run_tests ();
}
