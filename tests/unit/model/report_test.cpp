// SPDX-License-Identifier: MIT
// What is copied, what stays in the kernel and what counts as delivered, by hand.
#include "collector/model/report.h"

#include <gtest/gtest.h>

#include <utility>

namespace zctrace {
namespace {

constexpr std::uint64_t kN = 1'000'003;  // a prime: no two sums of it look alike by chance

Row moved(std::string syscall, Kind from, Kind to, Copy copy, std::uint64_t bytes,
          std::uint64_t calls = 1) {
  Row row;
  row.syscall = std::move(syscall);
  row.from = from;
  row.to = to;
  row.copy = copy;
  row.calls = calls;
  row.bytes = bytes;
  return row;
}

Row splice(Kind from, Kind to, std::uint64_t bytes) {
  return moved("splice", from, to, Copy::in_kernel, bytes);
}

Process process_of(std::vector<Row> rows, std::int64_t pid = 7) {
  Process process;
  process.pid = pid;
  process.rows = std::move(rows);
  return process;
}

TEST(Process, without_rows_delivers_nothing) {
  const Process process;
  EXPECT_EQ(process.syscalls(), 0u);
  EXPECT_EQ(process.crossings(), 0u);
  EXPECT_EQ(process.delivered_bytes(), 0u);
  EXPECT_EQ(process.zero_copy_bytes(), 0u);
  EXPECT_EQ(process.zero_copy_share(), std::nullopt);
}

TEST(Process, read_and_write_copy_twice_and_deliver_once) {
  const Process process =
      process_of({moved("read", Kind::file, Kind::user, Copy::copied, kN, 11),
                  moved("write", Kind::user, Kind::socket, Copy::copied, kN, 10)});
  EXPECT_EQ(process.syscalls(), 21u);
  EXPECT_EQ(process.crossings(), 42u);
  EXPECT_EQ(process.copied_bytes(), 2 * kN);
  EXPECT_EQ(process.in_kernel_bytes(), 0u);
  EXPECT_EQ(process.delivered_bytes(), kN);
  EXPECT_EQ(process.zero_copy_share(), 0.0);
}

TEST(Process, reading_alone_delivers_nothing) {
  const Process process = process_of({moved("read", Kind::file, Kind::user, Copy::copied, kN)});
  EXPECT_EQ(process.delivered_bytes(), 0u);
  EXPECT_EQ(process.zero_copy_share(), std::nullopt);
}

TEST(Process, sendfile_is_all_zero_copy) {
  const Process process =
      process_of({moved("sendfile", Kind::file, Kind::socket, Copy::in_kernel, kN)});
  EXPECT_EQ(process.in_kernel_bytes(), kN);
  EXPECT_EQ(process.delivered_bytes(), kN);
  EXPECT_EQ(process.zero_copy_share(), 1.0);
}

TEST(Process, a_header_written_before_sendfile_lowers_the_share) {
  const Process process =
      process_of({moved("writev", Kind::user, Kind::socket, Copy::copied, 250),
                  moved("sendfile", Kind::file, Kind::socket, Copy::in_kernel, 750)});
  EXPECT_EQ(process.delivered_bytes(), 1000u);
  EXPECT_EQ(process.zero_copy_share(), 0.75);
}

TEST(Process, a_clone_is_zero_copy_from_file_to_file) {
  const Process process =
      process_of({moved("ioctl:FICLONE", Kind::file, Kind::file, Copy::in_kernel, kN)});
  EXPECT_EQ(process.delivered_bytes(), kN);
  EXPECT_EQ(process.zero_copy_share(), 1.0);
}

TEST(Process, a_splice_pair_delivers_its_bytes_once) {
  const Process process =
      process_of({splice(Kind::file, Kind::pipe, kN), splice(Kind::pipe, Kind::socket, kN)});
  EXPECT_EQ(process.in_kernel_bytes(), 2 * kN);
  EXPECT_EQ(process.delivered_bytes(), kN);
  EXPECT_EQ(process.zero_copy_bytes(), kN);
  EXPECT_EQ(process.zero_copy_share(), 1.0);
}

TEST(Process, what_is_left_in_the_pipe_is_delivered_to_its_reader) {
  const Process process =
      process_of({splice(Kind::file, Kind::pipe, 1000), splice(Kind::pipe, Kind::socket, 600)});
  EXPECT_EQ(process.delivered_bytes(), 1000u);
  EXPECT_EQ(process.zero_copy_bytes(), 1000u);
}

TEST(Process, splicing_into_someone_elses_pipe_is_a_delivery) {
  const Process process = process_of({splice(Kind::file, Kind::pipe, kN)});
  EXPECT_EQ(process.delivered_bytes(), kN);
  EXPECT_EQ(process.zero_copy_share(), 1.0);
}

TEST(Process, standard_input_spliced_to_a_socket_is_a_delivery) {
  const Process process = process_of({splice(Kind::pipe, Kind::socket, kN)});
  EXPECT_EQ(process.delivered_bytes(), kN);
  EXPECT_EQ(process.zero_copy_share(), 1.0);
}

TEST(Process, a_tee_delivers_to_both_sinks) {
  const Process process =
      process_of({splice(Kind::file, Kind::pipe, kN),
                  moved("tee", Kind::pipe, Kind::pipe, Copy::in_kernel, kN),
                  splice(Kind::pipe, Kind::socket, kN), splice(Kind::pipe, Kind::file, kN)});
  EXPECT_EQ(process.in_kernel_bytes(), 4 * kN);
  EXPECT_EQ(process.delivered_bytes(), 2 * kN);
  EXPECT_EQ(process.zero_copy_share(), 1.0);
}

TEST(Process, a_tee_between_two_pipes_of_others_delivers_to_both) {
  const Process process = process_of({splice(Kind::file, Kind::pipe, kN),
                                      moved("tee", Kind::pipe, Kind::pipe, Copy::in_kernel, kN),
                                      splice(Kind::pipe, Kind::pipe, 2 * kN)});
  EXPECT_EQ(process.delivered_bytes(), 2 * kN);
  EXPECT_EQ(process.zero_copy_share(), 1.0);
}

TEST(Process, vmsplice_and_splice_deliver_once_and_copy_nothing) {
  const Process process = process_of({moved("vmsplice", Kind::user, Kind::pipe, Copy::lent, kN),
                                      splice(Kind::pipe, Kind::socket, kN)});
  EXPECT_EQ(process.copied_bytes(), 0u);
  EXPECT_EQ(process.in_kernel_bytes(), kN);
  EXPECT_EQ(process.delivered_bytes(), kN);
  EXPECT_EQ(process.zero_copy_share(), 1.0);
}

TEST(Process, vmsplice_into_standard_output_is_a_zero_copy_delivery) {
  const Process process = process_of({moved("vmsplice", Kind::user, Kind::pipe, Copy::lent, kN)});
  EXPECT_EQ(process.delivered_bytes(), kN);
  EXPECT_EQ(process.zero_copy_share(), 1.0);
}

TEST(Process, vmsplice_from_a_pipe_to_memory_is_no_delivery) {
  const Process process = process_of({moved("vmsplice", Kind::pipe, Kind::user, Copy::lent, kN)});
  EXPECT_EQ(process.delivered_bytes(), 0u);
  EXPECT_EQ(process.zero_copy_share(), std::nullopt);
}

TEST(Process, writing_into_a_pipe_is_a_copied_delivery) {
  const Process process = process_of({moved("write", Kind::user, Kind::pipe, Copy::copied, kN)});
  EXPECT_EQ(process.delivered_bytes(), kN);
  EXPECT_EQ(process.zero_copy_share(), 0.0);
}

TEST(Process, io_uring_moves_bytes_and_crosses_nothing) {
  Row read = moved("io_uring:read", Kind::file, Kind::user, Copy::copied, kN, 100);
  read.asynchronous = true;
  const Process process =
      process_of({read, moved("other", Kind::other, Kind::other, Copy::none, 0, 3)});
  EXPECT_EQ(process.syscalls(), 3u);
  EXPECT_EQ(process.crossings(), 6u);
  EXPECT_EQ(process.copied_bytes(), kN);
}

TEST(Process, switches_and_off_cpu_time_include_what_happened_outside_calls) {
  Row killed_inside = moved("read", Kind::pipe, Kind::user, Copy::copied, 0, 0);
  killed_inside.voluntary_switches = 2;
  killed_inside.involuntary_switches = 3;
  killed_inside.off_cpu_ns = 50;
  Process process = process_of({killed_inside});
  process.outside_syscalls = {5, 7};
  process.off_cpu_outside_ns = 11;
  EXPECT_EQ(process.syscalls(), 0u);
  EXPECT_EQ(process.voluntary_switches(), 7u);
  EXPECT_EQ(process.involuntary_switches(), 10u);
  EXPECT_EQ(process.off_cpu_ns(), 61u);
}

TEST(MergeRows, adds_rows_of_the_same_call_and_flow) {
  Row a = moved("read", Kind::file, Kind::user, Copy::copied, 10, 1);
  a.errors = 1;
  a.max_ns = 70;
  a.latency.add(4, 1);
  Row b = moved("read", Kind::file, Kind::user, Copy::copied, 20, 2);
  b.restarts = 3;
  b.max_ns = 90;
  b.latency.add(4, 2);
  std::vector<Row> rows{a};
  merge_rows(rows, {b, moved("read", Kind::socket, Kind::user, Copy::copied, 5)});
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].calls, 3u);
  EXPECT_EQ(rows[0].bytes, 30u);
  EXPECT_EQ(rows[0].errors, 1u);
  EXPECT_EQ(rows[0].restarts, 3u);
  EXPECT_EQ(rows[0].max_ns, 90u);
  EXPECT_EQ(rows[0].latency.total(), 3u);
  EXPECT_EQ(rows[1].from, Kind::socket);
}

