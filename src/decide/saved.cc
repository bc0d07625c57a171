// save() and restore(): one record a line, words separated by one blank, everything outside
// printable ASCII percent-encoded.
#include "base/text.h"
#include "decide/decider.h"
#include "decide/scope.h"
#include "decide/step.h"

#include <algorithm>
#include <charconv>
#include <span>

#include <fmt/format.h>

namespace watchpost::decide {
namespace {

constexpr std::string_view kFirstLine = "watchpost decider 1";
constexpr size_t kLongestSaved = 16 * 1024 * 1024;
constexpr int64_t kLatest = 253'402'300'799'000'000;  // end of the year 9999, in microseconds

std::string encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c > ' ' && c < 0x7F && c != '%') {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out.empty() ? "%" : out;  // a word is never empty
}

std::optional<std::string> decoded(std::string_view word) {
  if (word == "%") return std::string();
  std::string out;
  for (size_t at = 0; at < word.size(); ++at) {
    if (word[at] != '%') {
      out += word[at];
      continue;
    }
    unsigned value = 0;
    const char* const first = word.data() + at + 1;
    if (word.size() - at < 3) return std::nullopt;
    const auto read = std::from_chars(first, first + 2, value, 16);
    if (read.ec != std::errc{} || read.ptr != first + 2) return std::nullopt;
    out += static_cast<char>(value);
    at += 2;
  }
  return out;
}

std::optional<uint64_t> number_in(std::string_view word) {
  uint64_t number = 0;
  const auto read = std::from_chars(word.data(), word.data() + word.size(), number);
  if (read.ec != std::errc{} || read.ptr != word.data() + word.size()) return std::nullopt;
  return number;
}

std::optional<Time> time_in(std::string_view word) {
  int64_t micros = 0;
  const auto read = std::from_chars(word.data(), word.data() + word.size(), micros);
  if (read.ec != std::errc{} || read.ptr != word.data() + word.size()) return std::nullopt;
  if (micros < 0 || micros > kLatest) return std::nullopt;
  return Time(Duration(micros));
}

int64_t micros_of(Time at) {
  return std::clamp<int64_t>(at.time_since_epoch().count(), 0, kLatest);
}

// "customer=acme campaign=summer" as words.
std::optional<Stream> stream_in(std::span<const std::string_view> record) {
  Stream stream;
  for (const std::string_view word : record) {
    const size_t equals = word.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const auto dimension = field_from(word.substr(0, equals));
    auto value = decoded(word.substr(equals + 1));
    if (!dimension || !value || value->empty()) return std::nullopt;
    if (!stream[*dimension].empty()) return std::nullopt;
    stream.parts.push_back({*dimension, std::move(*value)});
  }
  return stream.empty() ? std::nullopt : std::optional(std::move(stream));
}

std::string words_of(const Stream& stream) {
  std::string text;
  for (const Stream::Part& part : stream.parts) {
    text += fmt::format(" {}={}", name_of(part.dimension), encoded(part.value));
  }
  return text;
}

}  // namespace

// The saved records as values.
struct Decider::Saved {
  bool automation = true;
  uint64_t incident = 0;
  uint64_t decision = 0;
  uint64_t notice = 0;
  std::deque<Time> recent;
  std::optional<Time> alarmed_at;
  std::vector<Grace> graces;
  std::vector<std::string> episodes;

  static std::optional<Saved> read(std::string_view text);
  bool take(std::span<const std::string_view> record);
  bool take_one_word(std::string_view name, std::string_view word);
  // grace UNTIL STREAM, and behind it: signalled DETECTOR STREAM
  bool take_grace(std::span<const std::string_view> record);
  bool take_signalled(std::span<const std::string_view> record);
};

std::optional<Decider::Saved> Decider::Saved::read(std::string_view text) {
  if (text.size() > kLongestSaved || !text.ends_with('\n')) return std::nullopt;
  text.remove_suffix(1);
  const auto lines = split(text, '\n');
  if (lines[0] != kFirstLine) return std::nullopt;
  Saved saved;
  for (const std::string_view line : std::span(lines).subspan(1)) {
    if (!saved.take(split(line, ' '))) return std::nullopt;
  }
  return saved;
}

bool Decider::Saved::take(std::span<const std::string_view> record) {
  if (record[0] == "grace") return take_grace(record);
  if (record[0] == "signalled") return take_signalled(record);
  if (record[0] != "last") return record.size() == 2 && take_one_word(record[0], record[1]);
  if (record.size() != 4) return false;
  const auto i = number_in(record[1]);
  const auto d = number_in(record[2]);
  const auto n = number_in(record[3]);
  if (!i || !d || !n) return false;
  incident = *i;
  decision = *d;
  notice = *n;
  return true;
}

