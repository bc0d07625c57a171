#include "cli/verdict_text.h"

#include "base/text.h"

#include <array>
#include <cmath>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace watchpost::cli {
namespace {

constexpr size_t kRecipientsShown = 5;

Colour colour_of(std::string_view disposition) {
  if (disposition == "accept") return Colour::green;
  if (disposition == "tag") return Colour::yellow;
  return Colour::red;
}

// Lines with a name in front: what is empty makes none.
class Lines {
 public:
  explicit Lines(const Terminal& terminal) : terminal_(terminal) {}

  // `words` as they are; everything that `word` and `paint` give is escaped already.
  void add(std::string_view name, std::string_view words) {
    if (words.empty()) return;
    lines_.push_back(fmt::format("  {:<11} {}", name == last_ ? "" : name, words));
    last_ = name;
  }
  void head(std::string line) { lines_.push_back(std::move(line)); }
  std::string paint(std::string_view hostile, Colour colour) const {
    return terminal_.paint(hostile, colour);
  }
  std::vector<std::string> take() { return std::move(lines_); }

 private:
  const Terminal& terminal_;
  std::vector<std::string> lines_;
  std::string last_;
};

std::string word(const Object& object, std::string_view key) { return escaped(text(object, key)); }

// "shop.example", in one line with others: nothing where it is not there.
std::string behind(std::string_view before, const std::string& word) {
  return word.empty() ? std::string() : fmt::format("{}{}", before, word);
}

std::string joined(const boost::json::array& texts, size_t most) {
  std::string out;
  size_t shown = 0;
  for (const auto& one : texts) {
    if (!one.is_string()) continue;
    if (shown++ == most) return out + " ...";
    out += behind(out.empty() ? "" : ", ", escaped(std::string_view(one.as_string())));
  }
  return out;
}

template <class Each>
void objects(const boost::json::array& all, const Each& each) {
  for (const auto& one : all) {
    if (one.is_object()) each(one.as_object());
  }
}

void add_outcome(Lines& lines, const Object& kept, const Object& verdict) {
  const std::string decided = text(verdict, "decided");
  const std::string done = text(verdict, "carried_out");
  std::string queue_id = text(verdict, "queue_id");
  if (queue_id.empty()) queue_id = text(kept, "queue_id");
  std::string line = fmt::format("{}  {}", lines.paint(queue_id, Colour::bold),
                                 lines.paint(decided, colour_of(decided)));
  if (done == decided) {
    line += ", carried out";
  } else if (!done.empty()) {
    line += fmt::format(", but carried out was {}", lines.paint(done, colour_of(done)));
  }
  if (const std::string mode = word(verdict, "mode"); !mode.empty()) {
    line += fmt::format(" (mode {})", mode);
  }
  lines.head(line + "  " + moment(kept, "at"));
  lines.add("reply", word(verdict, "reply"));
  const std::string held_for = joined(list(verdict, "held_for"), kRecipientsShown);
  lines.add("held as", word(verdict, "held") + behind(", for ", held_for));
  const Object& correction = inside(kept, "correction");
  if (correction.empty()) return;
  lines.add("corrected",
            fmt::format("it should not have been held, says {}, {}{}", word(correction, "by"),
                        moment(correction, "at"), behind(": ", word(correction, "why"))));
}

std::string client_text(const Object& verdict) {
  const Object& client = inside(verdict, "client");
  // As one text, or taken apart.
  std::string line = word(verdict, "client");
  if (line.empty()) line = word(client, "ip");
  line += behind(line.empty() ? "" : " ", word(client, "name"));
  return line + behind(line.empty() ? "HELO " : ", HELO ", word(verdict, "helo"));
}

void add_message(Lines& lines, const Object& kept, const Object& verdict) {
  lines.add("asked by", word(verdict, "milter") + behind(", ", word(verdict, "direction")));
  lines.add("client", client_text(verdict));
  lines.add("login", word(verdict, "login"));
  lines.add("sender", word(verdict, "sender"));
  lines.add("authors", joined(list(verdict, "authors"), kRecipientsShown));
  std::string recipients = joined(list(verdict, "recipients"), kRecipientsShown);
  const uint64_t number = count(verdict, "recipient_count");
  if (number > kRecipientsShown) recipients += fmt::format(" ({} in all)", grouped(number));
  lines.add("recipients", recipients);
  lines.add("subject", word(verdict, "subject"));
  std::string message_id = word(verdict, "message_id");
  lines.add("message id", message_id.empty() ? word(kept, "message_id") : message_id);
}

void add_reasons(Lines& lines, const Object& verdict) {
  const auto& reasons = list(verdict, "reasons");
  if (reasons.empty()) lines.add("because", "no rule had anything against it");
  objects(reasons, [&](const Object& reason) {
    const std::string wants = text(reason, "wants");
    std::string line = fmt::format("{} {} {}", lines.paint(text(reason, "rule"), Colour::bold),
                                   flag(reason, "in_force") ? "wanted" : "would have wanted",
                                   lines.paint(wants, colour_of(wants)));
    line += behind(" for ", joined(list(reason, "recipients"), kRecipientsShown));
    lines.add("because", line + behind(": ", word(reason, "words")));
  });
  lines.add("findings", joined(list(verdict, "findings"), 100));
}

std::string identity_text(const Object& result, const Lines& lines) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kMore{
      {{"identity", ""},
       {"mechanism", "by "},
       {"selector", "selector "},
       {"policy", "policy "},
       {"asks", "asks for "},
       {"override", "overridden: "}}};
  const std::string said = text(result, "result");
  const Colour colour = said == "pass"   ? Colour::green
                        : said == "fail" ? Colour::red
                                         : Colour::yellow;
  std::string line = fmt::format("{} {}", word(result, "method"), lines.paint(said, colour));
  line += behind(" ", word(result, "domain"));
  for (const auto& [key, before] : kMore) {
    line += behind(", ", behind(before, word(result, key)));
  }
  line += behind(", weak: ", joined(list(result, "weaknesses"), 10));
  return line + behind(": ", word(result, "reason"));
}

