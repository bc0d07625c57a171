#pragma once
#include "feedback/reports/notice_phrases.h"

#include <span>

namespace watchpost::feedback {

// The tables that notice_phrases() puts together. To teach Watchpost another system, add its rows
// to the first, and a message of it to cases/returned_mail/notices.case.
std::span<const Phrase> phrases_of_systems();
std::span<const Phrase> phrases_of_all();

}  // namespace watchpost::feedback
