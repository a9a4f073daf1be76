// SPDX-License-Identifier: MIT
// The Makefile makes raw string literals of the files in schema/.
#include "cli/views/json_schema.h"

namespace zctrace {

std::string_view json_schema() {
  static constexpr std::string_view kSchema{
#include "json_schema.inc"
  };
  return kSchema;
}

std::string_view diff_json_schema() {
  static constexpr std::string_view kSchema{
#include "diff_json_schema.inc"
  };
  return kSchema;
}

}  // namespace zctrace
