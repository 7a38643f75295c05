#ifndef POOLSCOPE_CLINUX_SHIM_H
#define POOLSCOPE_CLINUX_SHIM_H

// What Swift's Glibc module leaves out of Linux: the event queue, and the names of threads.
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

// At most 15 bytes are kept.
static inline void poolscope_name_this_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

#endif
