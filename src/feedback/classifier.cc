#include "feedback/classifier.h"

#include "base/text.h"
#include "feedback/phrase_search.h"
#include "feedback/reply_rules.h"
#include "feedback/reply_words.h"
#include "feedback/status_classes.h"
#include "model/event.h"

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include <re2/re2.h>

namespace watchpost::feedback {

extern const std::string_view kShippedReplyRules;  // config/reply-classes.toml, by the build

namespace {

constexpr ReplyVerdict kUnclassified{.class_name = "unclassified", .rule = "none"};
constexpr double kConfidenceOfAgreement = 0.9;  // words and status say the same
constexpr double kConfidenceOfStage = 0.3;

// Which command was answered, as far as it matters to the meaning.
enum class Stage : uint8_t { connect, hello, mail, rcpt, data, unknown };
constexpr uint16_t kStages = 5;  // that may be told

// How mail servers tell it in the words of a failure: Postfix, Exim, qmail, DragonFly, and those
// that name it in brackets.
struct StageWords {
  Stage stage;
  std::string_view words;
};
constexpr std::array kStageWords{
    StageWords{Stage::connect, "refused to talk to me"},
    StageWords{Stage::connect, "after initial connection"},
    StageWords{Stage::connect, "receiving the initial server greeting"},
    StageWords{Stage::connect, "but greeting failed"},
    StageWords{Stage::hello, "in reply to helo"},
    StageWords{Stage::hello, "in reply to ehlo"},
    StageWords{Stage::hello, "after helo"},
    StageWords{Stage::hello, "after ehlo"},
    StageWords{Stage::hello, "but my name was rejected"},
    StageWords{Stage::mail, "in reply to mail from"},
    StageWords{Stage::mail, "after mail from"},
    StageWords{Stage::mail, "did not like our mail from"},
    StageWords{Stage::mail, "but sender was rejected"},
    StageWords{Stage::mail, "[mail_from]"},
    StageWords{Stage::rcpt, "in reply to rcpt to"},
    StageWords{Stage::rcpt, "after rcpt to"},
    StageWords{Stage::rcpt, "did not like our rcpt to"},
    StageWords{Stage::rcpt, "does not like recipient"},
    StageWords{Stage::rcpt, "smtp:rcpt"},
    StageWords{Stage::rcpt, "[rcpt_to]"},
    StageWords{Stage::data, "in reply to data"},
    StageWords{Stage::data, "in reply to end of data"},
    StageWords{Stage::data, "after data"},
    StageWords{Stage::data, "after end of data"},
    StageWords{Stage::data, "did not like our data"},
    StageWords{Stage::data, "did not like our final data"},
    StageWords{Stage::data, "failed on data command"},
    StageWords{Stage::data, "after i sent the message"},
};

// As Field::stage has it.
Stage stage_from(std::string_view name) {
  if (name == "RCPT") return Stage::rcpt;
  if (name == "DATA" || name == "END-OF-MESSAGE" || name == "BDAT") return Stage::data;
  if (name == "MAIL") return Stage::mail;
  if (name == "EHLO" || name == "HELO" || name == "LHLO") return Stage::hello;
  if (name == "CONNECT") return Stage::connect;
  return Stage::unknown;
}

std::unique_ptr<RE2> compiled(const std::string& pattern) {
  if (pattern.empty()) return nullptr;
  RE2::Options options(RE2::Quiet);
  options.set_case_sensitive(false);
  options.set_max_mem(1 << 20);
  return std::make_unique<RE2>(pattern, options);
}

// The owners below kStages are the stages, then come the rules.
uint16_t owner_of(size_t rule) { return static_cast<uint16_t>(rule + kStages); }

std::vector<std::pair<std::string, uint16_t>> phrases_of(const std::vector<ReplyRule>& rules) {
  std::vector<std::pair<std::string, uint16_t>> phrases;
  for (const StageWords& known : kStageWords) {
    phrases.emplace_back(known.words, static_cast<uint16_t>(known.stage));
  }
  for (size_t i = 0; i < rules.size(); ++i) {
    for (const std::string& text : rules[i].text) phrases.emplace_back(text, owner_of(i));
  }
  return phrases;
}

// 4 where the code or the status says "for now", however the other has it: a mail server that goes
// on trying after a 5xx gives it a status of 4.
uint8_t kind_of(uint16_t code, const StatusCode& status) {
  const int of_code = code / 100;
  if (of_code == 4 || status.kind == 4) return 4;
  return of_code == 5 || status.kind == 5 ? 5 : 0;
}

// A set of rules by number, small enough to live on the stack of each call.
class Candidates {
 public:
  static constexpr size_t kNone = kMostRules;

