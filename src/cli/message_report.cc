#include "cli/message_report.h"

#include "base/ascii.h"
#include "base/text.h"
#include "cli/defect_words.h"
#include "crypto/digest.h"
#include "mime/address.h"
#include "mime/charset.h"
#include "mime/words.h"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

using mime::Field;
using mime::Findings;
using mime::Message;
using mime::Part;

constexpr size_t kShownOfAField = 300;
// Messages packed in messages: each is at least a header smaller than the one around it.
constexpr size_t kMostPacked = 10;

bool has_addresses(std::string_view name) {
  constexpr std::array<std::string_view, 14> kNames{"from",        "sender",
                                                    "reply-to",    "to",
                                                    "cc",          "bcc",
                                                    "resent-from", "resent-sender",
                                                    "resent-to",   "resent-cc",
                                                    "resent-bcc",  "return-path",
                                                    "errors-to",   "disposition-notification-to"};
  return std::ranges::any_of(kNames, [&](auto known) { return equal_nocase(name, known); });
}

// What is read with the structure, and has told its defects there.
bool was_read(std::string_view name) { return lower_ascii(name.substr(0, 8)) == "content-"; }

size_t place_of(const Message& message, std::string_view text) {
  return static_cast<size_t>(text.data() - message.bytes().data());
}

std::string utf8(std::string_view bytes) { return mime::to_utf8(bytes, {}, bytes.size() * 3).text; }

void read_values(const Message& message, const Part& part, Findings& findings) {
  for (const Field& field : part.header.fields()) {
    const size_t at = place_of(message, field.body);
    if (has_addresses(field.name)) {
      mime::read_addresses(field.body, at, findings);
    } else if (!was_read(field.name)) {
      mime::readable(field.body, at, findings);
    }
  }
}

MessageReport examined(std::string file, const Message& message, size_t depth);

bool packs_message(const Part& part) {
  const std::string_view type = part.type.value;
  return part.encoding != mime::Encoding::identity &&
         (type == "message/rfc822" || type == "message/global");
}

MessageReport::Content read_content(const Message& message, const Part& part, size_t depth,
                                    Findings& findings) {
  MessageReport::Content content;
  if (part.first_child != Part::kNone) return content;
  std::string bytes = message.decoded(part, findings);
  content.bytes = bytes.size();
  content.sha256 = hex(crypto::sha256(bytes));
  if (packs_message(part) && depth < kMostPacked) {
    content.packed = std::make_unique<PackedMessage>(std::move(bytes), depth + 1);
    return content;
  }
  content.is_text = part.type.value.starts_with("text/") || part.type.value.starts_with("message/");
  if (!content.is_text) return content;
  // What decoding found is known.
  Findings of_text;
  content.text = message.text(part, of_text);
  for (const mime::Finding& finding : of_text.all()) {
    if (!findings.has(finding.what)) findings.add(finding.what, finding.at);
  }
  return content;
}

size_t part_at(const Message& message, size_t at) {
  const auto holds = [&](const Part& part) {
    const size_t begin = place_of(message, part.raw);
    return at >= begin && at < begin + std::max<size_t>(part.raw.size(), 1);
  };
  const auto parts = message.parts();
  for (size_t i = parts.size(); i-- > 0;) {
    if (holds(parts[i])) return i;
  }
  return 0;
}

// Each with the line it is in, in the order of their places; one pass over the bytes.
std::vector<PlacedDefect> placed(const Message& message, const Findings& findings) {
  std::vector<PlacedDefect> all;
  for (const mime::Finding& finding : findings.all()) {
    all.push_back({.what = finding.what, .at = finding.at, .part = part_at(message, finding.at)});
  }
  std::ranges::stable_sort(all, {}, &PlacedDefect::at);
  const std::string_view bytes = message.bytes();
  size_t line = 1, counted_to = 0;
  for (PlacedDefect& defect : all) {
    const size_t at = std::min(defect.at, bytes.size());
    line +=
        static_cast<size_t>(std::ranges::count(bytes.substr(counted_to, at - counted_to), '\n'));
    counted_to = at;
    defect.line = line;
  }
  return all;
}

