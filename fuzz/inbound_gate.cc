// A message for us as anybody may send it, with DNS as anybody may publish it: lines of the
// envelope and of records, an empty line, the message. Whatever comes, the gate answers what can be
// sent, keeps a verdict that can be read, and a zone that can be read back.
#include "border/inbound/judge.h"
#include "border/milter/replies.h"
#include "border/release.h"
#include "border/verdict_json.h"
#include "dns/zone_file.h"
#include "made_up_dns.h"
#include "mime/charset.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace watchpost;
using namespace watchpost::border;

namespace {

void check(bool holds) {
  if (!holds) __builtin_trap();
}

struct NoEvents final : ingest::EventSink {
  bool deliver(ingest::Arrival) override { return true; }
};

struct NoTime final : Clock {
  Time now() const override { return Time(Duration(1'780'000'000'000'000)); }
};

std::shared_ptr<const Rules> rules() {
  static const std::shared_ptr<const Rules> kRules = [] {
    auto made = std::make_shared<Rules>();
    made->identity.authserv_id = "mx.example.org";
    made->settings.dmarc_reject = "reject";
    made->settings.tag_subject = "[x] ";
    made->blocklists = {{.name = "l", .zone = "l.example", .of = "domain", .answers = {}}};
    for (const char* const when :
         {"subject matches '(?i)invoice' and attachments > 0", "author_name == reply_to",
          "recipient != '' and link_hosts != '' and client_name == helo and list_id != 'x'"}) {
      if (auto filter =
              make_filter({.name = "f", .when = when, .then = "tag", .mode = "enforce"})) {
        made->filters.push_back(std::move(*filter));
      }
    }
    return made;
  }();
  return kRules;
}

std::shared_ptr<Transaction> mail_of(std::string_view bytes, std::vector<std::string>& records) {
  auto mail = std::make_shared<Transaction>();
  const size_t split = bytes.find("\n\n");
  mail->message = split == bytes.npos ? std::string() : std::string(bytes.substr(split + 2));
  mail->size = mail->message.size();
  records = fuzz::lines_of(bytes.substr(0, split));
  records.resize(std::max<size_t>(records.size(), 4));
  mail->client_ip = IpAddress{.v6 = false, .bytes = {192, 0, 2, 1}};
  mail->mail_from = records[0];
  mail->helo = mail->client_name = records[1];
  mail->recipients = {{.address = records[2], .arguments = {}}};
  mail->macros["i"] = records[2];
  mail->cut = records[3].starts_with('c');
  mail->too_many_fields = records[3].ends_with('f');
  return mail;
}

void check_answer(const Answer& answer) {
  for (const HeaderChange& change : answer.header) check(is_sendable(change));
  const bool refuses = answer.kind != Answer::Kind::proceed;
  check(refuses ? is_reply_of(answer.kind, answer.reply) && answer.header.empty()
                : answer.reply.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<std::string> records;
  const auto mail = mail_of({reinterpret_cast<const char*>(data), size}, records);
  fuzz::MadeUpDns dns(records, *mail->client_ip);
  RulesSnapshot snapshot;
  snapshot.set(rules());
  const enforce::ActiveSnapshot active;
  const feedback::Mapping mapping;
  relate::Reputation reputation(relate::ReputationSettings{.parties = 100});
  NoEvents events;
  const NoTime clock;
  Metrics metrics;
  InboundJudge judge("fuzz", Mode::enforce,
                     {.rules = snapshot,
                      .resolver = dns,
                      .budget = [] { return dns::Budget{}; },
                      .active = active,
                      .mapping = mapping,
                      .reputation = reputation,
                      .events = events,
                      .storing = {},
                      .clock = clock,
                      .metrics = metrics});
  if (const auto presented = presented_by(*mail)) {
    check(begins_with_token(*mail) && mail->message.ends_with(presented->message));
  }
  const Judged judged = std::move(*value_now(judge.judge(mail)));
  check_answer(judged.answer);
  const bool seen_whole = !mail->too_many_fields && judged.facts.identity.authors.certain();
  check(seen_whole || judged.facts.identity.dmarc.result != auth::DmarcResult::pass);
  const std::string json = verdict_json("fuzz", Mode::enforce, judged);
  check(json.size() <= kLargestVerdict && mime::is_utf8(json));
  check(dns::ZoneFile::parse(judged.dns->zone()).has_value());
  return 0;
}
