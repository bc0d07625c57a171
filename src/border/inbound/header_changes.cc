#include "border/inbound/header_changes.h"

#include "auth/results/authentication_results.h"
#include "auth/results/foreign_results.h"
#include "base/ascii.h"
#include "base/text.h"
#include "border/release.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace watchpost::border {
namespace {

using Kind = HeaderChange::Kind;

constexpr size_t kLongestFieldName = 76;   // of a field that is removed
constexpr size_t kLongestPrefixed = 8192;  // bytes of one that is prefixed
constexpr size_t kLongestResults = 16384;  // bytes
constexpr size_t kMostUnseen = 1'000;      // fields of one name that are removed unseen
constexpr size_t kLine = 76;               // of a field of ours, about

HeaderChange removal(std::string_view name, size_t ordinal) {
  return {.kind = Kind::remove,
          .place = static_cast<uint32_t>(ordinal),
          .name = std::string(name),
          .value = {}};
}

HeaderChange insertion(std::string_view name, std::string value) {
  // Below the mail server's own Received, above what came with the message (RFC 8601 section 7.1).
  return {.kind = Kind::insert, .place = 1, .name = std::string(name), .value = std::move(value)};
}

// Which one of its name a field is, from 1.
size_t ordinal_of(std::span<const mime::Field> fields, size_t index) {
  return static_cast<size_t>(std::count_if(
      fields.begin(), fields.begin() + static_cast<std::ptrdiff_t>(index) + 1,
      [&](const mime::Field& one) { return equal_nocase(one.name, fields[index].name); }));
}

// Those behind what was looked at, of which nobody knows what they claim.
void remove_unseen(std::string_view name, size_t all, size_t seen,
                   std::vector<HeaderChange>& changes) {
  for (size_t ordinal = std::min(all, seen + kMostUnseen); ordinal > seen; --ordinal) {
    changes.push_back(removal(name, ordinal));
  }
}

void remove_results(const Transaction& mail, const mime::Header& header,
                    std::span<const auth::ForeignResults> forged,
                    std::vector<HeaderChange>& changes) {
  remove_unseen(kResultsField, mail.results_fields, header.count(kResultsField), changes);
  const auto fields = header.fields();
  for (const auth::ForeignResults& one : forged) {
    if (!is_removable(fields[one.field])) continue;  // Facts::malformed() says so
    const size_t ordinal = one.ordinal != 0 ? one.ordinal : ordinal_of(fields, one.field);
    changes.push_back(removal(fields[one.field].name, ordinal));
  }
}

void remove_marks(const Transaction& mail, const mime::Header& header,
                  std::vector<HeaderChange>& changes) {
  const size_t seen = header.count(kMarkField);
  remove_unseen(kMarkField, mail.mark_fields, seen, changes);
  for (size_t ordinal = seen; ordinal > 0; --ordinal) {
    changes.push_back(removal(kMarkField, ordinal));
  }
}

// A body with LF folds; nothing where it has bytes or folds that no field may be sent with.
std::optional<std::string> sendable(std::string_view body) {
  if (body.size() > kLongestPrefixed || body.find('\0') != std::string_view::npos) {
    return std::nullopt;
  }
  std::string text;
  for (std::string_view line : split(body, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find('\r') != std::string_view::npos || trim(line).empty()) return std::nullopt;
    if (!text.empty()) text += '\n';
    text += text.empty() ? trim(line) : line;
  }
  return text;
}

// Puts the prefix before the only subject; where there are several, or one that cannot be sent, it
// stays.
void prefix_subject(const mime::Header& header, const std::string& prefix,
                    std::vector<HeaderChange>& changes) {
  if (prefix.empty() || header.count("Subject") != 1) return;
  const auto subject = sendable(header.find("Subject")->body);
  if (!subject) return;
  changes.push_back(removal("Subject", 1));
  changes.push_back(insertion("Subject", prefix + *subject));
}

// Names come from a configuration that was checked; what a header may not hold stands in none.
std::string plain(std::string_view text) {
  std::string made(text);
  std::ranges::replace_if(made, [](char c) { return c < ' ' || c >= 0x7F; }, '?');
  return made;
}

// Words with blanks between them, on lines of about kLine.
std::string folded(const std::vector<std::string>& words) {
  std::string text;
  size_t line = kMarkField.size() + 2;
  for (const std::string& word : words) {
    if (!text.empty()) {
      const bool fits = line + 1 + word.size() <= kLine;
      text += fits ? " " : "\n ";
      line = fits ? line + 1 : 1;
    }
    text += word;
    line += word.size();
  }
  return text;
}

// "dmarc", "filter x", "filter y would reject"
std::vector<std::string> rules_of(const std::vector<Reason>& reasons) {
  std::vector<std::string> rules;
  for (const Reason& one : reasons) {
    if (one.said.wants == Disposition::accept) continue;
    std::string rule = plain(one.said.rule);
    if (one.announced) {
      rule += fmt::format(" would {}", name_of(one.said.wants));
    } else if (!one.said.in_force) {
      continue;
    }
    if (std::ranges::find(rules, rule) == rules.end()) rules.push_back(std::move(rule));
  }
  return rules;
}

// What domains have published can be long; then only the results themselves are said.
std::string results_body(const auth::Identity& identity, const std::string& authserv_id) {
  auth::AuthenticationResults results = auth::results_of(identity, authserv_id);
  std::string body = auth::authentication_results_body(results, "\n");
  if (body.size() <= kLongestResults) return body;
  for (auth::MethodResult& one : results.results) {
    one.reason.clear();
    one.comment.clear();
    one.properties.clear();
  }
  return auth::authentication_results_body(results, "\n");
}

}  // namespace

