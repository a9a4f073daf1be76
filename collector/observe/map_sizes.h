// SPDX-License-Identifier: MIT
// Which maps the programs get, and how large they are.
#pragma once

struct zctrace_bpf;

namespace zctrace {

struct ProbeOptions;

// Before loading, and before EarlyMaps. Throws Error: usage if ProbeOptions::room names no map,
// cannot run here if libbpf refuses a size.
void size_maps(zctrace_bpf& bpf, const ProbeOptions& options);

}  // namespace zctrace
