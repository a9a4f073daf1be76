// SPDX-License-Identifier: MIT
// Reads /proc/self/io and getrusage.
#include "collector/observe/verify/waited_children.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <string_view>

#include "collector/os/descriptor.h"

namespace zctrace {
namespace {

struct OwnCounters {
  CounterValues values{};
  std::uint64_t bytes = 0;
};

std::optional<std::uint64_t> field(std::string_view text, std::string_view name) {
  const auto at = text.find(name);
  if (at == std::string_view::npos) return std::nullopt;
  std::uint64_t value = 0;
  const char* const begin = text.data() + at + name.size();
  if (std::from_chars(begin, text.data() + text.size(), value).ec != std::errc())
    return std::nullopt;
  return value;
}

// Reads the file in one call, so that the caller knows what reading it adds to the counters.
std::optional<OwnCounters> read_own() {
  const Descriptor file(::open("/proc/self/io", O_RDONLY | O_CLOEXEC));
  char buffer[1024];
  const ssize_t n = file ? ::read(file.get(), buffer, sizeof(buffer)) : -1;
  if (n <= 0) return std::nullopt;
  const std::string_view text(buffer, static_cast<std::size_t>(n));
  OwnCounters reading;
  reading.bytes = text.size();
  constexpr std::string_view kFields[kIoCounters] = {"syscr: ", "syscw: ", "rchar: ", "wchar: "};
  for (std::size_t i = 0; i < kIoCounters; i++) {
    const auto value = field(text, kFields[i]);
    if (!value) return std::nullopt;
    reading.values[i] = *value;
  }
  rusage usage = {};
  ::getrusage(RUSAGE_CHILDREN, &usage);
  reading.values[static_cast<std::size_t>(KernelCounter::voluntary)] =
      static_cast<std::uint64_t>(usage.ru_nvcsw);
  reading.values[static_cast<std::size_t>(KernelCounter::involuntary)] =
      static_cast<std::uint64_t>(usage.ru_nivcsw);
  return reading;
}

}  // namespace

WaitedChildren::WaitedChildren() {
  const auto reading = read_own();
  if (!reading) return;
  before_ = reading->values;
  own_bytes_ = reading->bytes;
}

std::optional<CounterValues> WaitedChildren::since() const {
  const auto now = read_own();
  if (!now || !before_) return std::nullopt;
  CounterValues since{};
  for (std::size_t i = 0; i < kKernelCounters; i++) since[i] = now->values[i] - (*before_)[i];
  since[static_cast<std::size_t>(KernelCounter::syscr)] -= 1;
  since[static_cast<std::size_t>(KernelCounter::rchar)] -= own_bytes_;
  return since;
}

}  // namespace zctrace
