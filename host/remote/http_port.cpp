#include "remote/http_port.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "esp_error.hpp"

namespace espalier::remote {
namespace {

constexpr std::size_t LongestRequest = 4096;
constexpr int PollMilliseconds = 100;

[[noreturn]] void fail(int socket, const std::string& address, std::uint16_t port) {
  if (socket >= 0) close(socket);
  throw Error(ErrorCode::Usage, "the address cannot be bound", address, std::to_string(port),
              "give an IPv4 address of this machine and a free port");
}

const char* reason(int status) { return status == 200 ? "OK" : status == 404 ? "Not Found" : "Service Unavailable"; }

}  // namespace

HttpPort::HttpPort(const std::string& address, std::uint16_t port, std::function<Page(const std::string&)> page)
    : page_(std::move(page)) {
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(port);
  if (inet_pton(AF_INET, address == "localhost" ? "127.0.0.1" : address.c_str(), &name.sin_addr) != 1)
    fail(-1, address, port);
  socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  socklen_t length = sizeof(name);
  if (socket_ < 0 || setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0 ||
      bind(socket_, reinterpret_cast<const sockaddr*>(&name), length) != 0 || listen(socket_, 8) != 0 ||
      getsockname(socket_, reinterpret_cast<sockaddr*>(&name), &length) != 0)
    fail(socket_, address, port);
  port_ = ntohs(name.sin_port);
  thread_ = std::thread([this] { serve(); });
}

HttpPort::~HttpPort() {
  stopping_ = true;
  thread_.join();
  close(socket_);
}

void HttpPort::serve() {
  while (!stopping_) {
    pollfd wanted{socket_, POLLIN, 0};
    if (poll(&wanted, 1, PollMilliseconds) <= 0) continue;
    const int connection = accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) continue;
    const timeval limit{1, 0};
    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    answer(connection);
    close(connection);
  }
}

void HttpPort::answer(int connection) const {
  std::string request;
  std::array<char, 1024> part{};
  while (request.find("\r\n\r\n") == std::string::npos) {
    const ssize_t received = recv(connection, part.data(), part.size(), 0);
    if (received <= 0 || request.size() > LongestRequest) return;
    request.append(part.data(), static_cast<std::size_t>(received));
  }
  if (!request.starts_with("GET ")) return;
  const std::string path = request.substr(4, request.find_first_of(" ?\r", 4) - 4);
  const Page page = page_(path);
  const std::string text = fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
      page.status, reason(page.status), page.body.size(), page.body);
  for (std::size_t sent = 0; sent < text.size();) {
    const ssize_t taken = send(connection, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (taken <= 0) return;
    sent += static_cast<std::size_t>(taken);
  }
}

}  // namespace espalier::remote
