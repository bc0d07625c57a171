#include "simulate/order.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include <fmt/format.h>

namespace watchpost::simulate {
namespace {

constexpr std::array kKinds{
    IncidentInfo{IncidentKind::stolen_login, "stolen_login", true, Verdict::compromised,
                 Verdict::none, "a login is used from many networks, fast"},
    IncidentInfo{IncidentKind::trickle, "trickle", true, Verdict::compromised, Verdict::none,
                 "a login is used from one foreign network, slowly, to invented recipients"},
    IncidentInfo{IncidentKind::bad_list, "bad_list", true, Verdict::bad_list,
                 Verdict::abusive_customer, "the right login sends to a bought list"},
    IncidentInfo{IncidentKind::receiver_outage, "receiver_outage", false, Verdict::receiver_fault,
                 Verdict::none, "a receiver defers everything, or calls everybody unknown"},
    IncidentInfo{IncidentKind::ip_block, "ip_block", false, Verdict::receiver_fault, Verdict::none,
                 "a receiver blocks one of our addresses"},
    IncidentInfo{IncidentKind::complaint_burst, "complaint_burst", true, Verdict::abusive_customer,
                 Verdict::content, "a mailing that many complain about"},
    IncidentInfo{IncidentKind::content_block, "content_block", true, Verdict::content,
                 Verdict::abusive_customer, "a mailing that receivers take for spam"},
    IncidentInfo{IncidentKind::list_bombing, "list_bombing", true, Verdict::none, Verdict::none,
                 "strangers put victims' addresses into a form, which welcomes them"},
    IncidentInfo{IncidentKind::launch, "launch", false, Verdict::none, Verdict::none,
                 "ten times the usual mail to a good list"},
    IncidentInfo{IncidentKind::greylisting_everywhere, "greylisting_everywhere", false,
                 Verdict::none, Verdict::none, "a receiver begins to put off each first try"},
    IncidentInfo{IncidentKind::new_customer_first_blast, "new_customer_first_blast", false,
                 Verdict::none, Verdict::none, "a new customer's first mailing, to a good list"},
};

std::unexpected<Error> wrong(std::string_view part, std::string_view what) {
  return fail(Code::bad_input, fmt::format("`{}` {}", escaped(part, 60), what), "incident");
}

std::optional<double> number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (!(value >= 0 && value <= 1e9)) return std::nullopt;
  return value;
}

// "60/s", "20/h", "5/m".
std::optional<double> rate(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto value = number(text.substr(0, slash));
  const std::string_view per = text.substr(slash + 1);
  const double seconds = per == "s"   ? 1
                         : per == "m" ? 60
                         : per == "h" ? 3600
                         : per == "d" ? 86400
                                      : 0;
  if (!value || *value <= 0 || *value > 10'000 || seconds == 0) return std::nullopt;
  return *value / seconds;
}

std::optional<double> share(std::string_view text) {
  const bool percent = text.ends_with('%');
  if (percent) text.remove_suffix(1);
  auto value = number(text);
  if (value && percent) *value /= 100;
  return value && *value <= 1 ? value : std::nullopt;
}

std::optional<uint32_t> count(std::string_view text) {
  const auto value = number(text);
  if (!value || *value < 1 || *value > 10'000'000) return std::nullopt;
  return static_cast<uint32_t>(*value);
}

// "10:00", "10:00:30", "2d10:00".
std::optional<Duration> clock_time(std::string_view text) {
  Duration at{0};
  if (const size_t days = text.find('d'); days != std::string_view::npos) {
    const auto whole = number(text.substr(0, days));
    if (!whole || *whole > 3650) return std::nullopt;
    at += std::chrono::days(static_cast<int>(*whole));
    text.remove_prefix(days + 1);
  }
  const std::vector<std::string_view> parts = split(text, ':');
  if (parts.size() < 2 || parts.size() > 3) return std::nullopt;
  constexpr std::array<double, 3> kMost{23, 59, 59};
  constexpr std::array<int, 3> kSeconds{3600, 60, 1};
  for (size_t i = 0; i < parts.size(); ++i) {
    const auto value = number(parts[i]);
    if (!value || *value > kMost[i]) return std::nullopt;
    at += std::chrono::seconds(static_cast<int>(*value) * kSeconds[i]);
  }
  return at;
}

// False where the value does not fit its key.
template <class T>
bool put(std::optional<T>& into, std::optional<T> value) {
  into = value;
  return value.has_value();
}

constexpr std::array<std::string_view, 10> kKeys{"customer", "provider",   "as",       "rate",
                                                 "unknown",  "complaints", "networks", "recipients",
                                                 "for",      "sorted"};

bool set(Order& order, std::string_view key, std::string_view value) {
  if (value.empty()) return false;
  if (key == "customer") order.customer = value;
  if (key == "provider") order.provider = value;
  if (key == "as") {
    order.as = value;
    return value == "deferred" || value == "unknown";
  }
  if (key == "rate") return put(order.per_second, rate(value));
  if (key == "unknown") return put(order.unknown, share(value));
  if (key == "complaints") return put(order.complaints, share(value));
  if (key == "networks") return put(order.networks, count(value));
  if (key == "recipients") return put(order.recipients, count(value));
  if (key == "for") {
    const auto span = parse_duration(value);
    if (span) order.lasts = *span;
    return span.has_value();
  }
  if (key == "sorted") {
    order.sorted = value == "yes";
    return value == "yes" || value == "no";
  }
  return true;
}

}  // namespace

std::span<const IncidentInfo> incident_kinds() { return kKinds; }
const IncidentInfo& info_of(IncidentKind kind) { return kKinds[static_cast<size_t>(kind)]; }

Result<Order> parse_order(std::string_view text) {
  Order order;
  const std::vector<std::string_view> parts = split(text, ',');
  const std::string_view head = parts.empty() ? std::string_view() : parts.front();
  const size_t mark = std::min(head.find('@'), head.size());
  const std::string_view name = head.substr(0, mark);
  const auto found = std::ranges::find(kKinds, name, &IncidentInfo::name);
  if (found == kKinds.end()) {
    std::vector<std::string_view> names;
    for (const IncidentInfo& one : kKinds) names.push_back(one.name);
    return wrong(name, fmt::format("is not an incident{}; there are {}", suggestion(name, names),
                                   fmt::join(names, ", ")));
  }
  order.kind = found->kind;
  if (mark == head.size()) return wrong(head, "needs a time, for example `@10:00`");
  const auto at = clock_time(head.substr(mark + 1));
  if (!at) return wrong(head, "needs a time like `@10:00`, or `@2d10:00` of the third day");
  order.at = *at;
  for (size_t i = 1; i < parts.size(); ++i) {
    const size_t equals = std::min(parts[i].find('='), parts[i].size());
    const std::string_view key = parts[i].substr(0, equals);
    if (std::ranges::find(kKeys, key) == kKeys.end()) {
      return wrong(key, fmt::format("is not a setting of an incident{}", suggestion(key, kKeys)));
    }
    if (equals == parts[i].size() || !set(order, key, parts[i].substr(equals + 1))) {
      return wrong(parts[i], "has no value that fits");
    }
  }
  return order;
}

}  // namespace watchpost::simulate
