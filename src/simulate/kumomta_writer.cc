#include "simulate/letter_text.h"
#include "simulate/text_writers.h"

#include <charconv>
#include <iterator>
#include <string_view>

#include <fmt/format.h>

namespace watchpost::simulate {
namespace {

// Nothing that we make up has control bytes or anything but ASCII.
void append_text(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

int64_t seconds_of(Time at) {
  return std::chrono::floor<std::chrono::seconds>(at.time_since_epoch()).count();
}

class KumomtaRecord {
 public:
  KumomtaRecord(std::string& out, const Platform& platform, const Occurrence& occurrence)
      : out_(out), platform_(platform), one_(occurrence), letter_(occurrence.letter) {
    append_address(client_, letter_.client);
  }

  void write() {
    switch (one_.what) {
      case Happening::login_failed: rejection(); return;
      case Happening::accepted: reception(); return;
      case Happening::delivered: about_recipient("Delivery"); return;
      case Happening::deferred: about_recipient("TransientFailure"); return;
      case Happening::bounced: about_recipient("Bounce"); return;
      case Happening::bounced_late: about_recipient("OOB"); return;
      case Happening::expired: about_recipient("Expiration"); return;
      case Happening::complained: feedback(); return;
      case Happening::unsubscribed: return;
    }
  }

 private:
  void key(std::string_view name) {
    out_ += ",\"";
    out_ += name;
    out_ += "\":";
  }
  void text(std::string_view name, std::string_view value) {
    key(name);
    append_text(out_, value);
  }
  void number(std::string_view name, int64_t value) {
    key(name);
    fmt::format_to(std::back_inserter(out_), "{}", value);
  }

  void begin(std::string_view type, std::string_view sender) {
    out_ += "{\"type\":\"";
    out_ += type;
    out_ += '"';
    text("id", fmt::format("{:016x}{:016x}", mixed(letter_.key, 51), mixed(letter_.key, 52)));
    text("sender", sender);
  }

  void response(uint32_t code, std::string_view status, std::string_view content,
                std::string_view command) {
    key("response");
    out_ += fmt::format("{{\"code\":{},\"enhanced_code\":", code);
    if (status.size() < 5) {
      out_ += "null";
    } else {
      const std::string_view detail = status.substr(4);
      out_ += fmt::format("{{\"class\":{},\"subject\":{},\"detail\":{}}}", status[0], status[2],
                          detail);
    }
    out_ += ",\"content\":";
    append_text(out_, content);
    out_ += ",\"command\":";
    command.empty() ? void(out_ += "null") : append_text(out_, command);
    out_ += '}';
  }

  void peer(std::string_view name, std::string_view address) {
    key("peer_address");
    out_ += "{\"name\":";
    append_text(out_, name);
    out_ += ",\"addr\":";
    append_text(out_, address);
    out_ += '}';
  }

  void meta() {
    key("meta");
    const Channel& channel = platform_.channel_of(letter_);
    if (channel.customer == Channel::kNone) {
      out_ += "{\"received_from\":";
      append_text(out_, client_ + ":41234");
      out_ += '}';
      return;
    }
    out_ += "{\"tenant\":";
    append_text(out_, platform_.customer_of(letter_).domain);
    std::string campaign;
    platform_.append_campaign(campaign, letter_);
    if (!campaign.empty()) {
      out_ += ",\"campaign\":";
      append_text(out_, campaign);
    }
    out_ += ",\"authn_id\":";
    append_text(out_, platform_.login_of(letter_).name);
    out_ += ",\"received_from\":";
    append_text(out_, client_ + ":41234");
    out_ += '}';
  }

  void times_and_end(Time created) {
    number("timestamp", seconds_of(one_.at));
    text("event_time", format_time(one_.at));
    number("created", seconds_of(created));
    text("created_time", format_time(created));
    text("nodeid", "5e7a4f0c-5a0a-4bd7-9c7e-2f9d8f7f1a01");
    meta();
    out_ += ",\"headers\":{}}\n";
  }

  void rejection() {
    begin("Rejection", "");
    std::string name;
    if (platform_.channel_of(letter_).customer == Channel::kNone) {
      append_guessed_login(name, platform_, letter_.key);
    }
    text("recipient", "");
    text("queue", "");
    text("site", "");
    number("size", 0);
    response(535, "5.7.8", "AUTH invalid", "AUTH PLAIN");
    peer("client", client_);
    number("num_attempts", 0);
    text("bounce_classification", "Uncategorized");
    text("reception_protocol", "ESMTP");
    times_and_end(one_.at);
  }

  void queue(const Mailbox& to) {
    key("queue");
    std::string name;
    platform_.append_campaign(name, letter_);
    if (!name.empty()) name += ':';
    name += platform_.customer_of(letter_).domain + '@';
    append_domain(name, to);
    append_text(out_, name);
  }

  void reception() {
    const std::span<const Mailbox> recipients = platform_.recipients();
    begin("Reception", platform_.login_of(letter_).name);
    key("recipient");
    if (recipients.size() > 1) out_ += '[';
    for (size_t i = 0; i < recipients.size(); ++i) {
      if (i > 0) out_ += ',';
      std::string one;
      append_recipient(one, recipients[i]);
      append_text(out_, one);
    }
    if (recipients.size() > 1) out_ += ']';
    queue(recipients.front());
    text("site", "");
    number("size", letter_.size);
    response(250, "", "", "");
    peer("client", client_);
    number("num_attempts", 0);
    text("bounce_classification", "Uncategorized");
    text("reception_protocol", "ESMTP");
    times_and_end(one_.at);
  }

  void about_recipient(std::string_view type) {
    std::string recipient;
    append_recipient(recipient, one_.to);
    begin(type, platform_.login_of(letter_).name);
    text("recipient", recipient);
    queue(one_.to);
    std::string mx;
    append_mx(mx, one_.to);
    std::string mx_address;
    append_mx_ip(mx_address, one_.to);
    text("site", fmt::format("pool->{}@smtp_client", mx));
    number("size", letter_.size);
    answer();
    peer(mx, mx_address);
    number("num_attempts", one_.tries > 0 ? one_.tries - 1 : 0);
    text("bounce_classification", "Uncategorized");
    text("egress_pool", "pool");
    std::string source;
    append_address(source, platform_.source_of(letter_));
    text("egress_source", "ip-" + source);
    key("source_address");
    out_ += "{\"address\":\"" + source + ":37122\"}";
    text("delivery_protocol", "ESMTP");
    text("reception_protocol", "ESMTP");
    times_and_end(letter_.accepted);
  }

  void answer() {
    if (one_.what == Happening::expired) {
      response(551, "5.4.7", "Next delivery time would be at a time that exceeds the expiry", "");
      return;
    }
    const Reply& reply = replies()[one_.reply];
    std::string content;
    append_reply(content, {0, "", "", reply.text}, one_.to);
    if (reply.code == 0) {
      response(one_.what == Happening::deferred ? 451 : 550, reply.status,
               "KumoMTA internal: " + content, "");
      return;
    }
    const std::string_view command = reply.stage == "RCPT"      ? "RCPT TO:<...>"
                                     : reply.stage == "MAIL"    ? "MAIL FROM:<...>"
                                     : reply.stage == "CONNECT" ? ""
                                                                : ".";
    response(reply.code, reply.status, content, command);
  }

  void feedback() {
    const Receiver& receiver = receivers()[one_.to.receiver];
    begin("Feedback", fmt::format("staff@{}", receiver.name));
    text("recipient", "fbl@mx1.example");
    text("queue", "mx1.example");
    text("site", "");
    number("size", 0);
    response(250, "", "", "");
    std::string recipient;
    append_recipient(recipient, one_.to);
    std::string source;
    append_address(source, platform_.source_of(letter_));
    key("feedback_report");
    out_ += fmt::format(
        "{{\"feedback_type\":\"abuse\",\"user_agent\":\"FBL/"
        "1.0\",\"version\":\"1\",\"source_ip\":\"{}\",\"original_mail_from\":",
        source);
    append_text(out_, platform_.login_of(letter_).name);
    text("arrival_date", format_time(one_.at));
    out_ += ",\"original_rcpto_to\":[";
    append_text(out_, recipient);
    out_ += "],\"supplemental_trace\":{\"recipient\":";
    append_text(out_, recipient);
    text("tenant", platform_.customer_of(letter_).domain);
    std::string campaign;
    platform_.append_campaign(campaign, letter_);
    text("campaign", campaign);
    text("authn_id", platform_.login_of(letter_).name);
    out_ += "}}";
    times_and_end(one_.at);
  }

  std::string& out_;
  const Platform& platform_;
  const Occurrence& one_;
  const Letter& letter_;
  std::string client_;
};

}  // namespace

void write_kumomta(std::string& out, const Platform& platform, const Occurrence& occurrence) {
  KumomtaRecord(out, platform, occurrence).write();
}

}  // namespace watchpost::simulate
