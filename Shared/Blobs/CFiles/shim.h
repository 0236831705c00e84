/* glibc declares this under _GNU_SOURCE only, which Swift's importer does not set. */
extern int syncfs(int fd);
extern int sync_file_range(int fd, long offset, long count, unsigned int flags);
