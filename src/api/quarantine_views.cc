#include "api/quarantine_views.h"

#include "api/json_text.h"
#include "base/text.h"

#include <string>
#include <string_view>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace watchpost::api {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

value copy_view(const quarantine::Copy& copy) {
  const bool due = copy.state == quarantine::CopyState::due;
  return object{{"recipient", of(copy.recipient)},
                {"state", of(name_of(copy.state))},
                {"changed_at", or_null(copy.changed)},
                {"release_at", due ? or_null(copy.release_at) : value(nullptr)},
                {"paced", due && copy.paced},
                {"by", or_null(copy.by)},
                {"note", or_null(copy.note)},
                {"requested_at", of(copy.requested)}};
}

array lines_of(const std::vector<std::string>& lines) {
  array out;
  for (const std::string& line : lines) out.push_back(of(line));
  return out;
}

value part_view(const investigate::SafePart& part) {
  return object{
      {"depth", part.depth}, {"type", of(part.type)},          {"name", or_null(part.name)},
      {"size", part.size},   {"sha256", or_null(part.sha256)}, {"attached", part.attached}};
}

}  // namespace

value view(const quarantine::HeldMessage& message) {
  array copies;
  for (const quarantine::Copy& copy : message.copies) copies.push_back(copy_view(copy));
  return object{{"id", of(to_hex(message.id))},
                {"at", of(message.at)},
                {"until", of(message.until)},
                {"direction", of(name_of(message.direction))},
                {"milter", or_null(message.milter)},
                {"queue_id", or_null(message.queue_id)},
                {"message_id", or_null(message.message_id)},
                {"sender", of(message.sender)},
                {"author", or_null(message.author)},
                {"author_domain", or_null(message.author_domain)},
                {"subject", or_null(message.subject)},
                {"login", or_null(message.login)},
                {"customer", or_null(message.customer)},
                {"campaign", or_null(message.campaign)},
                {"client_ip", or_null(message.client_ip)},
                {"spf", or_null(message.spf)},
                {"dmarc", or_null(message.dmarc)},
                {"disposition", of(message.disposition)},
                {"rule", or_null(message.rule)},
                {"reason", or_null(message.reason)},
                {"decision", message.decision ? of(text_of(message.decision)) : value(nullptr)},
                {"certain", message.certain},
                {"size", message.size},
                {"copies", std::move(copies)}};
}

value view(const quarantine::Usage& usage) {
  return object{{"messages", usage.messages},
                {"copies", usage.copies},
                {"due", usage.due},
                {"requested", usage.requested},
                {"bytes", usage.bytes},
                {"space", usage.space},
                {"oldest", or_null(usage.oldest)},
                {"trouble", or_null(usage.trouble)}};
}

value view(const quarantine::Exception& exception) {
  return object{{"name", of(exception.name)},
                {"when", of(exception.when)},
                {"until", of(exception.until)},
                {"by", of(exception.by)},
                {"why", or_null(exception.why)}};
}

value view(const investigate::SafeView& seen) {
  array parts, texts, links;
  for (const investigate::SafePart& part : seen.parts) parts.push_back(part_view(part));
  for (const investigate::SafeText& text : seen.texts) {
    texts.push_back(object{{"type", of(text.type)}, {"text", of(text.text)}});
  }
  for (const investigate::SafeLink& link : seen.links) {
    links.push_back(object{{"url", of(link.url)}, {"fetched", link.fetched}});
  }
  return object{{"header", lines_of(seen.header)},
                {"parts", std::move(parts)},
                {"texts", std::move(texts)},
                {"links", std::move(links)},
                {"findings", lines_of(seen.findings)},
                {"verdict", document(seen.verdict)},
                {"whole", seen.whole}};
}

value view(const investigate::ReleaseReceipt& receipt) {
  return object{{"copies", receipt.copies},
                {"exception", receipt.exception ? view(*receipt.exception) : value(nullptr)},
                {"corrected", receipt.corrected},
                {"incident", receipt.incident ? of(text_of(receipt.incident)) : value(nullptr)}};
}

}  // namespace watchpost::api
