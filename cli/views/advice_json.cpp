// SPDX-License-Identifier: MIT
// The names of the fields are an interface.
#include "cli/views/advice_json.h"

#include <string>

#include "cli/text/printable.h"
#include "cli/views/json_view.h"
#include "collector/model/channel_uses.h"

namespace zctrace {
namespace {

using nlohmann::ordered_json;

ordered_json known_text(const std::string& text) {
  return text.empty() ? ordered_json(nullptr) : ordered_json(valid_utf8(text));
}

ordered_json end_json(const AdviceEnd& end) {
  ordered_json object;
  object["kind"] = kind_name(end.kind);
  if (is_file(end.kind)) object["path"] = known_text(end.name);
  if (is_peer(end.kind)) {
    object["protocol"] =
        end.kind == Kind::pipe ? "pipe" : known_text(std::string(protocol_name(end.protocol)));
    object["peer"] = known_text(end.name);
  }
  object["count"] = end.channels;
  return object;
}

ordered_json savings_json(const Savings& saves) {
  return {{"syscalls", saves.syscalls},
          {"syscalls_most", saves.syscalls_most},
          {"cpu_copied_bytes", saves.cpu_copied_bytes},
          {"cpu_ns", or_null(saves.cpu_ns)},
          {"basis", valid_utf8(saves.basis)}};
}

ordered_json one_json(const Advice& advice) {
  ordered_json object;
  object["pid"] = advice.pids.empty() ? ordered_json(nullptr) : ordered_json(advice.pids.front());
  object["pids"] = advice.pids;
  object["name"] = known_text(advice.process);
  object["kind"] = advice_kind_name(advice.kind);
  object["from"] = end_json(advice.from);
  object["to"] = end_json(advice.to);
  object["via"] = ordered_json::array();
  for (const std::string& call : advice.via) object["via"].push_back(valid_utf8(call));
  object["bytes"] = advice.bytes;
  object["share_of_delivered"] = or_null(advice.share_of_delivered);
  object["instead"] = known_text(advice.instead);
  object["legal"] = advice.legal;
  object["why"] = valid_utf8(advice.why);
  object["saves"] = savings_json(advice.saves);
  object["waited_ns"] = or_null(advice.waited_ns);
  object["sentence"] = valid_utf8(advice.sentence);
  object["stack"] = nullptr;
  if (!advice.stack.empty()) {
    object["stack"] = ordered_json::array();
    for (const std::string& frame : advice.stack) object["stack"].push_back(valid_utf8(frame));
  }
  return object;
}

}  // namespace

ordered_json advice_json(const std::vector<Advice>& advice) {
  ordered_json array = ordered_json::array();
  for (const Advice& one : advice) array.push_back(one_json(one));
  return array;
}

}  // namespace zctrace
