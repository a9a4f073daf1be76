// SPDX-License-Identifier: MIT
#include "collector/observe/stacks/code_map.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "collector/os/split.h"

namespace zctrace {
namespace {

// Takes a hexadecimal or decimal number and the character behind it off the text.
std::optional<std::uint64_t> take_number(std::string_view& text, char behind, int base) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number, base);
  if (parsed.ec != std::errc() || parsed.ptr == end || *parsed.ptr != behind) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(parsed.ptr + 1 - text.data()));
  return number;
}

// "55d0c0a02000-55d0c0a06000 r-xp 00002000 08:01 1311             /usr/bin/cat"
std::optional<CodeMapping> code_mapping(std::string_view line) {
  const auto begin = take_number(line, '-', 16);
  const auto end = begin ? take_number(line, ' ', 16) : std::nullopt;
  if (!end || line.size() < 5 || line[2] != 'x') return std::nullopt;
  line.remove_prefix(5);
  const auto offset = take_number(line, ' ', 16);
  const auto major = offset ? take_number(line, ':', 16) : std::nullopt;
  const auto minor = major ? take_number(line, ' ', 16) : std::nullopt;
  if (!minor) return std::nullopt;
  std::uint64_t inode = 0;
  const auto parsed = std::from_chars(line.data(), line.data() + line.size(), inode);
  if (parsed.ec != std::errc()) return std::nullopt;
  line.remove_prefix(static_cast<std::size_t>(parsed.ptr - line.data()));
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  return CodeMapping{
      *begin,  *end,
      *offset, ::makedev(static_cast<unsigned>(*major), static_cast<unsigned>(*minor)),
      inode,   std::string(line)};
}

// A device or FIFO would do something when it is opened; O_PATH does not open it yet.
Descriptor open_regular(const std::string& path, std::uint64_t inode) {
  const Descriptor place(::open(path.c_str(), O_PATH | O_CLOEXEC));
  struct stat status = {};
  if (!place || ::fstat(place.get(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
  if (inode != 0 && status.st_ino != inode) return {};
  const std::string same = fmt::format("/proc/self/fd/{}", place.get());
  return Descriptor(::open(same.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
}

}  // namespace

std::vector<CodeMapping> code_mappings(std::string_view maps, std::size_t most) {
  std::vector<CodeMapping> mappings;
  for (const std::string_view line : split(maps, '\n')) {
    if (mappings.size() == most) break;
    if (auto mapping = code_mapping(line)) mappings.push_back(std::move(*mapping));
  }
  return mappings;
}

const CodeMapping* mapping_at(const std::vector<CodeMapping>& mappings, std::uint64_t address) {
  const auto after = std::upper_bound(
      mappings.begin(), mappings.end(), address,
      [](std::uint64_t wanted, const CodeMapping& mapping) { return wanted < mapping.begin; });
  if (after == mappings.begin() || address >= (after - 1)->end) return nullptr;
  return &*(after - 1);
}

Descriptor open_mapped(pid_t pid, const CodeMapping& mapping) {
  if (mapping.inode == 0) return {};
  Descriptor file =
      open_regular(fmt::format("/proc/{}/map_files/{:x}-{:x}", pid, mapping.begin, mapping.end), 0);
  if (!file && mapping.path.starts_with('/'))
    file = open_regular(fmt::format("/proc/{}/root{}", pid, mapping.path), mapping.inode);
  return file;
}

}  // namespace zctrace
