#pragma once
#include "api/routes.h"

namespace watchpost::api {

// The routes that only look.
Result<std::string> get_status(const Call& call);
Result<std::string> get_sources(const Call& call);
Result<std::string> get_events(const Call& call);
Result<std::string> get_streams(const Call& call);
Result<std::string> get_explain(const Call& call);
Result<std::string> get_incidents(const Call& call);
Result<std::string> get_incident(const Call& call);
Result<std::string> get_decisions(const Call& call);
Result<std::string> get_shadow_decisions(const Call& call);
Result<std::string> get_notices(const Call& call);
Result<std::string> get_audit(const Call& call);
Result<std::string> get_audit_verify(const Call& call);
void get_metrics(const Call& call, const Respond& respond);
void get_health(const Call& call, const Respond& respond);

}  // namespace watchpost::api
