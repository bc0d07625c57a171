#include "investigate/border_desk.h"

#include "base/ip_address.h"
#include "base/text.h"
#include "ingest/pipeline.h"
#include "investigate/corrections.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

namespace watchpost::investigate {
namespace {

using relate::Party;

constexpr size_t kMostVerdicts = 1000;
constexpr size_t kMostParties = 10'000;
constexpr size_t kLongestWhy = 1000;

std::unexpected<Error> no_reputation() {
  return fail(Code::refused, "mail is not watched as it passes: no [[milter]] keeps a reputation");
}

std::string network_text(IpAddress address, int prefix) {
  for (int bit = prefix; bit < address.bits(); ++bit) {
    address.bytes[static_cast<size_t>(bit / 8)] &= static_cast<uint8_t>(~(0x80U >> (bit % 8)));
  }
  return fmt::format("{}/{}", address.text(), prefix);
}

// "192.0.2.7" and "192.0.2.0/24" are the same network.
std::optional<std::string> network_name(std::string_view text) {
  const size_t slash = text.find('/');
  const auto address = parse_ip_address(text.substr(0, slash));
  if (!address) return std::nullopt;
  const int usual = address->v6 ? 48 : 24;
  if (slash != std::string_view::npos && text.substr(slash + 1) != std::to_string(usual)) {
    return std::nullopt;
  }
  return network_text(*address, usual);
}

std::optional<std::string> name_from(Party party, std::string_view text) {
  switch (party) {
    case Party::ip: {
      const auto address = parse_ip_address(text);
      return address ? std::optional(unmapped(*address).text()) : std::nullopt;
    }
    case Party::network: return network_name(text);
    case Party::domain:
    case Party::signer:
      if (text.empty() || text.size() > 253) return std::nullopt;
      return lower_ascii(text.ends_with('.') ? text.substr(0, text.size() - 1) : text);
  }
  return std::nullopt;
}

std::string_view wanted_of(Party party) {
  switch (party) {
    case Party::ip: return "an IP address";
    case Party::network: return "a network: 192.0.2.0/24, or a /48 of IPv6";
    case Party::domain:
    case Party::signer: return "a domain";
  }
  return "a name";
}

}  // namespace

Result<std::vector<FoundVerdict>> find_verdicts(store::Reader& reader,
                                                const VerdictSearch& search) {
  store::VerdictQuery query{.since = search.since,
                            .until = {},
                            .equal = {},
                            .limit = std::clamp<size_t>(search.limit, 1, kMostVerdicts)};
  for (const auto& [field, value] :
       {std::pair<Field, const std::string*>{Field::queue_id, &search.queue_id},
        {Field::message_id, &search.message_id},
        {Field::sender, &search.sender},
        {Field::recipient, &search.recipient}}) {
    if (!value->empty()) query.equal.push_back({field, *value});
  }
  // As it stands in a header, or as it is kept.
  for (auto& [field, value] : query.equal) {
    if (field != Field::message_id || !value.starts_with('<') || !value.ends_with('>')) continue;
    value = value.substr(1, value.size() - 2);
  }
  auto kept = reader.verdicts(query);
  if (!kept) return fail(kept.error());
  std::vector<FoundVerdict> found;
  for (store::MessageVerdict& one : *kept) {
    auto correction = correction_of_verdict(reader, one.json);
    if (!correction) return fail(correction.error());
    found.push_back({std::move(one), std::move(*correction)});
  }
  return found;
}

Result<std::string> party_name(Party party, std::string_view text) {
  auto name = name_from(party, text);
  if (name) return std::move(*name);
  return fail(Code::bad_input, fmt::format("`{}` is not {}", escaped(text, 60), wanted_of(party)),
              "name");
}

Result<relate::Reputed> reputation_of(const relate::Reputation* reputation, Party party,
                                      std::string_view name, Time now) {
  if (reputation == nullptr) return no_reputation();
  auto known = party_name(party, name);
  if (!known) return fail(known.error());
  const relate::Standing standing = reputation->of(party, *known, now);
  return relate::Reputed{party, std::move(*known), standing};
}

Result<std::vector<relate::Reputed>> worst_of(const relate::Reputation* reputation, size_t most,
                                              Time now) {
  if (reputation == nullptr) return no_reputation();
  auto worst = reputation->worst(std::clamp<size_t>(most, 1, kMostParties), now);
  // Those whom nothing speaks against are not worst, however few there are.
  std::erase_if(worst, [](const relate::Reputed& one) { return one.standing.badness() <= 0; });
  return worst;
}

Result<Done> forget_party(relate::Reputation* reputation, ingest::Pipeline& pipeline, Party party,
                          std::string_view name, std::string_view who, std::string_view why) {
  if (reputation == nullptr) return no_reputation();
  if (why.size() > kLongestWhy) return fail(Code::bad_input, "this is too long", "why");
  const auto known = party_name(party, name);
  if (!known) return fail(known.error());
  const auto noted = pipeline.ask([&](decide::Decider&, detect::Watch&,
                                      Time now) -> Result<decide::Outcome> {
    const relate::Standing standing = reputation->of(party, *known, now);
    const std::string about = fmt::format("{} {}", relate::name_of(party), *known);
    if (!standing.known()) return fail(Code::not_found, "nothing is known of it", about);
    decide::Outcome outcome;
    outcome.audit.push_back({now, std::string(who), "reputation forgotten", about,
                             fmt::format("{:.0f} messages, badness {:.2f}{}{}", standing.messages(),
                                         standing.badness(), why.empty() ? "" : ": ", why)});
    return outcome;
  });
  if (!noted) return noted;
  reputation->forget(party, *known);
  return Done{};
}

}  // namespace watchpost::investigate
