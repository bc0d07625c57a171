#include "config/describe.h"

#include "ingest/source.h"

namespace watchpost::config {
namespace {

template <class Kinds>
std::vector<std::string_view> names_of(const Kinds& kinds) {
  std::vector<std::string_view> names;
  for (const auto* const kind : kinds) names.push_back(kind->name);
  return names;
}

// A table whose `kind` says what its other settings are: a source or an enforcer.
template <class Table, class Kinds>
void describe_table(SettingsVisitor& visit, std::vector<Table>& tables, const Kinds& kinds) {
  Table& table = tables.emplace_back();
  visit.setting(
      {.name = "name", .help = "how it is called in events and commands; default: its kind"},
      &table.name);
  visit.setting({.name = "kind",
                 .help = "what it is; its kind decides which settings it has",
                 .choices = names_of(kinds),
                 .required = true},
                &table.kind);
  for (const auto* const kind : kinds) {
    if (kind->name != table.kind) continue;
    table.settings = kind->settings();
    table.settings->describe(visit);
  }
  if (table.name.empty()) table.name = table.kind;
}

}  // namespace

void fields(SettingsVisitor& visit, TokenSettings& settings) {
  visit.setting({.name = "name", .help = "who uses it; stands in the audit log", .required = true},
                &settings.name);
  visit.setting({.name = "token", .help = "the secret itself", .secret = true}, &settings.token);
  visit.setting({.name = "token_file", .help = "the file whose first line is the secret"},
                &settings.token_file);
  visit.setting({.name = "role",
                 .help = "viewer reads; sender posts events and nothing else; responder does all",
                 .choices = {"viewer", "sender", "responder"}},
                &settings.role);
  visit.setting({.name = "read_mail",
                 .help = "beside what its role may: read the bodies of held mail; each time is in "
                         "the audit log"},
                &settings.read_mail);
}

void fields(SettingsVisitor& visit, ListenSettings& settings) {
  visit.setting({.name = "socket",
                 .help = "UNIX socket of the API, for root and the daemon's own user; empty: none"},
                &settings.socket);
  visit.setting(
      {.name = "api", .help = "address:port of the API, for holders of a token; empty: none"},
      &settings.api);
  visit.list("token", "who may use the API over TCP", [&] {
    settings.tokens.emplace_back();
    fields(visit, settings.tokens.back());
  });
}

void fields(SettingsVisitor& visit, EventSettings& settings) {
  visit.setting({.name = "store", .help = "keep the history of events"}, &settings.store);
  visit.setting({.name = "reply_classes",
                 .help = "file of rules that classify SMTP replies; empty: the ones that ship"},
                &settings.reply_classes);
}

void describe(SettingsVisitor& visit, Configuration& to) {
  visit.section("store", "where Watchpost keeps its data", [&] { store::fields(visit, to.store); });
  visit.section("listen", "where the API is reached", [&] { fields(visit, to.listen); });
  visit.section("events", "what happens to events", [&] { fields(visit, to.events); });
  visit.section("geo", "where clients are", [&] { feedback::fields(visit, to.geo); });
  visit.section("feedback", "mail that comes back: how it is known again, and what proves it",
                [&] { feedback::fields(visit, to.feedback); });
  visit.section("dns", "who is asked for names", [&] { dns::fields(visit, to.dns); });
  visit.section("identity", "who a message is from", [&] { auth::fields(visit, to.identity); });
  visit.section("detect", "bounds of detection", [&] { detect::fields(visit, to.limits); });
  visit.section("decide", "bounds of automatic measures",
                [&] { decide::fields(visit, to.decide); });
  visit.section("border", "what becomes of mail as it passes",
                [&] { border::fields(visit, to.border); });
  visit.section("reputation", "what is remembered of those who deliver to us",
                [&] { relate::fields(visit, to.reputation); });
  visit.section("quarantine", "mail that is held for a person to look at",
                [&] { quarantine::fields(visit, to.quarantine); });
  visit.list("source", "where events come from",
             [&] { describe_table(visit, to.sources, ingest::source_kinds()); });
  visit.list("map", "what becomes customer and campaign, or any other field", [&] {
    to.maps.emplace_back();
    feedback::fields(visit, to.maps.back());
  });
  visit.list("detector", "what is watched, and what is done", [&] {
    to.detectors.emplace_back();
    detect::fields(visit, to.detectors.back());
  });
  visit.list("suppress", "which recipients are mailed no more", [&] {
    to.suppress.emplace_back();
    suppress::fields(visit, to.suppress.back());
  });
  visit.list("milter", "where mail servers ask about mail as it passes", [&] {
    to.milters.emplace_back();
    border::fields(visit, to.milters.back());
  });
  visit.list("filter", "what becomes of which mail for us", [&] {
    to.filters.emplace_back();
    border::fields(visit, to.filters.back());
  });
  visit.list("blocklist", "lists in DNS that are asked about mail for us", [&] {
    to.blocklists.emplace_back();
    border::fields(visit, to.blocklists.back());
  });
  visit.list("login", "what a login may write as, besides itself", [&] {
    to.logins.emplace_back();
    border::fields(visit, to.logins.back());
  });
  visit.list("enforcer", "who makes decisions true",
             [&] { describe_table(visit, to.enforcers, enforce::enforcer_kinds()); });
  visit.list("notify", "who is told", [&] {
    to.notify.emplace_back();
    enforce::fields(visit, to.notify.back());
  });
}

}  // namespace watchpost::config