std::string listing_text(const Object& listing, const Lines& lines) {
  const std::string state = text(listing, "state");
  const Colour colour = state == "listed" ? Colour::red : Colour::none;
  return fmt::format("{} of {}: {}{}{}", word(listing, "list"), word(listing, "about"),
                     lines.paint(state, colour), behind(" ", joined(list(listing, "answers"), 5)),
                     behind(", ", word(listing, "why")));
}

std::string standing_text(std::string_view party, const Object& known) {
  const std::string who = fmt::format("{} {}", escaped(party), word(known, "name"));
  if (number(known, "messages") <= 0 && text(known, "last_seen").empty()) {
    return who + ": not seen before";
  }
  return fmt::format("{}: {:.1f} messages, badness {:.2f}{}{}", who, number(known, "messages"),
                     number(known, "badness"), behind(", since ", moment(known, "first_seen")),
                     behind(", last seen ", moment(known, "last_seen")));
}

void add_reputation(Lines& lines, const Object& verdict) {
  for (const auto& [party, known] : inside(verdict, "reputation")) {
    const std::string_view name(party.data(), party.size());
    if (known.is_object()) lines.add("reputation", standing_text(name, known.as_object()));
    if (!known.is_array()) continue;
    objects(known.as_array(),
            [&](const Object& one) { lines.add("reputation", standing_text(name, one)); });
  }
}

void add_cost(Lines& lines, const Object& verdict) {
  std::string line = bytes_text(count(verdict, "size"));
  if (flag(verdict, "cut")) line += ", of which only the beginning was looked at";
  if (const double took = number(verdict, "took_ms"); std::isfinite(took) && took > 0) {
    line += fmt::format(", {} ms", number_text(took));
  }
  if (const uint64_t asked = count(verdict, "look_ups"); asked > 0) {
    line += fmt::format(", {} asked of DNS", counted(asked, "question"));
  }
  lines.add("message", line);
  lines.add("rules", word(verdict, "rules"));
}

}  // namespace

std::vector<std::string> verdict_lines(const Object& kept, const Terminal& terminal) {
  Lines lines(terminal);
  const Object& verdict = inside(kept, "verdict");
  if (verdict.empty()) {
    lines.head(fmt::format("{}  {}  its verdict cannot be read", word(kept, "queue_id"),
                           moment(kept, "at")));
    return lines.take();
  }
  add_outcome(lines, kept, verdict);
  add_message(lines, kept, verdict);
  add_reasons(lines, verdict);
  objects(list(verdict, "identity"),
          [&](const Object& one) { lines.add("identity", identity_text(one, lines)); });
  objects(list(verdict, "listings"),
          [&](const Object& one) { lines.add("listings", listing_text(one, lines)); });
  add_reputation(lines, verdict);
  add_cost(lines, verdict);
  return lines.take();
}

std::string zone_of(const Object& kept) { return text(inside(kept, "verdict"), "dns"); }

}  // namespace watchpost::cli
