// SPDX-License-Identifier: MIT
#include "collector/observe/machine/needed_types.h"

#include <bpf/btf.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstddef>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>
#include <vector>

#include "collector/os/read_file.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U  // of Linux 6.3
#endif

namespace zctrace {
namespace {

namespace fs = std::filesystem;

// Names and, for each, a bit for every kind of type that has it.
using Names = std::unordered_map<std::string_view, unsigned>;

// Of a type that a relocation may begin with.
bool is_root(unsigned kind) {
  return kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION || kind == BTF_KIND_ENUM ||
         kind == BTF_KIND_ENUM64 || kind == BTF_KIND_TYPEDEF;
}

// libbpf takes an enumeration of one size for one of another.
unsigned bit_of(unsigned kind) {
  if (kind == BTF_KIND_ENUM64) kind = BTF_KIND_ENUM;
  return 1U << kind;
}

// The programs name a variant of a kernel's type NAME___variant.
std::string_view kernel_name(std::string_view name) { return name.substr(0, name.rfind("___")); }

// zctrace's own types are in no kernel. What is returned is part of `object`.
Names names_of(const btf* object) {
  Names names;
  for (std::uint32_t id = 1; id < btf__type_cnt(object); id++) {
    const btf_type* const type = btf__type_by_id(object, id);
    const char* const name = btf__name_by_offset(object, type->name_off);
    const unsigned kind = BTF_INFO_KIND(type->info);
    if (!is_root(kind) || name == nullptr || *name == '\0') continue;
    if (!std::string_view(name).starts_with("zc_")) names[kernel_name(name)] |= bit_of(kind);
  }
  return names;
}

// Writes types with all that their sizes and the places of their members depend on. What a pointer
// points to is not part of it.
class Writer {
 public:
  void add(const KernelTypes& kernel, std::uint32_t id) {
    number_of(kernel, id);
    for (; written_ < order_.size(); written_++) write(kernel, order_[written_]);
  }
  // Types from this number on are those of another module next.
  void end_module(std::uint32_t first) {
    std::erase_if(numbers_, [first](const auto& entry) { return entry.first >= first; });
  }
  std::string bytes() const {
    btf_header header = {};
    header.magic = BTF_MAGIC;
    header.version = BTF_VERSION;
    header.hdr_len = sizeof(header);
    header.type_len = static_cast<std::uint32_t>(records_.size());
    header.str_off = header.type_len;
    header.str_len = static_cast<std::uint32_t>(names_.size());
    return std::string(reinterpret_cast<const char*>(&header), sizeof(header)) + records_ + names_;
  }

 private:
  // In what is written. 0, as void: a type that has no size.
  std::uint32_t number_of(const KernelTypes& kernel, std::uint32_t id) {
    const btf_type* const type = kernel.type(id);
    if (type == nullptr || !has_size(BTF_INFO_KIND(type->info))) return 0;
    const auto next = static_cast<std::uint32_t>(order_.size() + 1);
    const auto [known, is_new] = numbers_.try_emplace(id, next);
    if (is_new) order_.push_back(id);
    return known->second;
  }

  static bool has_size(unsigned kind) {
    return is_root(kind) || kind == BTF_KIND_INT || kind == BTF_KIND_PTR ||
           kind == BTF_KIND_ARRAY || kind == BTF_KIND_FWD || kind == BTF_KIND_VOLATILE ||
           kind == BTF_KIND_CONST || kind == BTF_KIND_RESTRICT || kind == BTF_KIND_FLOAT ||
           kind == BTF_KIND_TYPE_TAG;
  }

  std::uint32_t name(const KernelTypes& kernel, std::uint32_t offset) {
    const std::string_view text = kernel.name_at(offset);
    if (text.empty()) return 0;
    const auto [known, is_new] = offsets_.try_emplace(std::string(text), names_.size());
    if (is_new) names_.append(text).push_back('\0');
    return known->second;
  }

  template <typename Record>
  void put(const Record& record) {
    records_.append(reinterpret_cast<const char*>(&record), sizeof(record));
  }

  // What follows the record of a type, `change`d.
  template <typename Record, typename Change>
  void copy(const btf_type& type, std::size_t count, Change change) {
    const auto* const from = reinterpret_cast<const Record*>(&type + 1);
    for (std::size_t i = 0; i < count; i++) {
      Record record = from[i];
      change(record);
      put(record);
    }
  }

