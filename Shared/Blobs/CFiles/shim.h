/* glibc declares this under _GNU_SOURCE only, which Swift's importer does not set. */
extern int syncfs(int fd);
