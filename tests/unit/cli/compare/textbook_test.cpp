// SPDX-License-Identifier: MIT
// The textbook's table beside the measurement.
#include "cli/compare/textbook.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cli/views/compare/compare_view.h"
#include "tests/unit/cli/compare/results.h"

namespace zctrace {
namespace {

using Lines = std::vector<std::string>;

// A row of 16 chunks that made `calls`, copied by the kernel or not.
MethodResult sixteen_chunks(const std::string& method, std::uint64_t calls, double kernel_copies) {
  MethodResult result = timed(method, {1, 1, 1}, 0);
  result.counts =
      process_of({row(method, Kind::file, Kind::socket, Copy::in_kernel, calls, 1 << 20)});
  result.copies = Copies{0, kernel_copies, 1, "aliasing"};
  result.disk_read_bytes = result.network_bytes = 0;
  return result;
}

const TextbookLine& line_of(const std::vector<TextbookLine>& lines, const std::string& name) {
  for (const TextbookLine& line : lines)
    if (line.name == name) return line;
  ADD_FAILURE() << name;
  return lines.front();
}

TEST(Textbook, ShowsCallsForEachChunk) {
  MethodResult splice = sixteen_chunks("splice", 32, 0);
  splice.pipe_bytes = 1 << 16;
  const auto lines = textbook(comparison_of({splice}));
  const TextbookLine& line = line_of(lines, "splice");
  ASSERT_EQ(line.measured.size(), 1U);
  EXPECT_EQ(line.measured[0].figures.syscalls, 2);
  EXPECT_EQ(line.measured[0].figures.crossings, 4);
  EXPECT_EQ(line.measured[0].figures.cpu_copies, 0);
  EXPECT_EQ(line.measured[0].figures.dma_copies, 0);
  EXPECT_EQ(line.why, (Lines{"a chunk takes two syscalls, into the pipe and out of it, so four "
                             "crossings"}));
}

TEST(Textbook, TakesThePipeForTheChunkWhereItIsSmaller) {
  MethodResult splice = sixteen_chunks("splice", 32, 0);
  splice.buffer_bytes.reset();  // the whole source
  splice.pipe_bytes = 1 << 16;
  const auto lines = textbook(comparison_of({splice}));
  EXPECT_EQ(line_of(lines, "splice").measured.at(0).figures.syscalls, 2);
}

TEST(Textbook, SaysWhichLineOfSendfileHolds) {
  const auto by_reference = textbook(comparison_of({sixteen_chunks("sendfile", 16, 0)}));
  EXPECT_EQ(line_of(by_reference, "sendfile").why,
            (Lines{"the sink takes the pages by reference, as the textbook says of gather"}));
  EXPECT_EQ(line_of(by_reference, "sendfile with gather").why, Lines());
  const auto copied = textbook(comparison_of({sixteen_chunks("sendfile", 16, 1)}));
  EXPECT_EQ(line_of(copied, "sendfile").why, Lines());
  EXPECT_EQ(line_of(copied, "sendfile with gather").why,
            (Lines{"the kernel copied what the textbook says is passed by reference"}));
  const auto file = textbook(comparison_of({sixteen_chunks("sendfile", 16, 1)}, "file"));
  EXPECT_EQ(line_of(file, "sendfile with gather").why,
            (Lines{"into a file, the kernel copies every byte, whatever the call"}));
}

TEST(Textbook, LeavesOutWhatIsNotKnown) {
  MethodResult sendfile = sixteen_chunks("sendfile", 16, 0);
  sendfile.copies.reset();
  sendfile.disk_read_bytes.reset();
  const auto lines = textbook(comparison_of({sendfile}));
  const TextbookLine& line = line_of(lines, "sendfile");
  EXPECT_FALSE(line.measured.at(0).figures.cpu_copies);
  EXPECT_FALSE(line.measured.at(0).figures.dma_copies);
  EXPECT_EQ(line.why, Lines());
  EXPECT_TRUE(line_of(lines, "splice").measured.empty());
}

TEST(Textbook, CountsTheBytesOfTheDevice) {
  MethodResult sendfile = sixteen_chunks("sendfile", 16, 0);
  sendfile.disk_read_bytes = 1 << 20;
  CompareResult compared = comparison_of({sendfile});
  compared.cold = true;
  EXPECT_EQ(line_of(textbook(compared), "sendfile").measured.at(0).figures.dma_copies, 1);
  EXPECT_NE(textbook_notes(compared)[1].find("was read from its disk"), std::string::npos);
}

TEST(Textbook, CountsTheBytesOfANetworkDevice) {
  MethodResult sendfile = sixteen_chunks("sendfile", 16, 0);
  sendfile.network_bytes = 1 << 20;
  CompareResult compared = comparison_of({sendfile}, "tcp");
  EXPECT_EQ(line_of(textbook(compared), "sendfile").measured.at(0).figures.dma_copies, 1);
  EXPECT_NE(textbook_notes(compared)[1].find("TCP handed each byte to a network device once."),
            std::string::npos)
      << textbook_notes(compared)[1];
  compared.methods.push_back(sendfile);
  compared.methods[1].network_bytes = 3 << 19;  // some were sent again
  EXPECT_NE(textbook_notes(compared)[1].find("to a network device 1 to 1.5 times."),
            std::string::npos)
      << textbook_notes(compared)[1];
  compared.methods[1].network_bytes.reset();
  EXPECT_FALSE(line_of(textbook(compared), "sendfile").measured.at(1).figures.dma_copies);
  EXPECT_NE(textbook_notes(compared)[1].find("is not known"), std::string::npos);
}

TEST(Textbook, SaysThatTheLoopbackIsNoNetworkDevice) {
  const CompareResult compared = comparison_of({sixteen_chunks("sendfile", 16, 0)}, "tcp");
  EXPECT_EQ(line_of(textbook(compared), "sendfile").measured.at(0).figures.dma_copies, 0);
  EXPECT_NE(textbook_notes(compared)[1].find("TCP stays on the loopback"), std::string::npos);
}

TEST(Textbook, SaysOnceHowOftenTheSchedulerSwitched) {
  CompareResult compared = comparison_of({sixteen_chunks("sendfile", 16, 0)});
  compared.methods[0].counts.rows[0].voluntary_switches = 0;
  EXPECT_NE(textbook_notes(compared)[0].find("The scheduler did not switch the process."),
            std::string::npos);
  compared.methods[0].counts.rows[0].voluntary_switches = 32;
  EXPECT_NE(textbook_notes(compared)[0].find("switched the process 2 times a chunk."),
            std::string::npos);
}

TEST(Textbook, ShowsItsFourColumnsOnATerminalOf80Columns) {
  CompareResult compared = comparison_of({sixteen_chunks("sendfile", 16, 0)});
  compared.textbook = true;
  TableStyle style;
  style.width = 80;
  const std::string text = compare_table(compared, style);
  for (const char* title : {"CPU COPIES", "DMA COPIES", "SYSCALLS", "SWITCHES"})
    EXPECT_NE(text.find(title), std::string::npos) << title << '\n' << text;
}

TEST(Textbook, IsShownOnlyWhenAskedFor) {
  CompareResult compared = comparison_of({sixteen_chunks("sendfile", 16, 0)});
  EXPECT_EQ(compare_table(compared, {}).find("textbook"), std::string::npos);
  EXPECT_FALSE(compare_json(compared).contains("textbook"));
  compared.textbook = true;
  const std::string text = compare_table(compared, {});
  EXPECT_NE(text.find("sendfile with gather, textbook"), std::string::npos) << text;
  EXPECT_NE(text.find("read+write, textbook"), std::string::npos) << text;
  EXPECT_NE(text.find("not measured"), std::string::npos) << text;
  EXPECT_NE(text.find("crossings between user and kernel mode"), std::string::npos) << text;
  EXPECT_NE(compare_markdown(compared).find("| sendfile, textbook |"), std::string::npos);
  EXPECT_EQ(compare_json(compared)["textbook"]["lines"].size(), 5U);
}

}  // namespace
}  // namespace zctrace
