// SPDX-License-Identifier: MIT
// Names that are found in BTF, and BTF that is cut short or invalid.
#include "collector/observe/machine/kernel_types.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

namespace zctrace {
namespace {

// Writes BTF as the compiler would.
class Builder {
 public:
  std::uint32_t name(const std::string& text) {
    const auto offset = static_cast<std::uint32_t>(names_.size());
    names_ += text + '\0';
    return offset;
  }
  // Returns the number of the type.
  std::uint32_t add(const std::string& text, unsigned kind, unsigned count, std::uint32_t rest) {
    put(text.empty() ? 0 : name(text));
    put(kind << 24 | count);
    put(rest);
    return ++types_;
  }
  void put(std::uint32_t number) {
    records_.append(reinterpret_cast<const char*>(&number), sizeof(number));
  }
  void tracepoint(const std::string& text, unsigned arguments) {
    const std::uint32_t function = add("", BTF_KIND_FUNC_PROTO, arguments + 1, 0);
    for (unsigned i = 0; i < 2 * (arguments + 1); i++) put(0);
    const std::uint32_t pointer = add("", BTF_KIND_PTR, 0, function);
    add("btf_trace_" + text, BTF_KIND_TYPEDEF, 0, pointer);
  }
  void structure(const std::string& text, const std::vector<std::string>& members) {
    add(text, BTF_KIND_STRUCT, static_cast<unsigned>(members.size()), 8);
    for (const std::string& member : members) {
      put(name(member));
      put(1);
      put(0);
    }
  }
  std::string bytes() const {
    btf_header header = {};
    header.magic = BTF_MAGIC;
    header.version = 1;
    header.hdr_len = sizeof(header);
    header.type_len = static_cast<std::uint32_t>(records_.size());
    header.str_off = header.type_len;
    header.str_len = static_cast<std::uint32_t>(names_.size());
    std::string all(reinterpret_cast<const char*>(&header), sizeof(header));
    return all + records_ + names_;
  }

 private:
  std::string records_;
  std::string names_ = std::string(1, '\0');
  std::uint32_t types_ = 0;
};

// Every kind that has bytes of its own comes before what is looked up.
std::string example() {
  Builder builder;
  builder.add("int", BTF_KIND_INT, 0, 4);
  builder.put(32);
  builder.add("", BTF_KIND_ARRAY, 0, 0);
  for (int i = 0; i < 3; i++) builder.put(1);
  builder.add("colour", BTF_KIND_ENUM, 2, 4);
  for (int i = 0; i < 4; i++) builder.put(0);
  builder.add("wide", BTF_KIND_ENUM64, 2, 8);
  for (int i = 0; i < 6; i++) builder.put(0);
  builder.add("variable", BTF_KIND_VAR, 0, 1);
  builder.put(0);
  builder.add("section", BTF_KIND_DATASEC, 1, 4);
  for (int i = 0; i < 3; i++) builder.put(0);
  builder.add("tag", BTF_KIND_DECL_TAG, 0, 1);
  builder.put(0);
  builder.add("choice", BTF_KIND_UNION, 1, 4);
  for (int i = 0; i < 3; i++) builder.put(0);
  builder.structure("file", {"f_op", "f_inode"});
  builder.tracepoint("sock_send_length", 3);
  builder.tracepoint("tick", 0);
  builder.add("bpf_rdonly_cast", BTF_KIND_FUNC, 1, 1);
  return builder.bytes();
}

TEST(KernelTypes, FindsWhatTheKernelHas) {
  const std::string bytes = example();
  const KernelTypes types(bytes);
  EXPECT_TRUE(types);
  EXPECT_EQ(types.tracepoint_arguments("sock_send_length"), 3u);
  EXPECT_EQ(types.tracepoint_arguments("tick"), 0u);
  EXPECT_TRUE(types.has_member("file", "f_inode"));
  EXPECT_TRUE(types.has_function("bpf_rdonly_cast"));
}

TEST(KernelTypes, DoesNotFindWhatItLacks) {
  const std::string bytes = example();
  const KernelTypes types(bytes);
  EXPECT_EQ(types.tracepoint_arguments("sock_recv_length"), 0u);
  EXPECT_FALSE(types.has_member("file", "f_mode"));
  EXPECT_FALSE(types.has_member("inode", "i_ino"));
  EXPECT_FALSE(types.has_member("f_inode", "f_inode"));
  EXPECT_FALSE(types.has_function("file")) << "a struct is not a function";
}

TEST(KernelTypes, KnowsNothingOfInvalidBytes) {
  std::string bytes = example();
  bytes[0] = 'x';
  for (const std::string& wrong : {std::string(), std::string("short"), bytes}) {
    const KernelTypes types(wrong);
    EXPECT_FALSE(types);
    EXPECT_FALSE(types.has_function("bpf_rdonly_cast"));
    EXPECT_EQ(types.tracepoint_arguments("tick"), 0u);
  }
}

TEST(KernelTypes, ReadsNothingBehindBytesThatAreCutShort) {
  const std::string whole = example();
  for (std::size_t size = 0; size < whole.size(); size++) {
    const std::string cut(whole, 0, size);  // of its own, so that a sanitizer sees its end
    EXPECT_FALSE(KernelTypes(cut).has_function("bpf_rdonly_cast")) << size;
  }
}

// All types behind it have an unknown place.
TEST(KernelTypes, LeavesOutWhatIsBehindAnUnknownKind) {
  Builder builder;
  builder.add("before", BTF_KIND_FUNC, 0, 0);
  builder.add("new", 31, 0, 0);
  builder.add("behind", BTF_KIND_FUNC, 0, 0);
  const std::string bytes = builder.bytes();
  const KernelTypes types(bytes);
  EXPECT_TRUE(types.has_function("before"));
  EXPECT_FALSE(types.has_function("behind"));
}

}  // namespace
}  // namespace zctrace
