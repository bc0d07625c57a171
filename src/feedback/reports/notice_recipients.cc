#include "feedback/reports/notice_recipients.h"

#include "base/ascii.h"
#include "base/text.h"
#include "feedback/reports/carried_mail.h"
#include "feedback/reports/reply_in_text.h"
#include "feedback/reports/report_text.h"
#include "mime/address.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace watchpost::feedback {
namespace {

enum class Place : uint8_t { single, leading, named };

constexpr size_t kMostWords = 12;  // pieces that may be one recipient's reason

std::string_view without_front(std::string_view text, std::string_view what) {
  const size_t at = text.find_first_not_of(what);
  return at == std::string_view::npos ? std::string_view() : text.substr(at);
}

// Only marks of a list stand before the address: "  * <", "-- ", "> ".
bool leads(std::string_view before) {
  // An X.400 address with the mailbox in it.
  if (before.ends_with("smtp=") || before.ends_with("rfc-822=")) return true;
  constexpr std::string_view kMarks = " \t*-<>\"'([|.:\xC2\xB7\xE2\x80\xA2\xA0";
  return before.size() < 24 && without_front(before, kMarks).empty();
}

// "554 5.1.1 <": the address in a line of a transcript.
bool behind_code(std::string_view before) {
  before = trim(before);
  return before.size() >= 3 && before.size() < 16 && reply_in(before).code != 0 &&
         std::ranges::all_of(
             before,
             [](char c) {
               return (c >= '0' && c <= '9') ||
                      std::string_view(" .-<").find(c) != std::string_view::npos;
             });
}

bool names_sender(std::string_view before) {
  constexpr std::string_view kWords[] = {"from",        "sender",    "by",       "mailto",
                                         "return-path", "cc",        "reply-to", "contact",
                                         "at",          "errors-to", "e-mail"};
  const size_t end = before.find_last_not_of(" \t<\"'(:=[");
  if (end == std::string_view::npos) return false;
  before = before.substr(0, end + 1);
  return std::ranges::any_of(kWords, [&](std::string_view word) {
    if (!before.ends_with(word)) return false;
    const size_t at = before.size() - word.size();
    return at == 0 || !((before[at - 1] >= 'a' && before[at - 1] <= 'z') || before[at - 1] == '-');
  });
}

bool is_desk(std::string_view address) {
  constexpr std::string_view kDesks[] = {"postmaster", "mailer-daemon", "support", "abuse",
                                         "helpdesk",   "hostmaster",    "noreply", "no-reply"};
  const std::string local = lower_ascii(address.substr(0, address.rfind('@')));
  return std::ranges::find(kDesks, local) != std::end(kDesks);
}

struct Mention {
  size_t line = 0;
  size_t end = 0;  // of the address in it
  Place place = Place::single;
  std::string address;
  std::string original;
};

class Finder {
 public:
  Finder(const mime::Message& message, const std::vector<NoticeLine>& lines, Notice& notice)
      : message_(message), lines_(lines), notice_(notice) {
    for (const std::string_view name : {"To", "Delivered-To", "X-Original-To"}) {
      if (const mime::Field* field = message.header().find(name)) {
        if (const auto to = mime::first_address(field->body)) ours_.insert(lower_ascii(to->text()));
      }
    }
    if (const mime::Field* from = message.header().find("From")) {
      if (const auto address = mime::first_address(from->body)) home_ = address->domain;
    }
    take_header(message.header());
  }

  void find() {
    for (size_t i = 0; i < lines_.size(); ++i) line(i);
    settle();
    words();
  }

 private:
  void take_header(const mime::Header& header) {
    for (const mime::Field* field : header.all("X-Failed-Recipients")) {
      const std::string value = mime::unfolded(field->body);
      for (const std::string_view one : split(value, ',')) {
        if (failed_.size() >= kMostReportRecipients) break;
        for (const AddressInText& address : addresses_in(one)) failed_.emplace_back(address.text);
      }
    }
  }

  void line(size_t i) {
    const NoticeLine& line = lines_[i];
    const Spoken& spoken = line.spoken;
    if (trim(line.text).empty()) return;
    const bool announced = spoken.says(Says::list) || spoken.says(Says::recipient);
    if (spoken.says(Says::list)) listing_ = true;
    if (spoken.says(Says::contact) && !announced) return;
    const size_t behind =
        announced ? std::min(spoken.begin_of(Says::list), spoken.begin_of(Says::recipient))
                  : std::string_view::npos;
    const size_t expanded = spoken.begin_of(Says::expanded);
    bool any = false;
    for (const AddressInText& address : addresses_in(line.text)) {
      const std::string_view before = std::string_view(line.lower).substr(0, address.begin);
      const bool came_of = expanded != std::string_view::npos && address.begin + 2 >= expanded;
      if (came_of && any_before(i)) {
        if (mentions_.back().original.empty()) mentions_.back().original = address.text;
        any = true;
        continue;
      }
      if (!came_of && names_sender(before) && !(announced && address.begin >= behind)) continue;
      // "kim@old.example <kim@example.com>" is one mailbox with a name.
      if (any && !mentions_.empty() && mentions_.back().line == i &&
          line.text.substr(mentions_.back().end, address.begin - mentions_.back().end) == " " &&
          line.text[address.begin] == '<') {
        mentions_.back().address = address.text;
        mentions_.back().end = address.end;
        continue;
      }
      add({i,
           address.end,
           place_of(before, address, behind, expanded),
           std::string(address.text),
           {}});
      any = true;
    }
    if (!any && listing_) take_bare_name(i);
    announced_ = announced && !any;
  }

