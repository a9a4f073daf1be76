// uname and the wall clock.
#include "cli/host.h"

#include <fmt/core.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <ctime>

namespace zctrace {

Host this_host() {
  utsname names = {};
  ::uname(&names);
  return {names.release, names.machine, static_cast<unsigned>(::sysconf(_SC_NPROCESSORS_ONLN))};
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
