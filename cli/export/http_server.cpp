// SPDX-License-Identifier: MIT
// libmicrohttpd in its mode for an external event loop, where one epoll descriptor stands for the
// listening socket and all connections.
#include "cli/export/http_server.h"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "cli/export/gzip.h"
#include "collector/os/error.h"

namespace zctrace {
namespace {

constexpr const char* kText = "text/plain; charset=utf-8";
constexpr std::string_view kStartPage =
    "<!DOCTYPE html>\n"
    "<html lang=\"en\">\n"
    "<head><meta charset=\"utf-8\"><title>zctrace</title></head>\n"
    "<body>\n"
    "<h1>zctrace</h1>\n"
    "<p>How processes move bytes, for Prometheus: <a href=\"/metrics\">/metrics</a></p>\n"
    "</body>\n"
    "</html>\n";

// Connections that are being closed count for libmicrohttpd, which stops accepting at its limit.
constexpr unsigned kReserve = 64;
// A client that always has more to read must not keep signals and polls from their turn.
constexpr int kMostRounds = 100;

// The two states of a request. Their addresses differ; nothing else matters.
char header_received;
char metrics_requested;

bool accepts_gzip(MHD_Connection* connection) {
  const char* const accepted = microhttpd().lookup_connection_value(
      connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT_ENCODING);
  return accepted != nullptr && std::string_view(accepted).find("gzip") != std::string_view::npos;
}

}  // namespace

void HttpServer::DestroyResponse::operator()(MHD_Response* response) const {
  microhttpd().destroy_response(response);
}

void HttpServer::StopDaemon::operator()(MHD_Daemon* daemon) const {
  microhttpd().stop_daemon(daemon);
}

HttpServer::Response HttpServer::response(std::string_view text, const char* type) {
  Response made(microhttpd().create_response_from_buffer(
      text.size(), const_cast<char*>(text.data()), MHD_RESPMEM_MUST_COPY));
  if (!made ||
      microhttpd().add_response_header(made.get(), MHD_HTTP_HEADER_CONTENT_TYPE, type) != MHD_YES ||
      microhttpd().add_response_header(made.get(), MHD_HTTP_HEADER_CONNECTION, "close") != MHD_YES)
    throw Error("cannot make an HTTP response: out of memory");
  return made;
}

HttpServer::HttpServer(Descriptor listener, EventLoop& loop, std::function<std::string()> metrics)
    : loop_(loop),
      metrics_(std::move(metrics)),
      start_page_(response(kStartPage, "text/html; charset=utf-8")),
      healthy_(response("ok\n", kText)),
      not_found_(response("Not found. The counts are at /metrics.\n", kText)),
      wrong_method_(response("Only GET and HEAD are served.\n", kText)) {
  microhttpd().add_response_header(wrong_method_.get(), MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
  scrapes_.reserve(kMostConnections + kReserve);
  daemon_.reset(microhttpd().start_daemon(
      MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, nullptr, nullptr, handle_request, this,
      MHD_OPTION_LISTEN_SOCKET, listener.get(),                                   //
      MHD_OPTION_NOTIFY_CONNECTION, handle_connection, static_cast<void*>(this),  //
      MHD_OPTION_CONNECTION_LIMIT, unsigned{kMostConnections + kReserve},         //
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, kConnectionMemory, MHD_OPTION_END));
  if (!daemon_) throw Error("cannot start the HTTP server");
  listener.release();  // the daemon closes it
  const MHD_DaemonInfo* const epoll =
      microhttpd().get_daemon_info(daemon_.get(), MHD_DAEMON_INFO_EPOLL_FD);
  if (epoll == nullptr) throw Error("cannot start the HTTP server: it has no epoll descriptor");
  loop.on_ready(epoll->epoll_fd, [this](short) { run(); });
  loop.every(std::chrono::seconds(1), [this] { run(); });
}

void HttpServer::run() {
  end_old_connections();
  bool finished = process();
  if (!scrapes_.empty()) {
    answer_scrapes();
    finished = process() && scrapes_.empty();
  }
  // The loop looks for signals first.
  if (!finished) loop_.at(EventLoop::after(std::chrono::milliseconds(1)), [this] { run(); });
}

// Returns false if there is more to do now, which no event will tell.
bool HttpServer::process() {
  for (int round = 0; round < kMostRounds; round++) {
    if (microhttpd().run(daemon_.get()) != MHD_YES) throw Error("the HTTP server failed");
    MHD_UNSIGNED_LONG_LONG timeout = 0;
    if (microhttpd().get_timeout(daemon_.get(), &timeout) != MHD_YES || timeout != 0) return true;
  }
  return false;
}

void HttpServer::answer_scrapes() {
  try {
    const std::string text = metrics_();
    constexpr const char* kType = "text/plain; version=0.0.4; charset=utf-8";
    plain_metrics_ = response(text, kType);
    gzip_metrics_.reset();
    if (std::any_of(scrapes_.begin(), scrapes_.end(), accepts_gzip)) {
      gzip_metrics_ = response(gzip(text), kType);
      microhttpd().add_response_header(gzip_metrics_.get(), MHD_HTTP_HEADER_CONTENT_ENCODING,
                                       "gzip");
    }
  } catch (...) {
    resume_scrapes();  // no daemon may be stopped while a connection is suspended
    throw;
  }
  resume_scrapes();
}

void HttpServer::resume_scrapes() {
  for (MHD_Connection* const scrape : scrapes_) microhttpd().resume_connection(scrape);
  scrapes_.clear();
}

MHD_Result HttpServer::handle_request(void* server, MHD_Connection* connection, const char* url,
                                      const char* method, const char* /*version*/,
                                      const char* /*upload*/, std::size_t* upload_bytes,
                                      void** state) noexcept {
  auto& self = *static_cast<HttpServer*>(server);
  const std::string_view name = method;
  if (name != MHD_HTTP_METHOD_GET && name != MHD_HTTP_METHOD_HEAD)
    return microhttpd().queue_response(connection, MHD_HTTP_METHOD_NOT_ALLOWED,
                                       self.wrong_method_.get());
  if (*state == nullptr) {
    *state = &header_received;
    return MHD_YES;
  }
  if (*upload_bytes != 0) {  // a body, which is ignored
    *upload_bytes = 0;
    return MHD_YES;
  }
  return self.respond(connection, url, state);
}

MHD_Result HttpServer::respond(MHD_Connection* connection, std::string_view url, void** state) {
  const auto queue = [connection](unsigned status, const Response& response) {
    return microhttpd().queue_response(connection, status, response.get());
  };
  if (url == "/") return queue(MHD_HTTP_OK, start_page_);
  if (url == "/healthz") return queue(MHD_HTTP_OK, healthy_);
  if (url != "/metrics") return queue(MHD_HTTP_NOT_FOUND, not_found_);
  if (*state == &metrics_requested)
    return queue(MHD_HTTP_OK,
                 accepts_gzip(connection) && gzip_metrics_ ? gzip_metrics_ : plain_metrics_);
  *state = &metrics_requested;
  microhttpd().suspend_connection(connection);
  scrapes_.push_back(connection);
  return MHD_YES;
}

void HttpServer::handle_connection(void* server, MHD_Connection* connection, void** /*state*/,
                                   MHD_ConnectionNotificationCode code) noexcept {
  auto& self = *static_cast<HttpServer*>(server);
  std::list<Connection>& all = self.connections_;
  if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
    all.remove_if([connection](const Connection& one) { return one.handle == connection; });
    return;
  }
  all.push_back({connection, EventLoop::after(kLifetime)});
  const auto lasts = [](const Connection& one) { return !one.ending; };
  if (static_cast<std::size_t>(std::count_if(all.begin(), all.end(), lasts)) > kMostConnections)
    self.end(*std::find_if(all.begin(), all.end(), lasts));
}

void HttpServer::end_old_connections() {
  const auto now = EventLoop::Clock::now();
  for (Connection& one : connections_)
    if (!one.ending && now >= one.end) end(one);
}

// libmicrohttpd closes it when it finds the end of its input.
void HttpServer::end(Connection& connection) {
  connection.ending = true;
  const MHD_ConnectionInfo* const info =
      microhttpd().get_connection_info(connection.handle, MHD_CONNECTION_INFO_CONNECTION_FD);
  if (info != nullptr) ::shutdown(info->connect_fd, SHUT_RDWR);
}

}  // namespace zctrace
