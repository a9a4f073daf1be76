/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The settings, see struct zc_config. Code that a setting excludes costs nothing: the
 * verifier drops it.
 */
#ifndef ZC_CONFIG_H
#define ZC_CONFIG_H

#include "kernel_types.bpf.h"
#include "abi.h"

extern const volatile struct zc_config config;

#endif
