#ifndef POOLSCOPE_CLIBZSTD_SHIM_H
#define POOLSCOPE_CLIBZSTD_SHIM_H

#include <zstd.h>

#endif
