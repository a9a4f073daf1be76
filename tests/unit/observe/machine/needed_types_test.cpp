// SPDX-License-Identifier: MIT
// A kernel's types, of which only some are needed: what is written must say the same of them.
#include "collector/observe/machine/needed_types.h"

#include <bpf/btf.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace zctrace {
namespace {

namespace fs = std::filesystem;

using Types = std::unique_ptr<btf, decltype(&btf__free)>;

Types no_types() { return {btf__new_empty(), btf__free}; }

std::string_view bytes_of(const Types& types) {
  std::uint32_t size = 0;
  const void* const bytes = btf__raw_data(types.get(), &size);
  return {static_cast<const char*>(bytes), size};
}

// What an object names. How its own types look does not matter here.
Types object_with(std::initializer_list<const char*> structures) {
  Types object = no_types();
  for (const char* name : structures) btf__add_struct(object.get(), name, 0);
  return object;
}

// struct inner { int number; };
// struct other { int x; };
// enum colour { RED, BLUE = 7 };
// struct outer { const struct inner first; struct inner many[4]; struct other *far; colour_t c : 3;
// };
Types kernel_types() {
  Types types = no_types();
  btf* const to = types.get();
  const int number = btf__add_int(to, "int", 4, BTF_INT_SIGNED);
  const int inner = btf__add_struct(to, "inner", 4);
  btf__add_field(to, "number", number, 0, 0);
  const int other = btf__add_struct(to, "other", 4);
  btf__add_field(to, "x", number, 0, 0);
  const int pointer = btf__add_ptr(to, other);
  const int constant = btf__add_const(to, inner);
  const int array = btf__add_array(to, number, inner, 4);
  const int colour = btf__add_enum(to, "colour", 4);
  btf__add_enum_value(to, "RED", 0);
  btf__add_enum_value(to, "BLUE", 7);
  const int colours = btf__add_typedef(to, "colour_t", colour);
  btf__add_struct(to, "outer", 40);
  btf__add_field(to, "first", constant, 0, 0);
  btf__add_field(to, "many", array, 32, 0);
  btf__add_field(to, "far", pointer, 192, 0);
  btf__add_field(to, "c", colours, 256, 3);
  return types;
}

Types needed(const Types& object, const Types& kernel, const fs::path& modules = {}) {
  const std::string bytes = needed_types(object.get(), KernelTypes(bytes_of(kernel)), modules);
  return {btf__new(bytes.data(), static_cast<std::uint32_t>(bytes.size())), btf__free};
}

int find(const Types& types, const char* name, unsigned kind = BTF_KIND_STRUCT) {
  return btf__find_by_name_kind(types.get(), name, kind);
}

unsigned count_of(const Types& types, std::string_view name) {
  unsigned count = 0;
  for (std::uint32_t id = 1; id < btf__type_cnt(types.get()); id++)
    count += btf__name_by_offset(types.get(), btf__type_by_id(types.get(), id)->name_off) == name;
  return count;
}

TEST(NeededTypes, MembersHaveTheirPlacesAndSizes) {
  const Types found = needed(object_with({"outer"}), kernel_types());
  ASSERT_TRUE(found);
  const int outer = find(found, "outer");
  ASSERT_GT(outer, 0);
  const btf_type* const type = btf__type_by_id(found.get(), outer);
  EXPECT_EQ(type->size, 40U);
  ASSERT_EQ(btf_vlen(type), 4);
  const struct {
    const char* name;
    unsigned offset;
    unsigned bits;
    int size;
  } kMembers[] = {{"first", 0, 0, 4}, {"many", 32, 0, 16}, {"far", 192, 0, 8}, {"c", 256, 3, 4}};
  for (unsigned i = 0; i < 4; i++) {
    const btf_member& member = btf_members(type)[i];
    EXPECT_STREQ(btf__name_by_offset(found.get(), member.name_off), kMembers[i].name);
    EXPECT_EQ(btf_member_bit_offset(type, i), kMembers[i].offset);
    EXPECT_EQ(btf_member_bitfield_size(type, i), kMembers[i].bits);
    EXPECT_EQ(btf__resolve_size(found.get(), member.type), kMembers[i].size);
  }
}

TEST(NeededTypes, EnumerationsKeepTheirValues) {
  const Types found = needed(object_with({"outer"}), kernel_types());
  ASSERT_TRUE(found);
  const int colour = find(found, "colour", BTF_KIND_ENUM);
  ASSERT_GT(colour, 0);
  const btf_type* const type = btf__type_by_id(found.get(), colour);
  ASSERT_EQ(btf_vlen(type), 2);
  EXPECT_STREQ(btf__name_by_offset(found.get(), btf_enum(type)[1].name_off), "BLUE");
  EXPECT_EQ(btf_enum(type)[1].val, 7);
}

TEST(NeededTypes, WhatOnlyAPointerLeadsToIsLeftOut) {
  const Types found = needed(object_with({"outer"}), kernel_types());
  ASSERT_TRUE(found);
  EXPECT_LT(find(found, "other"), 0);
}

TEST(NeededTypes, WhatTheObjectDoesNotNameIsLeftOut) {
  const Types found = needed(object_with({"inner"}), kernel_types());
  ASSERT_TRUE(found);
  EXPECT_GT(find(found, "inner"), 0);
  EXPECT_LT(find(found, "outer"), 0);
}

TEST(NeededTypes, AVariantStandsForItsType) {
  const Types found = needed(object_with({"other___old"}), kernel_types());
  ASSERT_TRUE(found);
  EXPECT_GT(find(found, "other"), 0);
}

TEST(NeededTypes, AllTypesOfOneNameAreThere) {
  const Types kernel = kernel_types();
  btf__add_struct(kernel.get(), "inner", 64);
  const Types found = needed(object_with({"inner"}), kernel);
  ASSERT_TRUE(found);
  EXPECT_EQ(count_of(found, "inner"), 2U);
}

TEST(NeededTypes, AStructureThatContainsItselfThroughAPointerEnds) {
  const Types kernel = no_types();
  btf__add_struct(kernel.get(), "node", 8);
  btf__add_field(kernel.get(), "next", 2, 0, 0);
  btf__add_ptr(kernel.get(), 1);
  const Types found = needed(object_with({"node"}), kernel);
  ASSERT_TRUE(found);
  EXPECT_GT(find(found, "node"), 0);
}

// Writes the types of a module as the kernel shows them: they follow the kernel's own.
class Modules : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "zctrace-modules.XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { fs::remove_all(directory_); }
  void add(const char* module, const char* structure, const char* member) {
    const Types split(btf__new_empty_split(kernel_.get()), btf__free);
    btf__add_struct(split.get(), structure, 12);
    btf__add_field(split.get(), member, find(kernel_, "inner"), 64, 0);
    std::ofstream(directory_ / module, std::ios::binary) << bytes_of(split);
  }