MessageReport examined(std::string file, const Message& message, size_t depth) {
  MessageReport report{.file = std::move(file), .message = message};
  Findings findings = message.findings();
  for (const Part& part : message.parts()) {
    read_values(message, part, findings);
    report.contents.push_back(read_content(message, part, depth, findings));
  }
  report.defects = placed(message, findings);
  report.defect_count = findings.count();
  return report;
}

// ---- JSON

Object json_of(const mime::Address& address) {
  return {{"name", address.name},
          {"address", address.text()},
          {"local", utf8(address.local)},
          {"domain", utf8(address.domain)},
          {"group", address.group}};
}

Object json_of(const Message& message, const Field& field) {
  const size_t begin = place_of(message, field.raw);
  Object one{{"name", utf8(field.name)},
             {"text", mime::readable(field.body)},
             {"raw", utf8(field.body)},
             {"begin", begin},
             {"end", begin + field.raw.size()}};
  if (!has_addresses(field.name)) return one;
  boost::json::array addresses;
  for (const mime::Address& address : mime::read_addresses(field.body)) {
    addresses.push_back(json_of(address));
  }
  one["addresses"] = std::move(addresses);
  return one;
}

Object json_of(const mime::ContentValue& value) {
  Object parameters;
  for (const auto& [name, text] : value.parameters) parameters[utf8(name)] = utf8(text);
  return {{"value", utf8(value.value)}, {"parameters", std::move(parameters)}};
}

boost::json::value index_json(uint32_t index) {
  return index == Part::kNone ? boost::json::value(nullptr) : boost::json::value(index);
}

Object json_of(const MessageReport& report, size_t index) {
  const Message& message = report.message;
  const Part& part = message.parts()[index];
  const size_t begin = place_of(message, part.raw);
  const size_t body = place_of(message, part.body);
  boost::json::array header;
  for (const Field& field : part.header.fields()) header.push_back(json_of(message, field));
  Object one{{"parent", index_json(part.parent)},
             {"depth", part.depth},
             {"type", json_of(part.type)},
             {"disposition", json_of(part.disposition)},
             {"encoding", mime::name_of(part.encoding)},
             {"file_name", utf8(Message::file_name(part))},
             {"begin", begin},
             {"body", body},
             {"end", begin + part.raw.size()},
             {"header", std::move(header)}};
  if (part.multipart()) {
    one["preamble"] = utf8(part.preamble);
    one["epilogue"] = utf8(part.epilogue);
  }
  if (part.first_child != Part::kNone) return one;
  const MessageReport::Content& content = report.contents[index];
  one["decoded_bytes"] = content.bytes;
  one["sha256"] = content.sha256;
  if (content.is_text) one["text"] = content.text;
  if (content.packed) one["message"] = cli::json_of(content.packed->report);
  return one;
}

Object json_of(const PlacedDefect& defect) {
  return {{"defect", mime::name_of(defect.what)},
          {"words", words_of(defect.what)},
          {"at", defect.at},
          {"line", defect.line},
          {"part", defect.part}};
}

// ---- for people

// Escaped; a tab is a blank.
std::string shown(std::string text, size_t most = std::string::npos) {
  std::ranges::replace(text, '\t', ' ');
  return most == std::string::npos ? escaped(text) : escaped(text, most);
}

void print_header(const Terminal& terminal, const mime::Header& header) {
  for (const Field& field : header.fields()) {
    terminal.line(fmt::format("  {}: {}", terminal.paint(field.name, Colour::bold),
                              shown(mime::readable(field.body), kShownOfAField)));
    if (!has_addresses(field.name)) continue;
    for (const mime::Address& address : mime::read_addresses(field.body)) {
      terminal.line(
          fmt::format("      {}{}", terminal.paint(address.text(), Colour::yellow),
                      address.group.empty() ? "" : " of the group " + escaped(address.group)));
    }
  }
}

