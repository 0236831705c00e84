#include <pthread.h>
/* glibc declares this under _GNU_SOURCE only, which Swift's importer does not set. */
extern int pthread_setname_np(pthread_t thread, const char *name);
