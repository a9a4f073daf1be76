// SPDX-License-Identifier: MIT
// The JSON Schema of everything that --json writes, printed by `zctrace run --json-schema`.
#pragma once

#include <string_view>

namespace zctrace {

// Draft 2020-12, ends in a newline. Covers run, attach, mount (`processes`) and compare
// (`methods`).
std::string_view json_schema();
// The same of `zctrace diff`.
std::string_view diff_json_schema();

}  // namespace zctrace
