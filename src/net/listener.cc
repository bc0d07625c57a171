#include "net/listener.h"

#include "base/log.h"
#include "net/address.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <mutex>
#include <set>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>
#include <variant>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

namespace watchpost::net {
namespace {

using TcpAcceptor = asio::ip::tcp::acceptor;
using UnixAcceptor = asio::local::stream_protocol::acceptor;
using boost::system::error_code;

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

// A running session, and the way to end it.
struct Running {
  explicit Running(asio::any_io_executor on) : strand(std::move(on)) {}
  asio::any_io_executor strand;
  asio::cancellation_signal signal;  // touched on the strand only
};

std::unexpected<Error> system_failure(Code code, std::string_view what, int error,
                                      std::string about) {
  return fail(code, fmt::format("{}: {}", what, std::strerror(error)), std::move(about));
}

// Takes a stale socket out of the way. Anything that is alive, or no socket, stays.
Result<Done> clear_stale(const std::string& path) {
  struct stat there;
  if (lstat(path.c_str(), &there) != 0) {
    if (errno == ENOENT) return Done{};
    return system_failure(Code::unavailable, "cannot look at the socket's path", errno, path);
  }
  if (!S_ISSOCK(there.st_mode)) {
    return fail(Code::refused, "there is a file that is not a socket", path);
  }
  const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (probe < 0) return system_failure(Code::exhausted, "cannot make a socket", errno, path);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  const int answer = connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int error = errno;
  close(probe);
  if (answer == 0) return fail(Code::refused, "another process listens there", path);
  if (error != ECONNREFUSED) {
    return system_failure(Code::refused, "the socket there may be in use", error, path);
  }
  if (unlink(path.c_str()) != 0 && errno != ENOENT) {
    return system_failure(Code::unavailable, "cannot remove the stale socket", errno, path);
  }
  return Done{};
}

std::string peer_text(const TcpAcceptor::endpoint_type& peer) {
  const std::string address = peer.address().to_string();
  return peer.address().is_v6() ? fmt::format("[{}]:{}", address, peer.port())
                                : fmt::format("{}:{}", address, peer.port());
}
std::string peer_text(const UnixAcceptor::endpoint_type&) { return "unix"; }

// An answer in two writes must not wait for the peer's acknowledgement of the first.
void send_at_once(asio::ip::tcp::socket& socket) {
  error_code ignored;
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);
}
void send_at_once(asio::local::stream_protocol::socket&) {}

int64_t peer_uid(int descriptor, const UnixAcceptor&) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return 65534;
  return static_cast<int64_t>(credentials.uid);
}
int64_t peer_uid(int, const TcpAcceptor&) { return -1; }

}  // namespace

struct Listener::State final : Stoppable, std::enable_shared_from_this<Listener::State> {
  State(Io::Context& io, Session on_connection, ListenOptions wanted)
      : context(io),
        session(std::move(on_connection)),
        options(wanted),
        strand(asio::make_strand(io.loop)),
        pause(strand) {}
  ~State() override { remove_socket_file(); }

  void end() override;
  void wait_for_sessions();
  Result<Done> listen_tcp(const ListenAddress& at);
  Result<Done> listen_unix(const std::string& path);
  void remove_socket_file();
  template <class Acceptor>
  void admit(Connection::Socket socket, std::string peer, const Acceptor& acceptor);
  void begin(const std::shared_ptr<Running>& running, Connection link);
  void forget(const std::shared_ptr<Running>& running);

  Io::Context& context;
  const Session session;
  const ListenOptions options;
  asio::strand<asio::io_context::executor_type> strand;  // of the acceptor and the pause
  asio::steady_timer pause;
  std::variant<std::monostate, TcpAcceptor, UnixAcceptor> acceptor;
  uint16_t port = 0;
  std::string socket_path;
  ino_t socket_inode = 0;
  std::atomic<uint64_t> turned_away{0};

  mutable std::mutex mutex;  // guards what follows
  std::condition_variable session_ended;
  std::set<std::shared_ptr<Running>> sessions;
  bool stopped = false;
};

namespace {

// What a session throws ends that session only.
void session_over(const std::exception_ptr& thrown) {
  if (!thrown) return;
  try {
    std::rethrow_exception(thrown);
  } catch (const boost::system::system_error& error) {
    if (error.code() != asio::error::operation_aborted) {
      log_warning("net", "a connection ended with an error: {}", error.what());
    }
  } catch (const std::exception& error) {
    log_error("net", "a connection ended with an unexpected error: {}", error.what());
  }
}

}  // namespace

