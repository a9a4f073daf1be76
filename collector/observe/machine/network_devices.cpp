// SPDX-License-Identifier: MIT
#include "collector/observe/machine/network_devices.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <memory>

#include "collector/os/descriptor.h"

namespace zctrace {
namespace {

std::optional<bool> gathers(int socket, const std::string& device) {
  ethtool_value value = {};
  value.cmd = ETHTOOL_GSG;
  ifreq request = {};
  device.copy(request.ifr_name, sizeof(request.ifr_name) - 1);
  request.ifr_data = reinterpret_cast<char*>(&value);
  if (::ioctl(socket, SIOCETHTOOL, &request) != 0) return std::nullopt;
  return value.data != 0;
}

}  // namespace

std::optional<std::vector<NetworkDevice>> network_devices() {
  const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const std::unique_ptr<struct if_nameindex[], decltype(&::if_freenameindex)> names(
      ::if_nameindex(), &::if_freenameindex);
  if (!socket || !names) return std::nullopt;
  std::vector<NetworkDevice> devices;
  for (const struct if_nameindex* one = names.get(); one->if_index != 0; ++one)
    devices.push_back({one->if_name, gathers(socket.get(), one->if_name)});
  return devices;
}

}  // namespace zctrace