bool is_removable(const mime::Field& field) {
  return !field.name.empty() && field.name.size() <= kLongestFieldName &&
         std::ranges::all_of(field.name, [](char c) { return c > ' ' && c < 0x7F && c != ':'; });
}

std::string mark_text(const Facts& facts, const Marks& marks) {
  const std::vector<std::string> rules = rules_of(*marks.reasons);
  const bool silent = std::ranges::find(facts.findings, "dns_temperror") != facts.findings.end();
  if (marks.decided == Disposition::accept && rules.empty() && !silent) return {};
  std::vector<std::string> all{fmt::format("{};", name_of(marks.decided))};
  for (size_t i = 0; i < rules.size(); ++i) {
    all.push_back(rules[i] + (i + 1 == rules.size() ? ";" : ","));
  }
  for (const std::string& word : facts.findings) all.push_back(plain(word));
  return folded(all);
}

std::vector<HeaderChange> header_changes(const Facts& facts, const Marks& marks) {
  const mime::Header& header = facts.message.header();
  const BorderSettings& settings = *marks.settings;
  std::vector<HeaderChange> changes;
  const Transaction& mail = *facts.transaction;
  if (settings.results) remove_results(mail, header, facts.forged_results, changes);
  remove_marks(mail, header, changes);
  std::ranges::move(token_removals(mail), std::back_inserter(changes));
  if (marks.tagged) prefix_subject(header, settings.tag_subject, changes);
  if (std::string mark = mark_text(facts, marks); !mark.empty()) {
    changes.push_back(insertion(kMarkField, std::move(mark)));
  }
  if (settings.results) {
    changes.push_back(insertion(kResultsField, results_body(facts.identity, *marks.authserv_id)));
  }
  return changes;
}

std::vector<HeaderChange> removals(const Transaction& mail, const mime::Header& header,
                                   std::string_view authserv_id) {
  std::vector<HeaderChange> changes;
  if (!authserv_id.empty()) {
    const std::vector<std::string> ours{std::string(authserv_id)};
    remove_results(mail, header, auth::foreign_results(header, ours), changes);
  }
  remove_marks(mail, header, changes);
  std::ranges::move(token_removals(mail), std::back_inserter(changes));
  return changes;
}

}  // namespace watchpost::border
