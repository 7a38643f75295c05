#ifndef POOLSCOPE_CLIBIDN2_SHIM_H
#define POOLSCOPE_CLIBIDN2_SHIM_H

#include <idn2.h>

#endif