bool Decider::Saved::take_one_word(std::string_view name, std::string_view word) {
  if (name == "automation") {
    automation = word == "on";
    return automation || word == "off";
  }
  if (name == "episode") {
    auto episode = decoded(word);
    if (!episode || episodes.size() >= RecentEpisodes::kMostSaved) return false;
    episodes.push_back(std::move(*episode));
    return true;
  }
  const auto at = time_in(word);
  if (!at) return false;
  if (name == "alarm") {
    alarmed_at = *at;
    return true;
  }
  recent.push_back(*at);
  return name == "measure";
}

bool Decider::Saved::take_grace(std::span<const std::string_view> record) {
  if (record.size() < 3) return false;
  const auto until = time_in(record[1]);
  auto stream = stream_in(record.subspan(2));
  if (!until || !stream) return false;
  graces.push_back({std::move(*stream), *until, {}});
  return true;
}

bool Decider::Saved::take_signalled(std::span<const std::string_view> record) {
  if (record.size() < 3 || graces.empty()) return false;
  auto detector = decoded(record[1]);
  auto stream = stream_in(record.subspan(2));
  if (!detector || !stream || graces.back().rearm.size() >= kMostRearmed) return false;
  graces.back().rearm.push_back({std::move(*detector), std::move(*stream)});
  return true;
}

std::string Decider::save() const {
  std::string text =
      fmt::format("{}\nautomation {}\nlast {} {} {}\n", kFirstLine, automation_ ? "on" : "off",
                  last_incident_, last_decision_, last_notice_);
  if (alarmed_at_) text += fmt::format("alarm {}\n", micros_of(*alarmed_at_));
  for (const Time at : recent_) text += fmt::format("measure {}\n", micros_of(at));
  for (const Grace& grace : graces_) {
    text += fmt::format("grace {}{}\n", micros_of(grace.until), words_of(grace.stream));
    for (const Rearm& rearm : grace.rearm) {
      text += fmt::format("signalled {}{}\n", encoded(rearm.detector), words_of(rearm.stream));
    }
  }
  for (const std::string& episode : episodes_.newest()) {
    text += fmt::format("episode {}\n", encoded(episode));
  }
  return text;
}

Result<Done> Decider::restore(std::vector<Incident> incidents, std::vector<Decision> decisions,
                              uint64_t last_notice, std::string_view saved_text) {
  std::optional<Saved> saved = saved_text.empty() ? Saved() : Saved::read(saved_text);
  if (!saved) return fail(Code::corrupt, "the saved state of decisions cannot be read");
  Decider next(settings_);
  next.automation_ = saved->automation;
  next.recent_ = std::move(saved->recent);
  next.alarmed_at_ = saved->alarmed_at;
  next.graces_ = std::move(saved->graces);
  next.last_incident_ = saved->incident;
  next.last_decision_ = saved->decision;
  next.last_notice_ = std::max(saved->notice, last_notice);
  next.restore_past(incidents, decisions);
  // Oldest first, so that it is the oldest episodes which are forgotten where there are too many.
  std::ranges::sort(incidents, {}, &Incident::id);
  std::ranges::sort(decisions, {}, &Decision::id);
  for (Decision& decision : decisions) {
    next.last_decision_ = std::max(next.last_decision_, decision.id.number);
    if (!decision.episode.empty() && decision.pace == 0) next.episodes_.add(decision.episode);
    if (decision.ended_at || decision.state == DecisionState::expired ||
        decision.state == DecisionState::revoked) {
      continue;
    }
    if (!decision.id || decision.scope.empty()) {
      return fail(Code::corrupt, "a stored decision has no number or no scope",
                  text_of(decision.id));
    }
    if (!next.decisions_.emplace(decision.id, decision).second) {
      return fail(Code::corrupt, "two stored decisions have one number", text_of(decision.id));
    }
  }
  for (const auto& [id, decision] : next.decisions_) next.index(decision);
  for (Incident& incident : incidents) {
    next.last_incident_ = std::max(next.last_incident_, incident.id.number);
    for (const Evidence& evidence : incident.evidence)
      next.episodes_.add(episode_of(evidence.signal));
    const IncidentId id = incident.id;
    if (!id || !next.incidents_.emplace(id, std::move(incident)).second) {
      return fail(Code::corrupt, "a stored incident has no number of its own", text_of(id));
    }
    const Incident& kept = next.incidents_.at(id);
    next.index(kept);
    if (kept.state != IncidentState::open) continue;
    for (const Evidence& evidence : kept.evidence) next.note_failing(kept, evidence.signal);
  }
  next.drop_closed_beyond(kMostOpenIncidents);
  for (const std::string& episode : saved->episodes) next.episodes_.add_saved(episode);
  *this = std::move(next);
  return Done{};
}

}  // namespace watchpost::decide