  void set(size_t number) { bits_[number / 64] |= uint64_t{1} << (number % 64); }
  void add(const Candidates& others) {
    for (size_t i = 0; i < bits_.size(); ++i) bits_[i] |= others.bits_[i];
  }
  bool any_of(const Candidates& others) const {
    for (size_t i = 0; i < bits_.size(); ++i) {
      if ((bits_[i] & others.bits_[i]) != 0) return true;
    }
    return false;
  }
  Candidates both(const Candidates& others) const {
    Candidates both;
    for (size_t i = 0; i < bits_.size(); ++i) both.bits_[i] = bits_[i] & others.bits_[i];
    return both;
  }
  // The smallest that `holds` takes; kNone where there is none.
  template <class Holds>
  size_t first(Holds holds) const {
    for (size_t i = 0; i < bits_.size(); ++i) {
      for (uint64_t rest = bits_[i]; rest != 0; rest &= rest - 1) {
        const size_t number = i * 64 + static_cast<size_t>(std::countr_zero(rest));
        if (holds(number)) return number;
      }
    }
    return kNone;
  }

 private:
  std::array<uint64_t, (kMostRules + 63) / 64> bits_{};
};

// Of subject and detail alone; that of an unknown status is nobody's.
uint32_t status_key(const StatusCode& status) {
  return static_cast<uint32_t>(status.subject + 1) << 16 | static_cast<uint32_t>(status.detail + 1);
}

// What is known of a reply before any rule is asked.
struct Facts {
  uint16_t code;
  StatusCode status;
  std::string_view words;
  uint16_t provider;
};

}  // namespace

struct Classifier::Rules {
  static constexpr uint16_t kNobody = PhraseSearch::kNobody;

  explicit Rules(ReplyRules parsed) : file(std::move(parsed)), phrases(phrases_of(file.rules)) {
    for (const ReplyProvider& provider : file.providers) {
      const auto number = static_cast<uint16_t>(&provider - file.providers.data());
      for (const std::string& host : provider.hosts) provider_of_host.emplace(host, number);
    }
    of_provider.resize(file.providers.size());
    for (size_t i = 0; i < file.rules.size(); ++i) {
      const ReplyRule& rule = file.rules[i];
      patterns.push_back(compiled(rule.pattern));
      provider_of_rule.push_back(number_of(rule.provider));
      verdicts.push_back({.class_name = rule.class_name,
                          .rule = rule.name,
                          .detail = rule.detail,
                          .confidence = rule.confidence});
      if (rule.text.empty()) add_without_text(i);
      if (rule.provider.empty()) continue;
      of_providers.set(i);
      of_provider[provider_of_rule.back()].set(i);
    }
  }

  // Most have statuses that are rare: only replies with one of these need to ask them.
  void add_without_text(size_t number) {
    const std::vector<StatusMask>& masks = file.rules[number].status;
    const bool open = std::ranges::any_of(masks, [](const StatusMask& mask) {
      return mask.known.subject < 0 || mask.known.detail < 0;
    });
    if (masks.empty() || open) return always.set(number);
    for (const StatusMask& mask : masks) by_status[status_key(mask.known)].set(number);
  }

