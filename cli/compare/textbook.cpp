// SPDX-License-Identifier: MIT
// Explains each difference by what was measured, not by the method's name.
#include "cli/compare/textbook.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "transfers/method.h"

namespace zctrace {
namespace {

TextbookLine line_of(const char* name, const char* method, double cpu, double syscalls,
                     double switches) {
  return {name, method, {cpu, 2, syscalls, switches, switches}, {}, {}};
}

std::vector<TextbookLine> claims() {
  return {line_of("read+write", "read_write", 2, 2, 4),
          line_of("mmap+write", "mmap_write", 1, 2, 4), line_of("sendfile", "sendfile", 1, 1, 2),
          line_of("sendfile with gather", "sendfile", 0, 1, 2),
          line_of("splice", "splice", 0, 1, 2)};
}

double chunks_of(const MethodResult& result) {
  std::uint64_t chunk = std::min(result.buffer_bytes.value_or(result.bytes), result.bytes);
  if (result.pipe_bytes != 0) chunk = std::min(chunk, result.pipe_bytes);
  chunk = std::min(chunk, transfers::kMaxCallBytes);
  return static_cast<double>((result.bytes + chunk - 1) / chunk);
}

TextbookFigures measured(const MethodResult& result) {
  const double chunks = chunks_of(result);
  const auto per_chunk = [&](std::uint64_t count) { return static_cast<double>(count) / chunks; };
  TextbookFigures figures;
  if (result.copies) figures.cpu_copies = result.copies->user + result.copies->kernel;
  if (result.disk_read_bytes && result.network_bytes)
    figures.dma_copies = static_cast<double>(*result.disk_read_bytes + *result.network_bytes) /
                         static_cast<double>(result.bytes);
  figures.syscalls = per_chunk(result.counts.syscalls());
  figures.crossings = per_chunk(result.counts.crossings());
  figures.switches =
      per_chunk(result.counts.voluntary_switches() + result.counts.involuntary_switches());
  return figures;
}

bool is_file(const CompareResult& compared) {
  return compared.sink_kind.starts_with("file") || compared.sink_kind == "fuse";
}

// Why the CPU copies of `line` are not what it claims; "" where they are, or are not known.
std::string why_copies_differ(const CompareResult& compared, const TextbookLine& line) {
  const auto differing =
      std::find_if(line.measured.begin(), line.measured.end(), [&](const MeasuredFigures& row) {
        return row.figures.cpu_copies && *row.figures.cpu_copies != *line.claimed.cpu_copies;
      });
  if (differing == line.measured.end()) return "";
  const double copies = *differing->figures.cpu_copies;
  if (compared.sink_kind == "null") return "/dev/null throws the bytes away, which is no copy";
  if (copies > *line.claimed.cpu_copies)
    return is_file(compared) ? "into a file, the kernel copies every byte, whatever the call"
                             : "the kernel copied what the textbook says is passed by reference";
  return copies == 0 ? "the sink takes the pages by reference, as the textbook says of gather"
                     : "the experiment finds fewer copies";
}

std::string why_syscalls_differ(const TextbookLine& line) {
  if (line.measured.empty()) return "";
  if (line.method == "splice")
    return "a chunk takes two syscalls, into the pipe and out of it, so four crossings";
  if (line.method == "mmap_write")
    return "the source is mapped once, not for each chunk: one syscall a chunk and two in all";
  return "";
}

// "did not switch the process.", "switched the process 0.5 to 2 times a chunk."
std::string switched_text(double least, double most) {
  const auto times = [](double count) { return fmt::format("{:.3g}", count); };
  if (most == 0) return "did not switch the process.";
  if (times(least) == times(most))
    return fmt::format("switched the process {} times a chunk.", times(most));
  return fmt::format("switched the process {} to {} times a chunk.", times(least), times(most));
}

// What network devices were handed of the bytes.
std::string network_text(const CompareResult& compared) {
  if (is_file(compared)) return "a file goes to its disk only later, if it has one";
  if (!compared.sink_kind.starts_with("tcp")) return "no network device takes part";
  double least = std::numeric_limits<double>::max();
  double most = 0;
  for (const MethodResult& result : compared.methods) {
    if (!result.counted() || result.bytes == 0) continue;
    if (!result.network_bytes) return "it is not known what a network device was handed";
    const double each =
        static_cast<double>(*result.network_bytes) / static_cast<double>(result.bytes);
    least = std::min(least, each);
    most = std::max(most, each);
  }
  if (most == 0) return "TCP stays on the loopback, so no network device takes part";
  // A few bytes more are segments that were sent again.
  const std::string few = fmt::format("{:.3g}", least);
  const std::string many = fmt::format("{:.3g}", most);
  return fmt::format("TCP handed each byte to a network device {}",
                     many == "1"   ? "once"
                     : few == many ? many + " times"
                                   : few + " to " + many + " times");
}

}  // namespace

std::vector<TextbookLine> textbook(const CompareResult& compared) {
  std::vector<TextbookLine> lines = claims();
  for (TextbookLine& line : lines) {
    for (const MethodResult& result : compared.methods)
      if (result.method == line.method && result.counted() && result.bytes != 0)
        line.measured.push_back({result.label, measured(result)});
    for (std::string why : {why_copies_differ(compared, line), why_syscalls_differ(line)})
      if (!why.empty()) line.why.push_back(std::move(why));
  }
  return lines;
}

std::vector<std::string> textbook_notes(const CompareResult& compared) {
  double least = std::numeric_limits<double>::max();
  double most = 0;
  for (const TextbookLine& line : textbook(compared))
    for (const MeasuredFigures& row : line.measured) {
      least = std::min(least, row.figures.switches);
      most = std::max(most, row.figures.switches);
    }
  if (most < least) return {};
  return {
      "What the textbook calls context switches are crossings between user and kernel mode, two "
      "for each syscall. The scheduler " +
          switched_text(least, most),
      fmt::format("The textbook's two DMA copies are one from a disk and one to a network device. "
                  "Here, {}, and {}.",
                  compared.cold ? "the source was read from its disk"
                                : "the source is in the page cache (--cold reads it from its disk)",
                  network_text(compared))};
}

}  // namespace zctrace
