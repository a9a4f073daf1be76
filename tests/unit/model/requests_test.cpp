// SPDX-License-Identifier: MIT
// Operations and their figures: each has a name, is summed, and reaches every place that shows it.
#include "collector/model/requests.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "cli/views/json_schema.h"
#include "cli/views/mount/mount_view.h"
#include "collector/fuse/counts/usage.h"
#include "tests/unit/fuse/sample_report.h"

namespace zctrace {
namespace {

using nlohmann::ordered_json;

OperationCounts numbered() {
  OperationCounts counts;
  std::uint64_t value = 1;
  for (const OperationField& field : kOperationFields) counts.*field.member = value *= 2;
  return counts;
}

TEST(Operation, EachHasItsOwnName) {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < kOperations; ++i) {
    names.push_back(operation_name(static_cast<Operation>(i)));
    EXPECT_FALSE(names.back().empty());
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(names[j], names[i]);
  }
}

TEST(OperationFields, EveryFigureIsAddedAndSubtracted) {
  OperationCounts sum = numbered();
  sum += numbered();
  for (const OperationField& field : kOperationFields)
    EXPECT_EQ(sum.*field.member, (field.largest ? 1 : 2) * (numbered().*field.member))
        << field.name;
  sum -= numbered();
  for (const OperationField& field : kOperationFields)
    EXPECT_EQ(sum.*field.member, numbered().*field.member) << field.name;
}

TEST(OperationFields, EveryFigureIsInJsonAndCsv) {
  Report report = fuse::sample_report();
  static_cast<OperationCounts&>(report.processes[1].requests[Operation::read]) = numbered();
  const ordered_json shown = mount_json(report)["processes"][1]["fuse"]["operations"]["read"];
  const std::string csv = mount_csv(report);
  std::string line = "\nprocess,42,reader\\n,read";
  for (const OperationField& field : kOperationFields) {
    if (!field.time) {
      EXPECT_EQ(shown.value(std::string(field.name), ordered_json()), numbered().*field.member)
          << field.name;
    }
    EXPECT_NE(csv.substr(0, csv.find('\n') + 1).find("," + std::string(field.name)),
              std::string::npos);
    line += "," + std::to_string(numbered().*field.member);
  }
  EXPECT_EQ(shown["latency_ns"]["total"], numbered().wall_ns);
  EXPECT_EQ(shown["latency_ns"]["max"], numbered().max_ns);
  EXPECT_NE(csv.find(line + "\n"), std::string::npos) << csv;
}

TEST(UsageFields, EverySumIsInJsonOfAProcessAndOfAFile) {
  const Report report = fuse::sample_report();
  const ordered_json shown = mount_json(report);
  const fuse::Usage process = fuse::usage_of(report.processes[1].requests);
  const fuse::Usage file = fuse::usage_of(report.mount->files[0].operations);
  for (const fuse::UsageField& field : fuse::kUsageFields) {
    const std::string name(field.name);
    EXPECT_EQ(shown["processes"][1]["fuse"].value(name, ordered_json()), process.*field.member)
        << name;
    EXPECT_EQ(shown["files"][0].value(name, ordered_json()), file.*field.member) << name;
  }
}

TEST(OperationFields, TheSchemaAndTheDocumentationHaveEveryFigure) {
  const ordered_json definitions = ordered_json::parse(json_schema())["$defs"];
  std::ostringstream page;
  page << std::ifstream("docs/counting-fuse.md").rdbuf();
  ASSERT_FALSE(page.str().empty()) << "run the tests from the top of the tree";
  const auto documented = [&page](std::string_view name) {
    return page.str().find("`" + std::string(name) + "`") != std::string::npos;
  };
  const ordered_json& operation = definitions["fuse_operations"]["additionalProperties"];
  for (const OperationField& field : kOperationFields) {
    if (!field.time) {
      EXPECT_TRUE(operation["properties"].contains(field.name)) << field.name;
    }
    EXPECT_TRUE(documented(field.name)) << field.name;
  }
  for (const fuse::UsageField& field : fuse::kUsageFields) {
    EXPECT_TRUE(definitions["fuse_usage"]["properties"].contains(field.name)) << field.name;
    EXPECT_TRUE(documented(field.name)) << field.name;
  }
}

}  // namespace
}  // namespace zctrace
