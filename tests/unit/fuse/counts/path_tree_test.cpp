// SPDX-License-Identifier: MIT
// Paths, and the limit on their number.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "collector/fuse/counts/path_tree.h"

namespace zctrace::fuse {
namespace {

TEST(PathTree, PathsFromTheRoot) {
  PathTree paths(100);
  const auto a = paths.child(PathTree::kRoot, "a");
  const auto file = paths.child(a, "file");
  EXPECT_EQ(paths.path(PathTree::kRoot), ".");
  EXPECT_EQ(paths.path(file), "a/file");
  EXPECT_EQ(paths.child(a, "file"), file);
  EXPECT_NE(paths.child(PathTree::kRoot, "file"), file);
}

TEST(PathTree, NamesBeyondTheLimitAreOther) {
  PathTree paths(4);
  paths.child(PathTree::kRoot, "a");
  const auto b = paths.child(PathTree::kRoot, "b");
  EXPECT_EQ(paths.child(PathTree::kRoot, "c"), PathTree::kOther);
  EXPECT_EQ(paths.child(PathTree::kOther, "d"), PathTree::kOther);
  EXPECT_EQ(paths.child(PathTree::kRoot, "b"), b);
  EXPECT_EQ(paths.path(PathTree::kOther), "(other files)");
}

TEST(PathTree, FindsEachOfManyNames) {
  PathTree paths(10'000);
  std::vector<PathTree::Node> nodes;
  for (int i = 0; i < 5000; ++i) nodes.push_back(paths.child(PathTree::kRoot, std::to_string(i)));
  for (int i = 0; i < 5000; ++i) {
    EXPECT_EQ(paths.child(PathTree::kRoot, std::to_string(i)), nodes[static_cast<std::size_t>(i)]);
    EXPECT_EQ(paths.path(nodes[static_cast<std::size_t>(i)]), std::to_string(i));
  }
}

}  // namespace
}  // namespace zctrace::fuse
