#include "simulate/letter_text.h"

#include <iterator>

#include <fmt/format.h>

namespace watchpost::simulate {
namespace {

void append_hex(std::string& out, uint64_t number, int digits, const char* alphabet) {
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4)
    out += alphabet[(number >> shift) & 15];
}

// The first of the marks in `text`, and what stands for it.
struct Mark {
  size_t at = std::string_view::npos;
  size_t length = 0;
  char what = 0;
};
Mark next_mark(std::string_view text) {
  const size_t at = text.find('{');
  if (at == std::string_view::npos) return {};
  if (text.substr(at).starts_with("{to}")) return {at, 4, 't'};
  if (text.substr(at).starts_with("{mx}")) return {at, 4, 'm'};
  return {at, 8, 'd'};  // {domain}
}

}  // namespace

void append_queue_id(std::string& out, uint64_t key) {
  append_hex(out, mixed(key, 21), 10, "0123456789ABCDEF");
}

void append_message_id(std::string& out, const Letter& letter, const Customer& customer) {
  append_hex(out, mixed(letter.key, 22), 16, "0123456789abcdef");
  out += '@';
  out += customer.domain;
}

void append_recipient(std::string& out, const Mailbox& to) {
  append_local(out, to);
  out += '@';
  append_domain(out, to);
}

void append_guessed_login(std::string& out, const Platform& platform, uint64_t key) {
  const std::vector<Customer>& customers = platform.population().customers;
  const Customer& customer = customers[mixed(key, 31) % customers.size()];
  if (mixed(key, 32) % 100 < 25) {
    constexpr std::string_view kGuesses[] = {"admin", "info", "test", "scanner", "support"};
    out += kGuesses[mixed(key, 33) % std::size(kGuesses)];
    out += '@';
    out += customer.domain;
    return;
  }
  out += customer.logins[mixed(key, 33) % customer.logins.size()].name;
}

void append_reply(std::string& out, const Reply& reply, const Mailbox& to) {
  if (reply.code != 0) {
    fmt::format_to(std::back_inserter(out), "{}", reply.code);
    out += ' ';
    if (!reply.status.empty()) {
      out += reply.status;
      out += ' ';
    }
  }
  std::string_view text = reply.text;
  for (Mark mark = next_mark(text); mark.at != std::string_view::npos; mark = next_mark(text)) {
    out += text.substr(0, mark.at);
    text.remove_prefix(mark.at + mark.length);
    if (mark.what == 't') append_recipient(out, to);
    if (mark.what == 'd') append_domain(out, to);
    if (mark.what != 'm') continue;
    append_mx(out, to);
    out += '[';
    append_mx_ip(out, to);
    out += ']';
  }
  out += text;
}

void append_status(std::string& out, const Reply& reply) {
  if (!reply.status.empty()) {
    out += reply.status;
    return;
  }
  out += static_cast<char>('0' + reply.code / 100);
  out += ".0.0";
}

double delay_of(const Occurrence& occurrence) {
  return static_cast<double>((occurrence.at - occurrence.letter.accepted).count()) / 1e6;
}

}  // namespace watchpost::simulate
