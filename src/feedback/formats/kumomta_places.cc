#include "feedback/formats/kumomta_places.h"

#include "base/text.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace watchpost::feedback {
namespace {

constexpr std::array<KumomtaRecord::Key, 6> kNameableKeys{
    KumomtaRecord::queue,         KumomtaRecord::site,   KumomtaRecord::egress_pool,
    KumomtaRecord::egress_source, KumomtaRecord::nodeid, KumomtaRecord::bounce_classification};

Result<KumomtaPlace> place_of(std::string_view name) {
  constexpr std::string_view kHeader = "header:";
  constexpr std::string_view kRecord = "record:";
  if (name.empty()) return fail(Code::bad_input, "an empty name names nothing");
  if (name.starts_with(kHeader)) {
    return KumomtaPlace{.where = KumomtaPlace::header,
                        .name = lower_ascii(name.substr(kHeader.size()))};
  }
  if (!name.starts_with(kRecord)) return KumomtaPlace{.name = std::string(name)};
  const auto found =
      std::ranges::find(kNameableKeys, name.substr(kRecord.size()), &KumomtaRecord::name_of);
  if (found == kNameableKeys.end()) {
    return fail(Code::bad_input,
                fmt::format("`{}` is not a part of a record that can be taken", escaped(name, 60)));
  }
  return KumomtaPlace{.where = KumomtaPlace::record, .key = *found};
}

// When all of them are there, as the views point into them.
void number(KumomtaPlaces& places) {
  for (auto& list : places.of) {
    for (KumomtaPlace& place : list) {
      if (place.where == KumomtaPlace::record) continue;
      auto& names = place.where == KumomtaPlace::meta ? places.metas : places.headers;
      const auto known = std::ranges::find(names, place.name);
      place.number = static_cast<size_t>(known - names.begin());
      if (known == names.end()) names.push_back(place.name);
    }
  }
}

}  // namespace

void fields(SettingsVisitor& visit, KumomtaNames& names) {
  visit.setting({.name = "customer",
                 .help = "Names of `meta` that hold the customer; else the tenant of the queue."},
                &names.customer);
  visit.setting({.name = "campaign",
                 .help = "Names of `meta` that hold the campaign; else that of the queue."},
                &names.campaign);
  visit.setting({.name = "credential",
                 .help = "Names of `meta` that hold the login which handed the message in."},
                &names.credential);
  visit.setting({.name = "client", .help = "Names of `meta` that hold the address of the client."},
                &names.client);
}

Result<KumomtaPlaces> KumomtaPlaces::from(const KumomtaNames& names) {
  const std::array<std::pair<const std::vector<std::string>*, std::string_view>, kFields> lists{
      {{&names.customer, "customer"},
       {&names.campaign, "campaign"},
       {&names.credential, "credential"},
       {&names.client, "client"}}};
  KumomtaPlaces places;
  for (size_t i = 0; i < kFields; ++i) {
    const auto& [list, about] = lists[i];
    if (list->size() > kMostNames) {
      return fail(Code::bad_input, fmt::format("takes at most {} names", kMostNames),
                  std::string(about));
    }
    for (const std::string& name : *list) {
      auto place = place_of(name);
      if (!place) return fail(Code::bad_input, place.error().what, std::string(about));
      places.of[i].push_back(std::move(*place));
    }
  }
  number(places);
  return places;
}

}  // namespace watchpost::feedback
