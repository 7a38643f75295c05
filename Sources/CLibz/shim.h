#ifndef POOLSCOPE_CLIBZ_SHIM_H
#define POOLSCOPE_CLIBZ_SHIM_H

#include <zlib.h>

// zlib's own initialiser is a macro, which Swift cannot call.
static inline int poolscope_inflate_init(z_stream *stream, int window_bits) {
    return inflateInit2(stream, window_bits);
}

#endif
