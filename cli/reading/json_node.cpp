// SPDX-License-Identifier: MIT
// Paths are made only when there is an error.
#include "cli/reading/json_node.h"

#include "cli/text/printable.h"
#include "collector/os/error.h"

namespace zctrace {

using nlohmann::ordered_json;

namespace {

constexpr std::size_t kLongestName = 60;  // of a member, in a message

}  // namespace

const ordered_json* JsonNode::member(std::string_view name) const {
  if (!value_->is_object()) refuse_type("an object");
  for (const auto& [key, value] : value_->get_ref<const ordered_json::object_t&>())
    if (key == name) return &value;
  return nullptr;
}

JsonNode JsonNode::at(std::string_view name) const {
  const ordered_json* const found = member(name);
  if (found == nullptr) refuse("has no '" + std::string(name) + "'");
  return {*found, this, name, 0};
}

std::optional<JsonNode> JsonNode::find(std::string_view name) const {
  const ordered_json* const found = member(name);
  if (found == nullptr || found->is_null()) return std::nullopt;
  return JsonNode(*found, this, name, 0);
}

std::uint64_t JsonNode::count() const {
  if (!value_->is_number_unsigned()) refuse_type("a whole number from 0");
  return value_->get<std::uint64_t>();
}

std::int64_t JsonNode::whole_number() const {
  if (!value_->is_number_integer()) refuse_type("a whole number");
  if (value_->is_number_unsigned() && value_->get<std::uint64_t>() > INT64_MAX)
    refuse("is too large");
  return value_->get<std::int64_t>();
}

double JsonNode::number() const {
  if (!value_->is_number()) refuse_type("a number");
  return value_->get<double>();
}

bool JsonNode::boolean() const {
  if (!value_->is_boolean()) refuse_type("true or false");
  return value_->get<bool>();
}

std::string JsonNode::text() const {
  if (!value_->is_string()) refuse_type("a string");
  return value_->get<std::string>();
}

std::string JsonNode::wording() const {
  std::string words = text();
  if (printable(words, true) != words) refuse("must be plain text");
  return words;
}

std::vector<JsonNode> JsonNode::elements() const {
  if (!value_->is_array()) refuse_type("an array");
  std::vector<JsonNode> nodes;
  nodes.reserve(value_->size());
  for (const ordered_json& element : *value_) nodes.push_back({element, this, {}, nodes.size()});
  return nodes;
}

std::vector<std::pair<std::string, JsonNode>> JsonNode::members() const {
  if (!value_->is_object()) refuse_type("an object");
  std::vector<std::pair<std::string, JsonNode>> nodes;
  for (const auto& [key, value] : value_->get_ref<const ordered_json::object_t&>())
    nodes.emplace_back(key, JsonNode(value, this, key, 0));
  return nodes;
}

std::uint64_t JsonNode::count_of(std::string_view name, std::uint64_t otherwise) const {
  const auto found = find(name);
  return found ? found->count() : otherwise;
}

std::optional<std::uint64_t> JsonNode::count_or_null(std::string_view name) const {
  const auto found = find(name);
  return found ? std::optional(found->count()) : std::nullopt;
}

bool JsonNode::boolean_of(std::string_view name, bool otherwise) const {
  const auto found = find(name);
  return found ? found->boolean() : otherwise;
}

std::string JsonNode::text_of(std::string_view name, std::string_view otherwise) const {
  const auto found = find(name);
  return found ? found->text() : std::string(otherwise);
}

std::string JsonNode::wording_of(std::string_view name, std::string_view otherwise) const {
  const auto found = find(name);
  return found ? found->wording() : std::string(otherwise);
}

std::vector<std::string> JsonNode::texts_of(std::string_view name) const {
  std::vector<std::string> texts;
  if (const auto found = find(name))
    for (const JsonNode& element : found->elements()) texts.push_back(element.text());
  return texts;
}

std::string JsonNode::path() const {
  if (parent_ == nullptr) return "the report";
  const std::string before = parent_->parent_ == nullptr ? "" : parent_->path();
  if (parent_->value_->is_array()) return before + "[" + std::to_string(index_) + "]";
  const std::string name = cut_to_width(printable(name_, false), kLongestName, false);
  return before.empty() ? name : before + "." + name;
}

void JsonNode::refuse(const std::string& what) const { throw Error(path() + " " + what); }

void JsonNode::refuse_type(const char* wanted) const {
  refuse(std::string("must be ") + wanted + ", not " +
         (value_->is_number() ? "another number" : value_->type_name()));
}

}  // namespace zctrace
