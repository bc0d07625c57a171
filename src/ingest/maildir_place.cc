#include "ingest/maildir_place.h"

#include "base/text.h"

#include <algorithm>
#include <charconv>
#include <iterator>

#include <fmt/format.h>

namespace watchpost::ingest {
namespace {

// Mails are put there a little out of the order of their times.
constexpr int64_t kOverlap = 10'000'000'000;  // ns
constexpr size_t kMostNames = 4'000;          // in a text
constexpr size_t kMostSpans = 500;            // the same
constexpr int64_t kHour = 3'600'000'000'000;  // ns
constexpr std::string_view kMark = "maildir2";
constexpr std::string_view kEarlierMark = "maildir1";

int64_t hour_of(const PutMail& mail) { return mail.put_ns / kHour; }

template <class Number>
bool read_number(std::string_view word, Number& into, int base = 10) {
  const auto [rest, fault] = std::from_chars(word.data(), word.data() + word.size(), into, base);
  return fault == std::errc() && rest == word.data() + word.size();
}

// "A:B" -> both.
template <class First, class Second>
bool read_pair(std::string_view word, char between, First& first, Second& second, int base = 16) {
  const size_t at = word.find(between);
  return at != word.npos && read_number(word.substr(0, at), first) &&
         read_number(word.substr(at + 1), second, base);
}

}  // namespace

bool MaildirPlace::seen(uint64_t name, uint32_t entry) {
  const auto found = known_.find(name);
  if (found == known_.end()) return false;
  Known& known = found->second;
  // A second file of that name in the same round is the same mail.
  if (known.round != round_ && known.entry != entry) return false;
  seen_ += known.round == round_ ? 0 : 1;
  known.round = round_;
  return true;
}

bool MaildirPlace::is_read(const PutMail& mail, uint32_t entry) {
  const auto found = known_.find(mail.name);
  if (found == known_.end()) {
    return crowded() && (mail <= settled_to_ || recent_.contains(mail));
  }
  // It has other flags, or has gone from `new` to `cur`: that is a change of its inode.
  forget({found->second.put_ns, mail.name});
  note(mail);
  found->second = {mail.put_ns, entry, round_};
  ++seen_;
  return true;
}

void MaildirPlace::add(const PutMail& mail, uint32_t entry) {
  if (!crowded()) known_.try_emplace(mail.name, Known{mail.put_ns, entry, round_});
  note(mail);
}

void MaildirPlace::begin_round() {
  ++round_;
  seen_ = 0;
}

void MaildirPlace::end_round() {
  if (seen_ == known_.size()) return;
  // One that is renamed while the folder is listed may not be met under either name.
  std::erase_if(known_, [&](const auto& one) {
    const bool gone = round_ - one.second.round >= 2;
    if (gone) forget({one.second.put_ns, one.first});
    return gone;
  });
}

void MaildirPlace::note(const PutMail& mail) {
  changed_ = true;
  if (mail <= settled_to_) return settle(mail);
  recent_.insert(mail);
  while (recent_.size() > 1 && (recent_.begin()->put_ns < recent_.rbegin()->put_ns - kOverlap ||
                                recent_.size() > kMostNames)) {
    settle(*recent_.begin());
    recent_.erase(recent_.begin());
  }
}

void MaildirPlace::settle(const PutMail& mail) {
  settled_to_ = std::max(settled_to_, mail);
  MailSum& sum = hours_[hour_of(mail)];
  ++sum.count;
  sum.names += mail.name;
}

void MaildirPlace::forget(const PutMail& mail) {
  changed_ = true;
  if (recent_.erase(mail) > 0) return;
  const auto hour = hours_.find(hour_of(mail));
  if (hour == hours_.end()) return;
  hour->second.names -= mail.name;
  if (--hour->second.count == 0) hours_.erase(hour);
}

// "maildir2 SETTLED_TO:NAME NEWEST FIRST-LAST=COUNT:NAMES ... AGE:NAME ...": times in ns, first and
// last hours of a span, and of the newest mails how much older each is than the newest of all.
std::string MaildirPlace::text() const {
  const int64_t newest = recent_.empty() ? settled_to_.put_ns : recent_.rbegin()->put_ns;
  std::string made =
      fmt::format("{} {}:{:x} {}", kMark, settled_to_.put_ns, settled_to_.name, newest);
  const size_t hours = hours_.size() / kMostSpans + 1;  // of a span
  for (auto hour = hours_.begin(); hour != hours_.end();) {
    const int64_t first = hour->first;
    int64_t last = first;
    MailSum sum;
    for (size_t i = 0; i < hours && hour != hours_.end(); ++i, ++hour) {
      last = hour->first;
      sum.count += hour->second.count;
      sum.names += hour->second.names;
    }
    made += fmt::format(" {}-{}={}:{:x}", first, last, sum.count, sum.names);
  }
  for (const PutMail& mail : recent_)
    made += fmt::format(" {}:{:x}", newest - mail.put_ns, mail.name);
  return made;
}

bool MaildirPast::parse_first(std::span<const std::string_view> words) {
  if (words.size() >= 2 && words[0] == kEarlierMark) {
    unchecked_ = true;
    int64_t newest = 0;
    if (!read_number(words[1], newest) || newest < 0) return false;
    settled_to_.put_ns = newest - kOverlap - 1;
    return true;
  }
  int64_t newest = 0;
  return words.size() >= 3 && words[0] == kMark &&
         read_pair(words[1], ':', settled_to_.put_ns, settled_to_.name) &&
         read_number(words[2], newest);
}

bool MaildirPast::parse_span(std::string_view word) {
  const size_t equals = word.find('=');
  Span span;
  if (!read_pair(word.substr(0, equals), '-', span.first, span.last, 10) ||
      !read_pair(word.substr(equals + 1), ':', span.sum.count, span.sum.names) ||
      span.last < span.first || (!spans_.empty() && span.first <= spans_.back().last)) {
    return false;
  }
  spans_.push_back(span);
  return true;
}

std::optional<MaildirPast> MaildirPast::parse(std::string_view text) {
  const auto parts = words(text);
  if (parts.size() > kMostNames + kMostSpans + 3) return std::nullopt;
  MaildirPast past;
  if (!past.parse_first(parts)) return std::nullopt;
  for (size_t i = past.unchecked_ ? 2 : 3; i < parts.size(); ++i) {
    if (!past.unchecked_ && parts[i].contains('=')) {
      if (!past.parse_span(parts[i])) return std::nullopt;
      continue;
    }
    int64_t age = 0;
    uint64_t name = 0;
    if (!read_pair(parts[i], ':', age, name) || age < 0 || age > kOverlap) return std::nullopt;
    past.recent_.insert(name);
  }
  return past;
}

const MaildirPast::Span* MaildirPast::span_of(const PutMail& mail) const {
  const auto found = std::ranges::lower_bound(spans_, hour_of(mail), {}, &Span::last);
  return found != spans_.end() && hour_of(mail) >= found->first ? &*found : nullptr;
}

std::vector<bool> MaildirPast::read_among(std::span<const PutMail> there) const {
  std::vector<bool> read(there.size());
  std::vector<MailSum> sums(spans_.size());
  std::vector<const Span*> spans(there.size());
  for (size_t i = 0; i < there.size(); ++i) {
    read[i] = recent_.contains(there[i].name) || (unchecked_ && is_before(there[i]));
    if (read[i] || !is_before(there[i])) continue;
    spans[i] = span_of(there[i]);
    if (spans[i] == nullptr) continue;
    MailSum& sum = sums[static_cast<size_t>(spans[i] - spans_.data())];
    ++sum.count;
    sum.names += there[i].name;
  }
  for (size_t i = 0; i < there.size(); ++i) {
    if (spans[i] == nullptr) continue;
    read[i] = sums[static_cast<size_t>(spans[i] - spans_.data())] == spans[i]->sum;
  }
  return read;
}

}  // namespace watchpost::ingest
