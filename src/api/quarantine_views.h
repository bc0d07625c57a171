#pragma once
#include "investigate/quarantine_desk.h"

#include <boost/json/fwd.hpp>

namespace watchpost::api {

// For api/*.cc only. Held mail as JSON, by the names of docs/reference/openapi.json. What is not
// known is null. Pure.
boost::json::value view(const quarantine::HeldMessage& message);
boost::json::value view(const quarantine::Usage& usage);
boost::json::value view(const quarantine::Exception& exception);
boost::json::value view(const investigate::SafeView& seen);
boost::json::value view(const investigate::ReleaseReceipt& receipt);

}  // namespace watchpost::api
