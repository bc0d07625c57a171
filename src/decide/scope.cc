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

constexpr std::array kOurs{Field::credential, Field::campaign, Field::customer};
constexpr std::array kOfAllSenders{Field::provider, Field::recipient_domain, Field::peer_ip,
                                   Field::source_ip};

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

std::string canonical(const Stream& scope) {
  Stream sorted = scope;
  std::ranges::sort(sorted.parts);
  return sorted.text();
}

bool at_least_as_strict(const Measure& a, const Measure& b) {
  if (a.kind != b.kind) return a.kind > b.kind;
  if (a.kind != MeasureKind::throttle) return true;
  if ((a.share > 0) != (b.share > 0)) return false;
  return a.share > 0 ? a.share <= b.share : rate_of(a) <= rate_of(b);
}

bool stricter(const Measure& a, const Measure& b) {
  if (a.kind != b.kind) return a.kind > b.kind;
  if (a.kind != MeasureKind::throttle) return false;
  if ((a.share > 0) != (b.share > 0)) return a.share > 0;
  return a.share > 0 ? a.share < b.share : rate_of(a) < rate_of(b);
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

Stream subject_of(const Signal& signal) {
  const auto provider = signal.stream[Field::provider];
  if (signal.suggests == Verdict::receiver_fault && !provider.empty()) {
    return {{{Field::provider, std::string(provider)}}};
  }
  return subject_of(signal.stream);
}

bool names_one_of_ours(const Stream& stream) {
  return std::ranges::any_of(stream.parts, [](const Stream::Part& part) {
    return std::ranges::find(kOurs, part.dimension) != kOurs.end();
  });
}

bool names_no_sender(const Stream& stream) {
  return std::ranges::all_of(stream.parts, [](const Stream::Part& part) {
    return std::ranges::find(kOfAllSenders, part.dimension) != kOfAllSenders.end();
  });
}

std::string episode_of(const Signal& signal) {
  return fmt::format("{} {} {}", format_time(signal.at), signal.detector, signal.stream.text());
}

}  // namespace watchpost::decide
