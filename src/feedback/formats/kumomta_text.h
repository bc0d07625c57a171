#pragma once
#include <cstdint>
#include <string_view>

namespace watchpost::feedback {

// The parts of a queue's name: `campaign:tenant@domain!routing_domain`, any of them empty.
struct KumomtaQueue {
  std::string_view campaign;
  std::string_view tenant;
};
KumomtaQueue kumomta_queue(std::string_view name);

// The address of "192.0.2.1:25", "[2001:db8::1]:25" or an address alone.
std::string_view without_port(std::string_view address);

// An address without its angle brackets, as feedback reports have them.
std::string_view without_brackets(std::string_view address);

// What was answered: RCPT, DATA, END-OF-MESSAGE, ... Empty where it is no command of SMTP.
std::string_view kumomta_stage(std::string_view command);

// The words with which kumod itself says that it waits: a suspension or a throttle, both set by an
// operator or an automation. Only for replies that no command brought: what a remote server says
// comes with the command that it answers.
bool is_kumomta_waiting(std::string_view content);

// Our class for one of kumod's; empty where there is none. docs/formats/kumomta-log.md.
std::string_view class_of_kumomta(std::string_view bounce_classification);

// The Message-ID of a message that is JSON text with its escapes.
std::string_view message_id_in(std::string_view message);

// The operator's own word for who runs the recipient's mailbox; empty where everybody knows, so
// that it keeps its usual name (model/provider.h).
std::string_view word_for_provider(std::string_view own, std::string_view recipient);

}  // namespace watchpost::feedback
