// SPDX-License-Identifier: MIT
// A value of a document that was read from a file, and where it is in it. Every access checks its
// type: a file may be older, newer, cut off or hostile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zctrace {

// Refers to the document and to the node that it was reached from, and must not outlive either.
// Every function but the constructor throws Error, with the path of the value:
// "totals.rows[3].calls must be a whole number, not a string".
class JsonNode {
 public:
  explicit JsonNode(const nlohmann::ordered_json& root) : value_(&root) {}

  // A member that must be there; null counts as there.
  JsonNode at(std::string_view name) const;
  // nullopt: it is missing or null.
  std::optional<JsonNode> find(std::string_view name) const;

  // Of this value.
  std::uint64_t count() const;
  std::int64_t whole_number() const;
  double number() const;
  bool boolean() const;
  std::string text() const;
  // A string that zctrace itself worded, and that views print as it is.
  std::string wording() const;
  // Each element of an array, each member of an object with its name.
  std::vector<JsonNode> elements() const;
  std::vector<std::pair<std::string, JsonNode>> members() const;

  // Of a member that may be missing.
  std::uint64_t count_of(std::string_view name, std::uint64_t otherwise = 0) const;
  std::optional<std::uint64_t> count_or_null(std::string_view name) const;
  bool boolean_of(std::string_view name, bool otherwise = false) const;
  std::string text_of(std::string_view name, std::string_view otherwise = {}) const;
  std::string wording_of(std::string_view name, std::string_view otherwise = {}) const;
  std::vector<std::string> texts_of(std::string_view name) const;

  const nlohmann::ordered_json& json() const { return *value_; }
  // "totals.rows[3].calls"; "the report" for the whole document.
  std::string path() const;
  // "PATH WHAT"
  [[noreturn]] void refuse(const std::string& what) const;

 private:
  JsonNode(const nlohmann::ordered_json& value, const JsonNode* parent, std::string_view name,
           std::size_t index)
      : value_(&value), parent_(parent), name_(name), index_(index) {}
  const nlohmann::ordered_json* member(std::string_view name) const;
  [[noreturn]] void refuse_type(const char* wanted) const;

  const nlohmann::ordered_json* value_;
  const JsonNode* parent_ = nullptr;
  std::string_view name_;  // in an object
  std::size_t index_ = 0;  // in an array
};

// The value whose name `name_of` gives. Throws Error: `what` is "kind", and no value has the name.
template <typename Value, typename NameOf>
Value value_named(const JsonNode& node, const char* what, Value first, Value last, NameOf name_of) {
  const std::string name = node.text();
  for (auto i = static_cast<unsigned>(first); i <= static_cast<unsigned>(last); ++i)
    if (name_of(static_cast<Value>(i)) == name) return static_cast<Value>(i);
  node.refuse(std::string("is not the name of a ") + what + " that this version knows");
}

}  // namespace zctrace
