#include "investigate/onsets.h"

#include "expr/event_schema.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace watchpost::investigate {
namespace {

constexpr int kSteps = 16;
constexpr size_t kMostMarks = 2'000'000;
constexpr Duration kSweepEvery = std::chrono::minutes(1);

// The longest term that is written at the start of `text`.
const expr::CountTerm* term_at(std::string_view text, std::span<const expr::CountTerm> terms) {
  const expr::CountTerm* longest = nullptr;
  for (const expr::CountTerm& term : terms) {
    if (!text.starts_with(term.text)) continue;
    if (longest == nullptr || term.text.size() > longest->text.size()) longest = &term;
  }
  return longest;
}

bool ends_left_side(std::string_view rest) {
  return std::string_view("/<>=!").contains(rest.front()) || rest.starts_with("exceeds");
}

// What an event of it counts for; nothing of a number that is not counted from events.
std::vector<expr::CountTerm> counted_by(const expr::CountTerm& term) {
  switch (term.kind) {
    case expr::TermKind::climb: return term.bad;
    case expr::TermKind::usual:
    case expr::TermKind::spread: return {};
    case expr::TermKind::count:
    case expr::TermKind::distinct:
    case expr::TermKind::fresh:
    case expr::TermKind::in_order: return {term};
  }
  return {};
}

}  // namespace

std::vector<expr::CountTerm> bad_counts(const expr::CountCondition& condition) {
  const auto terms = condition.terms();
  std::vector<expr::CountTerm> bad;
  std::string_view rest = condition.text();
  while (!rest.empty()) {
    if (const expr::CountTerm* const term = term_at(rest, terms)) {
      std::ranges::move(counted_by(*term), std::back_inserter(bad));
      rest.remove_prefix(term->text.size());
    } else if (ends_left_side(rest)) {
      break;
    } else {
      rest.remove_prefix(1);
    }
  }
  // A number stands on the left: `100 < bounced`.
  if (bad.empty() && !terms.empty()) bad = counted_by(terms.front());
  return bad;
}

Onsets::Onsets(std::span<const detect::Detector> detectors) : is_bad_(detectors.size(), 0) {
  for (size_t i = 0; i < detectors.size(); ++i) add(i, detectors[i]);
}

void Onsets::add(size_t detector, const detect::Detector& rule) {
  windows_.push_back(rule.window);
  for (expr::CountTerm& term : bad_counts(rule.when)) {
    Bad bad{.detector = detector, .direction = rule.direction, .where = std::move(term.where)};
    for (size_t kind = 0; kind < kEventKinds; ++kind) {
      bad.kinds[kind] = term.count == expr::attempted_count()
                            ? MailCount::is_try(static_cast<EventKind>(kind))
                            : term.count == kind;
    }
    bad_.push_back(std::move(bad));
  }
  for (std::vector<Field> dimensions : rule.watch) {
    std::ranges::sort(dimensions);
    auto group = std::ranges::find_if(groups_, [&](const Group& one) {
      return one.direction == rule.direction && one.dimensions == dimensions;
    });
    if (group == groups_.end()) {
      groups_.push_back({.direction = rule.direction, .dimensions = std::move(dimensions)});
      group = std::prev(groups_.end());
    }
    group->detectors.push_back(detector);
  }
}

void Onsets::on(const Event& event) {
  if (event.self_inflicted) return;
  if (marks_ >= kMostMarks) sweep(event.at);
  find_bad(event);
  if (any_bad_) {
    for (Group& group : groups_) {
      if (group.direction == event.direction) begin(group, event);
    }
  }
  if (!MailCount::is_mail(event.kind)) return;
  for (Group& group : groups_) {
    if (group.direction != event.direction) continue;
    Watched* const watched = group.streams.of(group.dimensions, event, false);
    if (watched == nullptr) continue;
    for (Track& track : watched->tracks) {
      if (!track.marks.empty()) track.marks.back().mail.add(event.kind);
    }
  }
}

void Onsets::find_bad(const Event& event) {
  std::ranges::fill(is_bad_, 0);
  any_bad_ = false;
  for (const Bad& bad : bad_) {
    if (bad.direction != event.direction || !bad.kinds[static_cast<size_t>(event.kind)]) continue;
    const expr::EventRow row(event);
    const bool counts = std::ranges::all_of(bad.where, [&](const expr::RowCondition& where) {
      return where.evaluate(row) == expr::Truth::yes;
    });
    if (!counts) continue;
    is_bad_[bad.detector] = 1;
    any_bad_ = true;
  }
}

void Onsets::begin(Group& group, const Event& event) {
  const bool concerns =
      std::ranges::any_of(group.detectors, [&](size_t detector) { return is_bad_[detector] != 0; });
  if (!concerns) return;
  Watched* const watched = group.streams.of(group.dimensions, event, marks_ < kMostMarks);
  if (watched == nullptr) return;
  for (const size_t detector : group.detectors) {
    if (is_bad_[detector] != 0) mark(*watched, detector, event.at);
  }
}

void Onsets::mark(Watched& watched, size_t detector, Time at) {
  auto track = std::ranges::find(watched.tracks, detector, &Track::detector);
  if (track == watched.tracks.end()) {
    watched.tracks.push_back({detector, {}});
    track = std::prev(watched.tracks.end());
  }
  std::vector<Mark>& marks = track->marks;
  const Duration window = windows_[detector];
  const Duration step = window / kSteps;
  if (!marks.empty() && at - marks.back().at < step) return;
  // What is older than the window by a step can be in no window any more.
  const auto old = [&](const Mark& mark) { return mark.at < at - window - step; };
  marks_ -= std::erase_if(marks, old);
  if (marks_ >= kMostMarks) return;
  marks.push_back({at, {}});
  ++marks_;
}

// Forgets what is over when there is no room left.
void Onsets::sweep(Time now) {
  if (now < swept_at_) return;
  swept_at_ = now + kSweepEvery;
  for (Group& group : groups_) {
    group.streams.erase_if([&](Watched& watched) {
      std::erase_if(watched.tracks, [&](Track& track) {
        return track.marks.empty() || track.marks.back().at < now - windows_[track.detector];
      });
      return watched.tracks.empty();
    });
  }
  marks_ = 0;
  for (Group& group : groups_) {
    group.streams.for_each([&](const Watched& watched) {
      for (const Track& track : watched.tracks) marks_ += track.marks.size();
    });
  }
}

std::optional<Onsets::Onset> Onsets::of(size_t detector, const Stream& stream, Time since) {
  std::vector<Field> dimensions;
  for (const Stream::Part& part : stream.parts) dimensions.push_back(part.dimension);
  std::ranges::sort(dimensions);
  const Duration step = windows_[detector] / kSteps;
  for (Group& group : groups_) {
    if (group.dimensions != dimensions ||
        std::ranges::find(group.detectors, detector) == group.detectors.end()) {
      continue;
    }
    const Watched* const watched = group.streams.find(stream);
    if (watched == nullptr) return std::nullopt;
    const auto track = std::ranges::find(watched->tracks, detector, &Track::detector);
    if (track == watched->tracks.end()) return std::nullopt;
    std::optional<Onset> onset;
    MailCount mail;
    for (const Mark& mark : track->marks) {
      if (mark.at < since - step) continue;
      if (!onset) onset = Onset{.first_bad = mark.at};
      mail.add(mark.mail);
    }
    if (onset) onset->messages = mail.messages();
    return onset;
  }
  return std::nullopt;
}

}  // namespace watchpost::investigate
