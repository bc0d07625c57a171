#include "dns/name_servers.h"

#include "base/text.h"
#include "dns/packet.h"

#include <algorithm>
#include <ares.h>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <fmt/format.h>

namespace watchpost::dns {
namespace {

// How often c-ares is let end what has waited too long: we ourselves have given up by then.
constexpr Duration kSweep = 250ms;
constexpr uint64_t kWakeup = ~uint64_t{0};

std::unexpected<Error> wrong_server(std::string_view text) {
  return fail(Code::bad_input,
              fmt::format("`{}` is no address of a name server; write for example 127.0.0.1, "
                          "127.0.0.1:5353 or [::1]:5353",
                          escaped(text, 64)));
}

std::string_view reason(int status) {
  switch (status) {
    case ARES_ECONNREFUSED: return "could not be reached";
    case ARES_ETIMEOUT: return "did not answer in time";
    case ARES_ENOMEM: return "could not be asked for want of memory";
    default: return "could not be asked";
  }
}

ares_addr_port_node node_of(const ServerAddress& server) {
  ares_addr_port_node node{};
  node.family = server.address.v6 ? AF_INET6 : AF_INET;
  std::memcpy(&node.addr, server.address.bytes.data(), server.address.v6 ? 16 : 4);
  node.udp_port = node.tcp_port = server.port;
  return node;
}

ServerAddress from_node(const ares_addr_port_node& node) {
  ServerAddress server;
  server.address.v6 = node.family == AF_INET6;
  std::memcpy(server.address.bytes.data(), &node.addr, server.address.v6 ? 16 : 4);
  if (node.udp_port != 0) server.port = static_cast<uint16_t>(node.udp_port);
  return server;
}

}  // namespace

bool ServerAddress::is_loopback() const {
  if (!address.v6) return address.bytes[0] == 127;
  return address == *parse_ip_address("::1");
}

std::string ServerAddress::text() const {
  if (port == 53) return address.text();
  return fmt::format(fmt::runtime(address.v6 ? "[{}]:{}" : "{}:{}"), address.text(), port);
}

Result<ServerAddress> parse_server(std::string_view text) {
  ServerAddress server;
  if (const auto address = parse_ip_address(text)) {
    server.address = *address;
    return server;
  }
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong_server(text);
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  const bool in_brackets = host.size() > 2 && host.starts_with('[') && host.ends_with(']');
  if (in_brackets) host = host.substr(1, host.size() - 2);
  const auto address = parse_ip_address(host);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), server.port);
  if (!address || address->v6 != in_brackets || error != std::errc() ||
      end != port.data() + port.size() || server.port == 0) {
    return wrong_server(text);
  }
  server.address = *address;
  return server;
}

Result<std::vector<ServerAddress>> system_servers() {
  ares_channel channel = nullptr;
  if (ares_init(&channel) != ARES_SUCCESS) {
    return fail(Code::unavailable, "the name servers of the system could not be read",
                "/etc/resolv.conf");
  }
  ares_addr_port_node* nodes = nullptr;
  std::vector<ServerAddress> servers;
  if (ares_get_servers_ports(channel, &nodes) == ARES_SUCCESS) {
    for (const auto* node = nodes; node != nullptr; node = node->next) {
      servers.push_back(from_node(*node));
    }
    ares_free_data(nodes);
  }
  ares_destroy(channel);
  if (servers.empty()) servers.push_back({.address = *parse_ip_address("127.0.0.1")});
  return servers;
}

struct NameServers::State {
  struct Server {
    State* state = nullptr;
    size_t number = 0;
    ServerAddress address;
    ares_channel channel = nullptr;
    size_t waiting = 0;
  };
  // What c-ares gives back with a reply.
  struct Sent {
    Server* server;
    uint64_t query;
  };

  ~State() {
    for (const auto& server : servers) {
      if (server->channel != nullptr) ares_destroy(server->channel);
    }
    if (epoll >= 0) close(epoll);
    if (wakeup >= 0) close(wakeup);
  }

  Result<Done> open_channel(Server& server, Duration patience);
  void watch(size_t server, int socket, bool read, bool write) const;
  void sweep();
  static void on_reply(void* argument, int status, int timeouts, unsigned char* bytes, int size);
  static void on_socket(void* argument, ares_socket_t socket, int read, int write);

  std::vector<std::unique_ptr<Server>> servers;
  int epoll = -1;
  int wakeup = -1;
  std::chrono::steady_clock::time_point swept;
  std::vector<Arrival> arrivals;
};

Result<Done> NameServers::State::open_channel(Server& server, Duration patience) {
  ares_options options{};
  char files_never[] = "b";
  options.flags = ARES_FLAG_EDNS | ARES_FLAG_NOCHECKRESP | ARES_FLAG_NOSEARCH;
  options.timeout =
      static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(patience).count());
  options.tries = 1;
  options.ednspsz = kLargestDatagram;
  options.lookups = files_never;
  options.sock_state_cb = on_socket;
  options.sock_state_cb_data = &server;
  const int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ |
                   ARES_OPT_LOOKUPS | ARES_OPT_DOMAINS | ARES_OPT_SOCK_STATE_CB;
  ares_addr_port_node node = node_of(server.address);
  if (ares_init_options(&server.channel, &options, mask) != ARES_SUCCESS ||
      ares_set_servers_ports(server.channel, &node) != ARES_SUCCESS) {
    return fail(Code::unavailable, "DNS could not be set up", server.address.text());
  }
  return Done{};
}

