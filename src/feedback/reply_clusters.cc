#include "feedback/reply_clusters.h"

#include "base/ascii.h"
#include "base/text.h"
#include "feedback/reply_words.h"
#include "mime/charset.h"
#include "mime/utf8.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/format.h>

namespace watchpost::feedback {
namespace {

constexpr std::string_view kId = "<id>";
constexpr std::string_view kHost = "<host>";
constexpr std::string_view kUrl = "<url>";
constexpr std::string_view kWord = "<word>";
// Two wordings of as many words are one where at least so many of ten are the same.
constexpr size_t kSameOfTen = 7;
constexpr size_t kFewestWords = 4;     // fewer have to be the same altogether
constexpr size_t kMostCompared = 256;  // of as many words
constexpr size_t kShortestPiece = 8;   // of a rule, in bytes
constexpr size_t kLongestPiece = 160;
constexpr size_t kLongestPlainWord = 24;  // longer ones without a dot are ids

bool is_letter(char c) { return c >= 'a' && c <= 'z'; }
bool is_punctuation(char c) {
  return std::string_view("()[]{}<>\"'`,;:.!?=|*").find(c) != std::string_view::npos;
}

std::string utf8(std::string_view text, size_t most) {
  return mime::to_utf8(text, "utf-8", most).text;
}

bool is_url(std::string_view word) {
  return word.find("://") != std::string_view::npos || word.starts_with("www.");
}

// "mx1.example.net", but not "rejected.please": what stands before its last dot or behind has no
// place in a rule either way, so that this errs to the side of a host.
bool is_host(std::string_view word) {
  const size_t dot = word.rfind('.');
  if (dot == std::string_view::npos || dot == 0 || word.size() - dot < 3) return false;
  return std::ranges::all_of(
      word, [](char c) { return is_letter(c) || is_digit(c) || c == '.' || c == '-' || c == '_'; });
}

bool is_id(std::string_view word) {
  const bool plain =
      std::ranges::all_of(word, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  return std::ranges::any_of(word, is_digit) || (plain && word.size() > kLongestPlainWord);
}

std::string_view mark_of(std::string_view core) {
  if (core == "@") return {};
  if (is_url(core)) return kUrl;
  if (is_host(core)) return kHost;
  if (is_id(core)) return kId;
  return {};
}

void append_word(std::string& wording, std::string_view word) {
  // A URL keeps its punctuation to itself: what is behind its "?" is of one reply alone.
  if (is_url(word)) {
    wording += kUrl;
    return;
  }
  size_t begin = 0;
  size_t end = word.size();
  while (begin < end && is_punctuation(word[begin])) ++begin;
  while (end > begin && is_punctuation(word[end - 1])) --end;
  const std::string_view core = word.substr(begin, end - begin);
  const std::string_view mark = mark_of(core);
  wording += word.substr(0, begin);
  wording += mark.empty() ? core : mark;
  wording += word.substr(end);
}

// Not the same in all replies, or not as it came.
bool is_mark(std::string_view word) {
  return word.find(kId) != std::string_view::npos || word.find(kHost) != std::string_view::npos ||
         word.find(kUrl) != std::string_view::npos || word.find(kWord) != std::string_view::npos ||
         word.find(mime::kReplacement) != std::string_view::npos || word.find('@') == 0;
}

std::string joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, " "));
}

std::vector<std::string> words_of(std::string_view wording) {
  std::vector<std::string> words;
  for (const std::string_view word : split(wording, ' ')) {
    if (!word.empty()) words.emplace_back(word);
  }
  return words;
}

// In TOML as a basic string.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) {
      out += fmt::format("\\u{:04X}", static_cast<unsigned char>(c));
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

// The longest run of words that are the same in all replies.
std::string longest_piece(std::string_view wording) {
  std::string best;
  std::string run;
  const auto close = [&] {
    if (run.size() > best.size()) best = run;
    run.clear();
  };
  for (const std::string& word : words_of(wording)) {
    if (is_mark(word) || run.size() + word.size() + 1 > kLongestPiece) close();
    if (is_mark(word) || word.size() > kLongestPiece) continue;
    if (!run.empty()) run += ' ';
    run += word;
  }
  close();
  return best;
}

}  // namespace

std::string reply_wording(std::string_view reply) {
  const ReplyWords words(reply);
  std::string wording;
  for (const std::string_view word : split(words.text(), ' ')) {
    if (word.empty()) continue;
    if (wording.size() + word.size() + 1 > ReplyClusters::kLongestWording) break;
    if (!wording.empty()) wording += ' ';
    append_word(wording, word);
  }
  return utf8(wording, ReplyClusters::kLongestWording);
}

