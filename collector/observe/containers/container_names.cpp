// SPDX-License-Identifier: MIT
// Each runtime's files, in the order in which they are asked.
#include "collector/observe/containers/container_names.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <functional>
#include <string_view>
#include <system_error>
#include <vector>

#include <nlohmann/json.hpp>

#include "collector/os/descriptor.h"
#include "collector/os/split.h"

namespace zctrace {
namespace {

using nlohmann::json;

constexpr std::size_t kLongestName = 255;

// What Kubernetes, Docker and Podman allow in names; none of it means anything to a terminal.
bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kLongestName &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '.' || c == '_';
         });
}

// "A_B_C" in its three names; none of them has a '_'.
std::optional<std::vector<std::string_view>> three_names(std::string_view text) {
  std::vector<std::string_view> names = split(text, '_');
  if (names.size() != 3 || !std::all_of(names.begin(), names.end(), is_name)) return std::nullopt;
  return names;
}

// Calls `take` with the names in a directory until it returns true.
void each_name_in(const std::filesystem::path& directory,
                  const std::function<bool(const std::string&)>& take) {
  std::error_code error;
  std::filesystem::directory_iterator entry(directory, error);
  for (std::size_t seen = 0; !error && seen < ContainerNames::kMostNames; seen++) {
    if (entry == std::filesystem::directory_iterator() || take(entry->path().filename().string()))
      return;
    entry.increment(error);
  }
}

// A regular file, and all of it; empty otherwise.
std::string text_of(const std::filesystem::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode) ||
      status.st_size > static_cast<off_t>(ContainerNames::kMostBytes))
    return {};
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t read = 0;
  while (read < text.size()) {
    const ssize_t n = ::read(file.get(), text.data() + read, text.size() - read);
    if (n <= 0) return {};
    read += static_cast<std::size_t>(n);
  }
  return text;
}

std::string string_in(const json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  if (!object.is_object() || found == object.end() || !found->is_string()) return {};
  return found->get<std::string>();
}

json parsed(const std::filesystem::path& path) {
  return json::parse(text_of(path), nullptr, /*allow_exceptions=*/false);
}

bool is_complete(const ContainerName& name, const std::string& container_id,
                 const std::string& pod_uid) {
  return (container_id.empty() || !name.container.empty()) &&
         (pod_uid.empty() || !name.pod.empty());
}

}  // namespace

// POD_NAMESPACE_CONTAINER-ID.log, links that the kubelet makes for readers of logs.
std::optional<ContainerName> ContainerNames::of_kubelet(const std::string& container_id) const {
  std::optional<ContainerName> found;
  const std::string end = "-" + container_id + ".log";
  each_name_in(root_ / "var/log/containers", [&](const std::string& file) {
    if (!file.ends_with(end)) return false;
    if (const auto names = three_names(std::string_view(file).substr(0, file.size() - end.size())))
      found = {std::string((*names)[2]), std::string((*names)[0]), std::string((*names)[1])};
    return found.has_value();
  });
  return found;
}

// NAMESPACE_POD_UID, a directory for each pod.
std::optional<ContainerName> ContainerNames::of_pod(const std::string& pod_uid) const {
  std::optional<ContainerName> found;
  each_name_in(root_ / "var/log/pods", [&](const std::string& directory) {
    if (!directory.ends_with("_" + pod_uid)) return false;
    if (const auto names = three_names(directory))
      found = {{}, std::string((*names)[1]), std::string((*names)[0])};
    return found.has_value();
  });
  return found;
}

std::string ContainerNames::of_docker(const std::string& container_id) const {
  const json state = parsed(root_ / "var/lib/docker/containers" / container_id / "config.v2.json");
  std::string name = string_in(state, "Name");
  if (name.starts_with('/')) name.erase(0, 1);
  return is_name(name) ? name : std::string();
}

std::string ContainerNames::of_podman(const std::string& container_id) const {
  const json list = parsed(root_ / "var/lib/containers/storage/overlay-containers/containers.json");
  if (!list.is_array()) return {};
  for (const json& container : list) {
    if (string_in(container, "id") != container_id) continue;
    const auto names = container.find("names");
    if (names == container.end() || !names->is_array() || names->empty()) return {};
    const json& name = names->front();
    return name.is_string() && is_name(name.get<std::string>()) ? name.get<std::string>()
                                                                : std::string();
  }
  return {};
}

ContainerName ContainerNames::look_up(const std::string& container_id,
                                      const std::string& pod_uid) const {
  if (!container_id.empty())
    if (std::optional<ContainerName> name = of_kubelet(container_id)) return *name;
  if (!pod_uid.empty()) return of_pod(pod_uid).value_or(ContainerName());
  ContainerName name;
  name.container = of_docker(container_id);
  if (name.container.empty()) name.container = of_podman(container_id);
  return name;
}

void ContainerNames::begin_round() {
  round_++;
  looks_left_ = kMostLooks;
}

const ContainerName& ContainerNames::of(const std::string& container_id,
                                        const std::string& pod_uid) {
  static const ContainerName none;
  if (container_id.empty() && pod_uid.empty()) return none;
  const Ids ids(container_id, pod_uid);
  if (remembered_.size() >= kMostNames && !remembered_.contains(ids)) remembered_.clear();
  Remembered& known = remembered_[ids];
  const bool found = known.rounds != 0 && is_complete(known.name, container_id, pod_uid);
  if (known.round == round_ || known.rounds >= kLastLook || found) return known.name;
  if (std::has_single_bit(known.rounds + 1)) {
    if (looks_left_ == 0) return known.name;
    looks_left_--;
    known.name = look_up(container_id, pod_uid);
  }
  known.round = round_;
  known.rounds++;
  return known.name;
}

}  // namespace zctrace