  bool any_before(size_t i) const {
    return !mentions_.empty() && i - mentions_.back().line <= 2 &&
           mentions_.back().place >= Place::leading;
  }

  Place place_of(std::string_view before, const AddressInText& address, size_t behind,
                 size_t expanded) const {
    if (behind != std::string_view::npos && address.begin + 2 >= behind) return Place::named;
    if (expanded != std::string_view::npos && address.begin + 2 >= expanded) return Place::named;
    if (behind_code(before)) return Place::named;
    if (leads(before)) return listing_ || announced_ ? Place::named : Place::leading;
    return Place::single;
  }

  void add(Mention mention) {
    if (mentions_.size() >= 4 * kMostReportRecipients) return;
    const std::string lower = lower_ascii(mention.address);
    if (is_desk(lower) && mention.place < Place::named) return;
    if (ours_.contains(lower) && mention.place < Place::named) return;
    mentions_.push_back(std::move(mention));
  }

  // A local part alone below words that announce recipients: of the domain that wrote the notice.
  void take_bare_name(size_t i) {
    const std::string_view text = lines_[i].text;
    const NoticeLine& line = lines_[i];
    if (!text.starts_with(' ') && !text.starts_with('\t')) return;
    if (line.spoken.any() || home_.empty()) return;
    const std::string_view word = trim(text);
    const size_t end = std::min(word.find_first_of(" \t"), word.size());
    // More on the line is a reason only where it is set apart.
    const std::string_view more = word.substr(end);
    if (!more.empty() && !more.starts_with("   ") && !more.starts_with(" (") &&
        !more.starts_with('\t')) {
      return;
    }
    const std::string_view name = word.substr(0, end);
    if (name.size() < 2 || name.size() > 64 || !std::ranges::all_of(name, [](char c) {
          return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 c == '.' || c == '_' || c == '-';
        })) {
      return;
    }
    bare_.push_back({i, text.size() - word.size() + end, Place::named, completed(name), {}});
  }

  std::string completed(std::string_view name) {
    if (!original_) original_ = carried_mail(message_).mail.to;
    if (equal_nocase(original_->substr(0, original_->rfind('@')), name)) return *original_;
    return std::string(name) + '@' + std::string(organisation(home_));
  }

  // "mr2.its.example.edu" is "example.edu".
  static std::string_view organisation(std::string_view domain) {
    const size_t last = domain.rfind('.');
    if (last == std::string_view::npos || last == 0) return domain;
    size_t dot = domain.rfind('.', last - 1);
    // "co.uk" and its like.
    if (dot != std::string_view::npos && last - dot <= 4 && domain.size() - last <= 3 && dot > 0) {
      dot = domain.rfind('.', dot - 1);
    }
    return dot == std::string_view::npos ? domain : domain.substr(dot + 1);
  }

  // The best sort of mentions becomes the recipients.
  void settle() {
    if (!failed_.empty()) {
      for (const std::string& address : failed_) recipient(address);
    } else {
      Place best = Place::single;
      for (const Mention& mention : mentions_) best = std::max(best, mention.place);
      const auto named = std::ranges::find(mentions_, Place::named, &Mention::place);
      if (!bare_.empty() && (named == mentions_.end() || bare_.front().line < named->line)) {
        for (const Mention& mention : bare_) recipient(mention.address);
        mentions_ = bare_;
        best = Place::named;
      }
      std::set<std::string> distinct;
      for (const Mention& mention : mentions_) distinct.insert(lower_ascii(mention.address));
      if (best == Place::single && distinct.size() != 1) return;
      for (const Mention& mention : mentions_) {
        if (mention.place == best) recipient(mention.address);
      }
    }
    for (const Mention& mention : mentions_) {
      const auto at = index_.find(lower_ascii(mention.address));
      if (at == index_.end() || mention.original.empty()) continue;
      auto& original = notice_.recipients[at->second].original;
      if (original.empty()) original = mention.original;
    }
  }

  void recipient(const std::string& address) {
    if (notice_.recipients.size() >= kMostReportRecipients) return;
    if (index_.emplace(lower_ascii(address), notice_.recipients.size()).second) {
      notice_.recipients.push_back({one_line(address, 320), {}, {}});
    }
  }

