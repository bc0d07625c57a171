#pragma once
#include "border/milter/transaction.h"
#include "mime/message.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace watchpost::border {

// What both gates read out of a transaction alike. All are pure and total.

// The sender of MAIL FROM as events and logs have it: "jo@shop.example", "<>" for the null sender.
std::string_view sender_of(std::string_view mail_from);

// Of the whole message, those that were too many to remember as well.
uint32_t recipients_of(const Transaction& mail);

// Names a message among all of one mail server, before it has a queue id too.
std::string instance_of(const Transaction& mail);

// Message-ID without its angle brackets, as logs have it; empty where there is none of usual
// length.
std::string message_id_of(const mime::Message& message);

// Whether all of the header was there to be looked at: else another author may stand in the rest.
bool has_whole_header(const Transaction& mail, const mime::Message& message);

}  // namespace watchpost::border
