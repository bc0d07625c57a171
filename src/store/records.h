#pragma once
#include "base/result.h"
#include "model/decision.h"
#include "model/incident.h"
#include "model/kept_mail.h"
#include "model/notice.h"
#include "model/suppression.h"
#include "store/store.h"

#include <string>
#include <string_view>

namespace watchpost::store {

// The bodies of rows: one value as bytes, whatever bytes its texts hold, and back.
//   Fails: decoding with corrupt, `about` naming the row.
//   Why:   enumerators and fields stand by name, so that an enum may grow or change its order.
std::string encode(const Incident& incident);
std::string encode(const Decision& decision);
std::string encode(const ShadowDecision& decision);
std::string encode(const Enforcement& enforcement);
std::string encode(const Notice& notice);
std::string encode(const KeptMail& mail);  // all but its number and bytes
std::string encode(const Suppression& suppression);

Result<Incident> decode_incident(std::string_view body, std::string_view about);
Result<Decision> decode_decision(std::string_view body, std::string_view about);
Result<ShadowDecision> decode_shadow_decision(std::string_view body, std::string_view about);
Result<Enforcement> decode_enforcement(std::string_view body, std::string_view about);
Result<Notice> decode_notice(std::string_view body, std::string_view about);
Result<KeptMail> decode_kept_mail(std::string_view body, std::string_view about);
Result<Suppression> decode_suppression(std::string_view body, std::string_view about);

}  // namespace watchpost::store
