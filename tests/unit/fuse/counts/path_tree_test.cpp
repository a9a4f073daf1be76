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

TEST(PathTree, LongPathsAreCutAndMarked) {
  PathTree paths(100'000);
  PathTree::Node node = PathTree::kRoot;
  for (int depth = 0; depth < 5000; ++depth) node = paths.child(node, "d");
  const PathTree::Node file = paths.child(node, "file");
  const std::string path = paths.path(file);
  EXPECT_LE(path.size(), PathTree::kLongestPath);
  EXPECT_GE(path.size(), PathTree::kLongestPath - 4);
  EXPECT_TRUE(path.starts_with("…/d/d/")) << path.substr(0, 20);
  EXPECT_TRUE(path.ends_with("/d/d/file"));
  EXPECT_EQ(paths.child(node, "file"), file);
}

TEST(PathTree, PathOfTheGreatestLengthIsWhole) {
  PathTree paths(100'000);
  PathTree::Node node = PathTree::kRoot;
  std::string whole;
  while (whole.size() < PathTree::kLongestPath - 8) {
    whole += "abc/";
    node = paths.child(node, "abc");
  }
  node = paths.child(node, "end");
  EXPECT_EQ(paths.path(node), whole + "end");
}

TEST(PathTree, NamesBeyondAllBytesAreOther) {
  PathTree paths(100'000, 100);
  const std::string name(60, 'n');
  const auto outer = paths.child(PathTree::kRoot, name);
  const auto inner = paths.child(outer, name);
  EXPECT_NE(inner, PathTree::kOther);
  EXPECT_EQ(paths.child(PathTree::kRoot, "b"), PathTree::kOther);
  EXPECT_EQ(paths.child(outer, name), inner);
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
