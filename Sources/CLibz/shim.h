#ifndef POOLSCOPE_CLIBZ_SHIM_H
#define POOLSCOPE_CLIBZ_SHIM_H

#include <zlib.h>

// zlib's own initialisers are macros, which Swift cannot call.
static inline int poolscope_inflate_init(z_stream *stream, int window_bits) {
    return inflateInit2(stream, window_bits);
}

static inline int poolscope_deflate_init(z_stream *stream, int level, int window_bits, int memory_level) {
    return deflateInit2(stream, level, Z_DEFLATED, window_bits, memory_level, Z_DEFAULT_STRATEGY);
}

#endif
