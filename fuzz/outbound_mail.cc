// Mail of a login, as anybody who stole it may send it: what its content has stays within its
// bounds, each text that is told is one of ours or valid UTF-8, and the verdict that is kept is a
// document of bounded size.
#include "auth/mailbox.h"
#include "base/result.h"
#include "border/links.h"
#include "border/outbound/hygiene.h"
#include "border/outbound/kept.h"
#include "border/outbound/mail.h"
#include "mime/charset.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

using namespace watchpost;
using namespace watchpost::border;

namespace {

void check_hosts(const std::vector<std::string>& hosts) {
  WP_CHECK(hosts.size() <= LinkHosts::kMost);
  for (const std::string& host : hosts) {
    WP_CHECK(std::ranges::count(hosts, host) == 1);
    WP_CHECK(auth::mail_domain(host) == host || parse_ip_address(host));
  }
}

void check_traits(const Traits& traits) {
  check_hosts(traits.link_hosts);
  WP_CHECK(traits.subject.size() <= kLongestSubject && mime::is_utf8(traits.subject));
  WP_CHECK(traits.subject_hash.empty() || traits.subject_hash.size() == 16);
  WP_CHECK(traits.attachments.size() <= std::min(kMostNames, traits.attachment_count));
  for (const std::string& name : traits.attachments) {
    WP_CHECK(name.size() <= kLongestName && mime::is_utf8(name));
  }
  WP_CHECK(!traits.list.one_click || traits.list.unsubscribe_https);
  WP_CHECK(!traits.list.unsubscribe_https || traits.list.unsubscribe);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  LinkHosts plain, html;
  plain.read_text(text);
  html.read_html(text);
  check_hosts(plain.all());
  check_hosts(html.all());

  Transaction mail;
  mail.message = text;
  mail.size = text.size();
  mail.mail_from = text.substr(0, std::min<size_t>(text.size(), 300));
  mail.macros["auth_authen"] = "jo@shop.example";
  mail.recipients = {{.address = mail.mail_from, .arguments = "", .refused = false}};
  const Rules rules;
  const OutboundMail looked_at = look_at(mail, rules, nullptr);
  check_traits(looked_at.traits);
  EventBatch batch;
  const Event& event = message_event(mail, looked_at, batch);
  WP_CHECK(!event[Field::sender].empty() && event.recipients == 1);
  const std::string json = outbound_verdict_json(
      "outbound", Mode::enforce, "",
      {.mail = mail, .looked_at = looked_at, .verdict = {}, .reply = {}, .at = {}});
  WP_CHECK(json.size() <= size_t{256} << 10 && mime::is_utf8(json));
  return 0;
}