TEST(Totals, of_an_empty_report_are_zero) {
  const Totals totals = Report{}.totals();
  EXPECT_TRUE(totals.sum.rows.empty());
  EXPECT_EQ(totals.delivered_bytes, 0u);
  EXPECT_EQ(totals.zero_copy_share(), std::nullopt);
}

TEST(Totals, a_pipe_between_two_processes_is_a_delivery_of_the_first) {
  Report report;
  report.processes = {process_of({splice(Kind::file, Kind::pipe, kN)}, 1),
                      process_of({splice(Kind::pipe, Kind::socket, kN)}, 2)};
  const Totals totals = report.totals();
  EXPECT_EQ(totals.delivered_bytes, 2 * kN);
  EXPECT_EQ(totals.zero_copy_bytes, 2 * kN);
  // Derived again from the summed rows it would look like one process's own pipe.
  EXPECT_EQ(totals.sum.delivered_bytes(), kN);
}

TEST(Totals, a_pipe_between_two_threads_is_internal) {
  Report report;
  report.processes = {process_of({splice(Kind::file, Kind::pipe, kN)}),
                      process_of({splice(Kind::pipe, Kind::socket, kN)})};
  report.processes[0].tid = 7;
  report.processes[1].tid = 8;
  EXPECT_EQ(report.totals().delivered_bytes, kN);
  EXPECT_EQ(report.totals().zero_copy_bytes, kN);
}

