#pragma once
#include "auth/spf/record.h"
#include "auth/spf/spf.h"
#include "base/async.h"
#include "dns/resolver.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace watchpost::auth {

// A look-up that was made, for explanations.
struct SpfLookUp {
  std::string name;
  dns::RecordType type = dns::RecordType::txt;
  dns::AnswerPtr answer;
  bool counts_as_void = false;
};

// Asks DNS for one check and counts: the only way there. A term counts once however many queries it
// makes, and is void once where one of them finds nothing (RFC 7208 section 4.6.4).
class SpfLookUps {
 public:
  SpfLookUps(dns::Resolver& resolver, dns::Budget& budget) : resolver_(resolver), budget_(budget) {}

  // What a query is charged to: the term that has begun, or nothing (the first record, records of
  // `include` and `redirect`, which are the term itself, and `exp`).
  enum class Counting : uint8_t { term, nothing };

  // A term that looks up begins; false where it is one too many.
  bool begin_term();
  // Queries that are void by themselves: those of %{p} and of the term it stands in.
  void begin_queries() { term_is_void_ = false; }
  // Whether the limits still hold is asked of broken(). What cannot be a name is not asked for, and
  // is not void.
  Async<dns::AnswerPtr> ask(std::string name, dns::RecordType type, Counting counting);

  // Why the whole check is permerror; empty while the limits hold.
  const std::string& broken() const { return broken_; }
  uint32_t terms() const { return terms_; }
  uint32_t voids() const { return voids_; }

  // For explanations: go on beyond the limits, and keep what was asked.
  void survey() { surveys_ = true; }
  std::vector<SpfLookUp> take_made();

 private:
  void count_void(SpfLookUp& made);

  dns::Resolver& resolver_;
  dns::Budget& budget_;
  uint32_t terms_ = 0, voids_ = 0;
  bool term_is_void_ = false;
  bool surveys_ = false;
  std::string broken_;
  std::vector<SpfLookUp> made_;
};

// Whether a mechanism matches (RFC 7208 section 5).
enum class SpfMatch : uint8_t { no, yes, temperror, permerror };

// What check_host() gives of one domain.
struct SpfOutcome {
  SpfResult result = SpfResult::none;
  std::string decided_at, record, mechanism;
  std::vector<std::string> within;
  std::optional<SpfMacroString> explanation;  // of the record that decided
  std::string why;
};

// The record of a domain (sections 4.4, 4.5).
struct SpfPublished {
  SpfResult result = SpfResult::none;  // none, temperror, permerror: there is no record to use
  std::string why;
  std::optional<std::string> record;
};
SpfPublished published_record(const dns::Answer& answer, std::string_view domain);

// One check. The question, the look-ups and this outlive all waits.
class SpfEvaluation {
 public:
  // `sender_domain` as ascii_domain() has it.
  SpfEvaluation(const SpfQuestion& question, std::string local_part, std::string sender_domain,
                SpfLookUps& look_ups);

  // check_host() of RFC 7208 section 4.
  Async<SpfOutcome> check_host(std::string domain);
  // The result of an include goes to `included`.
  Async<SpfMatch> matches(const SpfTerm& term, const std::string& domain, SpfOutcome& included);
  // The text at an `exp`, expanded; empty where it cannot be had (section 6.2).
  Async<std::string> explanation(const SpfMacroString& where, std::string domain);
  // A domain-spec expanded; empty where it gives no name.
  Async<std::string> target(const std::optional<SpfMacroString>& spec, const std::string& domain);

  const std::string& why() const { return why_; }  // of the last error of matches()

 private:
  Async<SpfOutcome> evaluate(const SpfRecord& record, std::string domain);
  Async<SpfOutcome> redirect(const SpfRecord& record, const std::string& domain);
  Async<SpfMatch> has_address(std::string name, const SpfTerm& term);
  Async<SpfMatch> has_exchange(std::string name, const SpfTerm& term);
  Async<SpfMatch> has_name(std::string target);
  Async<SpfMatch> exists(std::string name);
  Async<SpfMatch> include(std::string domain, SpfOutcome& included);
  // The names of the client that have its address (section 5.5), found once a check.
  Async<bool> validate_names(SpfLookUps::Counting counting);
  std::string validated_name(const std::string& domain) const;
  SpfMacroValues values(const std::string& domain, const std::string& name) const;
  SpfMatch error(const dns::Answer& answer, const std::string& name);
  SpfMatch over_limit();

  IpAddress ip_;
  std::string helo_, receiver_;
  Time now_;
  std::string sender_, local_part_, sender_domain_;
  SpfLookUps& look_ups_;
  std::optional<std::vector<std::string>> validated_names_;
  std::string why_;
};

}  // namespace watchpost::auth
