#ifndef POOLSCOPE_CLINUX_SHIM_H
#define POOLSCOPE_CLINUX_SHIM_H

// What Swift's Glibc module leaves out of Linux: the event queue, and the names of threads.
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <linux/memfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// At most 15 bytes are kept.
static inline void poolscope_name_this_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

// A file that exists in memory only, and is not passed on to programs that are started.
static inline int poolscope_memory_file(const char *name) { return (int)syscall(SYS_memfd_create, name, MFD_CLOEXEC); }

#endif
