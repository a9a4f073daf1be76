// SPDX-License-Identifier: MIT
// The words for each kind of advice.
#include "cli/advice/sentence.h"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "cli/text/units.h"
#include "collector/model/channel_uses.h"

namespace zctrace {
namespace {

constexpr std::size_t kLongestName = 60;  // of which the end is kept

bool continues_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

std::string shortened(const std::string& name) {
  if (name.size() <= kLongestName) return name;
  std::size_t begin = name.size() - kLongestName;
  while (begin < name.size() && continues_character(name[begin])) ++begin;
  return "..." + name.substr(begin);
}

std::string who(const Advice& advice) {
  if (advice.pids.empty()) return advice.process.empty() ? "(other processes)" : advice.process;
  if (advice.pids.size() == 1)
    return fmt::format("{} (process {})", advice.process, advice.pids.front());
  return fmt::format("{} ({})", advice.process, plural(advice.pids.size(), "process", "processes"));
}

// "a file", "3 files", "12 tcp sockets", "pipe:[4711]".
std::string end_text(const AdviceEnd& end) {
  if (!end.name.empty()) return shortened(end.name);
  std::string one;
  switch (end.kind) {
    case Kind::fuse: one = "FUSE file"; break;
    case Kind::socket: {
      const std::string_view protocol = protocol_name(end.protocol);
      one = protocol.empty() ? "socket" : fmt::format("{} socket", protocol);
      break;
    }
    case Kind::user: return "memory";
    default: one = kind_name(end.kind); break;
  }
  return end.channels > 1 ? fmt::format("{} {}s", format_count(end.channels), one) : "a " + one;
}

std::string joined(const std::vector<std::string>& words) {
  if (words.size() <= 1) return words.empty() ? "" : words.front();
  return fmt::format("{} and {}", fmt::join(words.begin(), words.end() - 1, ", "), words.back());
}

// "; that saves 16,384 syscalls, 64.0 MiB of CPU copies and 12 ms of CPU time"; "" for nothing.
std::string savings_text(const Savings& saves, bool would) {
  std::vector<std::string> parts;
  if (saves.syscalls > 0)
    parts.push_back(plural(static_cast<std::uint64_t>(saves.syscalls), "syscall", "syscalls"));
  else if (saves.syscalls == 0 && saves.syscalls_most > 0)
    parts.push_back(fmt::format("up to {}", plural(static_cast<std::uint64_t>(saves.syscalls_most),
                                                   "syscall", "syscalls")));
  if (saves.cpu_copied_bytes != 0)
    parts.push_back(format_bytes(saves.cpu_copied_bytes) + " of CPU copies");
  if (saves.cpu_ns && *saves.cpu_ns > 0)
    parts.push_back(format_ns(static_cast<std::uint64_t>(*saves.cpu_ns)) + " of CPU time");
  std::string text;
  if (!parts.empty())
    text = fmt::format("; that {} {}", would ? "would save" : "saves", joined(parts));
  std::vector<std::string> costs;
  if (saves.syscalls < 0)
    costs.push_back(plural(static_cast<std::uint64_t>(-saves.syscalls), "syscall", "syscalls"));
  if (saves.cpu_ns && *saves.cpu_ns < 0)
    costs.push_back(format_ns(static_cast<std::uint64_t>(-*saves.cpu_ns)) + " of CPU time");
  if (!costs.empty()) text += fmt::format(", but costs {} more", joined(costs));
  return text;
}

// What to do for bytes that are read and written: "use sendfile, with ...".
std::string replacement(const AdviceDraft& draft) {
  const Advice& advice = draft.advice;
  if (advice.instead.empty()) return "nothing in the kernel replaces this: " + advice.why;
  if (!advice.legal)
    return fmt::format("{} could do it, but {}{}", advice.instead, advice.why,
                       savings_text(advice.saves, true));
  const bool own_pipe =
      advice.instead == "splice" && advice.from.kind != Kind::pipe && advice.to.kind != Kind::pipe;
  return fmt::format("use {}{} instead{}", advice.instead,
                     own_pipe ? " through a pipe as large as the buffer" : "",
                     savings_text(advice.saves, false));
}

std::string relay_text(const AdviceDraft& draft) {
  const Advice& advice = draft.advice;
  return fmt::format("{} reads {} from {} and writes it to {} unchanged ({}): {}", who(advice),
                     format_bytes(advice.bytes), end_text(advice.from), end_text(advice.to),
                     joined(advice.via), replacement(draft));
}

std::string fallback_text(const AdviceDraft& draft) {
  const Advice& advice = draft.advice;
  const std::string failed = advice.why.substr(0, advice.why.find(advice.legal ? " because" : ";"));
  return fmt::format("{} moved {} from {} to {} by {} after {}: {}", who(advice),
                     format_bytes(advice.bytes), end_text(advice.from), end_text(advice.to),
                     joined(advice.via), failed, replacement(draft));
}

std::string small_buffer_text(const AdviceDraft& draft) {
  const Advice& advice = draft.advice;
  return fmt::format("{} moves {} on average with each of {} ({}{}{}): use {}{}", who(advice),
                     format_bytes(draft.bytes_per_call()), plural(draft.calls, "call", "calls"),
                     joined(advice.via),
                     advice.from.kind == Kind::user ? "" : " from " + end_text(advice.from),
                     advice.to.kind == Kind::user ? "" : " to " + end_text(advice.to),
                     advice.instead, savings_text(advice.saves, false));
}

std::string direct_text(const Advice& advice) {
  return fmt::format("{} asked for O_DIRECT with {} {} {} ({}) and got the page cache: {}",
                     who(advice), format_bytes(advice.bytes),
                     advice.to.kind == Kind::user ? "from" : "to",
                     end_text(advice.to.kind == Kind::user ? advice.from : advice.to),
                     joined(advice.via), advice.why);
}

std::string zerocopy_text(const Advice& advice) {
  return fmt::format(
      "{} sent {} to {} by reference ({}), and the kernel copied it after all: use "
      "{}, because {}{}",
      who(advice), format_bytes(advice.bytes), end_text(advice.to), joined(advice.via),
      advice.instead, advice.why, savings_text(advice.saves, false));
}

std::string tls_text(const Advice& advice) {
  return fmt::format(
      "{} sent {} to {} with TLS in the kernel ({}), but {}; 'ethtool -k' shows "
      "which devices can (tls-hw-tx-offload)",
      who(advice), format_bytes(advice.bytes), end_text(advice.to), joined(advice.via), advice.why);
}

std::string blocked_text(const AdviceDraft& draft) {
  const Advice& advice = draft.advice;
  const std::string smaller =
      std::find(advice.via.begin(), advice.via.end(), "sendfile") != advice.via.end()
          ? " (nginx: sendfile_max_chunk)"
          : "";
  return fmt::format(
      "{} waited {} of {} in {} for the reader of {} ({}): {} takes more at once, "
      "and smaller calls{} let the thread do other work between them",
      who(advice), format_ns(advice.waited_ns.value_or(0)), format_ns(draft.wall_ns),
      joined(advice.via), end_text(advice.to), format_bytes(advice.bytes), advice.instead, smaller);
}

}  // namespace

std::string sentence(const AdviceDraft& draft) {
  switch (draft.advice.kind) {
    case AdviceKind::relay: return relay_text(draft);
    case AdviceKind::small_buffer: return small_buffer_text(draft);
    case AdviceKind::fallback: return fallback_text(draft);
    case AdviceKind::direct_fallback: return direct_text(draft.advice);
    case AdviceKind::zerocopy_copied: return zerocopy_text(draft.advice);
    case AdviceKind::tls_software: return tls_text(draft.advice);
    case AdviceKind::blocked: return blocked_text(draft);
  }
  return "";
}

}  // namespace zctrace
