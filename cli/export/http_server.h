// SPDX-License-Identifier: MIT
// The HTTP side of `export`: /metrics, a page with its report, and /healthz.
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

// What is served. `metrics` and `report` make a text after a request for it has come; one text
// answers all requests that came before.
struct Served {
  std::string page;    // "/"
  std::string policy;  // the page's content security policy
  std::function<std::string()> metrics;
  std::function<std::string()> report;  // JSON; not made more often than kReportRest allows
};

// Owns the listening socket and its connections. It has no thread: it runs in the caller's event
// loop and never waits for a client. A connection carries one request. It lasts ten seconds at
// most, and the oldest one makes space for a new one, so silent clients delay nothing.
class HttpServer {
 public:
  static constexpr std::size_t kMostConnections = 256;
  static constexpr std::size_t kConnectionMemory = 8192;  // bytes; limits the size of a header
  static constexpr std::chrono::seconds kLifetime{10};
  // A report answers for a second at least, and for so many times as long as it took to make. So
  // no number of requests takes more than a twentieth of a CPU for it.
  static constexpr std::chrono::seconds kReportLasts{1};
  static constexpr int kReportRest = 20;

  // Serves the clients of `listener` in `loop`. Throws Error.
  HttpServer(Descriptor listener, EventLoop& loop, const Served& served);

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
  // A text that is made when it is asked for.
  struct Made {
    const char* type;
    std::function<std::string()> make;
    std::vector<MHD_Connection*> waiting{};  // suspended until the text is there
    Response plain{};                        // the latest
    Response compressed{};                   // the same, if a client accepted that
    EventLoop::Clock::time_point fresh_until{};
  };
  struct StopDaemon {
    void operator()(MHD_Daemon* daemon) const;
  };

  static MHD_Result handle_request(void* server, MHD_Connection* connection, const char* url,
                                   const char* method, const char* version, const char* upload,
                                   std::size_t* upload_bytes, void** state) noexcept;
  static void handle_connection(void* server, MHD_Connection* connection, void** state,
                                MHD_ConnectionNotificationCode code) noexcept;
  static Response response(std::string_view text, const char* type, std::string_view policy = {});

  MHD_Result respond(MHD_Connection* connection, std::string_view url, void** state);
  MHD_Result respond_with(Made& made, MHD_Connection* connection, void** state);
  void run();
  bool process();
  void end_old_connections();
  void end(Connection& connection);
  bool anyone_waits() const { return !metrics_.waiting.empty() || !report_.waiting.empty(); }
  void answer(Made& made);
  void resume(Made& made);

  EventLoop& loop_;
  Response start_page_;
  Response healthy_;
  Response not_found_;
  Response wrong_method_;
  Made metrics_;
  Made report_;
  std::list<Connection> connections_;               // in the order in which they came
  std::unique_ptr<MHD_Daemon, StopDaemon> daemon_;  // destroyed first, because it uses all the rest
};

}  // namespace zctrace