  uint16_t number_of(std::string_view provider) const {
    const auto found = std::ranges::find(file.providers, provider, &ReplyProvider::name);
    if (found == file.providers.end()) return kNobody;
    return static_cast<uint16_t>(found - file.providers.begin());
  }

  // Whose server it is, by the longest name known.
  uint16_t provider_at(std::string_view name) const {
    if (name.ends_with('.')) name.remove_suffix(1);
    constexpr size_t kLongest = 64;  // the end of it is enough
    const std::string lower =
        lower_ascii(name.substr(name.size() - std::min(name.size(), kLongest)));
    const std::string_view host = lower;
    for (size_t at = 0; at < host.size(); ++at) {
      if (const auto found = provider_of_host.find(host.substr(at));
          found != provider_of_host.end()) {
        return found->second;
      }
      at = host.find('.', at);
      if (at == std::string_view::npos) break;
    }
    return kNobody;
  }

  // All conditions but `text`.
  bool holds(size_t number, const Facts& facts) const {
    const ReplyRule& rule = file.rules[number];
    if (rule.only_there && provider_of_rule[number] != facts.provider) return false;
    if (!rule.code.empty() && !std::ranges::any_of(rule.code, [&](const CodeMask& mask) {
          return facts.code >= mask.first && facts.code <= mask.last;
        })) {
      return false;
    }
    if (!rule.status.empty() && !std::ranges::any_of(rule.status, [&](const StatusMask& mask) {
          return mask.holds(facts.status);
        })) {
      return false;
    }
    const RE2* const pattern = patterns[number].get();
    return pattern == nullptr || RE2::PartialMatch(facts.words, *pattern);
  }

  // The first rule that holds: of the provider's own first, then of all. Tells the stage where the
  // words do and it is not known.
  const ReplyVerdict* find(Facts& facts, std::string_view host, Stage& stage) const {
    Candidates candidates = always;
    if (const auto found = by_status.find(status_key(facts.status)); found != by_status.end()) {
      candidates.add(found->second);
    }
    Stage told = Stage::unknown;
    phrases.each_owner(facts.words, [&](uint16_t owner) {
      if (owner < kStages) {
        told = static_cast<Stage>(owner);
      } else {
        candidates.set(owner - kStages);
      }
    });
    if (stage == Stage::unknown) stage = told;
    // Whose server it is matters only where there is a rule of somebody's.
    if (!host.empty() && candidates.any_of(of_providers)) {
      facts.provider = provider_at(host);
      if (facts.provider != kNobody) {
        if (const ReplyVerdict* const own =
                first_of(candidates.both(of_provider[facts.provider]), facts)) {
          return own;
        }
      }
    }
    return first_of(candidates, facts);
  }

  const ReplyVerdict* first_of(const Candidates& candidates, const Facts& facts) const {
    const size_t first = candidates.first([&](size_t number) { return holds(number, facts); });
    return first == Candidates::kNone ? nullptr : &verdicts[first];
  }

