#pragma once
#include <array>
#include <cstdint>
#include <string_view>

// The numbers of the milter protocol, version 6, as far as they are used here
// (draft-adams-milter-protocol-00).
namespace watchpost::border {

inline constexpr uint32_t kLeastMilterVersion = 2;
inline constexpr uint32_t kMostMilterVersion = 6;

enum class MilterCommand : char {
  abort = 'A',
  body = 'B',
  connect = 'C',
  macros = 'D',
  end_of_message = 'E',
  helo = 'H',
  quit_new_connection = 'K',  // that connection is over, another comes on the same socket
  header = 'L',
  mail = 'M',
  end_of_header = 'N',
  negotiate = 'O',
  quit = 'Q',
  recipient = 'R',
  data = 'T',
  unknown = 'U',  // an SMTP command that the mail server does not know
};

enum class MilterReply : char {
  go_on = 'c',
  accept = 'a',
  reject = 'r',
  tempfail = 't',
  discard = 'd',
  reply_text = 'y',
  skip = 's',  // no more of the body
  negotiate = 'O',
  // At the end of a message alone.
  progress = 'p',
  add_header = 'h',
  insert_header = 'i',
  change_header = 'm',  // with an empty value: remove it
  delete_recipient = '-',
};

// Actions: what a milter may do.
inline constexpr uint32_t kMayAddHeader = 0x001;
inline constexpr uint32_t kMayDeleteRecipient = 0x008;
inline constexpr uint32_t kMayChangeHeader = 0x010;
inline constexpr uint32_t kMayNameMacros = 0x100;

// Steps: what is left out, not answered, or sent in another way.
inline constexpr uint32_t kNoReplyToHeader = 0x00080;
inline constexpr uint32_t kNoUnknown = 0x00100;
inline constexpr uint32_t kSkipIsKnown = 0x00400;
inline constexpr uint32_t kRefusedRecipients = 0x00800;
inline constexpr uint32_t kNoReplyToHelo = 0x02000;
inline constexpr uint32_t kNoReplyToMail = 0x04000;
inline constexpr uint32_t kNoReplyToData = 0x10000;
inline constexpr uint32_t kNoReplyToUnknown = 0x20000;
inline constexpr uint32_t kNoReplyToEndOfHeader = 0x40000;
inline constexpr uint32_t kNoReplyToBody = 0x80000;
inline constexpr uint32_t kLeadingSpace = 0x100000;

inline constexpr uint32_t kWantedActions =
    kMayAddHeader | kMayDeleteRecipient | kMayChangeHeader | kMayNameMacros;
// A connection, a recipient and the end of a message are answered, nothing else is.
inline constexpr uint32_t kWantedSteps = kNoReplyToHeader | kNoUnknown | kSkipIsKnown |
                                         kRefusedRecipients | kNoReplyToHelo | kNoReplyToMail |
                                         kNoReplyToData | kNoReplyToUnknown |
                                         kNoReplyToEndOfHeader | kNoReplyToBody | kLeadingSpace;

// The macros that are asked for, by the protocol's number of the stage. Such a list takes the place
// of the mail server's own.
struct WantedMacros {
  uint32_t stage;
  std::string_view names;
};
inline constexpr std::array kWantedMacros{
    WantedMacros{0,
                 "j _ v {daemon_name} {daemon_addr} {daemon_port} {if_addr} {client_addr} "
                 "{client_name} {client_port} {client_ptr} {client_resolve}"},
    WantedMacros{1, "{tls_version} {cipher} {cipher_bits} {cert_subject} {cert_issuer} {verify}"},
    WantedMacros{2,
                 "i {auth_type} {auth_authen} {auth_author} {auth_ssf} {mail_mailer} {mail_host} "
                 "{mail_addr}"},
    WantedMacros{3, "i {rcpt_mailer} {rcpt_host} {rcpt_addr}"},
    WantedMacros{4, "i"},  // DATA
    WantedMacros{6, "i"},  // end of the header
    WantedMacros{5, "i"},  // end of the message
};

// What was agreed on at the start of a connection.
struct MilterTerms {
  uint32_t version = 0;
  uint32_t actions = 0;
  uint32_t steps = 0;

  bool may(uint32_t action) const { return (actions & action) != 0; }
  bool agreed(uint32_t step) const { return (steps & step) != 0; }
};

}  // namespace watchpost::border
