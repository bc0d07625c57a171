#pragma once
#include "dns/resolver.h"

#include <string>
#include <string_view>

namespace watchpost::dns {

// What every resolver does alike.

AnswerPtr failed(std::string why);
// Of a name that is none, and of one that is not there.
const AnswerPtr& no_such_name();

// Takes one look-up out of the budget. False where none is left; nothing is taken then.
bool charge(Budget& budget);
AnswerPtr budget_used_up(const Budget& budget);

// "example.com TXT", with the name escaped.
std::string question_text(std::string_view name, RecordType type);

}  // namespace watchpost::dns
