#include "decide/fault.h"

#include "base/text.h"
#include "decide/narrow.h"
#include "decide/scope.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace watchpost::decide {
namespace {

constexpr double kMost = 0.8;       // at one provider: no longer spread
constexpr size_t kNotTheFirst = 2;  // so many incidents before: the customer is known for it
constexpr size_t kMostLines = 16;
constexpr size_t kLongestName = 80;

double part_of(const Share& share) {
  return share.of == 0 ? 0 : static_cast<double>(share.count) / static_cast<double>(share.of);
}

// What the evidence holds, by cause.
class Signs {
 public:
  explicit Signs(const Incident& incident) : incident_(incident) {
    for (const Evidence& evidence : incident.evidence) {
      const Signal& signal = evidence.signal;
      const bool known = std::ranges::any_of(signals_, [&](const Signal* other) {
        return other->detector == signal.detector && other->stream == signal.stream;
      });
      // The newest of each detector and stream: its shares are those of now.
      if (known)
        std::erase_if(signals_, [&](const Signal* other) {
          return other->detector == signal.detector && other->stream == signal.stream;
        });
      signals_.push_back(&signal);
    }
  }

  std::vector<const Signal*> of(Verdict cause) const {
    std::vector<const Signal*> out;
    for (const Signal* signal : signals_) {
      if (signal->suggests == cause) out.push_back(signal);
    }
    return out;
  }
  bool any(Verdict cause) const {
    return std::ranges::any_of(signals_, [&](auto* signal) { return signal->suggests == cause; });
  }
  // Signals other than `sign` about the same login.
  std::vector<const Signal*> beside(const Signal& sign) const {
    std::vector<const Signal*> out;
    for (const Signal* signal : signals_) {
      if (signal->detector != sign.detector && same_login(sign, *signal)) out.push_back(signal);
    }
    return out;
  }
  const std::vector<const Signal*>& all() const { return signals_; }

 private:
  bool same_login(const Signal& a, const Signal& b) const {
    if (!incident_.subject[Field::credential].empty()) return true;
    const auto login = a.stream[Field::credential];
    return !login.empty() && login == b.stream[Field::credential];
  }

  const Incident& incident_;
  std::vector<const Signal*> signals_;
};

// Lines for and against, at most so many; what is said of the cause that is found comes first.
class Lines {
 public:
  void add(Verdict cause, std::string_view word, std::string what) {
    lines_.push_back({cause, fmt::format("{} {}: {}", word, name_of(cause), what)});
  }
  void pro(Verdict cause, std::string what) { add(cause, "for", std::move(what)); }
  void con(Verdict cause, std::string what) { add(cause, "against", std::move(what)); }
  std::string text(Verdict found) {
    std::ranges::stable_partition(lines_, [&](const Line& line) { return line.cause == found; });
    if (lines_.size() > kMostLines) lines_.resize(kMostLines);
    std::string out;
    for (const Line& line : lines_) out += fmt::format("{}{}", out.empty() ? "" : "\n", line.text);
    return out;
  }

