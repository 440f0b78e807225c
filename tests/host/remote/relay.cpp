#include "relay.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <utility>
#include <vector>

namespace espalier::test {
namespace {

constexpr int MostWaitMilliseconds = 20;
constexpr std::size_t MostPieces = 256;  // read ahead of the link

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(port);
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return name;
}

int prepared(int socket) {
  const int yes = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
  return socket;
}

}  // namespace

Relay::Relay(std::uint16_t target, LinkSchedule up, LinkSchedule down)
    : target_(target), up_(std::move(up)), down_(std::move(down)) {
  sockaddr_in name = loopback(0);
  socklen_t size = sizeof(name);
  socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket_ < 0 || bind(socket_, reinterpret_cast<const sockaddr*>(&name), size) != 0 || listen(socket_, 16) != 0 ||
      getsockname(socket_, reinterpret_cast<sockaddr*>(&name), &size) != 0)
    throw std::runtime_error("no port for the relay");
  port_ = ntohs(name.sin_port);
  thread_ = std::thread([this] { serve(); });
}

Relay::~Relay() {
  stopping_ = true;
  thread_.join();
  for (const Connection& connection : connections_) {
    close(connection.up.from);
    close(connection.up.to);
  }
  close(socket_);
}

void Relay::restart() {
  restarting_ = true;
  while (restarting_) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

std::int64_t Relay::now() const {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - start_).count();
}

void Relay::accept_one() {
  const int client = accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
  if (client < 0) return;
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in name = loopback(target_);
  if (server < 0 || connect(server, reinterpret_cast<const sockaddr*>(&name), sizeof(name)) != 0) {
    close(client);
    if (server >= 0) close(server);
    return;
  }
  Connection& connection = connections_.emplace_back();
  connection.up = {prepared(client), prepared(server), &up_, {}, false};
  connection.down = {server, client, &down_, {}, false};
}

void Relay::read(Connection& connection, Way& way) const {
  std::array<char, 16384> bytes{};
  const ssize_t got = recv(way.from, bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got < 0) return;
  if (got == 0) {
    way.ended = true;
    connection.broken = connection.broken || way.pieces.empty();
    return;
  }
  const std::int64_t due = way.link->send(now(), got);
  way.pieces.push_back({due, {bytes.data(), static_cast<std::size_t>(got)}});
}

void Relay::write_due(Connection& connection, Way& way) const {
  while (!way.pieces.empty() && way.pieces.front().due <= now()) {
    std::string& bytes = way.pieces.front().bytes;
    const ssize_t sent = send(way.to, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
      connection.broken = connection.broken || (errno != EAGAIN && errno != EWOULDBLOCK);
      return;
    }
    bytes.erase(0, static_cast<std::size_t>(sent));
    if (!bytes.empty()) return;
    way.pieces.pop_front();
  }
  connection.broken = connection.broken || (way.ended && way.pieces.empty());
}

void Relay::serve() {
  while (!stopping_) {
    if (restarting_) {
      // What is still on its way keeps its moment.
      const std::int64_t before = now();
      for (Connection& connection : connections_)
        for (Way* way : {&connection.up, &connection.down})
          for (Piece& piece : way->pieces) piece.due -= before;
      start_ = std::chrono::steady_clock::now();
      up_.restart();
      down_.restart();
      restarting_ = false;
    }
    std::vector<pollfd> wanted{{socket_, POLLIN, 0}};
    std::int64_t next = now() + std::int64_t{MostWaitMilliseconds} * 1'000'000;
    for (Connection& connection : connections_)
      for (Way* way : {&connection.up, &connection.down}) {
        if (!way->ended && way->pieces.size() < MostPieces) wanted.push_back({way->from, POLLIN, 0});
        if (!way->pieces.empty()) next = std::min(next, way->pieces.front().due);
      }
    const std::int64_t wait = std::max<std::int64_t>(0, next - now());
    const timespec limit{wait / 1'000'000'000, wait % 1'000'000'000};
    ppoll(wanted.data(), wanted.size(), &limit, nullptr);
    for (Connection& connection : connections_)
      for (Way* way : {&connection.up, &connection.down}) {
        if (!way->ended && way->pieces.size() < MostPieces) read(connection, *way);
        write_due(connection, *way);
      }
    if ((wanted.front().revents & POLLIN) != 0) accept_one();
    for (auto connection = connections_.begin(); connection != connections_.end();) {
      if (!connection->broken) {
        ++connection;
        continue;
      }
      close(connection->up.from);
      close(connection->up.to);
      connection = connections_.erase(connection);
    }
  }
}

}  // namespace espalier::test
