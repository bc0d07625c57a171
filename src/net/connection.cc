#include "net/connection.h"

#include <array>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
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
  uint64_t wait_number = 0;  // a timer that fires late must not end the next wait
  bool timed_out = false;

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

Task<Result<size_t>> Connection::read_some(std::span<char> into, Duration patience) {
  State::arm(state_, patience);
  const auto [error, count] =
      co_await state_->socket.async_read_some(asio::buffer(into.data(), into.size()), kTuple);
  state_->disarm();
  if (error == asio::error::eof) co_return size_t{0};
  if (error) co_return state_->failure(error, peer_);
  co_return count;
}

Task<Result<Done>> Connection::write_all(std::string_view bytes, Duration patience) {
  State::arm(state_, patience);
  const auto [error, count] =
      co_await asio::async_write(state_->socket, asio::buffer(bytes), kTuple);
  state_->disarm();
  if (error) co_return state_->failure(error, peer_);
  co_return Done{};
}

Task<void> Connection::finish(Duration patience) {
  boost::system::error_code ignored;
  state_->socket.shutdown(asio::socket_base::shutdown_send, ignored);
  State::arm(state_, patience);
  std::array<char, 4096> rest;
  for (;;) {
    const auto [error, count] = co_await state_->socket.async_read_some(asio::buffer(rest), kTuple);
    if (error) break;
  }
  state_->disarm();
}

}  // namespace watchpost::net
