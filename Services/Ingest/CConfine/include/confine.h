#ifndef OPENLEDGER_CONFINE_H
#define OPENLEDGER_CONFINE_H

/*
 * Makes of this process one that reads hostile documents: from standard input to standard output, and nothing else. It gives up
 *   - time and memory beyond the limits, core files, file writes, and new processes (setrlimit);
 *   - every file but those below /usr, /lib, /lib64, /etc/fonts and /etc/ld.so.cache, read only (Landlock);
 *   - sockets, ptrace, signals to others, mounts, kernel modules, bpf, other users' rights (seccomp, answered with EPERM).
 * 0, or 125 with a line on standard error.
 */
int openledger_confine(unsigned long long seconds, unsigned long long megabytes);

/* Becomes another program, which is looked up in PATH. Comes back, with 125 and a line on standard error, when it cannot. */
int openledger_execute(char *const *command);

#endif
