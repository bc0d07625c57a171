#include "decide/scope.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace watchpost::decide {
namespace {

// Narrowest first.
constexpr std::array kNarrowest{
    Field::credential, Field::campaign,  Field::customer,  Field::from_domain,
    Field::client_ip,  Field::source_ip, Field::recipient, Field::recipient_domain,
    Field::provider,   Field::peer_ip,
};

double rate_of(const Measure& measure) {
  if (measure.per.count() <= 0) return 0;
  return static_cast<double>(measure.allowed) / static_cast<double>(measure.per.count());
}

}  // namespace

bool contains(const Stream& wide, const Stream& narrow) {
  return std::ranges::all_of(wide.parts, [&](const Stream::Part& part) {
    return std::ranges::find(narrow.parts, part) != narrow.parts.end();
  });
}

bool same_scope(const Stream& a, const Stream& b) {
  return a.parts.size() == b.parts.size() && contains(a, b) && contains(b, a);
}

bool at_least_as_strict(const Measure& a, const Measure& b) {
  if (a.kind != b.kind) return a.kind > b.kind;
  return a.kind != MeasureKind::throttle || rate_of(a) <= rate_of(b);
}

Stream subject_of(const Stream& stream) {
  for (const Field dimension : kNarrowest) {
    const auto part = std::ranges::find(stream.parts, dimension, &Stream::Part::dimension);
    if (part == stream.parts.end()) continue;
    Stream subject{{*part}};
    const auto customer = stream[Field::customer];
    if (dimension == Field::campaign && !customer.empty()) {
      subject.parts.insert(subject.parts.begin(), {Field::customer, std::string(customer)});
    }
    return subject;
  }
  return stream;
}

std::string episode_of(const Signal& signal) {
  return fmt::format("{} {} {}", format_time(signal.at), signal.detector, signal.stream.text());
}

}  // namespace watchpost::decide
