#include "net/address.h"
#include "net/curl.h"
#include "net/http_client.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <fmt/format.h>

namespace watchpost::net {
namespace {

constexpr size_t kLongestAddress = 320;  // RFC 5321 4.5.3.1: 64 + 1 + 255

struct Reading {
  std::string_view rest;
};

size_t give_message(char* into, size_t, size_t room, void* context) {
  auto& reading = *static_cast<Reading*>(context);
  const size_t count = std::min(room, reading.rest.size());
  std::memcpy(into, reading.rest.data(), count);
  reading.rest.remove_prefix(count);
  return count;
}

// What stands between < and > in MAIL and RCPT: nothing that could end it or the line.
Result<Done> check_address(std::string_view address) {
  const bool plain = std::ranges::all_of(address, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte != 0x7F && c != '<' && c != '>';
  });
  if (plain && address.size() <= kLongestAddress) return Done{};
  return fail(Code::bad_input, "this is not a mail address", std::string(address));
}

Result<Done> check(const OutgoingMail& mail) {
  if (mail.to.empty()) return fail(Code::bad_input, "a mail without recipients");
  if (const auto from = check_address(mail.from); !from) return from;
  for (const std::string& to : mail.to) {
    if (to.empty()) return fail(Code::bad_input, "an empty recipient");
    if (const auto checked = check_address(to); !checked) return checked;
  }
  // RFC 5321 2.3.8: CR and LF only together. Servers disagree on lone ones, which makes them a way
  // to smuggle a second message.
  const std::string_view text = mail.message;
  for (size_t at = text.find_first_of("\r\n"); at != std::string_view::npos;
       at = text.find_first_of("\r\n", at + 2)) {
    if (text.substr(at, 2) != "\r\n") {
      return fail(Code::bad_input, "the message has a line end that is not CRLF");
    }
  }
  return Done{};
}

}  // namespace

Result<Done> send_mail(const OutgoingMail& mail) {
  if (const auto checked = check(mail); !checked) return checked;
  const auto relay = parse_host_port(mail.relay);
  if (!relay) return fail(relay.error());
  const auto easy = open_curl(mail.deadline);
  if (!easy) return fail(easy.error());
  CurlList recipients;
  for (const std::string& to : mail.to) {
    if (const auto added = append(recipients, "<" + to + ">"); !added) return added;
  }
  const bool six = relay->host.find(':') != std::string::npos;
  const std::string url =
      fmt::format("smtp://{}{}{}:{}", six ? "[" : "", relay->host, six ? "]" : "", relay->port);
  const std::string from = "<" + mail.from + ">";
  Reading reading{mail.message};
  curl_easy_setopt(easy->get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy->get(), CURLOPT_PROTOCOLS_STR, "smtp");
  // As mail servers do among themselves (RFC 7435): TLS where the relay offers it, its name
  // unchecked, since without TLS the same mail would go in clear.
  curl_easy_setopt(easy->get(), CURLOPT_USE_SSL, static_cast<long>(CURLUSESSL_TRY));
  curl_easy_setopt(easy->get(), CURLOPT_SSL_VERIFYPEER, 0L);
  curl_easy_setopt(easy->get(), CURLOPT_SSL_VERIFYHOST, 0L);
  curl_easy_setopt(easy->get(), CURLOPT_MAIL_FROM, from.c_str());
  curl_easy_setopt(easy->get(), CURLOPT_MAIL_RCPT, recipients.get());
  curl_easy_setopt(easy->get(), CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(easy->get(), CURLOPT_READFUNCTION, give_message);
  curl_easy_setopt(easy->get(), CURLOPT_READDATA, &reading);
  std::array<char, CURL_ERROR_SIZE> detail{};
  curl_easy_setopt(easy->get(), CURLOPT_ERRORBUFFER, detail.data());
  const CURLcode code = curl_easy_perform(easy->get());
  if (code == CURLE_OK) return Done{};
  long reply = 0;
  curl_easy_getinfo(easy->get(), CURLINFO_RESPONSE_CODE, &reply);
  if (reply >= 500 && reply < 600) {
    return fail(Code::refused, fmt::format("the relay refused the mail: {}", detail.data()),
                mail.relay);
  }
  return curl_failure(code, detail.data(), mail.relay);
}

}  // namespace watchpost::net
