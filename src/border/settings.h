#pragma once
#include "base/result.h"
#include "base/settings.h"
#include "base/time.h"
#include "expr/expression.h"
#include "model/mail_verdict.h"
#include "model/measure.h"

#include <cstdint>
#include <string>
#include <vector>

namespace watchpost::border {

// [border]: what becomes of mail. Each of the texts is a disposition.
struct BorderSettings {
  std::string dmarc_reject = "tag";      // fails DMARC, and the author's domain asks to reject
  std::string dmarc_quarantine = "tag";  // the same, and it asks to quarantine
  std::string uncertain_author = "tag";  // readers may see different authors, or none
  std::string listed = "tag";            // a block list has the client or the author's domain
  std::string too_large = "tag";         // longer than is looked at
  std::string malformed = "tag";         // too many fields, NUL bytes in the header
  std::string overload = "tempfail";     // no room for the message
  std::string trouble = "tempfail";      // no answer in time, or something of ours is broken
  std::string quarantine = "tempfail";   // in place of a quarantine that there is not
  // While DNS does not say whether they can be forged, mail that claims to be from these is refused
  // for now, for at most so long for one client and sender; all other mail is accepted with a mark.
  std::vector<std::string> protected_domains;
  Duration protected_patience = std::chrono::minutes(30);
  std::string tag_subject;  // put before the subject of tagged mail; empty: the subject stays
  std::string contact;      // stands in refusals: an address or URL; may be empty
  bool results = true;  // writes Authentication-Results, and removes those that claim to be ours
  // Mail of our logins.
  std::string foreign_author = "accept";  // an author that does not belong to the login
  bool authors_of_domain = true;  // a login that is an address may write as any of its domain
};
void fields(SettingsVisitor& visit, BorderSettings& settings);
Result<Done> check(const BorderSettings& settings);

// [[login]]: what a login may write as, besides itself.
struct LoginSettings {
  std::string login;
  std::vector<std::string> addresses;  // "jo@shop.example", "@shop.example"
};
void fields(SettingsVisitor& visit, LoginSettings& settings);

// [[blocklist]]: a DNS list (RFC 5782).
struct BlocklistSettings {
  std::string name;                  // as it stands in reasons; empty: its zone
  std::string zone;                  // "zen.spamhaus.org"
  std::string of = "ip";             // ip: the client's address; domain: author, sender, signer
  std::vector<std::string> answers;  // those that mean "listed": "127.0.0.2", "127.0.0.0/24";
                                     // empty: all of 127.0.0.0/8 but 127.255.255.0/24
};
void fields(SettingsVisitor& visit, BlocklistSettings& settings);
Result<Done> check(const BlocklistSettings& settings);

// [[filter]]
struct FilterSettings {
  std::string name;
  std::string when;             // a condition over one message: docs/reference/filters.md
  std::string then = "tag";     // a disposition
  std::string mode = "shadow";  // off, shadow, notify, enforce
  std::string owner;            // who answers for it
  std::string until;            // it ends then: "2026-12-31", "2026-12-31T12:00:00Z"; empty: never
  std::string why;              // stands in the reason
  bool certain = false;         // what it finds is malicious for certain
};
void fields(SettingsVisitor& visit, FilterSettings& settings);

// A filter rule, checked.
struct Filter {
  std::string name;
  expr::RowCondition when;
  Disposition then = Disposition::tag;
  Mode mode = Mode::shadow;
  std::string owner;
  Time until = Time::max();
  std::string why;
  bool certain = false;
  bool by_recipient = false;  // it asks who gets the message
};
// `about` of an error: "when, column 12".
Result<Filter> make_filter(const FilterSettings& settings);

}  // namespace watchpost::border