template <class Acceptor>
void Listener::State::admit(Connection::Socket socket, std::string peer, const Acceptor& from) {
  auto running = std::make_shared<Running>(socket.get_executor());
  {
    const std::lock_guard lock(mutex);
    if (stopped) return;
    if (sessions.size() >= options.connections) {
      turned_away.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    sessions.insert(running);
  }
  const int64_t uid = peer_uid(socket.native_handle(), from);
  // All of a session happens on its strand, its beginning as well: end() reaches for it from there.
  asio::post(running->strand,
             [self = shared_from_this(), running,
              link = Connection(std::move(socket), std::move(peer), uid)]() mutable {
               self->begin(running, std::move(link));
             });
}

// On the session's strand.
void Listener::State::begin(const std::shared_ptr<Running>& running, Connection link) {
  {
    // Whoever ended it before this could not reach it.
    const std::lock_guard lock(mutex);
    if (stopped) {
      sessions.erase(running);
      session_ended.notify_all();
      return;
    }
  }
  auto over = [self = shared_from_this(), running](const std::exception_ptr& thrown) {
    session_over(thrown);
    self->forget(running);
  };
  asio::co_spawn(running->strand, session(std::move(link)),
                 asio::bind_cancellation_slot(running->signal.slot(), std::move(over)));
}

void Listener::State::forget(const std::shared_ptr<Running>& running) {
  // Notified under the lock: the listener may go as soon as it sees the last session gone.
  const std::lock_guard lock(mutex);
  sessions.erase(running);
  session_ended.notify_all();
}

namespace {

template <class State, class Acceptor>
Task<void> accept_all(std::shared_ptr<State> state, Acceptor& acceptor) {
  for (;;) {
    Connection::Socket socket(asio::make_strand(state->context.loop));
    typename Acceptor::endpoint_type peer;
    // Accepted as what it is, then made generic: the peer's address is of the acceptor's protocol.
    typename Acceptor::protocol_type::socket accepted(socket.get_executor());
    const auto [error] = co_await acceptor.async_accept(accepted, peer, kTuple);
    if (error == asio::error::operation_aborted || !acceptor.is_open()) co_return;
    if (error) {
      // Out of descriptors, most likely: a loop without a pause would make it worse.
      log_warning("net", "cannot accept a connection: {}", error.message());
      state->pause.expires_after(std::chrono::milliseconds(200));
      const auto [ended] = co_await state->pause.async_wait(kTuple);
      if (ended) co_return;
      continue;
    }
    send_at_once(accepted);
    socket = std::move(accepted);
    state->admit(std::move(socket), peer_text(peer), acceptor);
  }
}

}  // namespace

void Listener::State::end() {
  std::set<std::shared_ptr<Running>> ending;
  {
    const std::lock_guard lock(mutex);
    if (stopped) return;
    stopped = true;
    ending = sessions;
  }
  asio::post(strand, [self = shared_from_this()] {
    error_code ignored;
    self->pause.cancel();
    if (auto* tcp = std::get_if<TcpAcceptor>(&self->acceptor)) tcp->close(ignored);
    if (auto* local = std::get_if<UnixAcceptor>(&self->acceptor)) local->close(ignored);
  });
  for (const auto& running : ending) {
    asio::post(running->strand,
               [running] { running->signal.emit(asio::cancellation_type::terminal); });
  }
  remove_socket_file();
}

void Listener::State::wait_for_sessions() {
  std::unique_lock lock(mutex);
  while (!sessions.empty() && context.running()) {
    session_ended.wait_for(lock, std::chrono::milliseconds(100));
  }
}

void Listener::State::remove_socket_file() {
  struct stat there;
  if (socket_path.empty() || lstat(socket_path.c_str(), &there) != 0) return;
  // Whoever came after us may have put a socket of its own there.
  if (there.st_ino == socket_inode) unlink(socket_path.c_str());
  socket_path.clear();
}

Result<Done> Listener::State::listen_tcp(const ListenAddress& at) {
  error_code error;
  const asio::ip::tcp::endpoint endpoint(asio::ip::make_address(at.host, error), at.port);
  TcpAcceptor made(strand);
  if (!error) made.open(endpoint.protocol(), error);
  if (!error) made.set_option(asio::socket_base::reuse_address(true), error);
  if (!error && at.host.find(':') != std::string::npos) {
    made.set_option(asio::ip::v6_only(true), error);
  }
  if (!error) made.bind(endpoint, error);
  if (!error) made.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    return fail(Code::unavailable, "cannot listen: " + error.message(),
                fmt::format("{}:{}", at.host, at.port));
  }
  port = made.local_endpoint(error).port();
  acceptor = std::move(made);
  return Done{};
}

Result<Done> Listener::State::listen_unix(const std::string& path) {
  if (auto cleared = clear_stale(path); !cleared) return cleared;
  error_code error;
  UnixAcceptor made(strand);
  made.open(asio::local::stream_protocol(), error);
  if (!error) made.bind(asio::local::stream_protocol::endpoint(path), error);
  // Until listen() nobody can connect, so that the mode is right from the first connection on.
  if (!error && chmod(path.c_str(), options.unix_mode) != 0) {
    error = error_code(errno, boost::system::system_category());
  }
  if (!error) made.listen(asio::socket_base::max_listen_connections, error);
  if (error) return fail(Code::unavailable, "cannot listen: " + error.message(), path);
  struct stat there;
  if (lstat(path.c_str(), &there) == 0) {
    socket_path = path;
    socket_inode = there.st_ino;
  }
  acceptor = std::move(made);
  return Done{};
}

Listener::Listener(std::shared_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<Listener>> Listener::open(Io& io, std::string_view at, Session session,
                                                 ListenOptions options) {
  const auto address = parse_listen(at);
  if (!address) return fail(address.error());
  auto state = std::make_shared<State>(io.context(), std::move(session), options);
  const auto listening = address->unix_path.empty() ? state->listen_tcp(*address)
                                                    : state->listen_unix(address->unix_path);
  if (!listening) return fail(listening.error());
  io.context().add(state);
  if (auto* tcp = std::get_if<TcpAcceptor>(&state->acceptor)) {
    asio::co_spawn(state->strand, accept_all(state, *tcp), [](const std::exception_ptr&) {});
  } else if (auto* local = std::get_if<UnixAcceptor>(&state->acceptor)) {
    asio::co_spawn(state->strand, accept_all(state, *local), [](const std::exception_ptr&) {});
  }
  return std::unique_ptr<Listener>(new Listener(std::move(state)));
}

Listener::~Listener() {
  state_->end();
  state_->wait_for_sessions();
}

uint16_t Listener::port() const { return state_->port; }
size_t Listener::connections() const {
  const std::lock_guard lock(state_->mutex);
  return state_->sessions.size();
}
uint64_t Listener::turned_away() const {
  return state_->turned_away.load(std::memory_order_relaxed);
}

}  // namespace watchpost::net