  ReplyRules file;
  PhraseSearch phrases;
  std::vector<std::unique_ptr<RE2>> patterns;  // one for each rule, empty where it has none
  std::vector<uint16_t> provider_of_rule;
  std::vector<ReplyVerdict> verdicts;
  // The rules without words, which the search cannot find: to be asked always, or by status.
  Candidates always;
  std::unordered_map<uint32_t, Candidates> by_status;
  Candidates of_providers;                                          // the rules of any provider
  std::vector<Candidates> of_provider;                              // and of each
  std::unordered_map<std::string_view, uint16_t> provider_of_host;  // into `file`
};

namespace {

// The part of the class that the status or the place of the reply tells: class_mapping.h.
void refine(ReplyVerdict& verdict, const Facts& facts, const std::optional<ReplyVerdict>& by_status,
            Stage stage) {
  if (verdict.class_name == "policy" && (verdict.detail.empty() || verdict.detail == "access")) {
    // Before a recipient was named, it is not about one.
    if (stage == Stage::connect || stage == Stage::hello) verdict.detail = "client";
    if (stage == Stage::mail) verdict.detail = "sender";
  }
  if (!verdict.detail.empty()) return;
  if (verdict.class_name == "protocol" && stage == Stage::hello) {
    verdict.detail = "hello";
  } else if (verdict.class_name == "unknown_user") {
    // x.1.0 to x.1.6 are of the address; higher ones are providers' own and may mean anything.
    const bool by_address =
        facts.status.subject == 1 && (facts.status.detail <= 6 || facts.status.detail == 10);
    if (!by_address && stage != Stage::rcpt) verdict.detail = "unconfirmed";
  } else if (by_status && verdict.class_name != "policy" &&
             by_status->class_name == verdict.class_name) {
    verdict.detail = by_status->detail;
  }
}

}  // namespace

Classifier::Classifier(std::unique_ptr<Rules> rules) : rules_(std::move(rules)) {}
Classifier::Classifier(Classifier&&) noexcept = default;
Classifier& Classifier::operator=(Classifier&&) noexcept = default;
Classifier::~Classifier() = default;

std::string_view Classifier::shipped_rules() { return kShippedReplyRules; }

const Classifier& Classifier::shipped() {
  static const Classifier kShipped = [] {
    Result<Classifier> made = from_toml(kShippedReplyRules, "reply-classes.toml");
    WP_CHECK(made.has_value());
    return std::move(*made);
  }();
  return kShipped;
}

Result<Classifier> Classifier::from_toml(std::string_view toml, std::string_view origin) {
  auto rules = parse_reply_rules(toml, origin);
  if (!rules) return fail(rules.error());
  return Classifier(std::make_unique<Rules>(std::move(*rules)));
}

ReplyText reply_of(const Event& event) {
  return {.code = event.reply_code,
          .status = event[Field::status],
          .text = event[Field::reply],
          .stage = event[Field::stage],
          .remote_host = event[Field::peer_host]};
}

ReplyVerdict Classifier::classify(const ReplyText& reply) const {
  const ReplyWords words(reply.text);
  Facts facts{reply.code != 0 ? reply.code : words.code(), parse_status(reply.status), words.text(),
              PhraseSearch::kNobody};
  if (facts.status.kind < 0) facts.status = words.status();
  const uint8_t kind = kind_of(facts.code, facts.status);
  const auto by_status = class_of_status(facts.status);
  const auto by_code = class_of_code(facts.code);
  // A reply with only one of the two still says whether it is for good: "5*" and "5.*" hold.
  if (facts.code == 0 && facts.status.kind > 0) {
    facts.code = static_cast<uint16_t>(facts.status.kind * 100);
  }
  if (facts.status.kind < 0 && facts.code != 0) facts.status.kind = facts.code / 100;
  const std::string_view host = reply.remote_host.empty() ? words.host() : reply.remote_host;

  Stage stage = stage_from(reply.stage);
  ReplyVerdict verdict = kUnclassified;
  if (const ReplyVerdict* const found = rules_->find(facts, host, stage)) {
    verdict = *found;
    if (by_status && by_status->class_name == verdict.class_name) {
      verdict.confidence = std::max(verdict.confidence, kConfidenceOfAgreement);
    }
  } else if (by_status) {
    verdict = *by_status;
  } else if (by_code) {
    verdict = *by_code;
  } else if (kind == 5 && (stage == Stage::connect || stage == Stage::hello)) {
    verdict = {.class_name = "policy", .rule = "stage/connect", .confidence = kConfidenceOfStage};
  }
  refine(verdict, facts, by_status, stage);
  verdict.kind = kind;
  return verdict;
}

}  // namespace watchpost::feedback
