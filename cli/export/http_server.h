// SPDX-License-Identifier: MIT
// The HTTP side of `export`: /metrics, a page that links to it, and /healthz.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/export/microhttpd.h"
#include "collector/os/descriptor.h"
#include "collector/os/event_loop.h"

namespace zctrace {

// Owns the listening socket and its connections. It has no thread: it runs in the caller's event
// loop and never waits for a client. A connection carries one request. It lasts ten seconds at
// most, and the oldest one makes space for a new one, so silent clients delay nothing.
class HttpServer {
 public:
  static constexpr std::size_t kMostConnections = 256;
  static constexpr std::size_t kConnectionMemory = 8192;  // bytes; limits the size of a header
  static constexpr std::chrono::seconds kLifetime{10};

  // Serves the clients of `listener` in `loop`. `metrics` makes the text of a scrape after the
  // request for it has come; one text answers all requests that came before. Throws Error.
  HttpServer(Descriptor listener, EventLoop& loop, std::function<std::string()> metrics);

 private:
  struct Connection {
    MHD_Connection* handle;
    EventLoop::Clock::time_point end;
    bool ending = false;
  };
  struct DestroyResponse {
    void operator()(MHD_Response* response) const;
  };
  using Response = std::unique_ptr<MHD_Response, DestroyResponse>;
  struct StopDaemon {
    void operator()(MHD_Daemon* daemon) const;
  };

  static MHD_Result handle_request(void* server, MHD_Connection* connection, const char* url,
                                   const char* method, const char* version, const char* upload,
                                   std::size_t* upload_bytes, void** state) noexcept;
  static void handle_connection(void* server, MHD_Connection* connection, void** state,
                                MHD_ConnectionNotificationCode code) noexcept;
  static Response response(std::string_view text, const char* type);

  MHD_Result respond(MHD_Connection* connection, std::string_view url, void** state);
  void run();
  bool process();
  void end_old_connections();
  void end(Connection& connection);
  void answer_scrapes();
  void resume_scrapes();

  EventLoop& loop_;
  std::function<std::string()> metrics_;
  Response start_page_;
  Response healthy_;
  Response not_found_;
  Response wrong_method_;
  Response plain_metrics_;  // of the latest scrape
  Response gzip_metrics_;
  std::list<Connection> connections_;               // in the order in which they came
  std::vector<MHD_Connection*> scrapes_;            // suspended until the text is there
  std::unique_ptr<MHD_Daemon, StopDaemon> daemon_;  // destroyed first, because it uses all the rest
};

}  // namespace zctrace
