// SPDX-License-Identifier: GPL-2.0
/* What clear.bpf.h declares. */
#include "clear.bpf.h"

const volatile char zeros[ZC_MOST_CLEARED] = {};