  void write(const KernelTypes& kernel, std::uint32_t id) {
    const btf_type& type = *kernel.type(id);
    const unsigned kind = BTF_INFO_KIND(type.info);
    const std::size_t count = BTF_INFO_VLEN(type.info);
    btf_type head = type;
    head.name_off = name(kernel, type.name_off);
    if (kind == BTF_KIND_PTR)
      head.type = 0;
    else if (kind == BTF_KIND_TYPEDEF || kind == BTF_KIND_VOLATILE || kind == BTF_KIND_CONST ||
             kind == BTF_KIND_RESTRICT || kind == BTF_KIND_TYPE_TAG)
      head.type = number_of(kernel, type.type);
    put(head);
    const auto rename = [&](auto& record) { record.name_off = name(kernel, record.name_off); };
    switch (kind) {
      case BTF_KIND_INT: copy<std::uint32_t>(type, 1, [](std::uint32_t&) {}); break;
      case BTF_KIND_ENUM: copy<struct btf_enum>(type, count, rename); break;
      case BTF_KIND_ENUM64: copy<struct btf_enum64>(type, count, rename); break;
      case BTF_KIND_ARRAY:
        copy<struct btf_array>(type, 1, [&](struct btf_array& array) {
          array.type = number_of(kernel, array.type);
          array.index_type = number_of(kernel, array.index_type);
        });
        break;
      case BTF_KIND_STRUCT:
      case BTF_KIND_UNION:
        copy<btf_member>(type, count, [&](btf_member& member) {
          rename(member);
          member.type = number_of(kernel, member.type);
        });
        break;
      default: break;
    }
  }

  std::string records_;
  std::string names_ = std::string(1, '\0');
  std::unordered_map<std::string, std::uint32_t> offsets_;    // of names_
  std::unordered_map<std::uint32_t, std::uint32_t> numbers_;  // the kernel's -> those written
  std::vector<std::uint32_t> order_;                          // number, less one -> the kernel's
  std::size_t written_ = 0;                                   // of order_
};

// Adds the types from the number `first` on that are `wanted`. Returns those that were found.
Names add_named(const KernelTypes& kernel, std::uint32_t first, const Names& wanted,
                Writer& writer) {
  Names found;
  for (std::uint32_t id = first; id < kernel.count(); id++) {
    const btf_type* const type = kernel.type(id);
    if (type == nullptr || !is_root(BTF_INFO_KIND(type->info))) continue;
    const unsigned bit = bit_of(BTF_INFO_KIND(type->info));
    const auto name = wanted.find(kernel.name_at(type->name_off));
    if (name == wanted.end() || (name->second & bit) == 0) continue;
    found[name->first] |= bit;
    writer.add(kernel, id);
  }
  return found;
}

void remove(Names& names, const Names& found) {
  for (const auto& [name, kinds] : found) {
    names[name] &= ~kinds;
    if (names[name] == 0) names.erase(name);
  }
}

}  // namespace

std::string needed_types(const btf* object, const KernelTypes& kernel, const fs::path& modules) {
  Writer writer;
  Names names = names_of(object);
  remove(names, add_named(kernel, 1, names, writer));
  std::error_code error;
  fs::directory_iterator module(modules, error);
  for (; !error && !names.empty() && module != fs::directory_iterator(); module.increment(error)) {
    if (module->path().filename() == "vmlinux") continue;
    const std::string bytes = read_file(module->path());
    const KernelTypes types(kernel, bytes);
    remove(names, add_named(types, kernel.count(), names, writer));
    writer.end_module(kernel.count());
  }
  return writer.bytes();
}

// Since Linux 6.3 the kernel warns of a file that does not say whether it may be executed, or does
// not create it (vm.memfd_noexec).
NeededTypes::NeededTypes() : file_(::memfd_create("types", MFD_CLOEXEC | MFD_NOEXEC_SEAL)) {
  if (!file_) file_ = Descriptor(::memfd_create("types", MFD_CLOEXEC));
  path_ = "/proc/self/fd/" + std::to_string(file_.get());
}

bool NeededTypes::write(const btf* object, const KernelTypes& kernel, bool modules) const {
  const std::string bytes = needed_types(object, kernel, modules ? "/sys/kernel/btf" : "");
  rlimit limit = {};
  ::getrlimit(RLIMIT_FSIZE, &limit);
  if (!file_ || bytes.size() > limit.rlim_cur) return false;
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t n = ::write(file_.get(), bytes.data() + done, bytes.size() - done);
    if (n < 0) return false;
    done += static_cast<std::size_t>(n);
  }
  return true;
}

}  // namespace zctrace
