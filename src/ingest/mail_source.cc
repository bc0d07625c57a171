#include "ingest/mail_source.h"

#include "base/log.h"
#include "base/text.h"
#include "ingest/feedback_reader.h"
#include "ingest/reporters.h"
#include "mime/address.h"
#include "mime/header.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace watchpost::ingest {
namespace {

constexpr size_t kMostRecipients = 20;

void take_addresses(const mime::Header& header, std::string_view name,
                    std::vector<std::string>& into) {
  for (const mime::Field* const field : header.all(name)) {
    for (const mime::Address& address : mime::read_addresses(field->body)) {
      if (into.size() == kMostRecipients) return;
      if (!address.domain.empty()) into.push_back(address.text());
    }
  }
}

std::optional<std::string> reporter_of(const SourceContext& context, std::string_view bytes) {
  if (context.reporters == nullptr) return std::nullopt;
  return context.reporters->check_now(bytes);
}

}  // namespace

feedback::MailEnvelope stored_envelope(std::string_view bytes) {
  mime::Findings findings;
  const mime::Header header = mime::Header::read(bytes, 0, {}, findings);
  feedback::MailEnvelope envelope;
  if (const mime::Field* const path = header.find("Return-Path")) {
    const auto address = mime::first_address(path->body);
    envelope.sender = address ? address->text() : "<>";
  }
  for (const std::string_view name : {"Delivered-To", "X-Original-To", "Envelope-To"}) {
    take_addresses(header, name, envelope.recipients);
  }
  if (envelope.recipients.empty()) take_addresses(header, "To", envelope.recipients);
  return envelope;
}

StoredMailReader::StoredMailReader(std::string name, const SourceContext& context)
    : name_(std::move(name)), context_(context) {}

void StoredMailReader::wait_for(const std::string& path, int error) {
  std::string state = fmt::format("waiting: {}: {}", path, std::strerror(error));
  counts_.tell(state, error == ENOENT, 0);
  if (state == waits_) return;
  log_warning("ingest", "{}: {}", name_, state);
  waits_ = std::move(state);
}

Arrival StoredMailReader::read(std::string_view bytes, Time came) {
  WP_CHECK(context_.feedback != nullptr);
  const Time now = context_.clock.now();
  feedback::MailEnvelope envelope = stored_envelope(bytes);
  const std::string sender = envelope.sender;
  Arrival arrival = context_.feedback->read({.bytes = bytes,
                                             .envelope = std::move(envelope),
                                             .source = name_,
                                             .at = std::min(came, now),
                                             .now = now,
                                             .proven_reporter = reporter_of(context_, bytes)});
  counts_.note(arrival, sender);
  return arrival;
}

Arrival StoredMailReader::too_large(std::string_view beginning, uint64_t size,
                                    const std::string& where) {
  Arrival arrival;
  arrival.source = name_;
  feedback::MailEnvelope envelope = stored_envelope(beginning);
  std::string why = fmt::format(
      "it has {} bytes, more than are read; only its beginning is kept here: {}", size, where);
  counts_.too_large(why);
  arrival.kept_mail.push_back({.at = context_.clock.now(),
                               .source = name_,
                               .reporter = {},
                               .why = std::move(why),
                               .sender = std::move(envelope.sender),
                               .recipients = std::move(envelope.recipients),
                               .bytes = std::string(beginning.substr(0, kKeptOfLarge))});
  return arrival;
}

}  // namespace watchpost::ingest
