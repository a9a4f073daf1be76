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
// The policy of everything but the page.
constexpr std::string_view kNothing = "default-src 'none'";

// Connections that are being closed count for libmicrohttpd, which stops accepting at its limit.
constexpr unsigned kReserve = 64;
// A client that always has more to read must not keep signals and polls from their turn.
constexpr int kMostRounds = 100;

// The two states of a request. Their addresses differ; nothing else matters.
char header_received;
char text_requested;

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

// No answer may be framed, kept, taken for something else, or read by another site's page.
HttpServer::Response HttpServer::response(std::string_view text, const char* type,
                                          std::string_view policy) {
  Response made(microhttpd().create_response_from_buffer(
      text.size(), const_cast<char*>(text.data()), MHD_RESPMEM_MUST_COPY));
  const std::string whole_policy =
      std::string(policy.empty() ? kNothing : policy) + "; frame-ancestors 'none'";
  const std::pair<const char*, const char*> headers[] = {
      {MHD_HTTP_HEADER_CONTENT_TYPE, type},
      {MHD_HTTP_HEADER_CONNECTION, "close"},
      {MHD_HTTP_HEADER_CACHE_CONTROL, "no-store"},
      {"Content-Security-Policy", whole_policy.c_str()},
      {"Cross-Origin-Resource-Policy", "same-origin"},
      {"Referrer-Policy", "no-referrer"},
      {"X-Content-Type-Options", "nosniff"}};
  for (const auto& [name, value] : headers)
    if (!made || microhttpd().add_response_header(made.get(), name, value) != MHD_YES)
      throw Error("cannot make an HTTP response: out of memory");
  return made;
}

HttpServer::HttpServer(Descriptor listener, EventLoop& loop, const Served& served)
    : loop_(loop),
      start_page_(response(served.page, "text/html; charset=utf-8", served.policy)),
      healthy_(response("ok\n", kText)),
      not_found_(response("Not found. The counts are at /metrics.\n", kText)),
      wrong_method_(response("Only GET and HEAD are served.\n", kText)),
      metrics_{"text/plain; version=0.0.4; charset=utf-8", served.metrics},
      report_{"application/json", served.report} {
  microhttpd().add_response_header(wrong_method_.get(), MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
  for (Made* const made : {&metrics_, &report_}) made->waiting.reserve(kMostConnections + kReserve);
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
  if (anyone_waits()) {
    answer(metrics_);
    answer(report_);
    finished = process() && !anyone_waits();
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

void HttpServer::answer(Made& made) {
  if (made.waiting.empty()) return;
  const auto begin = EventLoop::Clock::now();
  try {
    const std::string text = made.make();
    made.plain = response(text, made.type);
    made.compressed.reset();
    if (std::any_of(made.waiting.begin(), made.waiting.end(), accepts_gzip)) {
      made.compressed = response(gzip(text), made.type);
      microhttpd().add_response_header(made.compressed.get(), MHD_HTTP_HEADER_CONTENT_ENCODING,
                                       "gzip");
    }
  } catch (...) {
    // No daemon may be stopped while a connection is suspended.
    resume(metrics_);
    resume(report_);
    throw;
  }
  const auto end = EventLoop::Clock::now();
  made.fresh_until =
      end + std::max<EventLoop::Clock::duration>(kReportLasts, kReportRest * (end - begin));
  resume(made);
}

void HttpServer::resume(Made& made) {
  for (MHD_Connection* const one : made.waiting) microhttpd().resume_connection(one);
  made.waiting.clear();
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
  // Prometheus asks for the counts of now; a page may be a second late.
  if (url == "/metrics") return respond_with(metrics_, connection, state);
  if (url != "/api/report") return queue(MHD_HTTP_NOT_FOUND, not_found_);
  if (report_.plain && EventLoop::Clock::now() < report_.fresh_until) *state = &text_requested;
  return respond_with(report_, connection, state);
}

MHD_Result HttpServer::respond_with(Made& made, MHD_Connection* connection, void** state) {
  if (*state == &text_requested) {
    const bool small = made.compressed && accepts_gzip(connection);
    return microhttpd().queue_response(connection, MHD_HTTP_OK,
                                       (small ? made.compressed : made.plain).get());
  }
  *state = &text_requested;
  microhttpd().suspend_connection(connection);
  made.waiting.push_back(connection);
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