 private:
  struct Line {
    Verdict cause;
    std::string text;
  };
  std::vector<Line> lines_;
};

std::string signal_text(const Signal& signal) {
  return fmt::format("signal `{}`", escaped(signal.detector, kLongestName));
}

// Of several signals: their failures are not mostly at one provider. Unknown where no share is.
enum class Spread : uint8_t { unknown, spread, at_one };
Spread spread_of(const std::vector<const Signal*>& signals, const Share*& largest) {
  Spread spread = Spread::unknown;
  for (const Signal* signal : signals) {
    const Share* const share = share_of(*signal, Field::provider);
    const bool own = !signal->stream[Field::provider].empty();
    if (share == nullptr || own) continue;
    const Spread here = part_of(*share) < kMost ? Spread::spread : Spread::at_one;
    if (spread != Spread::spread) {
      spread = here;
      largest = share;
    }
  }
  // Signals about one provider each: several of them are spread.
  std::vector<std::string_view> providers;
  for (const Signal* signal : signals) {
    const auto provider = signal->stream[Field::provider];
    if (!provider.empty() && std::ranges::find(providers, provider) == providers.end()) {
      providers.push_back(provider);
    }
  }
  if (providers.size() > 1) return Spread::spread;
  if (providers.size() == 1 && spread == Spread::unknown) return Spread::at_one;
  return spread;
}

std::string spread_text(Spread spread, const Share* largest) {
  if (largest != nullptr) {
    return fmt::format("{}: {}",
                       spread == Spread::spread ? "spread over providers" : "at one provider",
                       text_of(*largest));
  }
  return spread == Spread::spread ? "at several providers" : "at one provider";
}

bool looks_compromised(const Signs& signs, Lines& lines) {
  bool found = false;
  for (const Signal* sign : signs.of(Verdict::compromised)) {
    lines.pro(Verdict::compromised, signal_text(*sign));
    const auto others = signs.beside(*sign);
    found = found || !others.empty();
    for (const Signal* other : others) {
      if (other->suggests == Verdict::compromised) continue;  // has a line of its own
      lines.pro(Verdict::compromised, fmt::format("{} on the same login", signal_text(*other)));
    }
  }
  return found;
}

bool looks_like_receiver(const Signs& signs, const FaultContext& context, Lines& lines) {
  bool found = false;
  for (const Signal* sign : signs.of(Verdict::receiver_fault)) {
    lines.pro(Verdict::receiver_fault, signal_text(*sign));
    found = true;
  }
  for (const Signal* signal : signs.all()) {
    if (failing_provider(*signal).empty() || signal->suggests == Verdict::compromised) continue;
    // Complaints are about the mail; and of what is everybody's there are no others.
    if (signal->suggests == Verdict::abusive_customer || names_no_sender(signal->stream)) continue;
    const Share* const share = share_of(*signal, Field::provider);
    const std::string where = share != nullptr ? text_of(*share) : std::string("at one provider");
    if (context.others_fail_there) {
      lines.pro(Verdict::receiver_fault, where + ", and other customers fail there too");
      found = true;
    } else {
      lines.con(Verdict::receiver_fault, where + ", but nobody else fails there");
    }
    break;
  }
  return found;
}

bool looks_like_list(const Signs& signs, Lines& lines) {
  const auto list = signs.of(Verdict::bad_list);
  if (list.empty()) return false;
  for (const Signal* sign : list) lines.pro(Verdict::bad_list, signal_text(*sign));
  const Share* largest = nullptr;
  const Spread spread = spread_of(list, largest);
  if (spread == Spread::spread) lines.pro(Verdict::bad_list, spread_text(spread, largest));
  if (spread == Spread::at_one) lines.con(Verdict::bad_list, spread_text(spread, largest));
  if (signs.any(Verdict::compromised)) {
    lines.con(Verdict::bad_list, "there is a sign of a stolen login");
    return false;
  }
  return spread == Spread::spread;
}

bool looks_like_content(const Signs& signs, Lines& lines) {
  const auto blocks = signs.of(Verdict::content);
  if (blocks.empty()) return false;
  for (const Signal* sign : blocks) lines.pro(Verdict::content, signal_text(*sign));
  const Share* largest = nullptr;
  const Spread spread = spread_of(blocks, largest);
  if (spread == Spread::spread) lines.pro(Verdict::content, spread_text(spread, largest));
  if (spread == Spread::at_one) lines.con(Verdict::content, spread_text(spread, largest));
  return spread == Spread::spread;
}

bool looks_abusive(const Signs& signs, const FaultContext& context, Lines& lines) {
  const auto complaints = signs.of(Verdict::abusive_customer);
  const bool list = signs.any(Verdict::bad_list);
  for (const Signal* sign : complaints) lines.pro(Verdict::abusive_customer, signal_text(*sign));
  if (!complaints.empty() && !list) {
    lines.pro(Verdict::abusive_customer, "no sign of unknown users");
  }
  if (!complaints.empty() && list) {
    lines.con(Verdict::abusive_customer, "there are signs of a bad list");
  }
  const bool again = context.earlier_incidents >= kNotTheFirst && !signs.any(Verdict::compromised);
  if (again) {
    lines.pro(Verdict::abusive_customer,
              fmt::format("{} earlier incidents with measures", context.earlier_incidents));
  }
  return (!complaints.empty() && !list) || again;
}

// What all signs say, where they say one thing.
Verdict unanimous(const Signs& signs) {
  Verdict all = Verdict::none;
  for (const Signal* signal : signs.all()) {
    if (signal->suggests == Verdict::none) continue;
    if (all != Verdict::none && all != signal->suggests) return Verdict::none;
    all = signal->suggests;
  }
  return all;
}

}  // namespace

std::string_view main_provider(const Signal& signal) {
  const auto own = signal.stream[Field::provider];
  if (!own.empty()) return own;
  const Share* const share = share_of(signal, Field::provider);
  return share == nullptr ? std::string_view() : std::string_view(share->value);
}

std::string_view failing_provider(const Signal& signal) {
  const Share* const share = share_of(signal, Field::provider);
  if (share == nullptr || share->value.empty() || !is_nearly_all(*share)) return {};
  return share->value;
}

bool is_explained_by_outage(const Signal& signal, std::string_view provider) {
  // Complaints and refused content are about the mail, whatever else is wrong there.
  constexpr std::array kNeverExplained{Verdict::compromised, Verdict::abusive_customer,
                                       Verdict::content};
  if (std::ranges::find(kNeverExplained, signal.suggests) != kNeverExplained.end()) return false;
  if (!names_one_of_ours(signal.stream)) return false;
  const auto own = signal.stream[Field::provider];
  if (!own.empty()) return own == provider;
  const Share* const share = share_of(signal, Field::provider);
  return share != nullptr && share->value == provider && part_of(*share) >= kMost;
}

Fault suggested_fault(const Incident& incident, const FaultContext& context) {
  const Signs signs(incident);
  Lines lines;
  // All of them, since each says what speaks for and against it.
  const std::array found{
      std::pair(Verdict::compromised, looks_compromised(signs, lines)),
      std::pair(Verdict::receiver_fault, looks_like_receiver(signs, context, lines)),
      std::pair(Verdict::bad_list, looks_like_list(signs, lines)),
      std::pair(Verdict::content, looks_like_content(signs, lines)),
      std::pair(Verdict::abusive_customer, looks_abusive(signs, context, lines)),
  };
  const auto first = std::ranges::find(found, true, &std::pair<Verdict, bool>::second);
  const Verdict cause = first != found.end() ? first->first : unanimous(signs);
  return {cause, lines.text(cause)};
}

}  // namespace watchpost::decide
