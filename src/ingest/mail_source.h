#pragma once
#include "base/time.h"
#include "feedback/attribution/attribution.h"
#include "ingest/mail_counts.h"
#include "ingest/source.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace watchpost::ingest {

// What sources of stored mail share: a mail in, an arrival out, and the count of both.
//   Threads: status() may be called from any; all else from the source's own.
class StoredMailReader {
 public:
  // Bytes of a mail that is too large which are kept for people.
  static constexpr size_t kKeptOfLarge = 64 * 1024;

  StoredMailReader(std::string name, const SourceContext& context);

  // `came`: when the mail was put there; what is after now is now.
  Arrival read(std::string_view bytes, Time came);
  // Of a mail that is larger than what is read; `beginning` is what is kept of it.
  Arrival too_large(std::string_view beginning, uint64_t size, const std::string& where);
  // A mail that is there and cannot be read.
  void unreadable(const Error& error) { counts_.unread("unreadable", error.text()); }
  void tell(std::string state, bool healthy, uint64_t bytes_behind) {
    waits_.clear();
    counts_.tell(std::move(state), healthy, bytes_behind);
  }
  // There is nothing to read yet. Logged, but not again for the same reason.
  void wait_for(const std::string& path, int error);
  SourceStatus status() const { return counts_.status(); }
  const std::string& name() const { return name_; }

 private:
  std::string name_;
  SourceContext context_;
  MailCounts counts_;
  std::string waits_;  // what was logged last; empty: it was there since
};

// The envelope of a mail as delivery wrote it into its header: Return-Path; Delivered-To,
// X-Original-To and Envelope-To. Where there is none of these, To stands in for the recipient: a
// token proves itself wherever it stands.
feedback::MailEnvelope stored_envelope(std::string_view bytes);

}  // namespace watchpost::ingest
