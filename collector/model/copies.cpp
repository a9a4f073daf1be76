// SPDX-License-Identifier: MIT
// The rules, from the ends of a row to its copies.
#include "collector/model/copies.h"

#include <algorithm>

#include "bpf/abi.h"
#include "collector/model/report.h"

namespace zctrace {
namespace {

std::uint64_t part_of(std::uint64_t bytes, std::uint64_t part, std::uint64_t whole) {
  return static_cast<std::uint64_t>(static_cast<unsigned __int128>(bytes) * part / whole);
}

// A file or a block device, whose pages become dirty.
bool has_pages(const MovedBytes& moved) {
  return moved.to == Kind::file || moved.to == Kind::device;
}

// Bytes that may have gone past the processor: `passed` of them did.
CopyCount unless_passed(const MovedBytes& moved, std::uint64_t passed, Verdict was_passed,
                        Verdict was_copied) {
  CopyCount count;
  passed = std::min(passed, moved.bytes);
  count.bytes = moved.bytes - passed;
  if (has_pages(moved)) count.measured = std::min(moved.dirtied, count.bytes);
  if (moved.charged) count.uncopied_measured = passed;
  if (moved.bytes != 0)
    count.verdict = passed == moved.bytes ? was_passed : passed == 0 ? was_copied : Verdict::mixed;
  return count;
}

CopyCount direct_copies(const MovedBytes& moved) {
  if (moved.charged) return unless_passed(moved, moved.seen, Verdict::direct, Verdict::buffered);
  // Where no counter tells: only files in memory cannot be read and written directly. What became
  // of the others is not known, so they have no verdict.
  if ((moved.traits & ZC_MEMORY_FILE) != 0) return {moved.bytes, 0, Verdict::buffered};
  return {};
}

// Sends that no notification tells of were copied, by rule. A notification does not say how long
// its send was: only where all sends ended alike, it vouches for their bytes.
CopyCount lent_copies(const MovedBytes& moved) {
  CopyCount count;
  const std::uint64_t told = moved.sends_copied + moved.sends_lent;
  const std::uint64_t sends = std::max(moved.sends, told);
  count.bytes = moved.bytes;
  if (told == 0) return count;
  count.bytes -= part_of(moved.bytes, moved.sends_lent, sends);
  if (moved.sends_copied == sends) count.measured = moved.bytes;
  if (moved.sends_lent == sends) count.uncopied_measured = moved.bytes;
  const bool loopback = (moved.traits & ZC_LOOPBACK) != 0;
  count.verdict = moved.sends_lent == 0
                      ? (loopback ? Verdict::zerocopy_loopback : Verdict::zerocopy_copied)
                  : moved.sends_copied == 0 ? Verdict::zerocopy
                                            : Verdict::mixed;
  return count;
}

// From or to memory of a process.
CopyCount user_copies(const MovedBytes& moved) {
  if ((moved.traits & ZC_DIRECT) != 0) return direct_copies(moved);
  if ((moved.traits & ZC_BY_REFERENCE) != 0) return lent_copies(moved);
  // What is only looked at (MSG_PEEK) is copied as well.
  if (moved.from == Kind::socket) return {std::max(moved.bytes, moved.seen), moved.seen};
  if (has_pages(moved) || moved.to == Kind::socket)
    return {moved.bytes, std::min(moved.seen, moved.bytes)};
  return {moved.bytes, 0};
}

CopyCount socket_copies(const MovedBytes& moved) {
  if ((moved.traits & ZC_TLS_SOFTWARE) != 0) return {moved.bytes, 0, Verdict::tls_software};
  if ((moved.traits & ZC_NO_PAGES) != 0) return {moved.bytes, 0, Verdict::copied};
  if ((moved.traits & ZC_NO_GATHER) != 0) return {moved.bytes, 0, Verdict::no_gather};
  switch (moved.protocol) {
    case Protocol::vsock:
    case Protocol::netlink:
    case Protocol::other: return {moved.bytes, 0, Verdict::copied};
    default: break;
  }
  CopyCount count;
  count.verdict = Verdict::by_reference;
  count.uncopied_measured = moved.seen;
  return count;
}

// A pipe takes pages of files, block devices, sockets and pipes as they are.
CopyCount pipe_copies(const MovedBytes& moved) {
  const bool character = moved.from == Kind::device && (moved.traits & ZC_BLOCK) == 0;
  if (character || moved.from == Kind::other || (moved.traits & ZC_NO_PAGES) != 0)
    return {moved.bytes, 0, Verdict::copied};
  return {};
}

CopyCount kernel_copies(const MovedBytes& moved) {
  if (moved.is_clone) {
    CopyCount count;
    count.verdict = Verdict::reflinked;
    // What is not dirty afterwards was not written.
    if (moved.charged) count.uncopied_measured = moved.bytes - std::min(moved.bytes, moved.dirtied);
    return count;
  }
  switch (moved.to) {
    case Kind::file:
      if ((moved.traits & ZC_OFFLOADS) == 0)
        return {moved.bytes, std::min(moved.seen, moved.bytes), Verdict::copied};
      return unless_passed(moved, moved.seen, Verdict::reflinked, Verdict::copied);
    case Kind::socket: return socket_copies(moved);
    case Kind::pipe: return pipe_copies(moved);
    case Kind::fuse:
      // Between files of FUSE the daemon moves the bytes.
      if (moved.from == Kind::fuse) return {};
      break;
    default: break;
  }
  return {moved.bytes, 0, Verdict::copied};
}

}  // namespace

std::string_view protocol_name(Protocol protocol) {
  switch (protocol) {
    case Protocol::tcp: return "tcp";
    case Protocol::udp: return "udp";
    case Protocol::unix_socket: return "unix";
    case Protocol::alg: return "alg";
    case Protocol::vsock: return "vsock";
    case Protocol::netlink: return "netlink";
    case Protocol::tls: return "tls";
    case Protocol::other: return "other";
    case Protocol::none:
    case Protocol::mixed: break;
  }
  return "";
}

std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::none: break;
    case Verdict::copied: return "copied";
    case Verdict::reflinked: return "reflinked";
    case Verdict::direct: return "direct";
    case Verdict::buffered: return "buffered";
    case Verdict::by_reference: return "by_reference";
    case Verdict::zerocopy: return "zerocopy";
    case Verdict::zerocopy_copied:
    case Verdict::zerocopy_loopback: return "zerocopy_copied";
    case Verdict::no_gather: return "no_gather";
    case Verdict::tls_software: return "tls_software";
    case Verdict::mixed: return "mixed";
  }
  return "";
}

