#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace watchpost::net {

enum class MailProtocol : uint8_t { smtp, lmtp };

// What a client said of a message beside its sender (RFC 1870, 6152, 6531, 3461 sections 4.3, 4.4).
struct MailParameters {
  std::optional<uint64_t> size;  // as declared, not as counted
  bool eight_bit = false;        // BODY=8BITMIME
  bool smtputf8 = false;
  std::string return_content;  // RET: "FULL", "HDRS" or empty
  std::string envelope_id;     // ENVID, decoded where that is printable ASCII
};

struct MailRecipient {
  std::string address;  // as written, without brackets and source route
  std::string
      notify;  // NOTIFY: "NEVER", or of "SUCCESS", "FAILURE" and "DELAY" with commas; or empty
  std::string original;  // ORCPT, decoded where that is text: "rfc822;user@example.com"; or empty
};

// A message as a client handed it in. All texts are what the client claimed, within the grammar of
// RFC 5321 and 6531: valid UTF-8 without control characters of ASCII. `bytes` may hold anything but
// a CR or LF that is not part of a CRLF.
struct ReceivedMail {
  std::string peer;  // "127.0.0.1:40312", "[::1]:40312" or "unix"
  std::string helo;
  MailProtocol protocol = MailProtocol::smtp;
  std::string tls;        // "TLSv1.3 TLS_AES_256_GCM_SHA384"; empty without
  std::string mail_from;  // empty for the null sender
  MailParameters parameters;
  std::vector<MailRecipient> recipients;  // at least one
  std::string bytes;                      // dots unstuffed
};

// What became of a message. Only `accepted` lets the client forget it.
struct MailOutcome {
  enum class Kind : uint8_t { accepted, temporary, permanent };
  Kind kind = Kind::temporary;
  std::string text = {};  // for the client; what is not printable ASCII is left out
};

}  // namespace watchpost::net
