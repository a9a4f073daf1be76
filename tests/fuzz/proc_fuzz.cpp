// SPDX-License-Identifier: MIT
// Lines of /proc: cgroup, stat and syscall files of processes that choose their own names.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "collector/fuse/requesters/read_cause.h"
#include "collector/fuse/requesters/requesters.h"
#include "collector/observe/owner.h"
#include "tests/fuzz/require.h"

namespace {

using namespace zctrace;

bool is_hexadecimal(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

void check_place(std::string_view text) {
  const ProcessOwner owner = owner_of(text);
  require(owner.container_id.empty() ||
              (owner.container_id.size() == 64 && is_hexadecimal(owner.container_id)),
          "a container's id is 64 digits");
  std::string digits = owner.pod_uid;
  std::erase(digits, '-');
  require(owner.pod_uid.empty() || (digits.size() == 32 && is_hexadecimal(digits)),
          "a pod's uid is 32 digits");
  require(owner.unit.empty() || (owner.container_id.empty() && owner.pod_uid.empty()),
          "a process in a container has no unit");
  require(owner.unit.find_first_of("/\n") == std::string::npos, "a unit is one component");
  require(owner_of("0::/" + owner.unit).unit == owner.unit, "a unit is its own owner");
}

void check_stat(std::string_view text) {
  fuse::ProcessStat stat;
  if (fuse::parse_stat(text, stat))
    require(text.find("(" + stat.name + ")") != std::string_view::npos, "a name is as it stands");
  // The fields after the name are read, whatever the name.
  fuse::ProcessStat named;
  std::string line = "7 (";
  line += text;
  line += ") S 42 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 12345 1 2";
  require(fuse::parse_stat(line, named), "no name spoils the line");
  require(named.name == text && named.parent_pid == 42 && named.start_ticks == 12345,
          "no name moves the fields");
}

void check_syscall(std::string_view text) {
  if (fuse::state_in(text) == fuse::TaskState::faulting)
    require(text.starts_with("-1 "), "only a task outside any call faults");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  check_place(text);
  check_stat(text);
  check_syscall(text);
  return 0;
}
