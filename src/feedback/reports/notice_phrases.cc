#include "feedback/reports/notice_phrases.h"

#include "feedback/phrase_search.h"
#include "feedback/reports/notice_phrase_tables.h"

#include <algorithm>
#include <string>
#include <utility>

namespace watchpost::feedback {
namespace {

PhraseSearch search_of_all() {
  std::vector<std::pair<std::string, uint16_t>> phrases;
  for (const Phrase& phrase : notice_phrases()) {
    phrases.emplace_back(std::string(phrase.words), static_cast<uint16_t>(phrases.size()));
  }
  return PhraseSearch(phrases);
}

}  // namespace

std::span<const Phrase> notice_phrases() {
  static const std::vector<Phrase> all = [] {
    std::vector<Phrase> joined;
    for (const auto table : {phrases_of_systems(), phrases_of_all()}) {
      joined.insert(joined.end(), table.begin(), table.end());
    }
    return joined;
  }();
  return all;
}

size_t Spoken::begin_of(Says what) const {
  size_t last = std::string_view::npos;
  for (const auto& [says, begin] : begins_) {
    if (says == what && (last == std::string_view::npos || begin > last)) last = begin;
  }
  return last;
}

Spoken spoken_in(std::string_view line) {
  static const PhraseSearch search = search_of_all();
  Spoken spoken;
  search.each_owner(line, [&](uint16_t owner) {
    const Phrase& phrase = notice_phrases()[owner];
    spoken.said_[static_cast<size_t>(phrase.says)] = true;
    const size_t at = line.rfind(phrase.words);
    spoken.begins_.emplace_back(phrase.says,
                                phrase.says == Says::cause ? at : at + phrase.words.size());
    spoken.in_charge_ |= phrase.in_charge;
    if (!phrase.form.empty() && (spoken.form_ == nullptr || &phrase < spoken.form_)) {
      spoken.form_ = &phrase;
    }
  });
  spoken.said_[static_cast<size_t>(Says::nothing)] = false;
  return spoken;
}

}  // namespace watchpost::feedback
