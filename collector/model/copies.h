// SPDX-License-Identifier: MIT
// How often a processor copied the bytes of a row: by measurement where the kernel vouches for it,
// by rule elsewhere. docs/counting.md has the rules with their evidence. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace zctrace {

enum class Kind : std::uint8_t;
enum class Copy : std::uint8_t;

// What a socket speaks; up to `other` the values are those of enum zc_protocol.
enum class Protocol : std::uint8_t {
  none,  // no socket
  tcp,
  udp,
  unix_socket,
  alg,
  vsock,
  netlink,
  tls,
  other,
  mixed,  // a sum of several
};

std::string_view protocol_name(Protocol protocol);  // "" for none and mixed

// What became of the bytes of a row.
enum class Verdict : std::uint8_t {
  none,               // nothing remarkable, or not known
  copied,             // by the kernel, although the call's name promises none
  reflinked,          // the file system shares the blocks
  direct,             // between memory and disk without the page cache
  buffered,           // direct was asked for, and the page cache was used
  by_reference,       // pages handed to a socket
  zerocopy,           // lent by the caller, and not copied
  zerocopy_copied,    // lent by the caller, and copied after all
  zerocopy_loopback,  // the same, over a loopback, where the kernel always copies
  no_gather,          // copied because the device cannot gather
  tls_software,       // encrypted by a processor
  mixed,              // some one thing, some another
};

// In JSON; "" for none. Over a loopback it is "zerocopy_copied", too.
std::string_view verdict_name(Verdict verdict);
// Whether the bytes were copied although the caller asked for another way.
bool is_not_as_asked(Verdict verdict);
std::string_view verdict_text(Verdict verdict);  // for people
Verdict both(Verdict one, Verdict other);        // of two rows that are added up

// Whether the kernel's charges to the calls of a row were measured: bytes read from disks and made
// dirty. Of several rows it is the highest.
enum class Charges : std::uint8_t {
  none,  // neither end has a disk behind it
  measured,
  unknown,  // there may have been charges
};

// The facts about a row's bytes.
struct MovedBytes {
  Kind from;
  Kind to;
  Copy copy;
  Protocol protocol = Protocol::none;
  unsigned traits = 0;        // of enum zc_trait
  bool is_clone = false;      // FICLONE, FICLONERANGE
  bool charged = true;        // whether the disk reads and dirty bytes of its calls were measured
  std::uint64_t sends = 0;    // calls that did not fail
  std::uint64_t bytes = 0;    // without those that were thrown away or filled with zeros
  std::uint64_t seen = 0;     // zc_row::seen
  std::uint64_t dirtied = 0;  // bytes
  std::uint64_t sends_copied = 0;  // sends by reference, by what their notifications said
  std::uint64_t sends_lent = 0;
};

struct CopyCount {
  std::uint64_t bytes = 0;     // each as often as it was copied
  std::uint64_t measured = 0;  // the part that the kernel vouches for
  Verdict verdict = Verdict::none;
  std::uint64_t uncopied = 0;           // bytes that moved, and that no CPU copied
  std::uint64_t uncopied_measured = 0;  // the part that the kernel vouches for
};

// What vouches for figures of copies.
enum class Evidence : std::uint8_t {
  none,      // there are no bytes
  measured,  // for all of them an event or a counter of the kernel
  rule,      // for all of them a rule
  mixed,
};

Evidence evidence_of(std::uint64_t bytes, std::uint64_t measured);
std::string_view evidence_name(Evidence evidence);  // in JSON; "" for none

CopyCount count_copies(const MovedBytes& moved);

}  // namespace zctrace
