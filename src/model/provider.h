#pragma once
#include <string_view>

namespace watchpost {

// The mailbox provider behind a recipient domain: "gmail" for gmail.com and googlemail.com. The
// domain itself where it is not a known one. `domain` must be lower case.
std::string_view provider_of(std::string_view domain);
// Whether a known provider gives mailboxes under it to the public. `domain` must be lower case.
bool is_mailbox_provider(std::string_view domain);

// Whether a provider (as provider_of names it) tells senders of each single complaint: it runs a
// feedback loop that one can join (Yahoo's CFL, Microsoft's JMRP, ...). Not so Gmail and iCloud,
// whose complaints show in no event at all: mail to them dilutes a complaint rate. False for
// providers that are not known.
bool provider_reports(std::string_view provider);

}  // namespace watchpost
