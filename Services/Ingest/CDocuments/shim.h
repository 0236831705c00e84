#include <archive.h>
#include <archive_entry.h>
#include <libxml/HTMLparser.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xmlerror.h>
#include <libxml/xmlreader.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The library prints what it dislikes to standard error; reasons go to the caller here. Variadic, so not Swift's to make. */
static void cdocuments_silent(void *context, const char *message, ...) {}
static inline void cdocuments_be_silent(void) {
    xmlSetGenericErrorFunc(NULL, cdocuments_silent);
    xmlSetStructuredErrorFunc(NULL, NULL);
}

/* A forgiving parser that gets no memory gives what it has so far as if it were all: with these the process ends instead. */
static void *cdocuments_checked(void *memory) {
    if (memory == NULL) _exit(67);
    return memory;
}
static void *cdocuments_allocate(size_t size) { return cdocuments_checked(malloc(size)); }
static void *cdocuments_reallocate(void *memory, size_t size) { return cdocuments_checked(realloc(memory, size)); }
static char *cdocuments_copy(const char *text) { return (char *)cdocuments_checked(strdup(text)); }
static inline void cdocuments_end_without_memory(void) {
    xmlMemSetup(free, cdocuments_allocate, cdocuments_reallocate, cdocuments_copy);
}
