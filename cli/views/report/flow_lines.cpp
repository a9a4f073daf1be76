// SPDX-License-Identifier: MIT
#include "cli/views/report/flow_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "cli/text/printable.h"
#include "cli/text/units.h"

namespace zctrace {
namespace {

constexpr std::size_t kMostLines = 5;
constexpr std::size_t kMostBesides = 2;  // through the kernel, if others pass through user space

// What moved between two ends.
struct Leg {
  std::string from;
  std::string to;
  std::uint64_t bytes = 0;
  std::uint64_t copied = 0;
  std::vector<std::string> calls;  // of those within the kernel
};

using Legs = std::vector<Leg>;

void add(Legs& legs, const Row& row) {
  const std::string from(kind_name(row.from));
  const std::string to(kind_name(row.to));
  auto leg = std::find_if(legs.begin(), legs.end(),
                          [&](const Leg& one) { return one.from == from && one.to == to; });
  if (leg == legs.end()) leg = legs.insert(legs.end(), {from, to, 0, 0, {}});
  leg->bytes += row.bytes;
  leg->copied += row.cpu_copied_bytes;
  const std::string call = printable(row.syscall, false);
  if (std::find(leg->calls.begin(), leg->calls.end(), call) == leg->calls.end())
    leg->calls.push_back(call);
}

// The largest first; those beyond `most` lines are one.
void limit(Legs& legs, std::size_t most) {
  std::stable_sort(legs.begin(), legs.end(),
                   [](const Leg& one, const Leg& other) { return one.bytes > other.bytes; });
  if (legs.size() <= most) return;
  Leg others{"others", "others", 0, 0, {}};
  for (std::size_t i = most - 1; i < legs.size(); ++i) {
    others.bytes += legs[i].bytes;
    others.copied += legs[i].copied;
  }
  legs.resize(most - 1);
  legs.push_back(std::move(others));
}

Tone tone_of(const Leg& leg) {
  const double copies = static_cast<double>(leg.copied) / static_cast<double>(leg.bytes);
  if (copies < 0.01) return Tone::good;
  return copies < 1.5 ? Tone::plain : Tone::warning;
}

struct Ink {
  const char* line;
  const char* head;
};

// "══ 10.0 MiB ══▶", `width` columns wide.
std::string arrow(const std::string& text, std::size_t width, const Ink& ink) {
  std::string drawn = std::string(ink.line) + ink.line + " " + text + " ";
  for (std::size_t used = text.size() + 4; used + 1 < width; ++used) drawn += ink.line;
  return drawn + ink.head;
}

std::size_t widest(const Legs& legs, std::string Leg::*end) {
  std::size_t width = 0;
  for (const Leg& leg : legs) width = std::max(width, (leg.*end).size());
  return width;
}

std::size_t widest_amount(const Legs& legs) {
  std::size_t width = 0;
  for (const Leg& leg : legs) width = std::max(width, format_bytes(leg.bytes).size());
  return width;
}

std::string spaces(std::size_t count) { return std::string(count, ' '); }

// What moved, sorted by the way that it took.
struct SortedLegs {
  Legs in;       // into user space
  Legs out;      // out of it
  Legs through;  // the kernel

  explicit SortedLegs(const std::vector<Row>& rows) {
    for (const Row& row : rows) {
      if (row.bytes == 0 || row.copy == Copy::none) continue;
      if (row.to == Kind::user)
        add(in, row);
      else
        add(row.from == Kind::user ? out : through, row);
    }
    const bool user = !in.empty() || !out.empty();
    limit(through, user ? kMostBesides : kMostLines);
    limit(in, kMostLines - through.size());
    limit(out, kMostLines - through.size());
  }

  bool empty() const { return in.empty() && out.empty() && through.empty(); }
};

constexpr std::size_t kArrowExtra = 6;  // "══", two spaces, "═▶"
constexpr std::string_view kUser = " user ";

class Drawing {
 public:
  Drawing(const SortedLegs& flows, bool unicode)
      : flows_(flows),
        ink_(unicode ? Ink{"═", "▶"} : Ink{"=", ">"}),
        from_(std::max(widest(flows.in, &Leg::from), widest(flows.through, &Leg::from))),
        to_(std::max(widest(flows.out, &Leg::to), widest(flows.through, &Leg::to))),
        in_(flows.in.empty() ? 0 : widest_amount(flows.in) + kArrowExtra),
        out_(flows.out.empty() ? 0 : widest_amount(flows.out) + kArrowExtra),
        middle_(std::max(in_ + out_ + (in_ + out_ == 0 ? 0 : kUser.size()),
                         flows.through.empty() ? 0 : widest_amount(flows.through) + kArrowExtra)) {}

  std::size_t width() const { return from_ + 1 + middle_ + 1 + to_; }

  std::vector<std::vector<Cell>> lines(std::size_t limit) const {
    std::vector<std::vector<Cell>> drawn;
    for (std::size_t i = 0; i < std::max(flows_.in.size(), flows_.out.size()); ++i)
      drawn.push_back(user_line(i));
    for (const Leg& leg : flows_.through) drawn.push_back(kernel_line(leg, limit));
    return drawn;
  }

 private:
  std::vector<Cell> user_line(std::size_t i) const {
    std::vector<Cell> cells;
    const Leg* const in = i < flows_.in.size() ? &flows_.in[i] : nullptr;
    const Leg* const out = i < flows_.out.size() ? &flows_.out[i] : nullptr;
    if (from_ != 0) cells.push_back({fmt::format("{:>{}} ", in == nullptr ? "" : in->from, from_)});
    if (in != nullptr)
      cells.push_back({arrow(format_bytes(in->bytes), in_, ink_), tone_of(*in)});
    else
      cells.push_back({spaces(in_)});
    if (out == nullptr) {
      if (i == 0) cells.push_back({" user"});
      return cells;
    }
    cells.push_back({i == 0 ? std::string(kUser) : spaces(kUser.size())});
    // The longer arrow where the line through the kernel needs more.
    const std::size_t rest = middle_ - in_ - kUser.size();
    cells.push_back({arrow(format_bytes(out->bytes), rest, ink_), tone_of(*out)});
    cells.push_back({" " + out->to});
    return cells;
  }

  std::vector<Cell> kernel_line(const Leg& leg, std::size_t limit) const {
    std::vector<Cell> cells = {
        {fmt::format("{:>{}} ", leg.from, from_)},
        {arrow(format_bytes(leg.bytes), middle_, ink_), tone_of(leg)},
        {" " + leg.to},
    };
    const std::string calls = fmt::format("{}", fmt::join(leg.calls, ", "));
    const std::size_t used = from_ + middle_ + 2 + to_;
    if (!calls.empty() && (limit == 0 || used + 2 + calls.size() <= limit))
      cells.push_back({spaces(to_ - leg.to.size() + 2) + calls, Tone::dim});
    return cells;
  }

  const SortedLegs& flows_;
  Ink ink_;
  std::size_t from_;
  std::size_t to_;
  std::size_t in_;
  std::size_t out_;
  std::size_t middle_;
};

}  // namespace

std::vector<std::vector<Cell>> flow_lines(const Process& process, const Wording& wording,
                                          std::size_t width) {
  const SortedLegs flows(process.rows);
  if (flows.empty()) return {};
  const Drawing drawing(flows, wording.unicode);
  if (width != 0 && drawing.width() > width) return {};
  return drawing.lines(width);
}

}  // namespace zctrace
