#include "net/connection.h"

#include "net/tls_context.h"

#include <array>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <sys/socket.h>
#include <tuple>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace watchpost::net {
namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

}  // namespace

// Shared only with the timer's handler, which may run after the connection has gone.
struct Connection::State {
  explicit State(Socket accepted) : socket(std::move(accepted)), timer(socket.get_executor()) {}

  Socket socket;
  asio::steady_timer timer;
  std::shared_ptr<const TlsIdentity> identity;    // outlives `tls`
  std::optional<asio::ssl::stream<Socket&>> tls;  // where it was started
  uint64_t wait_number = 0;  // a timer that fires late must not end the next wait
  bool timed_out = false;
  bool acknowledges_at_once = false;

  static void arm(const std::shared_ptr<State>& state, Duration patience) {
    state->timed_out = false;
    const uint64_t number = ++state->wait_number;
    state->timer.expires_after(patience);
    state->timer.async_wait([state, number](const boost::system::error_code& error) {
      if (error || number != state->wait_number) return;
      state->timed_out = true;
      boost::system::error_code ignored;
      state->socket.cancel(ignored);
    });
  }
  void disarm() {
    ++wait_number;
    timer.cancel();
  }

  // The kernel forgets it again with the next bytes that are sent.
  void acknowledge() {
    const int yes = 1;
    setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_QUICKACK, &yes, sizeof yes);
  }

  std::unexpected<Error> failure(const boost::system::error_code& error,
                                 const std::string& peer) const {
    if (timed_out) return fail(Code::timed_out, "the peer was too slow", peer);
    return fail(Code::unavailable, "the connection is broken: " + error.message(), peer);
  }
};

Connection::Connection(Socket socket, std::string peer, int64_t peer_uid)
    : state_(std::make_shared<State>(std::move(socket))),
      peer_(std::move(peer)),
      peer_uid_(peer_uid) {}

Connection::~Connection() {
  if (!state_) return;
  state_->disarm();
  boost::system::error_code ignored;
  state_->socket.close(ignored);
}

Connection::Connection(Connection&& other) noexcept = default;
Connection& Connection::operator=(Connection&& other) noexcept {
  std::swap(state_, other.state_);
  std::swap(peer_, other.peer_);
  std::swap(peer_uid_, other.peer_uid_);
  return *this;
}

asio::any_io_executor Connection::executor() const { return state_->socket.get_executor(); }

void Connection::acknowledge_at_once() { state_->acknowledges_at_once = !over_unix(); }

Task<Result<size_t>> Connection::read_some(std::span<char> into, Duration patience) {
  State::arm(state_, patience);
  if (state_->acknowledges_at_once) state_->acknowledge();
  const auto buffer = asio::buffer(into.data(), into.size());
  boost::system::error_code error;
  size_t count = 0;
  if (state_->tls) {
    std::tie(error, count) = co_await state_->tls->async_read_some(buffer, kTuple);
  } else {
    std::tie(error, count) = co_await state_->socket.async_read_some(buffer, kTuple);
  }
  state_->disarm();
  if (error == asio::error::eof || error == asio::ssl::error::stream_truncated) co_return size_t{0};
  if (error) co_return state_->failure(error, peer_);
  co_return count;
}

Task<Result<Done>> Connection::write_all(std::string_view bytes, Duration patience) {
  State::arm(state_, patience);
  boost::system::error_code error;
  size_t count = 0;
  if (state_->tls) {
    std::tie(error, count) = co_await asio::async_write(*state_->tls, asio::buffer(bytes), kTuple);
  } else {
    std::tie(error, count) =
        co_await asio::async_write(state_->socket, asio::buffer(bytes), kTuple);
  }
  state_->disarm();
  if (error) co_return state_->failure(error, peer_);
  co_return Done{};
}

Task<Result<std::string>> Connection::start_tls(std::shared_ptr<const TlsIdentity> identity,
                                                Duration patience) {
  state_->identity = std::move(identity);
  state_->tls.emplace(state_->socket, state_->identity->context().ssl);
  State::arm(state_, patience);
  const auto [error] =
      co_await state_->tls->async_handshake(asio::ssl::stream_base::server, kTuple);
  state_->disarm();
  if (error) co_return state_->failure(error, peer_);
  SSL* const ssl = state_->tls->native_handle();
  co_return std::string(SSL_get_version(ssl)) + " " + SSL_get_cipher_name(ssl);
}

Task<void> Connection::finish(Duration patience) {
  State::arm(state_, patience);
  // Waits for the peer's word that it has seen ours.
  if (state_->tls) co_await state_->tls->async_shutdown(kTuple);
  boost::system::error_code ignored;
  state_->socket.shutdown(asio::socket_base::shutdown_send, ignored);
  std::array<char, 4096> rest;
  while (!state_->timed_out) {
    const auto [error, count] = co_await state_->socket.async_read_some(asio::buffer(rest), kTuple);
    if (error) break;
  }
  state_->disarm();
}

}  // namespace watchpost::net
