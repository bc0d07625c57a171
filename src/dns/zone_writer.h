#pragma once
#include "dns/packet.h"
#include "dns/resolver.h"

#include <string>
#include <string_view>


namespace watchpost::dns {

// A TXT record as an entry of a master file (RFC 1035 section 5.1), with its line end: the name
// with its last dot, and the text in quoted strings of 255 bytes at most (section 3.3), which
// readers join without a blank. Each string has a line of its own where there are several. Bytes
// that a master file gives a meaning, or that are not printable ASCII, are escaped; so any text
// comes back as it was. `owner` is a name as make_key() takes it, without backslashes.
//   Rules:   pure and total.
std::string txt_entry(std::string_view owner, std::string_view text);

// The answer to a question as entries that ZoneFile reads back as the same answer: whatever else
// stands in the file, of that name, above or below it. What is not kept: whether it was validated,
// the TTL of what is not there, and of failures the words why (they stand behind as a comment). A
// name in an answer that cannot be asked is another such name. The question's name is as make_key()
// has it, of any bytes.
//   Rules:   pure and total.
std::string answer_entries(const Question& question, const Answer& answer);

}  // namespace watchpost::dns