TEST(Totals, sum_everything_but_the_peak_memory) {
  Process a = process_of({moved("read", Kind::file, Kind::user, Copy::copied, 1)}, 1);
  a.threads = 1;
  a.user_ns = 10;
  a.system_ns = 20;
  a.minor_faults = 3;
  a.major_faults = 1;
  a.max_rss_bytes = 4096;
  a.outside_syscalls = {1, 2};
  Process b = a;
  b.pid = 2;
  b.max_rss_bytes = 8192;
  Report report;
  report.processes = {a, b};
  const Process sum = report.totals().sum;
  EXPECT_EQ(sum.threads, 2u);
  EXPECT_EQ(sum.user_ns, 20u);
  EXPECT_EQ(sum.system_ns, 40u);
  EXPECT_EQ(sum.minor_faults, 6u);
  EXPECT_EQ(sum.major_faults, 2u);
  EXPECT_EQ(sum.max_rss_bytes, 8192u);
  EXPECT_EQ(sum.voluntary_switches(), 2u);
  EXPECT_EQ(sum.involuntary_switches(), 4u);
  ASSERT_EQ(sum.rows.size(), 1u);
  EXPECT_EQ(sum.rows[0].bytes, 2u);
}

Report report_of(Process process) {
  Report report;
  report.processes = {std::move(process)};
  return report;
}

