#include "simulate/truth.h"

#include <fmt/format.h>

namespace watchpost::simulate {
namespace {

// Everything in it is made up by us: no quotes, no control bytes.
std::string text_key(std::string_view name, std::string_view value) {
  return value.empty() ? std::string() : fmt::format(", \"{}\": \"{}\"", name, value);
}

std::string json_of(const IncidentRecord& one) {
  const IncidentInfo& info = info_of(one.kind);
  std::string out =
      fmt::format("    {{\"kind\": \"{}\", \"harmful\": {}, \"start\": \"{}\", \"end\": \"{}\"",
                  info.name, info.harmful, format_time(one.start), format_time(one.end));
  if (info.verdict != Verdict::none) out += text_key("verdict", name_of(info.verdict));
  out += text_key("customer", one.customer_name);
  out += text_key("credential", one.credential);
  out += text_key("campaign", one.campaign);
  out += text_key("provider", one.provider);
  out += text_key("source_ip", one.source_ip);
  return out +
         fmt::format(", \"messages\": {}, \"recipients\": {}, \"unknown\": {}, \"refused\": {}}}",
                     one.messages, one.recipients, one.unknown, one.refused);
}

}  // namespace

std::string truth_json(const Platform& platform, const PlatformSettings& settings) {
  std::string out = fmt::format(
      "{{\n  \"seed\": {},\n  \"customers\": {},\n  \"start\": \"{}\",\n  \"end\": \"{}\",\n  "
      "\"incidents\": [",
      settings.seed, settings.customers, format_time(settings.start),
      format_time(settings.start + settings.span));
  const char* between = "\n";
  for (const IncidentRecord& one : platform.incidents()) {
    out += between + json_of(one);
    between = ",\n";
  }
  return out + "\n  ]\n}\n";
}

}  // namespace watchpost::simulate
