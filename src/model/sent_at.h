#pragma once
#include "base/time.h"
#include "model/event.h"

namespace watchpost {

// When its message was sent: `at` less `delay`; Time::min() where it cannot be.
Time sent_at(const Event& event);

}  // namespace watchpost
