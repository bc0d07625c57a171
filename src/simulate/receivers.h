#pragma once
#include "base/time.h"
#include "simulate/random.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::simulate {

// What a receiving server says, word for word. `text` begins behind code and status; "{to}" stands
// for the recipient. With code 0 no server spoke, and the text is that of the mail server itself,
// in which "{mx}" and "{domain}" stand for the server and the recipient's domain.
struct Reply {
  uint16_t code;
  std::string_view status;
  std::string_view stage;  // "CONNECT", "RCPT", "END-OF-MESSAGE"; empty where no server spoke
  std::string_view text;
};
using ReplyId = uint8_t;
std::span<const Reply> replies();

// Who runs mailboxes, and the habits there. The last ones of the list run those of small domains.
struct Receiver {
  std::string_view name;
  std::string_view domains;  // separated by blanks, by falling size; empty: small domains
  std::string_view mx;       // "{domain}" stands for the recipient's domain
  std::string_view network;  // first three bytes of its servers' addresses
  double america;            // share of consumers' mailboxes there, in percent
  double europe;
  bool reports;        // sends complaints back
  bool late;           // takes mail for anybody, and sends it back minutes later
  double greylists;    // chance that a first try is put off
  double per_second;   // that it takes from one address of ours before it says 421; 0: no limit
  bool full_is_final;  // a full mailbox bounces at once
  ReplyId taken, unknown, full, limited, blocked, content, down;
};
std::span<const Receiver> receivers();
// Nothing where the name is none.
std::optional<uint8_t> receiver_named(std::string_view name);

// Greylisting, a network that did not answer, a domain that is not there, an address that we
// retried too long: whoever is on the other side.
struct CommonReplies {
  ReplyId greylisted, timed_out, no_domain, bounced_late;
};
CommonReplies common_replies();

enum class MailboxState : uint8_t { good, full, unknown, no_domain };

// One recipient. Its texts are made from these numbers when somebody asks.
struct Mailbox {
  uint64_t local = 0;   // which name; greater numbers come later in the alphabet
  uint32_t domain = 0;  // which of the receiver's domains
  uint8_t receiver = 0;
  MailboxState state = MailboxState::good;
  bool is_new = false;  // this sender never wrote there
};
inline bool is_same(const Mailbox& one, const Mailbox& other) {
  return one.local == other.local && one.domain == other.domain && one.receiver == other.receiver;
}

enum class Region : uint8_t { america, europe };

// Whom a sender writes to.
struct Audience {
  Region region = Region::europe;
  double small = 0.15;  // share of mailboxes at small domains: companies, clubs, families
};

// The mailbox that belongs to these bits: the same for the same bits.
Mailbox mailbox_of(const Audience& audience, uint64_t bits);
// A small domain's number can be anything below this.
inline constexpr uint32_t kSmallDomains = 40'000;

void append_domain(std::string& out, const Mailbox& mailbox);
void append_local(std::string& out, const Mailbox& mailbox);
void append_mx(std::string& out, const Mailbox& mailbox);
void append_mx_ip(std::string& out, const Mailbox& mailbox);
// "anna.meier": for logins. `bits` as for a mailbox.
void append_person(std::string& out, uint64_t bits);
// "cedarbau17.example": a company's domain.
void append_company(std::string& out, uint32_t number);

}  // namespace watchpost::simulate
