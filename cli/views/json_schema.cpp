// SPDX-License-Identifier: MIT
// The Makefile makes a raw string literal of schema/zctrace-2.schema.json.
#include "cli/views/json_schema.h"

namespace zctrace {

std::string_view json_schema() {
  static constexpr std::string_view kSchema{
#include "json_schema.inc"
  };
  return kSchema;
}

}  // namespace zctrace
