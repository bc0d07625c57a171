// SPF as a domain may publish it and a client may provoke it. The first line is the sender, the
// second HELO, all others are records that DNS has at one name or another, some as explanations:
// whatever stands there, the limits of RFC 7208 section 4.6.4 hold, expansions are bounded, and
// showing the terms gives the same verdict.
#include "auth/spf/evaluation.h"
#include "auth/spf/explain.h"
#include "base/ascii.h"
#include "base/result.h"
#include "made_up_dns.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

using namespace watchpost;
using namespace watchpost::auth;

namespace {

// A first record, ten terms of eleven queries each, %{p} with its own eleven, and `exp`.
constexpr size_t kMostQueries = 1 + 11 * 12 + 12 + 1;

void check_macros(std::string_view text, const SpfQuestion& question) {
  const SpfMacroValues values{.sender = question.mail_from,
                              .local_part = question.mail_from,
                              .sender_domain = question.helo,
                              .domain = question.helo,
                              .helo = question.helo,
                              .receiver = "",
                              .validated_name = "unknown",
                              .ip = question.ip,
                              .now = question.now};
  for (const SpfMacroUse use : {SpfMacroUse::domain, SpfMacroUse::explanation}) {
    const auto macros = parse_spf_macro_string(text, use);
    if (!macros) continue;
    WP_CHECK(macros->text == text && macros->pieces.size() <= text.size());
    const auto expanded = expand_spf_macros(*macros, values);
    WP_CHECK(!expanded || expanded->size() <= kLongestSpfExpansion);
    const auto name = expand_spf_domain(*macros, values);
    WP_CHECK(!name || name->size() <= 253 || !name->contains('.'));
  }
  // What is a domain is a macro-string as well.
  WP_CHECK(!parse_spf_domain(text) || parse_spf_macro_string(text, SpfMacroUse::domain));
}

void check_record(std::string_view text) {
  const auto record = parse_spf_record(text);
  WP_CHECK(record || !record.error().empty());
  if (!record) return;
  WP_CHECK(is_spf_record(text) && is_printable(text));
  size_t bytes = 0;
  for (const SpfTerm& term : record->terms) {
    WP_CHECK(!term.text.empty() && text.contains(term.text));
    WP_CHECK(term.prefix4 >= 0 && term.prefix4 <= 32 && term.prefix6 >= 0 && term.prefix6 <= 128);
    bytes += term.text.size() + 1;
  }
  WP_CHECK(bytes <= text.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  auto lines = fuzz::lines_of(all);
  SpfQuestion question;
  question.ip = *parse_ip_address(size % 2 == 0 ? "192.0.2.1" : "2001:db8::1");
  if (!lines.empty()) question.mail_from = lines[0];
  if (lines.size() > 1) question.helo = lines[1];
  lines.erase(lines.begin(),
              lines.begin() + static_cast<ptrdiff_t>(std::min<size_t>(2, lines.size())));
  for (const std::string& line : lines) {
    check_record(line);
    check_macros(line, question);
  }
  fuzz::MadeUpDns dns(lines, question.ip);
  dns::Budget budget;
  const auto verdict = value_now(check_spf(question, dns, budget));
  WP_CHECK(verdict.has_value() && !verdict->why.empty());
  WP_CHECK(dns.queries() <= kMostQueries);
  WP_CHECK(verdict->look_ups <= kMostSpfLookUps + 1);
  WP_CHECK(verdict->void_look_ups <= kMostSpfVoidLookUps + 1);
  const bool over =
      verdict->look_ups > kMostSpfLookUps || verdict->void_look_ups > kMostSpfVoidLookUps;
  WP_CHECK(!over || verdict->result == SpfResult::permerror);
  WP_CHECK(is_printable(verdict->explanation));
  WP_CHECK(verdict->explanation.empty() || verdict->result == SpfResult::fail);
  WP_CHECK(verdict->within.size() <= kMostSpfLookUps);
  const auto explained = value_now(explain_spf(question, dns, budget));
  WP_CHECK(explained.has_value() && explained->verdict.result == verdict->result);
  WP_CHECK(explained->steps.size() <= kMostSpfSteps + kDeepestSpfStep);
  return 0;
}
