// SPDX-License-Identifier: MIT
// CPU time of methods, as `compare` measured it, and what a difference of two makes of the bytes of
// an advice. Pure but for reading the files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/advice/draft.h"
#include "cli/advice/method_pair.h"

namespace zctrace {

// One method with one buffer size, from one kind of source to one kind of sink.
struct MethodCost {
  std::string origin;  // "compare.json", "measured now": only rows of one origin are compared
  std::string source;
  std::string sink;
  std::string method;
  std::uint64_t buffer_bytes = 0;
  double cpu_ns_per_byte = 0;
};

// Those of an earlier origin are preferred.
using Basis = std::vector<MethodCost>;

// The methods of a saved `compare --json` report. Throws Error, naming the file: it cannot be read,
// it is not such a report, or no method in it was timed.
Basis read_basis(const std::string& path);
// The same of its text. `name` is what messages and the basis in words call it.
Basis parse_basis(const std::string& text, const std::string& name);

// Sets cpu_ns, and the basis of all savings in words. A method is taken with the nearest buffer
// size, if that is at most four times as large or as small.
void set_cpu_time(AdviceDraft& draft, const Basis& basis);

}  // namespace zctrace