  void words();
  std::string block(size_t line, size_t at, bool labelled) const;
  void mark_beginnings();
  void put(std::vector<std::string>& where, std::string words) const;

  const mime::Message& message_;
  const std::vector<NoticeLine>& lines_;
  Notice& notice_;
  std::optional<std::string> original_;  // who the returned message was sent to
  std::set<std::string> ours_;
  std::string home_;
  std::vector<std::string> failed_;
  std::vector<Mention> mentions_;
  std::vector<Mention> bare_;
  std::map<std::string, size_t> index_;  // into notice_.recipients, by address in lower case
  std::vector<bool> begins_another_;     // by line
  bool listing_ = false;
  bool announced_ = false;  // the line before announced a recipient and named none
};

// Which lines begin with a recipient that is named there.
void Finder::mark_beginnings() {
  begins_another_.assign(lines_.size(), false);
  for (const Mention& mention : mentions_) {
    if (mention.place != Place::named || !index_.contains(lower_ascii(mention.address))) continue;
    const auto addresses = addresses_in(lines_[mention.line].text);
    begins_another_[mention.line] =
        !addresses.empty() &&
        leads(std::string_view(lines_[mention.line].text).substr(0, addresses.front().begin));
  }
}

void Finder::put(std::vector<std::string>& where, std::string words) const {
  const bool says_something = std::ranges::count_if(words, [](char c) {
                                return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                       static_cast<unsigned char>(c) >= 0x80;
                              }) >= 4;
  if (says_something && where.size() < kMostWords &&
      std::ranges::find(where, words) == where.end()) {
    where.push_back(std::move(words));
  }
}

// What stands behind a place: the rest of its line and the lines below, up to a blank line or the
// next that begins something else.
std::string Finder::block(size_t line, size_t at, bool labelled) const {
  std::string words(without_front(lines_[line].text.substr(at), " \t>:\".,;)-]'"));
  size_t blanks = 0;
  for (size_t i = line + 1; i < lines_.size() && words.size() < kMostReportText; ++i) {
    const NoticeLine& next = lines_[i];
    const std::string_view text = trim(next.text);
    if (text.empty()) {
      if (!words.empty() || ++blanks > 2) break;
      continue;
    }
    if (begins_another_[i]) {
      // A list first, the reason for all of them below.
      if (!words.empty() || labelled) break;
      continue;
    }
    const Spoken& spoken = next.spoken;
    if (spoken.says(Says::talk) || spoken.says(Says::contact)) {
      if (words.empty()) continue;
      break;
    }
    if (spoken.says(Says::list) && !words.empty()) break;
    words += ' ';
    words += text;
  }
  return one_line(words);
}

void Finder::words() {
  mark_beginnings();
  // Of each recipient its own, where the notice puts them below the address.
  for (const Mention& mention : mentions_) {
    const auto at = index_.find(lower_ascii(mention.address));
    if (at == index_.end() || mention.place == Place::single) continue;
    put(notice_.recipients[at->second].words, block(mention.line, mention.end, false));
  }
  // Then the reasons that are announced, and the lines of a transcript: of the recipient whose
  // address stands there or was the last before.
  std::vector<size_t> last_above(lines_.size(), SIZE_MAX);
  for (const Mention& mention : mentions_) {
    const auto at = index_.find(lower_ascii(mention.address));
    if (at != index_.end()) last_above[mention.line] = at->second;
  }
  size_t current = SIZE_MAX;
  for (size_t i = 0; i < lines_.size(); ++i) {
    if (last_above[i] != SIZE_MAX) current = last_above[i];
    const NoticeLine& line = lines_[i];
    const std::string_view text = trim(line.text);
    std::string said;
    if (line.spoken.says(Says::cause)) {
      said = block(i, line.spoken.begin_of(Says::cause), true);
    } else if (line.spoken.says(Says::reason)) {
      said = block(i, line.spoken.begin_of(Says::reason), true);
    } else if (text.starts_with("<<< ") && reply_in(text.substr(4, 8)).code != 0) {
      said = one_line(text.substr(4));
    } else if (reply_in(text.substr(0, 5)).code != 0 && text.size() > 4) {
      said = one_line(text);
    } else {
      continue;
    }
    if (current != SIZE_MAX) put(notice_.recipients[current].words, said);
    put(notice_.words, said);
  }
  std::string all;
  for (const NoticeLine& line : lines_) {
    if (line.spoken.says(Says::talk) || line.spoken.says(Says::contact)) continue;
    all += line.text;
    all += ' ';
    if (all.size() > kMostReportText) break;
  }
  put(notice_.words, one_line(all));
}

}  // namespace

void find_recipients(const mime::Message& message, const std::vector<NoticeLine>& lines,
                     Notice& notice) {
  Finder(message, lines, notice).find();
}

}  // namespace watchpost::feedback
