// SPDX-License-Identifier: MIT
// The functions of GNU libmicrohttpd that `export` calls.
#pragma once

#include <microhttpd.h>

namespace zctrace {

struct Microhttpd {
  decltype(&::MHD_start_daemon) start_daemon;
  decltype(&::MHD_stop_daemon) stop_daemon;
  decltype(&::MHD_run) run;
  decltype(&::MHD_get_timeout) get_timeout;
  decltype(&::MHD_get_daemon_info) get_daemon_info;
  decltype(&::MHD_get_connection_info) get_connection_info;
  decltype(&::MHD_suspend_connection) suspend_connection;
  decltype(&::MHD_resume_connection) resume_connection;
  decltype(&::MHD_lookup_connection_value) lookup_connection_value;
  decltype(&::MHD_create_response_from_buffer) create_response_from_buffer;
  decltype(&::MHD_add_response_header) add_response_header;
  decltype(&::MHD_queue_response) queue_response;
  decltype(&::MHD_destroy_response) destroy_response;
};

// Loads the library when it is first called. Linking it would make every command start 10 ms later,
// because it brings GnuTLS and seven other libraries with it. Throws Error.
const Microhttpd& microhttpd();

}  // namespace zctrace
