#include "net/connection.h"

#include "net/tls_context.h"

#include <array>
#include <chrono>
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

using Steady = std::chrono::steady_clock;
constexpr Steady::time_point kNever = Steady::time_point::max();
// So many operations in a row may go on without a wait; then it is the turn of others.
constexpr int kAtOnce = 32;

}  // namespace

// Shared only with the timer's handler, which may run after the connection has gone.
struct Connection::State {
  explicit State(Socket accepted) : socket(std::move(accepted)), timer(socket.get_executor()) {
    boost::system::error_code ignored;
    socket.non_blocking(true, ignored);
  }

  Socket socket;
  asio::steady_timer timer;
  std::shared_ptr<const TlsIdentity> identity;    // outlives `tls`
  std::optional<asio::ssl::stream<Socket&>> tls;  // where it was started
  Steady::time_point until = kNever;  // when the operation has to be over; kNever: there is none
  Steady::time_point alarm = kNever;  // when the timer ends; kNever: it does not run
  uint64_t alarms = 0;                // one that ends late must not end the next wait
  bool timed_out = false;
  bool acknowledges_at_once = false;
  bool owes_acknowledgement = false;
  bool more_is_there = false;  // the last read took all that it had room for
  int at_once = 0;

  // Nearly all operations are over long before their time, so that the timer is left running
  // between them, and where it ends too early it is set again.
  static void arm(const std::shared_ptr<State>& state, Duration patience) {
    state->timed_out = false;
    state->until = Steady::now() + patience;
    if (state->until < state->alarm) set_alarm(state);
  }
  static void set_alarm(const std::shared_ptr<State>& state) {
    state->alarm = state->until;
    state->timer.expires_at(state->alarm);
    state->timer.async_wait([state, number = ++state->alarms](const auto& error) {
      if (!error && number == state->alarms) ring(state);
    });
  }
  static void ring(const std::shared_ptr<State>& state) {
    state->alarm = kNever;
    if (state->until == kNever) return;
    if (Steady::now() < state->until) return set_alarm(state);
    state->timed_out = true;
    boost::system::error_code ignored;
    state->socket.cancel(ignored);
  }
  void disarm() { until = kNever; }

  // Whether the next operation may be tried without a wait.
  bool may_go_on() { return !tls && ++at_once % kAtOnce != 0; }
  // What is there already, without waiting; 0 where nothing is, or it cannot be told.
  size_t read_what_is_there(std::span<char> into) {
    boost::system::error_code error;
    return socket.read_some(asio::buffer(into.data(), into.size()), error);
  }
  size_t write_what_fits(std::string_view bytes) {
    boost::system::error_code error;
    return socket.write_some(asio::buffer(bytes), error);
  }
  void note_read(size_t count, size_t room) {
    more_is_there = count == room;
    owes_acknowledgement = owes_acknowledgement || count > 0;
  }

  // The kernel forgets it again with the next bytes that are sent.
  void acknowledge() {
    if (!acknowledges_at_once || !owes_acknowledgement) return;
    owes_acknowledgement = false;
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
  state_->timer.cancel();
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
  if (state_->more_is_there && patience > Duration(0) && state_->may_go_on()) {
    const size_t count = state_->read_what_is_there(into);
    state_->note_read(count, into.size());
    if (count > 0) co_return count;
  }
  State::arm(state_, patience);
  state_->acknowledge();
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
  state_->note_read(count, into.size());
  co_return count;
}

Task<Result<Done>> Connection::write_all(std::string_view bytes, Duration patience) {
  if (state_->may_go_on()) {
    bytes.remove_prefix(state_->write_what_fits(bytes));
    state_->owes_acknowledgement = false;
    if (bytes.empty()) co_return Done{};
  }
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
