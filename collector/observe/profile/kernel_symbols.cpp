// SPDX-License-Identifier: MIT
#include "collector/observe/profile/kernel_symbols.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fstream>

#include "collector/os/error.h"

namespace zctrace {
namespace {

// kallsyms has no sizes. An address this far behind the last function before it is in a module or
// a BPF program that was loaded later.
constexpr std::uint64_t kLongestFunction = 1 << 16;

// Why the kernel shows only zeros; see kallsyms_show_value() in kernel/ksyms_common.c.
Error hidden_addresses() {
  std::ifstream file("/proc/sys/kernel/kptr_restrict");
  std::string restricted;
  std::getline(file, restricted);
  const std::string what = "--profile: the kernel hides the addresses of its functions (";
  if (restricted == "2")
    return Error(what + "kernel.kptr_restrict=2); sudo sysctl kernel.kptr_restrict=1",
                 kExitCannotRun);
  return Error(what + "/proc/kallsyms); use sudo, or give zctrace CAP_SYSLOG as well",
               kExitCannotRun);
}

}  // namespace

std::string_view plain_symbol(std::string_view name) {
  if (name.starts_with("__pi_")) name.remove_prefix(5);
  return name.substr(0, name.find('.'));
}

KernelSymbols::KernelSymbols(const std::filesystem::path& kallsyms) {
  std::ifstream file(kallsyms);
  if (!file)
    throw system_error("--profile: cannot read " + kallsyms.string(), errno, kExitCannotRun);
  bool hidden = true;
  // "ffffffff81000000 T _stext", then perhaps a tab and "[module]"
  for (std::string line; std::getline(file, line);) {
    std::uint64_t address = 0;
    const char* const begin = line.data();
    const auto parsed = std::from_chars(begin, begin + line.size(), address, 16);
    const auto type = static_cast<std::size_t>(parsed.ptr - begin) + 1;
    if (parsed.ec != std::errc() || type + 2 >= line.size()) continue;
    if (std::string_view("tTwW").find(line[type]) == std::string_view::npos) continue;
    if (address != 0) hidden = false;
    std::string_view name = std::string_view(line).substr(type + 2);
    name = name.substr(0, name.find_first_of("\t "));
    // The padding before a function, where execution never is.
    if (name.starts_with("__pfx_")) continue;
    name = plain_symbol(name);
    symbols_.push_back({address, static_cast<std::uint32_t>(text_.size()),
                        static_cast<std::uint32_t>(name.size())});
    text_ += name;
  }
  if (hidden) throw hidden_addresses();
  std::stable_sort(symbols_.begin(), symbols_.end(),
                   [](const Symbol& a, const Symbol& b) { return a.address < b.address; });
}

std::string_view KernelSymbols::name(std::uint64_t address) const {
  const auto after = std::upper_bound(
      symbols_.begin(), symbols_.end(), address,
      [](std::uint64_t wanted, const Symbol& symbol) { return wanted < symbol.address; });
  if (after == symbols_.begin()) return {};
  const Symbol& symbol = *(after - 1);
  if (address - symbol.address >= kLongestFunction) return {};
  return std::string_view(text_).substr(symbol.begin, symbol.length);
}

std::vector<std::string_view> KernelSymbols::names() const {
  std::vector<std::string_view> names;
  names.reserve(symbols_.size());
  for (const Symbol& symbol : symbols_)
    names.push_back(std::string_view(text_).substr(symbol.begin, symbol.length));
  return names;
}

}  // namespace zctrace
