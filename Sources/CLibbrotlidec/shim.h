#ifndef POOLSCOPE_CLIBBROTLIDEC_SHIM_H
#define POOLSCOPE_CLIBBROTLIDEC_SHIM_H

#include <brotli/decode.h>

#endif
