// SPDX-License-Identifier: MIT
#include "collector/observe/stacks/function_name.h"

#include <unistd.h>

#include <algorithm>
#include <csetjmp>
#include <csignal>
#include <cstring>
#include <ctime>
#include <utility>

// Keeps a header of libiberty from declaring the C library's basename() differently.
#define HAVE_DECL_BASENAME 1
#include <libiberty/demangle.h>

namespace zctrace {
namespace {

// The demanglers need time and memory that grow with the name, or faster.
constexpr std::size_t kLongestMangled = 4096;
// CPU time for a name of C++. Honest ones take less than a tenth of a millisecond.
constexpr long kLongestNs = 20'000'000;
const int kTimeIsUp = SIGRTMIN + 7;

// A name as far as it is kept.
struct PlainName {
  char text[kFunctionNameBytes + 1];
  std::size_t bytes;
  sigjmp_buf end;  // of the demangler: the name is full, or time is up
};
enum Jump { kNone, kFull, kLate };

// A short name can stand for one of any length, because parts of it can refer to others. So nothing
// but a jump ends it in time; the demanglers have no memory that would have to be freed, except for
// identifiers of Rust that are not ASCII.
void add(const char* part, std::size_t bytes, void* argument) {
  if (bytes == 0) return;  // an identifier that is empty has no address
  auto* const name = static_cast<PlainName*>(argument);
  const std::size_t left = sizeof(name->text) - name->bytes;
  std::memcpy(name->text + name->bytes, part, std::min(bytes, left));
  name->bytes += std::min(bytes, left);
  if (bytes >= left) siglongjmp(name->end, kFull);
}

// Of this thread, while a demangler may run: what to leave when time is up.
thread_local PlainName* volatile limited = nullptr;

void leave_demangler(int) {
  if (limited != nullptr) siglongjmp(limited->end, kLate);
}

// Sends this thread a signal when it has used up the time. Not for code that allocates.
class CpuTimeLimit {
 public:
  CpuTimeLimit() {
    struct sigaction action = {};
    action.sa_handler = leave_demangler;
    ::sigaction(kTimeIsUp, &action, &before_);
    sigset_t wanted;
    ::sigemptyset(&wanted);
    ::sigaddset(&wanted, kTimeIsUp);
    ::pthread_sigmask(SIG_UNBLOCK, &wanted, &mask_);
    sigevent event = {};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = kTimeIsUp;
    event._sigev_un._tid = ::gettid();
    works_ = ::timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer_) == 0;
  }
  ~CpuTimeLimit() {
    if (works_) ::timer_delete(timer_);
    ::pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
    ::sigaction(kTimeIsUp, &before_, nullptr);
  }
  CpuTimeLimit(const CpuTimeLimit&) = delete;
  CpuTimeLimit& operator=(const CpuTimeLimit&) = delete;

  // Whether the time runs now.
  bool start(PlainName& name) {
    itimerspec time = {};
    time.it_value.tv_nsec = kLongestNs;
    limited = &name;
    return works_ && ::timer_settime(timer_, 0, &time, nullptr) == 0;
  }

 private:
  struct sigaction before_ = {};
  sigset_t mask_ = {};
  timer_t timer_ = {};
  bool works_ = false;
};

// "" if Rust did not make the symbol.
std::string rust_name(const std::string& symbol) {
  PlainName name;
  name.bytes = 0;
  // NOLINTNEXTLINE(cert-err52-cpp): C is between here and add()
  if (sigsetjmp(name.end, 0) == kNone &&
      ::rust_demangle_callback(symbol.c_str(), DMGL_PARAMS, add, &name) == 0)
    return {};
  return {name.text, name.bytes};
}

// "" if C++ did not make the symbol, or if its name takes too long: the demangler can work for
// hours before it prints anything.
std::string cplusplus_name(const std::string& symbol) {
  CpuTimeLimit limit;
  PlainName name;
  name.bytes = 0;
  volatile bool is_one = true;
  // NOLINTNEXTLINE(cert-err52-cpp): C is between here and add()
  const int jump = sigsetjmp(name.end, 1);
  if (jump == kNone)
    is_one = limit.start(name) &&
             ::cplus_demangle_v3_callback(symbol.c_str(), DMGL_PARAMS, add, &name) != 0;
  limited = nullptr;  // a signal from here on does nothing
  if (jump == kLate || !is_one) return {};
  return {name.text, name.bytes};
}

bool is_digit_of_rust(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Whether the type of a function or a trait object ("FG10_", "DG10_") names more than 63 lifetimes.
// The demangler counts up to their number, which can be 2^64, even where it prints nothing.
bool has_many_lifetimes(std::string_view symbol) {
  for (std::size_t at = 1; at < symbol.size(); ++at) {
    if (symbol[at] != 'G' || (symbol[at - 1] != 'F' && symbol[at - 1] != 'D')) continue;
    const std::string_view rest = symbol.substr(at + 1);
    const auto end = std::find_if_not(rest.begin(), rest.end(), is_digit_of_rust);
    if (end != rest.end() && *end == '_' && end - rest.begin() > 1) return true;
  }
  return false;
}

// "" if it is neither a symbol of Rust nor one of C++, or one that would take too long.
std::string demangled(const std::string& symbol) {
  if (symbol.size() > kLongestMangled) return {};
  // Rust's first, because its older names look like those of C++.
  if (!symbol.starts_with("_R") || !has_many_lifetimes(symbol))
    if (std::string name = rust_name(symbol); !name.empty()) return name;
  return symbol.starts_with("_Z") ? cplusplus_name(symbol) : "";
}

}  // namespace

std::string function_name(std::string_view symbol) {
  if (const std::size_t version = symbol.find('@'); version != 0)
    symbol = symbol.substr(0, version);
  std::string name(symbol);
  if (symbol.starts_with("_Z") || symbol.starts_with("_R"))
    if (std::string plain = demangled(name); !plain.empty()) name = std::move(plain);
  if (name.size() > kFunctionNameBytes) {
    name.resize(kFunctionNameBytes);
    name += "…";
  }
  return name;
}

}  // namespace zctrace