ReplyClusters::ReplyClusters(size_t most) : most_(std::max<size_t>(most, 1)) {}

void ReplyClusters::add(const UnknownReply& reply) {
  ++replies_;
  const size_t place = place_of(reply_wording(reply.text));
  ReplyCluster& cluster = held_[place].cluster;
  if (cluster.count++ == 0) cluster.example = utf8(reply.text, kLongestExample);
  if (reply.at) {
    cluster.first_seen = std::min(cluster.first_seen.value_or(*reply.at), *reply.at);
    cluster.last_seen = std::max(cluster.last_seen.value_or(*reply.at), *reply.at);
  }
  if (reply.provider.empty()) return;
  const auto known = cluster.providers.find(reply.provider);
  if (known != cluster.providers.end()) {
    ++known->second;
  } else if (cluster.providers.size() < kMostProviders) {
    cluster.providers.emplace(reply.provider, 1);
  }
}

size_t ReplyClusters::place_of(std::string wording) {
  if (const auto same = exact_.find(wording); same != exact_.end()) return same->second;
  std::vector<std::string> words = words_of(wording);
  if (const auto place = similar(words)) {
    Held& held = held_[*place];
    for (size_t i = 0; i < words.size(); ++i) {
      if (held.words[i] != words[i]) held.words[i] = kWord;
    }
    held.cluster.wording = joined(held.words);
    // Only what was met is looked up by its text; many variants of one cluster are not worth more.
    if (exact_.size() < 4 * most_) exact_.emplace(std::move(wording), *place);
    return *place;
  }
  if (held_.size() >= most_) forget_some();
  held_.emplace_back().words = std::move(words);
  held_.back().cluster.wording = wording;
  by_words_[held_.back().words.size()].push_back(held_.size() - 1);
  exact_.emplace(std::move(wording), held_.size() - 1);
  return held_.size() - 1;
}

std::optional<size_t> ReplyClusters::similar(const std::vector<std::string>& words) const {
  if (words.size() < kFewestWords) return std::nullopt;
  const auto places = by_words_.find(words.size());
  if (places == by_words_.end()) return std::nullopt;
  std::optional<size_t> best;
  size_t most = 0;
  size_t compared = 0;
  for (const size_t place : places->second) {
    if (++compared > kMostCompared) break;
    size_t same = 0;
    for (size_t i = 0; i < words.size(); ++i) same += held_[place].words[i] == words[i] ? 1u : 0u;
    if (same > most) {
      most = same;
      best = place;
    }
  }
  return most * 10 >= words.size() * kSameOfTen ? best : std::nullopt;
}

// An eighth of them at once, so that a flood of wordings does not cost a search each.
void ReplyClusters::forget_some() {
  const auto use = [](const Held& held) {
    return std::tuple(held.cluster.count, held.cluster.last_seen.value_or(Time{}));
  };
  const size_t gone = std::max<size_t>(held_.size() / 8, 1);
  std::ranges::nth_element(held_, held_.end() - static_cast<std::ptrdiff_t>(gone),
                           [&](const Held& a, const Held& b) { return use(a) > use(b); });
  for (size_t i = held_.size() - gone; i < held_.size(); ++i) forgotten_ += held_[i].cluster.count;
  held_.resize(held_.size() - gone);
  index();
}

void ReplyClusters::index() {
  exact_.clear();
  by_words_.clear();
  for (size_t i = 0; i < held_.size(); ++i) {
    exact_.emplace(held_[i].cluster.wording, i);
    by_words_[held_[i].words.size()].push_back(i);
  }
}

std::vector<ReplyCluster> ReplyClusters::sorted() const {
  std::vector<ReplyCluster> all;
  for (const Held& held : held_) all.push_back(held.cluster);
  std::ranges::sort(all, [](const ReplyCluster& a, const ReplyCluster& b) {
    return std::tuple(b.count, a.first_seen, std::string_view(a.wording)) <
           std::tuple(a.count, b.first_seen, std::string_view(b.wording));
  });
  return all;
}

Result<std::string> rule_for(const ReplyCluster& cluster, std::string_view name,
                             std::string_view class_name, std::string_view detail) {
  const std::string piece = longest_piece(cluster.wording);
  if (piece.size() < kShortestPiece) {
    return fail(Code::bad_input, "these replies share too few words for a rule", cluster.wording);
  }
  std::string rule =
      fmt::format("[[rule]]\nname = {}\nclass = {}\n", quoted(name), quoted(class_name));
  if (!detail.empty()) rule += fmt::format("detail = {}\n", quoted(detail));
  return rule + fmt::format("text = [{}]\n", quoted(piece));
}

}  // namespace watchpost::feedback
