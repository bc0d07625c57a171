#include "dns/zone_writer.h"

#include "base/text.h"
#include "dns/name.h"
#include "dns/zone_lexer.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <vector>

#include <fmt/format.h>

namespace watchpost::dns {
namespace {

constexpr size_t kLongestString = 255;  // bytes of a <character-string>
constexpr size_t kLongestComment = 200;

std::string quoted(std::string_view bytes) {
  const auto plain = [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; };
  std::string made = "\"";
  made.reserve(bytes.size() + 2);
  while (!bytes.empty()) {
    const auto run = static_cast<size_t>(std::ranges::find_if_not(bytes, plain) - bytes.begin());
    made.append(bytes, 0, run);
    bytes.remove_prefix(run);
    if (bytes.empty()) break;
    const char c = bytes.front();
    if (c == '"' || c == '\\') {
      made += '\\';
      made += c;
    } else {
      made += fmt::format("\\{:03}", static_cast<unsigned char>(c));
    }
    bytes.remove_prefix(1);
  }
  return made + '"';
}

std::string strings_of(std::string_view text) {
  if (text.size() <= kLongestString) return quoted(text);
  std::string made = "(";
  for (size_t at = 0; at < text.size(); at += kLongestString) {
    made += fmt::format("\n  {}", quoted(text.substr(at, kLongestString)));
  }
  return made + " )";
}

// A name as a word of a master file, from the root.
std::string name_word(std::string_view key) {
  std::string word;
  for (const char c : key) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
                       c == '.' || c == '*';
    if (plain) {
      word += c;
    } else {
      fmt::format_to(std::back_inserter(word), "\\{:03}", static_cast<unsigned char>(c));
    }
  }
  return word + '.';
}

// A name as answers have it. A dot within a label cannot be written, and neither can what is no
// name: it becomes one that cannot be asked, as it was.
std::string answered_name(std::string_view name) {
  static constexpr std::string_view kCannotBeAsked = "\\000.";
  if (name.empty()) return ".";
  std::string key;
  for (size_t i = 0; i < name.size(); ++i) {
    if (name[i] != '\\') {
      key += name[i];
      continue;
    }
    const bool number = i + 1 < name.size() && name[i + 1] >= '0' && name[i + 1] <= '9';
    const auto byte = unescaped(name.substr(i, number ? 4 : 2));
    if (!byte || *byte == ".") return std::string(kCannotBeAsked);
    key += *byte;
    i += number ? 3 : 1;
  }
  return make_key(key) ? name_word(key) : std::string(kCannotBeAsked);
}

// What stands behind owner and type, for each record.
std::vector<std::string> data_of(const Question& question, const Answer& answer) {
  std::vector<std::string> data;
  switch (question.type) {
    case RecordType::a:
    case RecordType::aaaa:
      for (const IpAddress& one : answer.addresses) data.push_back(one.text());
      break;
    case RecordType::mx:
      for (const MailExchange& one : answer.exchanges) {
        data.push_back(fmt::format("{} {}", one.preference, answered_name(one.host)));
      }
      break;
    case RecordType::txt:
      for (const std::string& one : answer.texts) data.push_back(strings_of(one));
      break;
    case RecordType::ptr:
    case RecordType::ns:
    case RecordType::cname:
      for (const std::string& one : answer.names) data.push_back(answered_name(one));
      break;
  }
  return data;
}

}  // namespace

std::string txt_entry(std::string_view owner, std::string_view text) {
  const bool has_dot = owner.ends_with('.');
  return fmt::format("{}{} IN TXT {}\n", owner, has_dot ? "" : ".", strings_of(text));
}

std::string answer_entries(const Question& question, const Answer& answer) {
  const std::string owner = name_word(question.name);
  const std::string_view type = name_of(question.type);
  switch (answer.outcome) {
    case Outcome::no_data: return fmt::format("{} NODATA {}\n", owner, type);
    case Outcome::no_such_name: return fmt::format("{} NXDOMAIN {}\n", owner, type);
    case Outcome::failed:
      return fmt::format("{} SERVFAIL {} ; {}\n", owner, type,
                         escaped(answer.why, kLongestComment));
    case Outcome::found: break;
  }
  std::string entries;
  for (const std::string& data : data_of(question, answer)) {
    fmt::format_to(std::back_inserter(entries), "{} {} {} {}\n", owner, answer.ttl, type, data);
  }
  return entries;
}

}  // namespace watchpost::dns
