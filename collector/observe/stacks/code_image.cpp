// SPDX-License-Identifier: MIT
#include "collector/observe/stacks/code_image.h"

#include <fcntl.h>
#include <gelf.h>
#include <unistd.h>

#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "collector/observe/stacks/function_name.h"
#include "collector/os/split.h"

namespace zctrace {
namespace {

constexpr std::size_t kMostMappings = 4096;
constexpr std::size_t kMostFiles = 512;
constexpr std::size_t kMostMapsBytes = 4 << 20;
constexpr std::size_t kMostNames = 100'000;
// A program may run code that is in no mapping of a file for as long as it likes.
constexpr std::chrono::milliseconds kBetweenReads(200);

// Files are reported as they are needed; libdwfl need not look for any.
int find_no_elf(Dwfl_Module*, void**, const char*, Dwarf_Addr, char**, Elf**) { return -1; }

// Only below this directory: what else a file names could be a trap.
char* debug_path = const_cast<char*>("/usr/lib/debug");

const Dwfl_Callbacks kCallbacks = {find_no_elf, dwfl_standard_find_debuginfo,
                                   dwfl_offline_section_address, &debug_path};

std::string read_proc(pid_t pid, const char* name) {
  const Descriptor file(
      ::open(fmt::format("/proc/{}/{}", pid, name).c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  char buffer[65536];
  while (file && text.size() < kMostMapsBytes) {
    const ssize_t n = ::read(file.get(), buffer, sizeof(buffer));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    text.append(buffer, static_cast<std::size_t>(n));
  }
  return text;
}

// Whether the process has the program now. Its number may have been given to another one, and it
// may have run exec. /proc/PID/stat: field 26 is start_code, 28 start_stack, 48 arg_start.
bool runs(pid_t pid, const zc_stack_image& identity) {
  const std::string stat = read_proc(pid, "stat");
  const std::size_t name_end = stat.rfind(") ");
  if (name_end == std::string::npos) return false;
  const std::vector<std::string_view> fields =
      split(std::string_view(stat).substr(name_end + 2), ' ');  // from field 3 on
  const auto is = [&fields](std::size_t field, std::uint64_t value) {
    return fields.size() > field - 3 && fields[field - 3] == std::to_string(value);
  };
  return is(26, identity.start_code) && is(28, identity.start_stack) && is(48, identity.arg_start);
}

// What must be added to the addresses in the file; nullopt: it is not an ELF file with such a
// segment.
std::optional<std::uint64_t> load_bias(int file, const CodeMapping& mapping) {
  const std::unique_ptr<Elf, int (*)(Elf*)> elf(::elf_begin(file, ELF_C_READ_MMAP, nullptr),
                                                ::elf_end);
  std::size_t headers = 0;
  if (!elf || ::elf_kind(elf.get()) != ELF_K_ELF || ::elf_getphdrnum(elf.get(), &headers) != 0)
    return std::nullopt;
  for (std::size_t i = 0; i < headers; i++) {
    GElf_Phdr header;
    if (::gelf_getphdr(elf.get(), static_cast<int>(i), &header) == nullptr) continue;
    if (header.p_type != PT_LOAD || (header.p_flags & PF_X) == 0) continue;
    const std::uint64_t page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) - 1;
    if (mapping.offset < (header.p_offset & ~page) ||
        mapping.offset >= header.p_offset + header.p_filesz)
      continue;
    return mapping.begin - mapping.offset + header.p_offset - header.p_vaddr;
  }
  return std::nullopt;
}

}  // namespace

CodeImage::CodeImage(const zc_stack_image& identity)
    : identity_(identity), dwfl_(dwfl_begin(&kCallbacks)) {
  ::elf_version(EV_CURRENT);
}

// Opens all files at once: the process may end before they are needed.
void CodeImage::read_mappings(pid_t pid) {
  std::vector<CodeMapping> mappings = code_mappings(read_proc(pid, "maps"), kMostMappings);
  std::vector<File> files;
  for (const CodeMapping& mapping : mappings) {
    if (mapping.inode == 0 || files.size() + files_.size() == kMostFiles) continue;
    if (mapping_at(mappings_, mapping.begin) != nullptr) continue;
    if (Descriptor file = open_mapped(pid, mapping)) files.push_back({mapping, std::move(file)});
  }
  // All of this was about that program if it is still there.
  if (mappings.empty() || !runs(pid, identity_)) return;
  mappings_ = std::move(mappings);
  for (File& file : files) files_.push_back(std::move(file));
}

const CodeMapping* CodeImage::mapping(std::uint64_t address, pid_t pid) {
  const CodeMapping* found = mapping_at(mappings_, address);
  if (found != nullptr || Clock::now() < next_read_) return found;
  read_mappings(pid);
  // A process that has ended says nothing, but the next sample may be of a process that runs.
  if (!mappings_.empty()) next_read_ = Clock::now() + kBetweenReads;
  return mapping_at(mappings_, address);
}

Dwfl_Module* CodeImage::report(const CodeMapping& mapping) {
  for (File& file : files_) {
    if (file.mapping.begin != mapping.begin || file.mapping.inode != mapping.inode) continue;
    const auto bias = load_bias(file.file.get(), mapping);
    if (!bias) return nullptr;
    const std::string& path = mapping.path;
    // It takes the descriptor if it succeeds.
    const int descriptor = ::fcntl(file.file.get(), F_DUPFD_CLOEXEC, 0);
    Dwfl_Module* const module =
        dwfl_report_elf(dwfl_.get(), path.c_str(), path.c_str(), descriptor, *bias, true);
    if (module == nullptr) ::close(descriptor);
    return module;
  }
  return nullptr;
}

Dwfl_Module* CodeImage::module_at(std::uint64_t address, pid_t pid) {
  if (Dwfl_Module* const known = dwfl_addrmodule(dwfl_.get(), address)) return known;
  const CodeMapping* const found = mapping(address, pid);
  if (found == nullptr || no_module_.contains(found->begin)) return nullptr;
  Dwfl_Module* const module = report(*found);
  if (module == nullptr && no_module_.size() < kMostMappings) no_module_.insert(found->begin);
  return module;
}

std::string CodeImage::name_of(Dwfl_Module* module, std::uint64_t address) {
  GElf_Addr bias = 0;
  Elf* const elf = dwfl_module_getelf(module, &bias);
  if (!go_functions_.contains(module)) go_functions_.emplace(module, go_functions(elf));
  // Before the symbols: of a stripped Go program, these are what it exports to C, and no more.
  if (const std::string_view name = go_functions_.at(module).name_at(address - bias); !name.empty())
    return std::string(name);
  GElf_Off offset = 0;
  GElf_Sym symbol;
  const char* const name =
      dwfl_module_addrinfo(module, address, &offset, &symbol, nullptr, nullptr, nullptr);
  return name == nullptr ? std::string() : function_name(name);
}

StackFrame CodeImage::frame_at(std::uint64_t address, pid_t pid) {
  if (const auto known = frames_.find(address); known != frames_.end()) return known->second;
  StackFrame frame;
  Dwfl_Module* const module = module_at(address, pid);
  if (const CodeMapping* const found = mapping_at(mappings_, address)) {
    frame.module = found->path;
    frame.own = found->inode != 0 && found->inode == identity_.executable;
    frame.offset = address - found->begin + found->offset;
  }
  if (module != nullptr) {
    frame.function = name_of(module, address);
    if (!frame.function.empty()) frame.offset = 0;
    if (const auto line = source_lines_[module].at(module, address)) {
      frame.source = line->file;
      frame.line = static_cast<unsigned>(std::max(line->line, 0));
    }
  }
  if (frames_.size() >= kMostNames) frames_.clear();
  return frames_.emplace(address, std::move(frame)).first->second;
}

}  // namespace zctrace
