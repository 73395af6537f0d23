/* Lays a filter of its own over the system calls of the process. */
#define _GNU_SOURCE
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "plugin.h"

__attribute__((constructor)) static void begin(void) {
    struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = { 1, &allow };
    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}
