#include <cairo/cairo-pdf.h>
#include <pango/pangocairo.h>

/* Macros and casts, which are not Swift's to make. */
static inline void cpaper_free_layout(PangoLayout *layout) { g_object_unref(layout); }
static inline int cpaper_units(double points) { return (int)(points * PANGO_SCALE); }
static inline double cpaper_points(int units) { return (double)units / PANGO_SCALE; }
