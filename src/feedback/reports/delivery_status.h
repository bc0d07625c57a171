#pragma once
#include "feedback/reports/feedback_mail.h"

#include <string>
#include <string_view>
#include <vector>

namespace watchpost::feedback {

// A message/delivery-status (RFC 3464 section 2; message/global-delivery-status, RFC 6533 section
// 3), as it was sent and not as it should have been.
struct DeliveryStatus {
  std::string reporting_mta;
  std::string envelope_id;
  // Recipient, action, status, diagnostic and remote MTA as given; nothing is judged. Each
  // recipient once for each action.
  std::vector<RecipientReport> recipients;
  // What is wrong with it, in words.
  std::vector<std::string> defects;
};

// Total and linear. Fields of a recipient that are torn apart by blank lines come together again,
// and recipients that are not set apart by one are told apart.
DeliveryStatus read_delivery_status(std::string_view text);

// Whether a text that should be for people has fields of such a report in it.
bool has_delivery_status(std::string_view text);

}  // namespace watchpost::feedback
