// SPDX-License-Identifier: MIT
// uname and the wall clock.
#include "collector/observe/machine/host.h"

#include <fmt/core.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <ctime>
#include <fstream>

namespace zctrace {

Host this_host() {
  utsname names = {};
  ::uname(&names);
  return {names.release, names.machine, static_cast<unsigned>(::sysconf(_SC_NPROCESSORS_ONLN))};
}

std::vector<std::string> own_command_line() {
  std::ifstream file("/proc/self/cmdline");
  std::vector<std::string> words;
  for (std::string word; std::getline(file, word, '\0');) words.push_back(word);
  return words;
}

std::string now_rfc3339() {
  timespec now = {};
  ::clock_gettime(CLOCK_REALTIME, &now);
  tm utc = {};
  ::gmtime_r(&now.tv_sec, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900,
                     utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                     now.tv_nsec / 1000000);
}

}  // namespace zctrace