  const Types kernel_ = kernel_types();
  fs::path directory_;
};

TEST_F(Modules, HaveWhatTheKernelLacks) {
  add("first", "from_first", "a");
  add("second", "from_second", "b");
  add("third", "from_third", "c");
  const Types found =
      needed(object_with({"from_second", "from_third", "missing"}), kernel_, directory_);
  ASSERT_TRUE(found);
  EXPECT_LT(find(found, "from_first"), 0);
  for (const auto& [structure, name] : {std::pair("from_second", "b"), {"from_third", "c"}}) {
    const int id = find(found, structure);
    ASSERT_GT(id, 0) << structure;
    const btf_member& member = *btf_members(btf__type_by_id(found.get(), id));
    EXPECT_STREQ(btf__name_by_offset(found.get(), member.name_off), name);
    EXPECT_EQ(static_cast<int>(member.type), find(found, "inner"));
  }
}

TEST_F(Modules, AreNotAskedForWhatTheKernelHas) {
  add("module", "inner", "a");
  EXPECT_EQ(count_of(needed(object_with({"inner"}), kernel_, directory_), "inner"), 1U);
}

TEST_F(Modules, HaveATypeOfWhichTheKernelHasOnlyTheName) {
  btf__add_typedef(kernel_.get(), "from_module", find(kernel_, "inner"));
  btf__add_fwd(kernel_.get(), "from_module", BTF_FWD_STRUCT);
  add("module", "from_module", "a");
  const Types found = needed(object_with({"from_module"}), kernel_, directory_);
  ASSERT_TRUE(found);
  EXPECT_GT(find(found, "from_module"), 0);
}

