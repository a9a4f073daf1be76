// SPDX-License-Identifier: MIT
// Finds the functions with dlsym().
#include "cli/export/microhttpd.h"

#include <dlfcn.h>

#include <string>
#include <type_traits>

#include "collector/os/error.h"

namespace zctrace {
namespace {

// The version of its binary interface, which has not changed since 2014.
constexpr const char* kLibrary = "libmicrohttpd.so.12";

Microhttpd load() {
  void* const library = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr)
    throw Error("cannot serve HTTP: " + std::string(::dlerror()) +
                "; install libmicrohttpd (Debian: libmicrohttpd12)");
  Microhttpd functions = {};
  const auto find = [library](auto& function, const char* name) {
    void* const found = ::dlsym(library, name);
    if (found == nullptr) throw Error("cannot serve HTTP: " + std::string(::dlerror()));
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(found);
  };
  find(functions.start_daemon, "MHD_start_daemon");
  find(functions.stop_daemon, "MHD_stop_daemon");
  find(functions.run, "MHD_run");
  find(functions.get_timeout, "MHD_get_timeout");
  find(functions.get_daemon_info, "MHD_get_daemon_info");
  find(functions.get_connection_info, "MHD_get_connection_info");
  find(functions.suspend_connection, "MHD_suspend_connection");
  find(functions.resume_connection, "MHD_resume_connection");
  find(functions.lookup_connection_value, "MHD_lookup_connection_value");
  find(functions.create_response_from_buffer, "MHD_create_response_from_buffer");
  find(functions.add_response_header, "MHD_add_response_header");
  find(functions.queue_response, "MHD_queue_response");
  find(functions.destroy_response, "MHD_destroy_response");
  return functions;
}

}  // namespace

const Microhttpd& microhttpd() {
  static const Microhttpd functions = load();
  return functions;
}

}  // namespace zctrace
