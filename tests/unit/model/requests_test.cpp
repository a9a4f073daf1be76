// SPDX-License-Identifier: MIT
// Each operation has a name.
#include <gtest/gtest.h>

#include <vector>

#include "collector/model/requests.h"

namespace zctrace {
namespace {

TEST(Operation, EachHasItsOwnName) {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < kOperations; ++i) {
    names.push_back(operation_name(static_cast<Operation>(i)));
    EXPECT_FALSE(names.back().empty());
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(names[j], names[i]);
  }
}

}  // namespace
}  // namespace zctrace