void NameServers::State::watch(size_t server, int socket, bool read, bool write) const {
  epoll_event event{};
  event.events = (read ? EPOLLIN : 0U) | (write ? EPOLLOUT : 0U);
  event.data.u64 = static_cast<uint64_t>(server) << 32 | static_cast<uint32_t>(socket);
  if (!read && !write) {
    epoll_ctl(epoll, EPOLL_CTL_DEL, socket, &event);
  } else if (epoll_ctl(epoll, EPOLL_CTL_MOD, socket, &event) != 0 && errno == ENOENT) {
    epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event);
  }
}

void NameServers::State::on_socket(void* argument, ares_socket_t socket, int read, int write) {
  const auto* server = static_cast<Server*>(argument);
  server->state->watch(server->number, socket, read != 0, write != 0);
}

void NameServers::State::on_reply(void* argument, int status, int, unsigned char* bytes, int size) {
  const std::unique_ptr<Sent> sent(static_cast<Sent*>(argument));
  Server& server = *sent->server;
  --server.waiting;
  Arrival arrival{.query = sent->query, .reply = {}, .why = {}};
  if (status == ARES_SUCCESS && bytes != nullptr && size > 0) {
    arrival.reply.emplace(bytes, bytes + size);
  } else {
    arrival.why = fmt::format("The name server {} {}", server.address.text(), reason(status));
  }
  server.state->arrivals.push_back(std::move(arrival));
}

// c-ares ends what has waited too long when it is called.
void NameServers::State::sweep() {
  const auto now = std::chrono::steady_clock::now();
  if (now - swept < kSweep) return;
  swept = now;
  for (const auto& server : servers) {
    if (server->waiting > 0) ares_process_fd(server->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
  }
}

Result<std::unique_ptr<NameServers>> NameServers::open(std::vector<ServerAddress> servers,
                                                       Duration patience) {
  auto state = std::make_unique<State>();
  state->epoll = epoll_create1(EPOLL_CLOEXEC);
  state->wakeup = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kWakeup;
  if (state->epoll < 0 || state->wakeup < 0 ||
      epoll_ctl(state->epoll, EPOLL_CTL_ADD, state->wakeup, &event) != 0) {
    return fail(Code::exhausted, "DNS could not be set up: no descriptor is left");
  }
  for (const ServerAddress& address : servers) {
    auto& server = *state->servers.emplace_back(std::make_unique<State::Server>());
    server.state = state.get();
    server.number = state->servers.size() - 1;
    server.address = address;
    const auto opened = state->open_channel(server, patience);
    if (!opened) return fail(opened.error());
  }
  return std::unique_ptr<NameServers>(new NameServers(std::move(state)));
}

NameServers::NameServers(std::unique_ptr<State> state) : state_(std::move(state)) {}
NameServers::~NameServers() = default;

size_t NameServers::count() const { return state_->servers.size(); }
const ServerAddress& NameServers::at(size_t server) const {
  return state_->servers[server]->address;
}
size_t NameServers::waiting() const {
  size_t waiting = 0;
  for (const auto& server : state_->servers) waiting += server->waiting;
  return waiting;
}

void NameServers::send(size_t server, uint64_t query, std::string_view packet) {
  State::Server& to = *state_->servers[server];
  ++to.waiting;
  // c-ares calls on_reply() once for each, perhaps before ares_send() returns.
  auto sent = std::make_unique<State::Sent>(&to, query);
  ares_send(to.channel, reinterpret_cast<const unsigned char*>(packet.data()),
            static_cast<int>(packet.size()), State::on_reply, sent.release());
}

std::vector<Arrival> NameServers::wait(Duration most) {
  std::vector<Arrival> arrived;
  if (state_->arrivals.empty()) {
    if (waiting() > 0) most = std::min(most, kSweep);
    std::array<epoll_event, 16> events{};
    const auto patience = std::chrono::ceil<std::chrono::milliseconds>(most).count();
    const int count = epoll_wait(state_->epoll, events.data(), static_cast<int>(events.size()),
                                 static_cast<int>(std::clamp<int64_t>(patience, 0, 60'000)));
    for (int i = 0; i < count; ++i) {
      const uint64_t which = events[static_cast<size_t>(i)].data.u64;
      const uint32_t what = events[static_cast<size_t>(i)].events;
      if (which == kWakeup) {
        uint64_t times = 0;
        (void)!read(state_->wakeup, &times, sizeof times);
        continue;
      }
      const auto socket = static_cast<ares_socket_t>(which & 0xFFFFFFFF);
      const bool failed = (what & (EPOLLERR | EPOLLHUP)) != 0;
      ares_process_fd(state_->servers[which >> 32]->channel,
                      (what & EPOLLIN) != 0 || failed ? socket : ARES_SOCKET_BAD,
                      (what & EPOLLOUT) != 0 || failed ? socket : ARES_SOCKET_BAD);
    }
    state_->sweep();
  }
  arrived.swap(state_->arrivals);
  return arrived;
}

void NameServers::wake() {
  const uint64_t once = 1;
  (void)!write(state_->wakeup, &once, sizeof once);
}

}  // namespace watchpost::dns