bool is_not_as_asked(Verdict verdict) {
  switch (verdict) {
    case Verdict::buffered:
    case Verdict::zerocopy_copied:
    case Verdict::zerocopy_loopback:
    case Verdict::no_gather: return true;
    default: return false;
  }
}

std::string_view verdict_text(Verdict verdict) {
  switch (verdict) {
    case Verdict::none: break;
    case Verdict::copied: return "copied by the kernel";
    case Verdict::reflinked: return "reflinked";
    case Verdict::direct: return "direct";
    case Verdict::buffered: return "asked for direct, got buffered";
    case Verdict::by_reference: return "sent by reference";
    case Verdict::zerocopy: return "lent, not copied";
    case Verdict::zerocopy_copied: return "copied after all";
    case Verdict::zerocopy_loopback: return "copied after all: loopback";
    case Verdict::no_gather: return "copied: the device cannot gather";
    case Verdict::tls_software: return "encrypted by a CPU";
    case Verdict::mixed: return "partly copied";
  }
  return "";
}

Verdict both(Verdict one, Verdict other) {
  if (one == Verdict::none || one == other) return other;
  const auto copied_after_all = [](Verdict verdict) {
    return verdict == Verdict::zerocopy_copied || verdict == Verdict::zerocopy_loopback;
  };
  if (copied_after_all(one) && copied_after_all(other)) return Verdict::zerocopy_copied;
  return other == Verdict::none ? one : Verdict::mixed;
}

CopyCount count_copies(const MovedBytes& moved) {
  if (moved.bytes == 0 && moved.seen == 0) return {};
  CopyCount count;
  switch (moved.copy) {
    case Copy::copied: count = user_copies(moved); break;
    case Copy::in_kernel: count = kernel_copies(moved); break;
    case Copy::lent: break;
    case Copy::none: return {};
  }
  count.measured = std::min(count.measured, count.bytes);
  count.uncopied = moved.bytes - std::min(moved.bytes, count.bytes);
  count.uncopied_measured = std::min(count.uncopied_measured, count.uncopied);
  return count;
}

Evidence evidence_of(std::uint64_t bytes, std::uint64_t measured) {
  if (bytes == 0) return Evidence::none;
  if (measured == 0) return Evidence::rule;
  return measured < bytes ? Evidence::mixed : Evidence::measured;
}

std::string_view evidence_name(Evidence evidence) {
  switch (evidence) {
    case Evidence::none: break;
    case Evidence::measured: return "measured";
    case Evidence::rule: return "rule";
    case Evidence::mixed: return "mixed";
  }
  return "";
}

}  // namespace zctrace