void print_tree(const Terminal& terminal, const MessageReport& report) {
  Table table({"PART", "TYPE", "ENCODING", "CHARSET", "DECODED", "BYTES", "FILE"});
  const auto parts = report.message.parts();
  for (size_t i = 0; i < parts.size(); ++i) {
    const Part& part = parts[i];
    const size_t begin = place_of(report.message, part.raw);
    const std::string* const charset = part.type.find("charset");
    const bool leaf = part.first_child == Part::kNone;
    table.row({{std::to_string(i)},
               {std::string(size_t{2} * part.depth, ' ') + part.type.value, Colour::bold},
               {std::string(mime::name_of(part.encoding))},
               {charset == nullptr ? "-" : *charset},
               {leaf ? bytes_text(report.contents[i].bytes) : "-"},
               {fmt::format("{}-{}", begin, begin + part.raw.size())},
               {Message::file_name(part)}});
  }
  table.print(terminal, "");
}

void print_texts(const Terminal& terminal, const MessageReport& report) {
  for (size_t i = 0; i < report.contents.size(); ++i) {
    const MessageReport::Content& content = report.contents[i];
    if (!content.is_text) continue;
    terminal.line();
    terminal.line(fmt::format("Text of part {}:", i));
    std::string_view text = content.text;
    if (text.ends_with('\n')) text.remove_suffix(1);
    for (const std::string_view line : split(text, '\n')) {
      terminal.line("  " + shown(std::string(line)));
    }
  }
}

void print_defects(const Terminal& terminal, const MessageReport& report) {
  Table table({"BYTE", "LINE", "PART", "DEFECT", "WHAT IT IS"});
  for (const PlacedDefect& defect : report.defects) {
    table.row({{std::to_string(defect.at)},
               {std::to_string(defect.line)},
               {std::to_string(defect.part)},
               {std::string(mime::name_of(defect.what)), Colour::yellow},
               {std::string(words_of(defect.what))}});
  }
  table.print(terminal, "No defects.");
  if (report.defect_count > report.defects.size()) {
    terminal.line(fmt::format("and {} more", grouped(report.defect_count - report.defects.size())));
  }
}

}  // namespace

PackedMessage::PackedMessage(std::string unpacked, size_t depth)
    : bytes(std::move(unpacked)),
      message(Message::read(bytes)),
      report(examined({}, message, depth)) {}

MessageReport examine(std::string file, const Message& message) {
  return examined(std::move(file), message, 0);
}

Object json_of(const MessageReport& report) {
  boost::json::array parts, defects;
  for (size_t i = 0; i < report.message.parts().size(); ++i) parts.push_back(json_of(report, i));
  for (const PlacedDefect& defect : report.defects) defects.push_back(json_of(defect));
  return {{"file", utf8(report.file)},
          {"bytes", report.message.bytes().size()},
          {"parts", std::move(parts)},
          {"defects", std::move(defects)},
          {"defects_total", report.defect_count}};
}

void print(const Terminal& terminal, const MessageReport& report, bool with_text) {
  const Message& message = report.message;
  if (!report.file.empty()) {
    terminal.line(fmt::format("{}: {}, {}", escaped(report.file),
                              bytes_text(message.bytes().size()),
                              counted(message.parts().size(), "part")));
    terminal.line();
  }
  print_header(terminal, message.header());
  terminal.line();
  print_tree(terminal, report);
  if (with_text) print_texts(terminal, report);
  terminal.line();
  print_defects(terminal, report);
  for (size_t i = 0; i < report.contents.size(); ++i) {
    const auto& packed = report.contents[i].packed;
    if (!packed) continue;
    terminal.line();
    terminal.line(fmt::format("The message that is packed in part {}:", i));
    terminal.line();
    print(terminal, packed->report, with_text);
  }
}

}  // namespace watchpost::cli
