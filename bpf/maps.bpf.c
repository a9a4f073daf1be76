// SPDX-License-Identifier: GPL-2.0
/* Defines the maps that maps.bpf.h declares. */
#define ZC_MAP
#include "maps.bpf.h"
