/* What confine.h says. Where the kernel has no Landlock the other two still hold; where it has no seccomp filter there is no going on. */
#define _GNU_SOURCE
#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "no seccomp architecture known for this processor"
#endif

/* Newer than the headers of Debian 12's kernel may be. */
#define ACCESS_TRUNCATE (1ULL << 14)
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif

static int fail(const char *what) {
    fprintf(stderr, "openledger-confine: %s: %s\n", what, strerror(errno));
    return 125;
}

static int limit(int resource, unsigned long long value) {
    struct rlimit both = {value, value};
    return setrlimit(resource, &both);
}

/* 0: confined; 1: the kernel has no Landlock; -1: failed. */
static int confine_files(void) {
    int version = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 1) return 1;
    struct landlock_ruleset_attr rules = {
        .handled_access_fs = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE |
                             LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
                             LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
                             LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
                             LANDLOCK_ACCESS_FS_MAKE_SYM};
    /* Since ABI 3; where a file is named the program could cut it off otherwise. */
    if (version >= 3) rules.handled_access_fs |= ACCESS_TRUNCATE;
    int set = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof rules.handled_access_fs, 0);
    if (set < 0) return -1;
    static const char *const readable[] = {"/usr", "/lib", "/lib64", "/bin", "/etc/fonts", "/etc/ld.so.cache"};
    for (size_t i = 0; i < sizeof readable / sizeof *readable; i++) {
        struct landlock_path_beneath_attr rule = {.parent_fd = open(readable[i], O_PATH | O_CLOEXEC)};
        if (rule.parent_fd < 0) continue;
        rule.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE;
        if (strcmp(readable[i], "/etc/ld.so.cache") != 0) rule.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
        long status = syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
        close(rule.parent_fd);
        if (status != 0) return -1;
    }
    long status = syscall(SYS_landlock_restrict_self, set, 0);
    close(set);
    return status == 0 ? 0 : -1;
}

#define REFUSE(number) \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)

/* Refused unless the first argument, a process, is this one: a program that ends itself does so by a signal. Of the argument's 64 bits
   a process id has the lower 32, which come first on both processors. */
#define REFUSE_OTHERS(number, own)                                                                                              \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 4), BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)), \
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, own, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),                           \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)

static int confine_calls(void) {
    unsigned own = (unsigned)getpid();
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OWN_ARCHITECTURE, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
#if defined(__x86_64__)
        /* The x32 calls have numbers of their own for the same things. */
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
#endif
        REFUSE(SYS_socket), REFUSE(SYS_socketpair), REFUSE(SYS_connect), REFUSE(SYS_bind), REFUSE(SYS_listen),
        REFUSE(SYS_sendto), REFUSE(SYS_sendmsg), REFUSE(SYS_ptrace), REFUSE(SYS_process_vm_readv),
        REFUSE(SYS_process_vm_writev), REFUSE(SYS_kill), REFUSE(SYS_tkill), REFUSE(SYS_rt_sigqueueinfo),
        REFUSE(SYS_pidfd_send_signal), REFUSE_OTHERS(SYS_tgkill, own), REFUSE_OTHERS(SYS_rt_tgsigqueueinfo, own),
        REFUSE(SYS_mount), REFUSE(SYS_umount2),
        REFUSE(SYS_unshare), REFUSE(SYS_setns), REFUSE(SYS_chroot), REFUSE(SYS_bpf), REFUSE(SYS_perf_event_open),
        REFUSE(SYS_keyctl), REFUSE(SYS_add_key), REFUSE(SYS_request_key), REFUSE(SYS_init_module),
        REFUSE(SYS_finit_module), REFUSE(SYS_io_uring_setup), REFUSE(SYS_userfaultfd), REFUSE(SYS_setuid),
        REFUSE(SYS_setgid), REFUSE(SYS_setresuid), REFUSE(SYS_setresgid),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

int openledger_confine(unsigned long long seconds, unsigned long long megabytes) {
    if (limit(RLIMIT_CPU, seconds) || limit(RLIMIT_AS, megabytes << 20) || limit(RLIMIT_CORE, 0) || limit(RLIMIT_FSIZE, 0) ||
        limit(RLIMIT_NOFILE, 64) || limit(RLIMIT_NPROC, 0))
        return fail("setrlimit");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return fail("no_new_privs");
    if (confine_files() < 0) return fail("landlock");
    if (confine_calls() != 0) return fail("seccomp");
    return 0;
}

int openledger_execute(char *const *command) {
    execvp(command[0], command);
    return fail(command[0]);
}
