/* What glibc tells of its heap, which Swift's own module leaves out. */
#include <malloc.h>