TEST(Difference, what_a_pipe_holds_between_two_intervals_is_delivered_once) {
  const Report empty = report_of(process_of({}));
  const Report filled = report_of(process_of({splice(Kind::file, Kind::pipe, kN)}));
  const Report drained = report_of(
      process_of({splice(Kind::file, Kind::pipe, kN), splice(Kind::pipe, Kind::socket, kN)}));
  const Report first = difference(filled, empty);
  const Report second = difference(drained, filled);
  EXPECT_EQ(first.processes.at(0).delivered_bytes(), kN);
  EXPECT_EQ(first.totals().delivered_bytes, kN);
  EXPECT_EQ(second.processes.at(0).in_kernel_bytes(), kN);
  EXPECT_EQ(second.processes.at(0).delivered_bytes(), 0u);
  EXPECT_EQ(second.totals().delivered_bytes, 0u);
  EXPECT_EQ(second.totals().zero_copy_bytes, 0u);
}

TEST(Difference, a_thread_whose_number_an_exec_changed_is_still_the_same) {
  Process before = process_of({splice(Kind::file, Kind::socket, kN)});
  before.account = 3;
  before.tid = 8;
  Process after = process_of({splice(Kind::file, Kind::socket, 3 * kN)});
  after.account = 3;
  after.tid = 7;
  EXPECT_EQ(difference(report_of(after), report_of(before)).processes.at(0).delivered_bytes(),
            2 * kN);
}

TEST(Difference, the_rest_of_a_call_that_was_half_counted_comes_later) {
  Row half = moved("read", Kind::file, Kind::user, Copy::copied, kN);
  Row whole = half;
  whole.wall_ns = 5000;
  whole.latency.add(3, 1);
  const Report between = difference(report_of(process_of({whole})), report_of(process_of({half})));
  ASSERT_EQ(between.processes.size(), 1u);
  EXPECT_EQ(between.processes.at(0).rows.at(0).wall_ns, 5000u);
}

TEST(Completeness, adds_the_reasons) {
  Completeness completeness;
  EXPECT_EQ(completeness.lost_events(), 0u);
  completeness.lost_by_reason = {{"a", 2}, {"b", 0}, {"c", 5}};
  EXPECT_EQ(completeness.lost_events(), 7u);
}

TEST(PerGb, is_per_ten_to_the_ninth) {
  EXPECT_EQ(per_gb(5, 0), std::nullopt);
  EXPECT_DOUBLE_EQ(*per_gb(5, 1'000'000'000), 5.0);
  EXPECT_DOUBLE_EQ(*per_gb(1, 4'000'000'000), 0.25);
}

TEST(Names, of_every_kind_and_copy) {
  EXPECT_EQ(kind_name(Kind::user), "user");
  EXPECT_EQ(kind_name(Kind::fuse), "fuse");
  EXPECT_EQ(kind_name(Kind::device), "device");
  EXPECT_EQ(copy_name(Copy::in_kernel), "in_kernel");
  EXPECT_EQ(copy_name(Copy::lent), "lent");
}

}  // namespace
}  // namespace zctrace
