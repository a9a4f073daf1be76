// SPDX-License-Identifier: MIT
// Each figure of the catalogue reaches every place that shows it; a failing test names the place
// that lacks a new figure.
#include "collector/model/fields.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <numeric>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "cli/views/csv_view.h"
#include "cli/views/json_schema.h"
#include "cli/views/json_view.h"
#include "cli/views/mount/mount_view.h"
#include "cli/views/prometheus/metrics.h"
#include "cli/views/prometheus/prometheus_view.h"
#include "collector/model/report.h"
#include "collector/observe/ledger.h"

namespace zctrace {
namespace {

using nlohmann::ordered_json;

// No sum of two of these is a third.
std::uint64_t power(std::size_t exponent) { return std::uint64_t{1} << exponent; }

Row numbered_row() {
  Row row;
  row.syscall = "read";
  row.from = Kind::file;
  row.to = Kind::user;
  row.copy = Copy::copied;
  row.charges = Charges::measured;
  for (std::size_t i = 0; i < std::size(kRowFields); i++) row.*kRowFields[i].member = power(i);
  row.latency.add(20, 1);
  row.max_ns = 77;
  return row;
}

Process numbered_process() {
  Process process;
  process.pid = 5;
  process.name = "cat";
  for (std::size_t i = 0; i < std::size(kProcessFields); i++)
    process.*kProcessFields[i].member = power(i);
  for (std::size_t i = 0; i < std::size(kOutsideFields); i++)
    process.outside_syscalls.*kOutsideFields[i].member = power(i + 8);
  process.rows = {numbered_row()};
  return process;
}

std::string text_of(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST(Fields, EveryFigureIsAdded) {
  Totals totals;
  totals.add({numbered_process(), numbered_process()});
  ASSERT_EQ(totals.sum.rows.size(), 1u);
  for (std::size_t i = 0; i < std::size(kRowFields); i++)
    EXPECT_EQ(totals.sum.rows[0].*kRowFields[i].member, 2 * power(i)) << kRowFields[i].name;
  for (std::size_t i = 0; i < std::size(kProcessFields); i++) {
    const bool added = kProcessFields[i].sum == Sum::added;
    EXPECT_EQ(totals.sum.*kProcessFields[i].member, (added ? 2 : 1) * power(i))
        << kProcessFields[i].name;
  }
  for (std::size_t i = 0; i < std::size(kOutsideFields); i++)
    EXPECT_EQ(totals.sum.outside_syscalls.*kOutsideFields[i].member, 2 * power(i + 8))
        << kOutsideFields[i].name;
}

TEST(Fields, EveryFigureOfAnIntervalIsItsOwn) {
  Process later = numbered_process();
  for (const auto& field : kRowFields) later.rows[0].*field.member += 1000;
  for (const auto& field : kProcessFields) later.*field.member += 1000;
  for (const auto& field : kOutsideFields) later.outside_syscalls.*field.member += 1000;
  const Process between = difference(later, numbered_process());
  ASSERT_EQ(between.rows.size(), 1u);
  for (const auto& field : kRowFields)
    EXPECT_EQ(between.rows[0].*field.member, 1000u) << field.name;
  for (const auto& field : kOutsideFields)
    EXPECT_EQ(between.outside_syscalls.*field.member, 1000u) << field.name;
  for (const auto& field : kProcessFields) {
    const bool stays = field.interval == InInterval::as_it_stands;
    EXPECT_EQ(between.*field.member, stays ? later.*field.member : 1000u) << field.name;
  }
}

TEST(Fields, ARowInWhichOneFigureGrewIsNotEmpty) {
  for (const auto& field : kRowFields) {
    Process later = numbered_process();
    later.rows[0].*field.member += 1;
    EXPECT_EQ(difference(later, numbered_process()).rows.size(), 1u) << field.name;
  }
  EXPECT_TRUE(difference(numbered_process(), numbered_process()).rows.empty());
}

TEST(Fields, AProcessInWhichOneFigureGrewIsNotIdle) {
  Report earlier;
  earlier.processes = {numbered_process()};
  EXPECT_TRUE(difference(earlier, earlier).processes.empty());
  for (const auto& field : kProcessFields) {
    if (field.interval == InInterval::as_it_stands) continue;
    Report later = earlier;
    later.processes[0].*field.member += 1;
    EXPECT_EQ(difference(later, earlier).processes.size(), 1u) << field.name;
  }
  for (const auto& field : kOutsideFields) {
    Report later = earlier;
    later.processes[0].outside_syscalls.*field.member += 1;
    EXPECT_EQ(difference(later, earlier).processes.size(), 1u) << field.name;
  }
}

// What lies between the first `begin` and the next line that starts with "}".
std::string block_after(const std::string& text, std::string_view begin) {
  const std::size_t from = text.find(begin);
  if (from == std::string::npos) return {};
  return text.substr(from, text.find("\n}", from) - from);
}

std::vector<std::string> members_of(std::string_view record) {
  const std::string body =
      block_after(text_of("bpf/abi.h"), "struct " + std::string(record) + " {");
  const std::regex member("\n\t__u64 (\\w+)");
  std::vector<std::string> names;
  for (std::sregex_iterator it(body.begin(), body.end(), member), end; it != end; ++it)
    names.push_back((*it)[1]);
  return names;
}

TEST(Fields, EveryCounterOfATaskIsAddedUpWhenTheTaskEnds) {
  for (const auto& field : kRowFields) {
    if (field.kernel == nullptr) continue;
    zc_row row{};
    row.*field.kernel = 1;
    const auto* const sums = reinterpret_cast<const __u64*>(&row);
    EXPECT_EQ(std::accumulate(sums, sums + ZC_ROW_SUMS, std::uint64_t{0}), 1u)
        << "zc_row_add() leaves out \"" << field.name << "\": add it to ZC_ROW_SUM_FIELDS";
  }
  EXPECT_EQ(members_of("zc_row"), (std::vector<std::string>{"max_ns", "min_ns"}))
      << "a counter that is added up belongs into ZC_ROW_SUM_FIELDS";
  const std::vector<std::string> usage = members_of("zc_usage");
  EXPECT_EQ(usage.size() * sizeof(__u64), sizeof(zc_usage)) << "zc_usage holds counters only";
  const std::string body = block_after(text_of("bpf/tasks.bpf.h"), " zc_usage_of(");
  for (const std::string& member : usage)
    EXPECT_TRUE(std::regex_search(body, std::regex("->" + member + "\\b")))
        << "zc_usage_of() in bpf/tasks.bpf.h does not read " << member;
}

TEST(Fields, EveryCounterOfTheKernelSideIsTakenFromThere) {
  zc_row row{};
  for (std::size_t i = 0; i < std::size(kRowFields); i++)
    if (kRowFields[i].kernel != nullptr) row.*kRowFields[i].kernel = power(i);
  Snapshot snapshot;
  zc_account account{};
  account.id = 1;
  account.started = 1;
  snapshot.accounts = {account};
  snapshot.folded_rows = {{zc_row_key{1, ZC_KEY(SyscallTable::kOtherRow, 6, 6), 0}, row}};
  const SyscallTable table;
  Ledger ledger(table);
  ledger.add(snapshot);
  const Process process = ledger.process(1);
  ASSERT_EQ(process.rows.size(), 1u);
  for (std::size_t i = 0; i < std::size(kRowFields); i++) {
    const std::uint64_t expected = kRowFields[i].kernel != nullptr ? power(i) : 0;
    EXPECT_EQ(process.rows[0].*kRowFields[i].member, expected) << kRowFields[i].name;
  }
}

TEST(Fields, EveryFigureIsInJson) {
  Report report;
  report.processes = {numbered_process()};
  const ordered_json process = report_json(report)["processes"][0];
  for (const auto& field : kRowFields) {
    if (!field.listed) continue;
    EXPECT_EQ(process["rows"][0].value(std::string(field.name), ordered_json()),
              report.processes[0].rows[0].*field.member)
        << field.name;
  }
  for (const auto& field : kProcessFields)
    EXPECT_EQ(process.value(std::string(field.name), ordered_json()),
              report.processes[0].*field.member)
        << field.name;
  for (const auto& field : kOutsideFields)
    EXPECT_EQ(process["outside_syscalls"].value(std::string(field.name), ordered_json()),
              report.processes[0].outside_syscalls.*field.member)
        << field.name;
}

DaemonUse numbered_daemon() {
  DaemonUse daemon;
  for (std::size_t i = 0; i < std::size(kDaemonFields); i++)
    daemon.*kDaemonFields[i].member = power(i);
  return daemon;
}

TEST(Fields, EveryFigureOfADaemonIsInJson) {
  Report report;
  report.mount.emplace().daemon = numbered_daemon();
  const ordered_json daemon = mount_json(report)["daemon"];
  EXPECT_EQ(daemon.size(), std::size(kDaemonFields));
  for (const auto& field : kDaemonFields)
    EXPECT_EQ(daemon.value(std::string(field.name), ordered_json()),
              report.mount->daemon.*field.member)
        << field.name;
}

TEST(Fields, EveryFigureOfADaemonIsSubtracted) {
  DaemonUse later = numbered_daemon();
  for (const auto& field : kDaemonFields) later.*field.member += 1000;
  DaemonUse between = later;
  subtract_figures(between, numbered_daemon(), kDaemonFields);
  for (const auto& field : kDaemonFields) {
    const bool stays = field.interval == InInterval::as_it_stands;
    EXPECT_EQ(between.*field.member, stays ? later.*field.member : 1000u) << field.name;
  }
}

TEST(Fields, EveryFigureOfARowIsInCsv) {
  const std::string csv = csv_view({});
  for (const auto& field : kRowFields)
    EXPECT_EQ(csv.find("," + std::string(field.name) + ",") != std::string::npos, field.listed)
        << field.name;
}

TEST(Fields, EveryExportedFigureIsAMetric) {
  Metrics metrics(2000, true);
  Report report;
  report.processes = {numbered_process()};
  OwnerCache owners;
  metrics.add(report, owners, 0, {});
  std::set<std::string> names;
  std::size_t series = 0;
  for (const auto& family : prometheus_view(metrics, {}))
    if (names.insert(family.name).second) series += family.metric.size();
  for (const auto& field : kRowFields) {
    if (field.metric.name.empty()) continue;
    EXPECT_TRUE(names.contains(std::string(field.metric.name))) << field.name;
  }
  for (const auto& field : kOutsideFields) {
    if (field.metric.name.empty()) continue;
    EXPECT_TRUE(names.contains(std::string(field.metric.name))) << field.name;
  }
  // One label set of each kind, the ten single metrics and the one of a histogram.
  EXPECT_EQ(series, kCallSeries + kOutsideSeries + 10 + 1);
}

TEST(Fields, TheSchemaHasEveryFigure) {
  const ordered_json schema = ordered_json::parse(json_schema())["$defs"];
  const auto expect = [](const ordered_json& object, std::string_view name) {
    EXPECT_TRUE(object["properties"].contains(name))
        << "schema/zctrace-2.schema.json lacks \"" << name
        << "\": {\"$ref\": \"#/$defs/count\"} (\"amount\" in a row)";
  };
  for (const auto& field : kRowFields)
    if (field.listed) expect(schema["row"], field.name);
  for (const auto& field : kProcessFields) expect(schema["figures"], field.name);
  for (const auto& field : kOutsideFields)
    expect(schema["figures"]["properties"]["outside_syscalls"], field.name);
  const ordered_json properties = ordered_json::parse(json_schema())["properties"];
  for (const auto& field : kDaemonFields) expect(properties["daemon"], field.name);
}

TEST(Fields, EveryFigureIsDefinedInTheDocumentation) {
  const auto expect = [](const std::string& page, const std::string& text, std::string_view name) {
    EXPECT_NE(text.find("`" + std::string(name) + "`"), std::string::npos)
        << page << " lacks a line | `" << name << "` | definition |";
  };
  const std::string page = "docs/counting.md";
  const std::string text = text_of(page);
  ASSERT_FALSE(text.empty()) << "run the tests from the top of the tree";
  for (const auto& field : kRowFields)
    if (field.listed) expect(page, text, field.name);
  for (const auto& field : kProcessFields) expect(page, text, field.name);
  for (const auto& field : kOutsideFields) expect(page, text, field.name);

  const std::string fuse_page = "docs/counting-fuse.md";
  const std::string fuse_text = text_of(fuse_page);
  const std::string daemon = fuse_text.substr(fuse_text.find("## The daemon\n"));
  for (const auto& field : kDaemonFields)
    expect(fuse_page + ", The daemon,", daemon.substr(0, daemon.find("\n## ", 1)), field.name);
}

}  // namespace
}  // namespace zctrace
