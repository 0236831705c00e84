#include <archive.h>
#include <archive_entry.h>
#include <libxml/HTMLparser.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xmlerror.h>
#include <libxml/xmlreader.h>
#include <string.h>

/* The library prints what it dislikes to standard error; reasons go to the caller here. Variadic, so not Swift's to make. */
static void cdocuments_silent(void *context, const char *message, ...) {}
static inline void cdocuments_be_silent(void) {
    xmlSetGenericErrorFunc(NULL, cdocuments_silent);
    xmlSetStructuredErrorFunc(NULL, NULL);
}
