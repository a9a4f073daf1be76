// SPDX-License-Identifier: MIT
// Advice is read as it was given: what it follows from (relays, stacks, measurements) is not saved.
#include <optional>
#include <string_view>

#include "cli/reading/report_reading.h"
#include "cli/reading/row_reading.h"
#include "collector/model/channel_uses.h"

namespace zctrace {
namespace {

AdviceEnd read_end(const JsonNode& object) {
  AdviceEnd end;
  end.kind = read_kind(object.at("kind"));
  if (end.kind == Kind::socket) end.protocol = read_protocol(object);
  end.name = object.text_of(is_peer(end.kind) ? "peer" : "path");
  end.channels = object.at("count").count();
  return end;
}

std::optional<std::int64_t> whole_number_or_null(const JsonNode& object, std::string_view name) {
  const auto node = object.find(name);
  return node ? std::optional(node->whole_number()) : std::nullopt;
}

Savings read_savings(const JsonNode& object) {
  return {object.at("syscalls").whole_number(), object.at("syscalls_most").whole_number(),
          object.at("cpu_copied_bytes").count(), whole_number_or_null(object, "cpu_ns"),
          object.at("basis").text()};
}

Advice read_one(const JsonNode& object) {
  Advice advice;
  const JsonNode pids = object.at("pids");
  for (const JsonNode& pid : pids.elements()) advice.pids.push_back(pid.whole_number());
  advice.process = object.text_of("name");
  advice.kind = value_named(object.at("kind"), "kind of advice", AdviceKind::relay,
                            AdviceKind::blocked, advice_kind_name);
  advice.from = read_end(object.at("from"));
  advice.to = read_end(object.at("to"));
  advice.via = object.texts_of("via");
  advice.bytes = object.at("bytes").count();
  if (const auto share = object.find("share_of_delivered"))
    advice.share_of_delivered = share->number();
  advice.instead = object.text_of("instead");
  advice.legal = object.at("legal").boolean();
  advice.why = object.at("why").text();
  advice.saves = read_savings(object.at("saves"));
  advice.waited_ns = object.count_or_null("waited_ns");
  advice.sentence = object.at("sentence").text();
  advice.stack = object.texts_of("stack");
  return advice;
}

}  // namespace

void read_advice(const JsonNode& object, Report& report) {
  const auto array = object.find("advice");
  if (!array) return;
  report.advice.emplace();
  for (const JsonNode& one : array->elements()) report.advice->push_back(read_one(one));
}

}  // namespace zctrace
