#include "feedback/reports/unsubscribe.h"

#include "base/text.h"
#include "feedback/reports/carried_mail.h"
#include "feedback/reports/complaint_text.h"
#include "mime/address.h"
#include "mime/words.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

namespace watchpost::feedback {
namespace {

constexpr size_t kMostToken = 500;       // bytes
constexpr size_t kFarInText = 8 * 1024;  // of a body
constexpr size_t kMostAddressesRead = 50;

constexpr std::array<std::string_view, 10> kCommands = {
    "unsubscribe", "unsub", "list-unsubscribe", "unsubscribe-me", "optout",
    "opt-out",     "leave", "signoff",          "remove",         "desubscribe",
};
// Of these a person may write: only with what cannot be a word.
constexpr std::array<std::string_view, 3> kOrdinaryWords = {"leave", "remove", "signoff"};
// What a polite person adds, and programs as well; none of it makes it another request.
constexpr std::array<std::string_view, 14> kFillers = {
    "me",   "please", "from",    "this", "list",       "mailing", "the",
    "your", "my",     "request", "now",  "newsletter", "email",   "address",
};
// The words of an address, where its local part is cut at "+-_=.".
constexpr std::array<std::string_view, 7> kAddressWords = {
    "unsubscribe", "unsub", "unsubscriptions", "listunsubscribe", "optout", "signoff", "remove",
};

bool is_one_of(std::string_view word, const auto& words) {
  return std::ranges::find(words, word) != words.end();
}

std::string_view without_ends(std::string_view word, std::string_view ends) {
  const size_t begin = word.find_first_not_of(ends);
  if (begin == std::string_view::npos) return {};
  return word.substr(begin, word.find_last_not_of(ends) - begin + 1);
}

// A token and no word of a language: an address, a number, digits among letters, signs, or longer
// than words are.
bool looks_like_token(std::string_view word) {
  if (word.size() > kMostToken) return false;
  if (word.find('@') != std::string_view::npos) return true;
  bool letters_only = true;
  for (const char c : word) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool sign =
        (c >= '0' && c <= '9') || std::string_view("+/=_.:~-").find(c) != std::string_view::npos;
    if (!letter && !sign) return false;
    letters_only = letters_only && letter;
  }
  return !letters_only || word.size() >= 20;
}

// The command and what stands behind it; "unsubscribe:k3X9" and "unsubscribe=k3X9" as well.
struct Split {
  std::string command;
  std::string_view rest;
};
Split split_command(std::string_view line) {
  // "unsubscribe-k3X9", "unsubscribe_k3X9"
  constexpr std::string_view kWord = "unsubscribe";
  if (line.size() > kWord.size() && lower_ascii(line.substr(0, kWord.size())) == kWord &&
      std::string_view("-_+").find(line[kWord.size()]) != std::string_view::npos &&
      line.find(' ') == std::string_view::npos && lower_ascii(line) != "unsubscribe-me") {
    return {std::string(kWord), line.substr(kWord.size() + 1)};
  }
  const size_t end = std::min(line.find_first_of(" \t:=;,.!<("), line.size());
  std::string_view rest = line.substr(end);
  rest = without_ends(rest, " \t:=;,!<>()");
  return {lower_ascii(line.substr(0, end)), rest};
}

std::string subject_of(const mime::Message& message) {
  const mime::Field* field = message.header().find("Subject");
  return field == nullptr ? std::string() : one_line(mime::readable(field->body));
}

// The lines of the body that say something, without what stands behind a signature's mark.
std::vector<std::string> said(const mime::Message& message) {
  constexpr size_t kMostLines = 20;
  std::vector<std::string> lines;
  const std::string text = first_text(message, kFarInText);
  for (const std::string_view line : split(text, '\n')) {
    if (trim(line) == "--") break;
    std::string words = one_line(line);
    if (words.empty()) continue;
    lines.push_back(std::move(words));
    if (lines.size() == kMostLines) break;
  }
  return lines;
}

// A mail that a program sent in answer, or to all of a list.
bool is_from_a_program(const mime::Header& header) {
  const std::string automatic = lower_ascii(header.text("Auto-Submitted").value_or(""));
  if (automatic.starts_with("auto-replied")) return true;
  const std::string precedence = lower_ascii(header.text("Precedence").value_or(""));
  if (precedence == "bulk" || precedence == "list" || precedence == "junk") return true;
  for (const std::string_view name : {"List-Id", "List-Unsubscribe", "List-Post", "X-Autoreply"}) {
    if (header.find(name) != nullptr) return true;
  }
  return header.text("Return-Path").value_or("") == "<>";
}

std::optional<std::string> token_of_address(const mime::Header& header) {
  size_t looked_at = 0;
  for (const std::string_view name : {"To", "Delivered-To", "X-Original-To", "Envelope-To"}) {
    for (const mime::Field* field : header.all(name)) {
      for (const mime::Address& address : mime::read_addresses(field->body)) {
        if (++looked_at > kMostAddressesRead) return std::nullopt;
        if (auto token = unsubscribe_address(address.local)) return token;
      }
    }
  }
  return std::nullopt;
}

// Where the command is all that a mail says.
std::optional<std::string> token_of_words(const std::string& subject,
                                          const std::vector<std::string>& lines) {
  if (auto token = unsubscribe_command(subject)) {
    // A program that makes no token of the subject may have put it into the body.
    if (token->empty() && lines.size() == 1) {
      if (auto in_body = unsubscribe_command(lines.front())) return in_body;
      if (looks_like_token(lines.front())) return one_line(lines.front(), kMostToken);
    }
    return token;
  }
  if (lines.size() == 1) return unsubscribe_command(lines.front());
  return std::nullopt;
}

}  // namespace

