#pragma once
#include "simulate/platform.h"

#include <string>

namespace watchpost::simulate {

// The texts of a message, as all formats have them.
void append_queue_id(std::string& out, uint64_t key);
void append_message_id(std::string& out, const Letter& letter, const Customer& customer);
void append_recipient(std::string& out, const Mailbox& to);
// What somebody who guesses says that their name is: mostly a login of ours.
void append_guessed_login(std::string& out, const Platform& platform, uint64_t key);
// What the receiver said, from its code on; of the mail server itself where no server spoke.
void append_reply(std::string& out, const Reply& reply, const Mailbox& to);
// "5.1.1": also where the receiver gave none.
void append_status(std::string& out, const Reply& reply);
double delay_of(const Occurrence& occurrence);

}  // namespace watchpost::simulate
