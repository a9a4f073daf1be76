// SPDX-License-Identifier: MIT
// What a process belongs to: a systemd unit, or a container and its pod.
#pragma once

#include <compare>
#include <string>

namespace zctrace {

// A member is empty if it is not known.
struct ContainerName {
  std::string container;
  std::string pod;
  std::string pod_namespace;

  auto operator<=>(const ContainerName&) const = default;
};

// A member is empty if there is none. A process in a container has no unit.
struct ProcessOwner {
  std::string unit;          // "nginx.service"
  std::string container_id;  // 64 hexadecimal digits, as the runtimes give it
  std::string pod_uid;       // with hyphens
  ContainerName named{};     // where the runtime's files tell

  // "namespace/pod/container" or "container"; the ID in the place of a name that is not known, and
  // empty without a container.
  std::string container_text() const {
    if (container_id.empty()) return {};
    const std::string& own = named.container.empty() ? container_id : named.container;
    return named.pod.empty() ? own : named.pod_namespace + "/" + named.pod + "/" + own;
  }

  auto operator<=>(const ProcessOwner&) const = default;
};

// Calls visit(name, text) for each member, with its name in labels and in JSON. Those of containers
// and pods are as cAdvisor has them.
template <typename Owner, typename Visit>
void visit_owner(Owner& owner, Visit visit) {
  visit("unit", owner.unit);
  visit("container_id", owner.container_id);
  visit("pod_uid", owner.pod_uid);
  visit("container", owner.named.container);
  visit("pod", owner.named.pod);
  visit("namespace", owner.named.pod_namespace);
}

}  // namespace zctrace