std::optional<std::string> unsubscribe_command(std::string_view line) {
  line = without_ends(line, " \t\"'.!");
  const Split split = split_command(line);
  if (!is_one_of(split.command, kCommands)) return std::nullopt;
  std::string token;
  for (const std::string_view raw : words(split.rest)) {
    const std::string_view word = without_ends(raw, "<>\"'.,;:!()");
    if (word.empty()) continue;
    if (is_one_of(lower_ascii(word), kFillers)) continue;
    if (token.empty() && looks_like_token(word)) {
      token = one_line(word, kMostToken);
    } else {
      return std::nullopt;
    }
  }
  if (token.empty() && is_one_of(split.command, kOrdinaryWords)) return std::nullopt;
  return token;
}

std::optional<std::string> unsubscribe_address(std::string_view local) {
  constexpr std::string_view kCuts = "+-_=.";
  if (local.size() > kMostToken) return std::nullopt;
  const std::string lower = lower_ascii(local);
  for (const std::string_view whole : {"list-unsubscribe", "opt-out"}) {
    if (lower == whole) return std::string();
    if (lower.starts_with(whole) && kCuts.find(lower[whole.size()]) != std::string_view::npos) {
      return one_line(local.substr(whole.size() + 1), kMostToken);
    }
  }
  const size_t first = lower.find_first_of(kCuts);
  if (first == std::string::npos) {
    if (!is_one_of(lower, kAddressWords)) return std::nullopt;
    return std::string();
  }
  if (is_one_of(std::string_view(lower).substr(0, first), kAddressWords)) {
    const std::string_view token = local.substr(first + 1);
    // "remove-team@" is people.
    const bool word = lower.starts_with("unsub") || lower.starts_with("optout");
    if (word || looks_like_token(token)) return one_line(token, kMostToken);
    return std::nullopt;
  }
  // "news-unsubscribe@", "news-leave@": the token says which list.
  const size_t last = lower.find_last_of("+-");
  if (last == std::string::npos) return std::nullopt;
  const std::string_view word = std::string_view(lower).substr(last + 1);
  if (word == "unsubscribe" || word == "unsub" || word == "leave" || word == "signoff") {
    return one_line(local.substr(0, last), kMostToken);
  }
  // "news+unsubscribe=kim=example.com@"
  const size_t at = lower.find("unsubscribe");
  if (at != std::string::npos && at > 0 && kCuts.find(lower[at - 1]) != std::string_view::npos) {
    return one_line(without_ends(local.substr(at + 11), kCuts), kMostToken);
  }
  return std::nullopt;
}

bool read_unsubscribe(const mime::Message& message, FeedbackMail& mail) {
  if (is_from_a_program(message.header())) return false;
  const std::string subject = subject_of(message);
  std::optional<std::string> token = token_of_address(message.header());
  const bool by_address = token.has_value();
  if (!by_address || token->empty()) {
    std::optional<std::string> of_words = token_of_words(subject, said(message));
    if (!by_address || (of_words && !of_words->empty())) token = std::move(of_words);
  }
  if (!token) return false;
  mail = FeedbackMail{};
  mail.kind = MailKind::unsubscribe;
  mail.form = by_address ? "unsubscribe_address" : "unsubscribe_command";
  mail.why = by_address ? "it was sent to an address for unsubscribing"
                        : "all that it says is the command to unsubscribe";
  const auto from = mime::first_address(message.header().text("From").value_or(""));
  const std::string who = from ? one_line(from->text()) : std::string();
  if (who.empty()) note(mail, "it does not say who wants to unsubscribe");
  mail.unsubscribe = who;
  if (!token->empty()) mail.unsubscribe += (who.empty() ? "" : " ") + *token;
  return true;
}

}  // namespace watchpost::feedback