TEST_F(Modules, AreSeenTogetherWithTheKernel) {
  const int function = btf__add_func_proto(kernel_.get(), 0);
  const int tracepoint =
      btf__add_typedef(kernel_.get(), "btf_trace_event", btf__add_ptr(kernel_.get(), function));
  const Types split(btf__new_empty_split(kernel_.get()), btf__free);
  const int own = btf__add_typedef(split.get(), "btf_trace_own", tracepoint);
  const int structure = btf__add_struct(split.get(), "from_module", 0);
  const KernelTypes kernel(bytes_of(kernel_));
  const KernelTypes both(kernel, bytes_of(split));
  EXPECT_EQ(static_cast<int>(both.tracepoint_id("event")), tracepoint);
  EXPECT_EQ(static_cast<int>(both.tracepoint_id("own")), own);
  EXPECT_EQ(static_cast<int>(both.structure_id("inner")), find(kernel_, "inner"));
  EXPECT_EQ(static_cast<int>(both.structure_id("from_module")), structure);
  EXPECT_EQ(kernel.structure_id("from_module"), 0U);
  EXPECT_EQ(kernel.tracepoint_id("own"), 0U);
}

// `bytes` instead of the types of a module; what the kernel has is found nevertheless.
class DamagedModule : public Modules {
 protected:
  void expect_nothing_in(std::string_view bytes) {
    std::ofstream(directory_ / "module", std::ios::binary) << bytes;
    const Types found = needed(object_with({"from_module", "inner"}), kernel_, directory_);
    ASSERT_TRUE(found);
    EXPECT_LT(find(found, "from_module"), 0);
    EXPECT_GT(find(found, "inner"), 0);
  }
  // What add() writes.
  std::string module() {
    add("whole", "from_module", "a");
    std::ifstream file(directory_ / "whole", std::ios::binary);
    std::string bytes(std::istreambuf_iterator<char>(file), {});
    fs::remove(directory_ / "whole");
    return bytes;
  }
  static void put(std::string& bytes, std::size_t at, std::uint32_t value) {
    ASSERT_LE(at + sizeof(value), bytes.size());
    bytes.replace(at, sizeof(value), reinterpret_cast<const char*>(&value), sizeof(value));
  }
};

TEST_F(DamagedModule, ThatIsShortHasNothing) {
  const std::string whole = module();
  for (const std::size_t size : {std::size_t{0}, std::size_t{8}, sizeof(btf_header),
                                 sizeof(btf_header) + sizeof(btf_type), whole.size() - 1})
    expect_nothing_in(whole.substr(0, size));
}

TEST_F(DamagedModule, WithPartsBehindItsEndHasNothing) {
  for (const std::size_t field : {offsetof(btf_header, str_off), offsetof(btf_header, str_len),
                                  offsetof(btf_header, type_off), offsetof(btf_header, hdr_len)}) {
    std::string bytes = module();
    put(bytes, field, 0xfffffff0);
    expect_nothing_in(bytes);
  }
}

TEST_F(DamagedModule, WithTooManyMembersHasNothing) {
  std::string bytes = module();
  put(bytes, sizeof(btf_header) + offsetof(btf_type, info), BTF_KIND_STRUCT << 24 | 0xffff);
  expect_nothing_in(bytes);
}

TEST_F(DamagedModule, WithAMemberOfNoTypeHasAMemberWithoutASize) {
  std::string bytes = module();
  put(bytes, sizeof(btf_header) + sizeof(btf_type) + offsetof(btf_member, type), 0xffffff);
  std::ofstream(directory_ / "module", std::ios::binary) << bytes;
  const Types found = needed(object_with({"from_module"}), kernel_, directory_);
  ASSERT_TRUE(found);
  const int id = find(found, "from_module");
  ASSERT_GT(id, 0);
  EXPECT_EQ(btf_members(btf__type_by_id(found.get(), id))->type, 0U);
}

TEST(NeededTypes, AgreeWithTheRunningKernel) {
  const Types kernel(btf__load_vmlinux_btf(), btf__free);
  if (!kernel) GTEST_SKIP() << "no BTF";
  const KernelTypes types;
  const std::string bytes = needed_types(object_with({"task_struct"}).get(), types, {});
  const Types found(btf__new(bytes.data(), static_cast<std::uint32_t>(bytes.size())), btf__free);
  ASSERT_TRUE(found);
  const btf_type* const before = btf__type_by_id(kernel.get(), find(kernel, "task_struct"));
  const btf_type* const after = btf__type_by_id(found.get(), find(found, "task_struct"));
  ASSERT_EQ(btf_vlen(before), btf_vlen(after));
  for (unsigned i = 0; i < btf_vlen(before); i++) {
    EXPECT_EQ(btf_member_bit_offset(before, i), btf_member_bit_offset(after, i));
    EXPECT_EQ(btf__resolve_size(kernel.get(), btf_members(before)[i].type),
              btf__resolve_size(found.get(), btf_members(after)[i].type));
  }
}

}  // namespace
}  // namespace zctrace
