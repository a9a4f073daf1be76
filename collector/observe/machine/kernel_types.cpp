// SPDX-License-Identifier: MIT
#include "collector/observe/machine/kernel_types.h"

#include <bpf/btf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <tuple>
#include <utility>

#include "collector/os/descriptor.h"
#include "collector/os/read_file.h"

namespace zctrace {
namespace {

constexpr const char* kVmlinux = "/sys/kernel/btf/vmlinux";
constexpr std::string_view kTracepoint = "btf_trace_";

using Memory = std::pair<std::shared_ptr<const void>, std::string_view>;

// The file can be mapped since Linux 6.16, which saves reading it.
Memory map_types() {
  const Descriptor file(::open(kVmlinux, O_RDONLY | O_CLOEXEC));
  struct stat status = {};
  if (!file || ::fstat(file.get(), &status) != 0) return {};
  const auto size = static_cast<std::size_t>(status.st_size);
  void* const mapped = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (mapped == MAP_FAILED) return {};
  return {std::shared_ptr<const void>(mapped, [size](void* begin) { ::munmap(begin, size); }),
          {static_cast<const char*>(mapped), size}};
}

Memory read_types() {
  const auto bytes = std::make_shared<const std::string>(read_file(kVmlinux));
  if (bytes->empty()) return {};
  return {bytes, *bytes};
}

// libbpf also finds the types in an image of the kernel.
Memory load_types() {
  const std::shared_ptr<btf> loaded(btf__load_vmlinux_btf(), btf__free);
  if (!loaded) return {};
  std::uint32_t size = 0;
  const void* const bytes = btf__raw_data(loaded.get(), &size);
  if (bytes == nullptr) return {};
  return {loaded, {static_cast<const char*>(bytes), size}};
}

struct BtfParts {
  std::string_view records;
  std::string_view names;  // ends with a zero; empty: invalid
};

BtfParts parts_of(std::string_view bytes) {
  btf_header header = {};
  if (bytes.size() < sizeof(header)) return {};
  std::memcpy(&header, bytes.data(), sizeof(header));
  const auto part = [&](std::uint64_t offset, std::uint64_t size) {
    const std::uint64_t begin = header.hdr_len + offset;
    return begin + size <= bytes.size() ? bytes.substr(begin, size) : std::string_view();
  };
  if (header.magic != BTF_MAGIC || (header.hdr_len + header.type_off) % alignof(btf_type) != 0)
    return {};
  const std::string_view names = part(header.str_off, header.str_len);
  if (names.empty() || names.back() != '\0') return {};
  return {part(header.type_off, header.type_len), names};
}

// How many bytes follow a struct btf_type; nullopt: unknown.
std::optional<std::size_t> bytes_behind(const btf_type& type) {
  const std::size_t count = BTF_INFO_VLEN(type.info);
  switch (BTF_INFO_KIND(type.info)) {
    case BTF_KIND_PTR:
    case BTF_KIND_FWD:
    case BTF_KIND_TYPEDEF:
    case BTF_KIND_VOLATILE:
    case BTF_KIND_CONST:
    case BTF_KIND_RESTRICT:
    case BTF_KIND_FUNC:
    case BTF_KIND_FLOAT:
    case BTF_KIND_TYPE_TAG: return 0;
    case BTF_KIND_INT: return sizeof(std::uint32_t);
    case BTF_KIND_ARRAY: return sizeof(struct btf_array);
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION: return count * sizeof(struct btf_member);
    case BTF_KIND_ENUM: return count * sizeof(struct btf_enum);
    case BTF_KIND_ENUM64: return count * sizeof(struct btf_enum64);
    case BTF_KIND_FUNC_PROTO: return count * sizeof(struct btf_param);
    case BTF_KIND_VAR: return sizeof(struct btf_var);
    case BTF_KIND_DATASEC: return count * sizeof(struct btf_var_secinfo);
    case BTF_KIND_DECL_TAG: return sizeof(struct btf_decl_tag);
    default: return std::nullopt;
  }
}

// Those before the first that is invalid. False: there is one.
bool append_types(std::string_view records, std::vector<const btf_type*>& types) {
  for (std::size_t at = 0; at < records.size();) {
    if (records.size() - at < sizeof(btf_type)) return false;
    // Its parts are multiples of its alignment.
    const auto* const type = reinterpret_cast<const btf_type*>(records.data() + at);
    at += sizeof(btf_type);
    const std::optional<std::size_t> behind = bytes_behind(*type);
    if (!behind || *behind > records.size() - at) return false;
    at += *behind;
    types.push_back(type);
  }
  return true;
}

}  // namespace

KernelTypes::KernelTypes() {
  std::string_view bytes;
  std::tie(memory_, bytes) = map_types();
  if (!memory_) std::tie(memory_, bytes) = read_types();
  if (!memory_) std::tie(memory_, bytes) = load_types();
  index(bytes);
}

KernelTypes::KernelTypes(std::string_view bytes) { index(bytes); }

// The numbers of a module's types are known only if all types before them are.
KernelTypes::KernelTypes(const KernelTypes& base, std::string_view bytes)
    : base_(&base),
      first_(base.count()),
      first_name_(static_cast<std::uint32_t>(base.names_.size())) {
  if (base.complete_) index(bytes);
}

void KernelTypes::index(std::string_view bytes) {
  const BtfParts parts = parts_of(bytes);
  names_ = parts.names;
  if (names_.empty()) return;
  types_.reserve(parts.records.size() / 40);  // 42 on average in Linux 6.18
  if (first_ == 0) types_.push_back(nullptr);
  complete_ = append_types(parts.records, types_);
  for (std::uint32_t id = std::max(first_, 1U); id < count(); id++)
    if (BTF_INFO_KIND(type(id)->info) == BTF_KIND_TYPEDEF &&
        begins_with(type(id)->name_off, kTracepoint))
      tracepoints_.push_back(id);
}

std::string_view KernelTypes::name_at(std::uint32_t offset) const {
  if (offset < first_name_) return base_->name_at(offset);
  offset -= first_name_;
  return offset < names_.size() ? names_.data() + offset : std::string_view();
}

const btf_type* KernelTypes::type(std::uint32_t id) const {
  if (id < first_) return base_->type(id);
  return id - first_ < types_.size() ? types_[id - first_] : nullptr;
}

bool KernelTypes::begins_with(std::uint32_t offset, std::string_view prefix) const {
  if (offset < first_name_) return base_->begins_with(offset, prefix);
  offset -= first_name_;
  return offset < names_.size() && names_.compare(offset, prefix.size(), prefix) == 0;
}

bool KernelTypes::is_named(std::uint32_t offset, std::string_view name) const {
  if (offset < first_name_) return base_->is_named(offset, name);
  // The last byte of all names is a zero, so there is one behind.
  return begins_with(offset, name) && names_[offset - first_name_ + name.size()] == '\0';
}

std::uint32_t KernelTypes::find(std::string_view name, unsigned kind) const {
  for (std::uint32_t id = 1; id < count(); id++) {
    const btf_type& one = *type(id);
    if (BTF_INFO_KIND(one.info) == kind && is_named(one.name_off, name)) return id;
  }
  return 0;
}

std::uint32_t KernelTypes::tracepoint_id(std::string_view tracepoint) const {
  const std::string name = std::string(kTracepoint) + std::string(tracepoint);
  const auto found = std::find_if(tracepoints_.begin(), tracepoints_.end(), [&](std::uint32_t id) {
    return is_named(type(id)->name_off, name);
  });
  if (found != tracepoints_.end()) return *found;
  return base_ != nullptr ? base_->tracepoint_id(tracepoint) : 0;
}

unsigned KernelTypes::tracepoint_arguments(std::string_view tracepoint) const {
  const btf_type* const name = type(tracepoint_id(tracepoint));
  const btf_type* const pointer = name != nullptr ? type(name->type) : nullptr;
  const btf_type* const function = pointer != nullptr ? type(pointer->type) : nullptr;
  if (function == nullptr || BTF_INFO_KIND(function->info) != BTF_KIND_FUNC_PROTO) return 0;
  const unsigned parameters = BTF_INFO_VLEN(function->info);
  return parameters != 0 ? parameters - 1 : 0;  // the first is the tracepoint's own context
}

std::uint32_t KernelTypes::structure_id(std::string_view name) const {
  return find(name, BTF_KIND_STRUCT);
}

bool KernelTypes::has_member(std::string_view structure, std::string_view member) const {
  const btf_type* const found = type(structure_id(structure));
  if (found == nullptr) return false;
  const auto* const members = reinterpret_cast<const btf_member*>(found + 1);
  return std::any_of(members, members + BTF_INFO_VLEN(found->info),
                     [&](const btf_member& one) { return name_at(one.name_off) == member; });
}

std::uint32_t KernelTypes::function_id(std::string_view name) const {
  return find(name, BTF_KIND_FUNC);
}

bool KernelTypes::has_function(std::string_view name) const { return function_id(name) != 0; }

}  // namespace zctrace
