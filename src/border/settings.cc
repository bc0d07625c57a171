#include "border/settings.h"

#include <algorithm>

#include <fmt/format.h>

namespace watchpost::border {
namespace {

constexpr size_t kLongestContact = 100;
constexpr size_t kLongestTag = 50;

const std::vector<std::string_view> kDispositionWords{"accept", "tag", "tempfail", "quarantine",
                                                      "reject"};
const std::vector<std::string_view> kModeWords{"off", "shadow", "notify", "enforce"};

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c < 0x7F; });
}

Result<Done> check_printable(std::string_view text, size_t most, std::string_view setting) {
  if (is_printable(text) && text.size() <= most) return Done{};
  return fail(Code::bad_input, fmt::format("must be printable ASCII of at most {} bytes", most),
              std::string(setting));
}

void disposition(SettingsVisitor& visit, std::string_view name, std::string_view help,
                 std::string& value) {
  visit.setting({.name = name, .help = help, .choices = kDispositionWords}, &value);
}

}  // namespace

void fields(SettingsVisitor& visit, BorderSettings& settings) {
  disposition(visit, "dmarc_reject",
              "what becomes of mail that fails DMARC where the author's domain asks to reject it",
              settings.dmarc_reject);
  disposition(visit, "dmarc_quarantine", "the same where it asks to quarantine it",
              settings.dmarc_quarantine);
  disposition(visit, "uncertain_author",
              "what becomes of mail in which different readers may see different authors, or none",
              settings.uncertain_author);
  disposition(visit, "listed",
              "what becomes of mail whose client or author's domain a block list has",
              settings.listed);
  disposition(visit, "too_large", "what becomes of mail longer than `message_bytes` of the milter",
              settings.too_large);
  disposition(
      visit, "malformed",
      "what becomes of mail with more than 1000 header fields, or 256 KiB of them, NUL bytes in "
      "its header, or a part of it in its body",
      settings.malformed);
  disposition(visit, "overload", "what becomes of mail for which there is no memory left",
              settings.overload);
  disposition(
      visit, "trouble",
      "what becomes of mail that was not judged in time, or could not be for a fault of ours",
      settings.trouble);
  disposition(visit, "quarantine",
              "what becomes of mail to be quarantined where there is no quarantine",
              settings.quarantine);
  visit.setting({.name = "protected_domains",
                 .help = "author domains whose mail waits while DNS does not say whether it is "
                         "theirs; subdomains are meant, too"},
                &settings.protected_domains);
  visit.setting({.name = "protected_patience",
                 .help = "how long mail of one client and sender waits for that at most",
                 .least = 0,
                 .most = 86'400},
                &settings.protected_patience);
  visit.setting({.name = "tag_subject",
                 .help = "put before the subject of tagged mail: `[suspicious] `; empty: the "
                         "subject stays as it is, which keeps DKIM signatures whole"},
                &settings.tag_subject);
  visit.setting({.name = "contact",
                 .help = "stands in refusals: an address or URL for those who are refused; may be "
                         "empty"},
                &settings.contact);
  visit.setting({.name = "results",
                 .help = "writes Authentication-Results into mail for us, and removes those that "
                         "claim to be ours"},
                &settings.results);
  disposition(visit, "foreign_author",
              "what becomes of mail of a login whose author address does not belong to it",
              settings.foreign_author);
  visit.setting({.name = "authors_of_domain",
                 .help = "a login that is an address may write as any address of its domain; "
                         "false: as itself alone"},
                &settings.authors_of_domain);
}

Result<Done> check(const BorderSettings& settings) {
  if (const auto fine = check_printable(settings.contact, kLongestContact, "contact"); !fine) {
    return fine;
  }
  return check_printable(settings.tag_subject, kLongestTag, "tag_subject");
}

void fields(SettingsVisitor& visit, LoginSettings& settings) {
  visit.setting({.name = "login", .help = "as the mail server knows it", .required = true},
                &settings.login);
  visit.setting({.name = "addresses",
                 .help = "what it may write as: `jo@shop.example`, `@shop.example` for all of a "
                         "domain",
                 .required = true},
                &settings.addresses);
}

void fields(SettingsVisitor& visit, BlocklistSettings& settings) {
  visit.setting({.name = "name", .help = "as it stands in reasons; default: its zone"},
                &settings.name);
  visit.setting({.name = "zone", .help = "the list's domain: `dnsbl.example`", .required = true},
                &settings.zone);
  visit.setting({.name = "of",
                 .help = "what is looked up: the client's address, or the domains of author, "
                         "envelope sender and signers",
                 .choices = {"ip", "domain"}},
                &settings.of);
  visit.setting({.name = "answers",
                 .help = "those that mean \"listed\": `127.0.0.2`, `127.0.0.0/24`; empty: all of "
                         "127.0.0.0/8 but 127.255.255.0/24, by which lists say that they do not "
                         "answer you"},
                &settings.answers);
  if (settings.name.empty()) settings.name = settings.zone;
}

void fields(SettingsVisitor& visit, FilterSettings& settings) {
  visit.setting({.name = "name", .help = "stands in reasons", .required = true}, &settings.name);
  visit.setting({.name = "when",
                 .help = "a condition over one message and what was found of it, see filters.md",
                 .required = true},
                &settings.when);
  visit.setting({.name = "then",
                 .help = "what becomes of mail for which it is true",
                 .choices = kDispositionWords},
                &settings.then);
  visit.setting({.name = "mode",
                 .help = "off; shadow counts what it would have done; notify says so in the "
                         "header, too; enforce does it",
                 .choices = kModeWords},
                &settings.mode);
  visit.setting({.name = "owner", .help = "who answers for it"}, &settings.owner);
  visit.setting(
      {.name = "until", .help = "it ends then: `2026-12-31`, `2026-12-31T12:00:00Z`; empty: never"},
      &settings.until);
  visit.setting({.name = "why", .help = "stands in the reason: for people"}, &settings.why);
  visit.setting(
      {.name = "certain",
       .help = "what it finds is malicious for certain: held mail for which it is true is "
               "never offered to its recipients"},
      &settings.certain);
}

}  // namespace watchpost::border
